"""pyreqwest, an HTTP client in Rust."""
# It is not installed where types are checked:
# pyright: reportMissingImports=false

from __future__ import annotations

from contextlib import asynccontextmanager, contextmanager
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

from job import body, new_account, read
from pyreqwest.client import ClientBuilder, SyncClientBuilder

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable, Iterator

    from job import Target


def _built(builder: Any, target: Target) -> Any:  # noqa: ANN401  # either kind of client
    builder = builder.max_connections(target.connections).timeout(timedelta(seconds=30))
    if target.authority:
        builder = builder.add_root_certificate_pem(Path(target.authority).read_bytes())
    return builder.build()


def _request(client: Any, target: Target, token: str) -> Any:  # noqa: ANN401  # either kind of client
    request = client.post(target.endpoint).bearer_auth(token)
    request = request.header("Content-Type", "application/json")
    return request.body_bytes(body(new_account())).build()


@asynccontextmanager
async def connecting(target: Target) -> AsyncIterator[Callable[[int], Awaitable[object]]]:
    """Use one client for all identities."""
    tokens = target.tokens()
    async with _built(ClientBuilder(), target) as client:

        async def connect(identity: int) -> object:
            response = await _request(client, target, tokens[identity]).send()
            return read(response.status, bytes(await response.bytes()))

        yield connect


@contextmanager
def blocking(target: Target) -> Iterator[Callable[[int], object]]:
    """Use one client for all identities and threads."""
    tokens = target.tokens()
    with _built(SyncClientBuilder(), target) as client:

        def connect(identity: int) -> object:
            response = _request(client, target, tokens[identity]).send()
            return read(response.status, bytes(response.bytes()))

        yield connect
