"""Who the client is, and how Cadenza is."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cadenza_async import _endpoints
from cadenza_async._methods import Methods
from cadenza_async.auth import PasswordLogin
from cadenza_async.secret import hide

if TYPE_CHECKING:
    from cadenza_async.models import Health, LoginSession, User
    from cadenza_async.secret import Secret


class Identity(Methods):
    """Logging in and out, whose token it is, and how Cadenza is."""

    async def login(
        self, email: str, password: str | Secret, *, timeout: float | None = None
    ) -> LoginSession:
        """Log in (``POST /api/v3/auth/login``); the client itself stays who it is.

        It needs no access token. A program that wants to stay logged in opens a client with a
        `PasswordLogin` instead, which also refreshes.

        Args:
            email: The user's e-mail address.
            password: The user's password.
            timeout: Seconds for the whole call; the client's default when not given.

        Returns:
            The tokens, and who they stand for.

        Raises:
            UsageError: If e-mail or password cannot be sent; nothing was sent.
            AuthenticationError: If Cadenza refuses them.
            RateLimitedError: If there were too many tries.
            CadenzaError: As for `list_accounts`.
        """
        password = hide(password)
        call = _endpoints.login(PasswordLogin(email=email, password=password))
        return await self._open_session.send(call, timeout=timeout)

    async def refresh(
        self, refresh_token: str | Secret, *, timeout: float | None = None
    ) -> LoginSession:
        """Go on with a session that `login` began (``POST /api/v3/auth/token/refresh``).

        It needs no access token, and the client itself stays who it is. The refresh token is spent
        by it, and the new session has another one.

        Args:
            refresh_token: Of the session so far.
            timeout: Seconds for the whole call; the client's default when not given.

        Returns:
            The new tokens, and who they stand for if the answer tells.

        Raises:
            UsageError: If the token cannot be sent; nothing was sent.
            AuthenticationError: If Cadenza refuses it, as it does one that was used before.
            OutcomeUnknownError: If it may be spent: log in again.
            CadenzaError: As for `connect_account`.
        """
        refresh_token = hide(refresh_token)
        return await self._open_session.send(_endpoints.refresh(refresh_token), timeout=timeout)

    async def logout(self, *, timeout: float | None = None) -> None:
        """End the session (``POST /api/v3/auth/logout``).

        Access and refresh token are void then. Whatever else this client, or another one of the
        same identity, is asked for after that is refused with a `ConfigError` and not sent.

        Args:
            timeout: Seconds for the whole call; the client's default when not given.

        Raises:
            AuthenticationError: If the token was void already.
            OutcomeUnknownError: If it may have been done; it may be repeated.
            CadenzaError: As for `connect_account`.
        """
        await self._open_session.send(_endpoints.logout(), timeout=timeout)
        self._open_session.end()

    async def user(self, *, timeout: float | None = None) -> User:
        """Ask whose access token this is (``GET /api/v3/auth/user``).

        Args:
            timeout: Seconds for the whole call; the client's default when not given.

        Returns:
            The user.

        Raises:
            CadenzaError: As for `list_accounts`.
        """
        return await self._open_session.send(_endpoints.user(), timeout=timeout)

    async def health(self, *, timeout: float | None = None) -> Health:
        """Ask how Cadenza is (``GET /api/v3/health``); no access token is needed.

        That Cadenza is not well is an answer, too, and no error. The call counts against no rate
        limit.

        Args:
            timeout: Seconds for the whole call; the client's default when not given.

        Returns:
            Its own word, whatever the HTTP status.

        Raises:
            CadenzaError: As for `list_accounts`, if it does not say how it is.
        """
        return await self._open_session.send(_endpoints.health(), timeout=timeout)
