"""A raw server, which answers everything with nothing, and a sandbox for blocking code."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from anyio.from_thread import start_blocking_portal

from cadenza_async.sandbox import Sandbox
from tests.raw import RawServer, answers, envelope

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator


@pytest.fixture
async def server() -> AsyncIterator[RawServer]:
    """Give a raw server."""
    async with RawServer(default=answers(200, envelope())) as server:
        yield server


@pytest.fixture
def served() -> Iterator[Sandbox]:
    """Give a sandbox that runs in a thread of its own."""
    with start_blocking_portal() as portal, portal.wrap_async_context_manager(Sandbox()) as sandbox:
        yield sandbox
