"""What the tests of `onboard` share: a job against a sandbox."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from .jobs import Job

if TYPE_CHECKING:
    from pathlib import Path

    from cadenza_async.sandbox import Sandbox


@pytest.fixture
def job(sandbox: Sandbox, tmp_path: Path) -> Job:
    """Give a job whose journal is not there yet."""
    return Job(sandbox=sandbox, journal=tmp_path / "accounts.journal")
