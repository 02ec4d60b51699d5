"""What the tests of `onboard` share: a job against a sandbox."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from cadenza_async.sandbox import Sandbox

from .jobs import Job
from .stored import OPENAPI

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path


@pytest.fixture
def job(sandbox: Sandbox, tmp_path: Path) -> Job:
    """Give a job whose journal is not there yet."""
    return Job(sandbox=sandbox, journal=tmp_path / "accounts.journal")


@pytest.fixture
async def references(tmp_path: Path) -> AsyncIterator[Job]:
    """Give a job against a sandbox that connects by reference."""
    async with Sandbox(**OPENAPI) as sandbox:
        yield Job(sandbox=sandbox, journal=tmp_path / "accounts.journal", pool=OPENAPI)
