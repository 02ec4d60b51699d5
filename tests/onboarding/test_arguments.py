"""Arguments that `onboard` cannot use are refused when it is called, by their names."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

import pytest

from cadenza_async import AsyncCadenza, Cadenza, JournalReader, Secret, SessionPool, onboard
from cadenza_async.errors import UsageError

from .jobs import row

if TYPE_CHECKING:
    from pathlib import Path


class _InBytes(os.PathLike[bytes]):
    def __fspath__(self) -> bytes:
        return b"accounts.journal"


_NO_PATHS = (5, None, "", b"accounts.journal", _InBytes())
ODD: list[tuple[str, Any]] = [
    ("pool", 5),
    ("pool", None),
    ("pool", AsyncCadenza),
    ("pool", Cadenza("token")),
    ("rows", 5),
    ("rows", None),
    ("rows", row()),
    ("rows", "accounts.csv"),
    ("rows", b"accounts.csv"),
    *[("journal", path) for path in _NO_PATHS],
    ("tokens", 5),
    ("tokens", ["u-1"]),
    ("tokens", "a.token"),
    ("tokens", Secret("a.token")),
    ("unique_names", "no"),
    ("retry_failed", "no"),
    ("retry_failed", 0),
]


@pytest.mark.parametrize(
    ("argument", "odd"), ODD, ids=[f"{name} {type(odd).__name__}" for name, odd in ODD]
)
def test_what_cannot_be_used(argument: str, odd: object, tmp_path: Path) -> None:
    """Nothing is made, not even a journal, and the text says what would do."""
    given: dict[str, Any] = {"pool": SessionPool(), "rows": [row()], "journal": tmp_path / "j"}
    given |= {argument: odd}
    with pytest.raises(UsageError, match=rf"^{argument} must be "):
        onboard(given.pop("pool"), given.pop("rows"), **given)
    assert not [*tmp_path.iterdir()]


@pytest.mark.parametrize("odd", _NO_PATHS, ids=lambda odd: type(odd).__name__)
def test_what_is_no_path_to_read(odd: Any) -> None:
    """A reader says so when it is made, too."""
    with pytest.raises(UsageError, match=r"^path must be "):
        JournalReader(odd)


def test_reading_what_is_not_open(tmp_path: Path) -> None:
    """A reader that is not in its block says how it is used."""
    reader = JournalReader(tmp_path / "journal")
    for ask in (lambda: reader.base_url, reader.counts, lambda: [*reader.rows()]):
        with pytest.raises(UsageError, match="with JournalReader"):
            ask()


@pytest.mark.parametrize("odd", ["NOPE", "done", None, ["DONE"]])
def test_rows_in_no_state_that_there_is(tmp_path: Path, odd: Any) -> None:
    """Nothing found would read as if there were no such rows."""
    with pytest.raises(UsageError, match=r"^each state must be one of PENDING, "):
        next(JournalReader(tmp_path / "journal").rows(odd))
