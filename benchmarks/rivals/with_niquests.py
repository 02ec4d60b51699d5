"""niquests, whose two sessions are used alike."""
# It is not installed where types are checked:
# pyright: reportMissingImports=false

from __future__ import annotations

from contextlib import asynccontextmanager, contextmanager
from typing import TYPE_CHECKING, Any

import niquests
from job import body, new_account, read

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable, Iterator

    from job import Target


def _options(target: Target) -> dict[str, Any]:
    return {"pool_maxsize": target.connections, "disable_http3": True}


@asynccontextmanager
async def connecting(target: Target) -> AsyncIterator[Callable[[int], Awaitable[object]]]:
    """Use one session for all identities."""
    headers, url, verify = target.headers(), target.endpoint, target.authority or True
    async with niquests.AsyncSession(**_options(target)) as session:

        async def connect(identity: int) -> object:
            response = await session.post(
                url, data=body(new_account()), headers=headers[identity], timeout=30, verify=verify
            )
            return read(response.status_code or 0, response.content or b"")

        yield connect


@contextmanager
def blocking(target: Target) -> Iterator[Callable[[int], object]]:
    """Use one session for all identities and threads."""
    headers, url, verify = target.headers(), target.endpoint, target.authority or True
    with niquests.Session(**_options(target)) as session:

        def connect(identity: int) -> object:
            response = session.post(
                url, data=body(new_account()), headers=headers[identity], timeout=30, verify=verify
            )
            return read(response.status_code or 0, response.content or b"")

        yield connect
