"""`SessionPool`: one pool, many clients."""

from __future__ import annotations

from typing import assert_type

from cadenza_async import AsyncCadenza, SessionPool


async def opening() -> None:
    """`async with` gives the pool; a client of it is an `AsyncCadenza` like any other."""
    async with SessionPool(base_url="uat", max_connections=100) as pool:
        assert_type(pool, SessionPool)
        client = pool.client(access_token="token", identity="u-17")
        assert_type(client, AsyncCadenza)
        assert_type(pool.client(), AsyncCadenza)
    assert_type(await pool.aclose(), None)


def wrongly(pool: SessionPool) -> None:
    """A pool has no token of its own, and a client of it no options."""
    SessionPool("token")  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
    SessionPool(access_token="token")  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
    SessionPool(max_connections="100")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    pool.client("token")  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
    pool.client(access_token="token", timeout=5)  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
    pool.client(identity=17)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
