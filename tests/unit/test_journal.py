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


def test_what_is_committed_outlasts_a_power_failure(tmp_path: Path) -> None:
    """An intent that was lost with its machine would be connected once more."""
    store = Store(str(tmp_path / "a.journal"), "https://x.example", retry_failed=False)
    try:
        (synchronous,) = store._file.execute("PRAGMA synchronous").fetchone()
        (mode,) = store._file.execute("PRAGMA journal_mode").fetchone()
        (fullfsync,) = store._file.execute("PRAGMA fullfsync").fetchone()
    finally:
        store.close()
    assert (synchronous, mode) == (2, "wal")  # FULL: an fsync for each commit
    assert fullfsync  # without it macOS leaves what was synchronised in the disk's own memory
