"""This package."""

from __future__ import annotations

from contextlib import ExitStack, asynccontextmanager, contextmanager
from typing import TYPE_CHECKING

from job import new_account

from cadenza_async import Cadenza, SessionPool

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable, Iterator

    from job import Target


@asynccontextmanager
async def connecting(target: Target) -> AsyncIterator[Callable[[int], Awaitable[object]]]:
    """Use one pool for all identities."""
    account = new_account()
    async with SessionPool(
        base_url=target.url,
        max_connections=target.connections,
        ssl_context=target.context(),
    ) as pool:
        clients = [pool.client(access_token=token) for token in target.tokens()]

        def connect(identity: int) -> Awaitable[object]:
            return clients[identity].connect_account(
                venue=account.venue,
                api_key=account.api_key,
                api_secret=account.api_secret,
                name=account.name,
            )

        yield connect


@contextmanager
def blocking(target: Target) -> Iterator[Callable[[int], object]]:
    """Use one blocking client for each identity."""
    account = new_account()
    with ExitStack() as exits:
        clients = [
            exits.enter_context(Cadenza(access_token=token, base_url=target.url))
            for token in target.tokens()
        ]

        def connect(identity: int) -> object:
            return clients[identity].connect_account(
                venue=account.venue,
                api_key=account.api_key,
                api_secret=account.api_secret,
                name=account.name,
            )

        yield connect
