"""What the wire's tests share: a raw server, once plain and once with TLS."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.raw import RawServer

if TYPE_CHECKING:
    from collections.abc import AsyncIterator


@pytest.fixture(params=["http", "tls"])
async def server(request: pytest.FixtureRequest) -> AsyncIterator[RawServer]:
    """Give a raw server, plain and with TLS."""
    async with RawServer(tls=request.param == "tls") as server:
        yield server


@pytest.fixture
async def plain() -> AsyncIterator[RawServer]:
    """Give a raw server without TLS."""
    async with RawServer() as server:
        yield server
