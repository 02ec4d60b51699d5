"""Who is calling: access tokens, users with passwords, and sessions whose refresh token rotates."""

from __future__ import annotations

import hmac
from collections.abc import Callable
from datetime import UTC, datetime
from hashlib import sha256

from attrs import define, evolve, field, frozen

from cadenza_async.sandbox._replies import Refusal

REFRESH_LIFETIME = 7 * 24 * 3600


@frozen(kw_only=True)
class Grant:
    """What a token stands for; `expires` is in Unix seconds, None means never."""

    user: str
    expires: float | None
    rights: bool = True
    session: str | None = None

    def alive(self, now: float) -> bool:
        """Whether the token is good at this moment."""
        return self.expires is None or now < self.expires


@frozen(kw_only=True)
class _User:
    id: str
    email: str
    password: bytes = field(repr=False)
    created_at: float


@define
class Sessions:
    """Every token there is; a refresh token works once and is replaced."""

    clock: Callable[[], float]
    new_token: Callable[[], str]
    lifetime: int
    _users: dict[str, _User] = field(factory=dict[str, _User], init=False, repr=False)
    _access: dict[str, Grant] = field(factory=dict[str, Grant], init=False, repr=False)
    _refresh: dict[str, tuple[Grant, _User]] = field(
        factory=dict[str, tuple[Grant, _User]], init=False, repr=False
    )

    def add_user(self, email: str, password: str, user: str) -> None:
        """Let somebody log in."""
        self._users[email] = _User(
            id=user, email=email, password=_digest(password), created_at=self.clock()
        )

    def issue(self, grant: Grant) -> str:
        """A new access token."""
        token = self.new_token()
        self._access[token] = grant
        return token

    def find(self, token: str) -> Grant | None:
        """What a token stands for, whether it is still good or not."""
        return self._access.get(token)

    def login(self, email: str, password: str) -> dict[str, object]:
        """A new session.

        Raises:
            Refusal: 401, -100001.
        """
        user = self._users.get(email)
        if user is None or not hmac.compare_digest(user.password, _digest(password)):
            raise Refusal(401, -100001, "Invalid email or password")
        return self._open(user, session=self.new_token())

    def refresh(self, token: str) -> dict[str, object]:
        """The session goes on under new tokens; the refresh token given is spent.

        Raises:
            Refusal: 401, -100003.
        """
        grant, user = self._refresh.pop(token, (None, None))
        if grant is None or user is None or not grant.alive(self.clock()):
            raise Refusal(401, -100003, "Invalid refresh token")
        return self._open(user, session=grant.session)

    def logout(self, token: str, session: str | None) -> None:
        """Forget an access token and, if it has a session, every token of that."""
        self._access.pop(token, None)
        if session is not None:
            self._access = {t: g for t, g in self._access.items() if g.session != session}
            self._refresh = {t: g for t, g in self._refresh.items() if g[0].session != session}

    def _open(self, user: _User, session: str | None) -> dict[str, object]:
        now = self.clock()
        grant = Grant(user=user.id, expires=now + self.lifetime, session=session)
        refresh_token = self.new_token()
        self._refresh[refresh_token] = (evolve(grant, expires=now + REFRESH_LIFETIME), user)
        return {
            "accessToken": self.issue(grant),
            "refreshToken": refresh_token,
            "tokenType": "bearer",
            "expiresIn": self.lifetime,
            "expiresAt": int(now + self.lifetime),
            "user": {"id": user.id, "email": user.email, "createdAt": _rfc3339(user.created_at)},
        }


def _digest(password: str) -> bytes:
    return sha256(password.encode()).digest()


def _rfc3339(moment: float) -> str:
    return datetime.fromtimestamp(int(moment), UTC).isoformat().replace("+00:00", "Z")
