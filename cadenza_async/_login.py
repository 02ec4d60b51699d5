"""Access tokens from e-mail and password: logging in, and refreshing in good time."""

from __future__ import annotations

from copy import copy
from typing import TYPE_CHECKING

from cadenza_async import _endpoints
from cadenza_async._session import Session
from cadenza_async._tokens import SingleFlight, Tokens
from cadenza_async.errors import (
    ApiError,
    AuthenticationError,
    NotSentError,
    OutcomeUnknownError,
    PermissionDeniedError,
    RateLimitedError,
)

if TYPE_CHECKING:
    from cadenza_async._limits import Limits
    from cadenza_async._shared import Shared
    from cadenza_async.auth import PasswordLogin
    from cadenza_async.errors import CadenzaError
    from cadenza_async.models import LoginSession
    from cadenza_async.secret import Secret

_EARLY = 300.0  # seconds before the end at which a token is refreshed
_PATIENCE = 30.0  # seconds between attempts to refresh a token that is still good
_LOCKOUT = 30.0  # seconds for which a refused login is final: many of them may lock an account


class LoginTokens:
    """The token source of a `PasswordLogin`.

    Lifetimes are counted from ``expiresIn`` by the loop's clock. While a token is still good, one
    task refreshes it and everybody else goes on using it. A login that is refused is the answer to
    whoever asks in the next half minute, too.

    Args:
        shared: What the pool shares.
        limits: The rate limits that logging in counts against.
        login: E-mail and password.
        label: What the user calls the identity.
    """

    def __init__(
        self, shared: Shared, limits: Limits, login: PasswordLogin, *, label: str | None = None
    ) -> None:
        self._session = Session(shared, Tokens(login, self, shared.spawn), limits, label=label)
        self._loop = shared.loop
        self._login = login
        self._flight: SingleFlight[LoginSession] = SingleFlight(shared.spawn)
        self._grant: LoginSession | None = None
        self._refresh_token: Secret | None = None
        self._ends = self._due = 0.0
        self._refusal: CadenzaError | None = None
        self._refused_until = 0.0

    async def token(self, *, rejected: Secret | None = None) -> Secret:
        """Return a token that is good now; see `TokenSource`."""
        grant = self._grant
        if grant is None or grant.access_token == rejected or self._loop.time() >= self._ends:
            return (await self._flight.do(self._renew)).access_token
        if self._loop.time() >= self._due:
            self._due = self._loop.time() + _PATIENCE
            self._flight.start(self._renew)
        return grant.access_token

    async def _renew(self) -> LoginSession:
        """Refresh, or log in where there is nothing to refresh or it is refused or lost."""
        grant = await self._refreshed()
        if grant is None:
            grant = await self._logged_in()
        now = self._loop.time()
        self._grant, self._refresh_token = grant, grant.refresh_token
        self._ends = now + grant.expires_in
        self._due = self._ends - min(_EARLY, grant.expires_in / 2)
        return grant

    async def _logged_in(self) -> LoginSession:
        if self._refusal is not None and self._loop.time() < self._refused_until:
            raise copy(self._refusal)
        try:
            return await self._session.send(_endpoints.login(self._login))
        except (AuthenticationError, PermissionDeniedError) as error:
            self._refusal = copy(error)  # without the traceback
            self._refused_until = self._loop.time() + _LOCKOUT
            raise
        except OutcomeUnknownError as error:
            reason = str(error)
        raise NotSentError(f"{reason}; without a token nothing was done")

    async def _refreshed(self) -> LoginSession | None:
        if self._refresh_token is None:
            return None
        try:
            return await self._session.send(_endpoints.refresh(self._refresh_token))
        except RateLimitedError:
            raise  # it is as good as before
        except (ApiError, OutcomeUnknownError):
            self._refresh_token = None  # refused, or spent without an answer
            return None
