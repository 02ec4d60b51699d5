"""Who is calling: access tokens, users with passwords, and sessions whose refresh token rotates."""

from __future__ import annotations

import hmac
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from hashlib import sha256
from typing import Any

from attrs import asdict, define, evolve, field, frozen

from cadenza_async.sandbox._records import Keep, Record, keep_nothing
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
    password: str = field(repr=False)
    created_at: float


@define
class Sessions:
    """Every token there is; a refresh token works once and is replaced.

    Whatever is to last is also given to `keep`, which may write it down.
    """

    clock: Callable[[], float]
    new_token: Callable[[], str]
    lifetime: int
    keep: Keep = field(default=keep_nothing, repr=False, kw_only=True)
    _users: dict[str, _User] = field(factory=dict[str, _User], init=False, repr=False)
    _access: dict[str, Grant] = field(factory=dict[str, Grant], init=False, repr=False)
    _refresh: dict[str, tuple[Grant, _User]] = field(
        factory=dict[str, tuple[Grant, _User]], init=False, repr=False
    )

    def add_user(self, email: str, password: str, user: str) -> None:
        """Let somebody log in."""
        known = _User(id=user, email=email, password=_digest(password), created_at=self.clock())
        self._users[email] = known
        self._note("user", email, **asdict(known))

    def issue(self, grant: Grant) -> str:
        """A new access token."""
        token = self.new_token()
        self._access[token] = grant
        self._note("access", token, token=token, **asdict(grant))
        return token

    def lasting(self, user: str) -> str | None:
        """A token of a user that never expires and may do everything, if there is one."""
        wanted = Grant(user=user, expires=None)
        return next((token for token, grant in self._access.items() if grant == wanted), None)

    def find(self, token: str) -> Grant | None:
        """What a token stands for, whether it is still good or not."""
        return self._access.get(token)

    def profile(self, user: str) -> dict[str, object]:
        """What is known of a user; nothing of somebody who cannot log in."""
        known = next((each for each in self._users.values() if each.id == user), None)
        return _profile(known) if known else {}

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
        self._note("refresh", token)
        return self._open(user, session=grant.session)

    def logout(self, token: str, session: str | None) -> None:
        """Forget an access token and, if it has a session, every token of that."""
        ended = [t for t, grant in self._access.items() if session and grant.session == session]
        for each in {token, *ended}:
            self._access.pop(each, None)
            self._note("access", each)
        for each in [t for t, (grant, _) in self._refresh.items() if grant.session == session]:
            del self._refresh[each]
            self._note("refresh", each)

    def restore(self, kind: str, value: Mapping[str, Any]) -> None:
        """Know a user or a token again; what has expired since is forgotten."""
        if kind == "user":
            self._users[value["email"]] = _User(**value)
            return
        facts = dict(value)
        token, email = facts.pop("token"), facts.pop("email", None)
        grant = Grant(**facts)
        if not grant.alive(self.clock()):
            self._note(kind, token)
        elif kind == "access":
            self._access[token] = grant
        else:
            self._refresh[token] = grant, self._users[email]

    def _open(self, user: _User, session: str | None) -> dict[str, object]:
        now = self.clock()
        grant = Grant(user=user.id, expires=now + self.lifetime, session=session)
        refresh_token = self.new_token()
        renewal = evolve(grant, expires=now + REFRESH_LIFETIME)
        self._refresh[refresh_token] = renewal, user
        self._note(
            "refresh", refresh_token, token=refresh_token, email=user.email, **asdict(renewal)
        )
        return {
            "accessToken": self.issue(grant),
            "refreshToken": refresh_token,
            "tokenType": "bearer",
            "expiresIn": self.lifetime,
            "expiresAt": int(now + self.lifetime),
            "user": _profile(user),
        }

    def _note(self, kind: str, name: str, **value: object) -> None:
        """Tell what is to be kept of a user or a token; nothing if it is to be forgotten."""
        self.keep(Record(kind=kind, id=_digest(name), value=value or None))


def _digest(secret: str) -> str:
    return sha256(secret.encode(errors="surrogatepass")).hexdigest()


def _profile(user: _User) -> dict[str, object]:
    return {"id": user.id, "email": user.email, "createdAt": _rfc3339(user.created_at)}


def _rfc3339(moment: float) -> str:
    return datetime.fromtimestamp(int(moment), UTC).isoformat().replace("+00:00", "Z")
