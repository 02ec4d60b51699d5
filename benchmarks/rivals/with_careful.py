"""aiohttp with care: what the library itself costs, and the same cattrs on top of it.

No retries, no rate limits, no errors worth the name, and secrets that are plain strings.
"""

from __future__ import annotations

from contextlib import asynccontextmanager, contextmanager
from typing import TYPE_CHECKING

from aiohttp import ClientSession, ClientTimeout, DummyCookieJar, TCPConnector
from anyio.from_thread import start_blocking_portal
from job import NewAccount, body, new_account, read
from yarl import URL

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable, Iterator

    from job import Target


@asynccontextmanager
async def connecting(target: Target) -> AsyncIterator[Callable[[int], Awaitable[object]]]:
    """Use one session, a URL parsed once, and headers built once for each identity."""
    given, url, headers = new_account(), URL(target.endpoint), target.headers()
    async with ClientSession(
        connector=TCPConnector(limit=target.connections, ssl=target.context() or True),
        cookie_jar=DummyCookieJar(),
        timeout=ClientTimeout(total=30),
    ) as session:

        async def connect(identity: int) -> object:
            account = NewAccount(
                venue=given.venue,
                api_key=given.api_key,
                api_secret=given.api_secret,
                name=given.name,
            )
            async with session.post(url, data=body(account), headers=headers[identity]) as response:
                return read(response.status, await response.read())

        yield connect


@contextmanager
def blocking(target: Target) -> Iterator[Callable[[int], object]]:
    """Make the same calls over a bare anyio portal."""
    with (
        start_blocking_portal() as portal,
        portal.wrap_async_context_manager(connecting(target)) as connect,
    ):

        def call(identity: int) -> object:
            return portal.call(connect, identity)

        yield call
