"""What the sandbox's tests share."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from .api import Api, serving

if TYPE_CHECKING:
    from collections.abc import AsyncIterator


@pytest.fixture
async def api() -> AsyncIterator[Api]:
    """Give a caller with a sandbox of its own."""
    async with serving() as api:
        yield api
