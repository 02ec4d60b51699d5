"""The journal's thread."""

from __future__ import annotations

import os
import subprocess
import sys
from functools import partial
from typing import TYPE_CHECKING

import pytest

from cadenza_async.errors import ConfigError
from cadenza_async.onboarding._journal import Journal
from cadenza_async.onboarding._store import Store

if TYPE_CHECKING:
    from pathlib import Path

TAKE_IN = """
import sys
from cadenza_async.onboarding._entry import Entry
from cadenza_async.onboarding._store import Store

def entry(number):
    names = (f"n-{number}",)
    key, user = f"k-{number}", f"u-{number % 100}"
    return Entry(key=key, user=user, venue="V", names=names, fingerprint="f" * 64, evasive=False)

store = Store(sys.argv[1], "https://x.example", retry_failed=False)
for first in range(0, 4000, 200):
    with store.transaction():
        store.register.admit([entry(number) for number in range(first, first + 200)])
store.close()
"""


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


def test_nothing_is_written_elsewhere(tmp_path: Path) -> None:
    """Of what many rows change SQLite keeps a copy, in a file for all, or as it is told to."""
    elsewhere = tmp_path / "temporary"
    elsewhere.mkdir()
    before = elsewhere.stat().st_mtime_ns
    command = [sys.executable, "-c", TAKE_IN, str(tmp_path / "a.journal")]
    subprocess.run(command, check=True, env={**os.environ, "SQLITE_TMPDIR": str(elsewhere)})
    assert elsewhere.stat().st_mtime_ns == before


def test_asking_for_it_twice_opens_it_to_no_other_process(tmp_path: Path) -> None:
    """The system drops a process's locks on a file as soon as that closes it anywhere."""
    given = str(tmp_path / "a.journal"), "https://x.example"
    again = f"from {Store.__module__} import Store; Store(*{given}, retry_failed=False)"
    store = Store(*given, retry_failed=False)
    try:
        with pytest.raises(ConfigError, match="is in use by another job"):
            Store(*given, retry_failed=False)
        other = subprocess.run(
            [sys.executable, "-c", again], check=False, capture_output=True, text=True
        )
    finally:
        store.close()
    assert "is in use by another job" in other.stderr


def test_a_lock_of_no_use_is_no_other_job(tmp_path: Path) -> None:
    """Waiting until that has ended would take for ever."""
    lock = tmp_path / "a.journal-lock"
    lock.write_text("whose is this?" * 100)
    with pytest.raises(ConfigError, match=f"^{lock} cannot be locked: file is not a database"):
        Store(str(tmp_path / "a.journal"), "https://x.example", retry_failed=False)


@pytest.mark.parametrize("what", ["folder", "loop"])
def test_what_is_no_file(tmp_path: Path, what: str) -> None:
    """It is not said to be the rights that are missing."""
    (tmp_path / "folder").mkdir()
    (tmp_path / "loop").symlink_to("loop")
    with pytest.raises(ConfigError, match="cannot be opened: it is no file that can be read"):
        Store(str(tmp_path / what), "https://x.example", retry_failed=False)


def test_a_link_to_where_nothing_is_yet(tmp_path: Path) -> None:
    """What is made there is its owner's alone."""
    link, target = tmp_path / "link", tmp_path / "a.journal"
    link.symlink_to(target)
    Store(str(link), "https://x.example", retry_failed=False).close()
    assert target.stat().st_mode & 0o777 == 0o600
