"""aiohttp as its documentation shows it; nothing is validated."""

from __future__ import annotations

from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from aiohttp import ClientSession, TCPConnector
from job import PATH, new_account

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable

    from job import Target


@asynccontextmanager
async def connecting(target: Target) -> AsyncIterator[Callable[[int], Awaitable[object]]]:
    """Use one session with a base URL, ``json=`` and ``response.json()``."""
    account, tokens = new_account(), target.tokens()
    connector = TCPConnector(limit=target.connections, ssl=target.context() or True)
    async with ClientSession(target.url, connector=connector) as session:

        async def connect(identity: int) -> object:
            async with session.post(
                PATH,
                json={
                    "venue": account.venue,
                    "apiKey": account.api_key,
                    "apiSecret": account.api_secret,
                    "name": account.name,
                },
                headers={"Authorization": f"Bearer {tokens[identity]}"},
            ) as response:
                response.raise_for_status()
                return (await response.json())["data"]

        yield connect
