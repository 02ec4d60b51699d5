"""The journal's thread."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from cadenza_async.onboarding._journal import Journal
from cadenza_async.onboarding._store import Store

if TYPE_CHECKING:
    from pathlib import Path


async def test_what_waits_is_done_before_it_is_closed(tmp_path: Path) -> None:
    """Closing does not wait for the time of the next commit, and forgets nothing."""
    make = partial(Store, str(tmp_path / "a.journal"), "https://x.example", retry_failed=False)
    journal = await Journal.open(make)
    known = journal.do(lambda store: store.knows("u-1"))
    closed = journal.close()
    assert await known is False
    await closed
