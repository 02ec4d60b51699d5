"""httpx, whose two clients are used alike."""
# It is not installed where types are checked:
# pyright: reportMissingImports=false

from __future__ import annotations

from contextlib import asynccontextmanager, contextmanager
from typing import TYPE_CHECKING, Any

import httpx
from job import body, new_account, read

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable, Iterator

    from job import Target


def _options(target: Target) -> dict[str, Any]:
    limits = httpx.Limits(
        max_connections=target.connections, max_keepalive_connections=target.connections
    )
    return {"limits": limits, "verify": target.context() or True, "timeout": 30}


@asynccontextmanager
async def connecting(target: Target) -> AsyncIterator[Callable[[int], Awaitable[object]]]:
    """Use one client for all identities."""
    headers, url = target.headers(), target.endpoint
    async with httpx.AsyncClient(**_options(target)) as client:

        async def connect(identity: int) -> object:
            response = await client.post(
                url, content=body(new_account()), headers=headers[identity]
            )
            return read(response.status_code, response.content)

        yield connect


@contextmanager
def blocking(target: Target) -> Iterator[Callable[[int], object]]:
    """Use one client for all identities and threads."""
    headers, url = target.headers(), target.endpoint
    with httpx.Client(**_options(target)) as client:

        def connect(identity: int) -> object:
            response = client.post(url, content=body(new_account()), headers=headers[identity])
            return read(response.status_code, response.content)

        yield connect
