"""A raw server, which answers everything with nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.raw import RawServer, answers, envelope

if TYPE_CHECKING:
    from collections.abc import AsyncIterator


@pytest.fixture
async def server() -> AsyncIterator[RawServer]:
    """Give a raw server."""
    async with RawServer(default=answers(200, envelope())) as server:
        yield server
