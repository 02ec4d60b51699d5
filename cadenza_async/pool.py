"""Connections shared by many identities."""

from __future__ import annotations

from typing import TYPE_CHECKING, Self, Unpack

from cadenza_async._sessions import Options, Sessions, configure, token_source
from cadenza_async.client import AsyncCadenza, PoolClient
from cadenza_async.errors import UsageError
from cadenza_async.secret import Secret

if TYPE_CHECKING:
    from types import TracebackType

    from cadenza_async.auth import Token


class SessionPool:
    """Sockets and limits that the clients of many identities share.

    Use it with ``async with``. Idle clients cost almost nothing; make one for each identity.

    Args:
        **options: As for `AsyncCadenza`.

    Raises:
        ConfigError: If an option cannot be used.
        UsageError: If options contradict one another.
    """

    def __init__(self, **options: Unpack[Options]) -> None:
        self._shared = configure(options)
        self._sessions = Sessions(self._shared)

    async def __aenter__(self) -> Self:
        self._shared.open()
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

        Raises:
            ClosedError: If another event loop or process opened it; it stays open.
        """
        await self._shared.close()

    def client(
        self, *, access_token: Token | None = None, identity: str | None = None
    ) -> AsyncCadenza:
        """Return a client of this pool; it needs no ``async with`` of its own.

        Clients with an equal ``identity`` share token and rate budget, and the token that was
        given last is used. Without a label, clients of the same token or the same token source
        object share.

        Args:
            access_token: As for `AsyncCadenza`. Without it a label keeps the token it has, while
                it has a client and for an hour after it was asked for; later it has none any more.
            identity: Your label for whom the token stands, for example a user id.

        Raises:
            ConfigError: If the token cannot be used.
            UsageError: If the label is no text.
            ClosedError: If the pool is not open.
        """
        access_token = Secret(access_token) if isinstance(access_token, str) else access_token
        _check_label(identity)
        self._shared.check()
        session = self._sessions.labelled(identity) if access_token is None else None
        session = session or self._sessions.get(token_source(access_token), identity)
        return PoolClient(session, self._sessions)


def _check_label(identity: object) -> None:
    if identity is not None and not isinstance(identity, str):
        raise UsageError("identity must be a string")
