"""Arguments that `onboard` cannot use are refused when it is called, by their names."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

import pytest

from cadenza_async import AsyncCadenza, Cadenza, Secret, SessionPool, onboard
from cadenza_async.errors import UsageError

from .jobs import row

if TYPE_CHECKING:
    from pathlib import Path


class _InBytes(os.PathLike[bytes]):
    def __fspath__(self) -> bytes:
        return b"accounts.journal"


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
    ("journal", 5),
    ("journal", None),
    ("journal", b"accounts.journal"),
    ("journal", _InBytes()),
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
