"""The asynchronous client: every endpoint a method."""

from __future__ import annotations

from typing import TYPE_CHECKING, Self, Unpack

from cadenza_async._methods.accounts import Accounts
from cadenza_async._methods.connecting import Connecting
from cadenza_async._methods.credentials import Credentials
from cadenza_async._methods.identity import Identity
from cadenza_async._sessions import Options, Sessions, configure, token_source
from cadenza_async.secret import Secret

if TYPE_CHECKING:
    from types import TracebackType

    from cadenza_async._session import Session
    from cadenza_async.auth import Token


class AsyncCadenza(Connecting, Accounts, Credentials, Identity):
    """Cadenza for one identity, in an asyncio event loop.

    Use it with ``async with``: that opens connections of its own, and closing waits for the
    calls in flight. For many identities over the same connections see `SessionPool`.

    Args:
        access_token: A string, a `Secret`, an async callable that returns one, a `TokenSource` or
            a `PasswordLogin`. ``CADENZA_ACCESS_TOKEN`` when it is not given. Without any, only
            calls that need none can be made (`login`, `refresh`, `health`). What your own callable
            or source raises is raised by the call that wanted a token; nothing was done then.
        **options: The settings in `cadenza_async.config.Settings`. Besides them ``session``, an
            `aiohttp.ClientSession` of yours, of the same event loop: it is used and never closed.
            And ``middlewares``, aiohttp's, which are placed outside ours; give those of your
            session so as well, as ours would replace them.

    Raises:
        ConfigError: If an option or the token cannot be used.
        UsageError: If options contradict one another.
    """

    def __init__(self, access_token: Token | None = None, **options: Unpack[Options]) -> None:
        access_token = Secret(access_token) if isinstance(access_token, str) else access_token
        self._source = token_source(access_token)
        self._shared = configure(options)
        self._sessions = Sessions(self._shared)
        self._session: Session | None = None

    async def __aenter__(self) -> Self:
        self._shared.open()
        self._session = self._sessions.get(self._source)
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        await self.aclose()

    async def aclose(self) -> None:
        """Wait for the calls in flight, at most ``grace`` seconds, and close for good.

        A client that came from a pool closes nothing, as it opened nothing.

        Raises:
            ClosedError: If another event loop or process opened it; it stays open.
        """
        await self._shared.close()


class PoolClient(AsyncCadenza):
    """A client of a pool.

    Args:
        session: The identity's session.
        sessions: The sessions of the pool.
    """

    def __init__(self, session: Session, sessions: Sessions) -> None:
        self._session = session
        self._sessions = sessions
        self._shared = session.shared

    async def __aenter__(self) -> Self:
        return self

    async def aclose(self) -> None:
        """Do nothing: the pool closes what it opened."""
