"""CSV and JSON lines, told apart by their beginning, a record at a time."""

from __future__ import annotations

import csv
import io
import json
import re
from itertools import chain
from typing import IO, TYPE_CHECKING, Any, Final, TypeAlias

from attrs import evolve

from cadenza_async._wire import spell
from cadenza_async.errors import UsageError
from cadenza_async.onboarding._files.cells import (
    COLUMNS,
    REQUIRED,
    Flaw,
    Record,
    find_column,
    make_record,
)

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

_LONGEST: Final = 2 * 1024 * 1024  # characters of a line: more than all cells may have together

_SEPARATOR: Final = re.compile(r'"?sep=.?"?\s*')  # what Excel says first; the header shows it too

Lines: TypeAlias = "Iterator[str]"


def read_records(stream: IO[bytes]) -> Iterator[Record]:
    """Read what looks like rows; nothing is in memory but the one that is read.

    Args:
        stream: UTF-8, with or without a byte order mark.

    Raises:
        UsageError: If it is no file of accounts at all. It shows nothing of the content.
    """
    text = io.TextIOWrapper(stream, "utf-8-sig", "surrogateescape", newline="")
    blank, empty = 0, True
    for first in (lines := _lines(text)):
        if first.isspace() or (not blank and _SEPARATOR.fullmatch(first)):
            blank += 1
            continue
        everything, empty = chain([first], lines), False
        if first.lstrip()[0] in "{[":
            yield from _read_json(everything, blank)
        else:
            yield from _read_csv(first, everything, blank)
    text.detach()  # the stream is not ours to close
    if empty:
        raise UsageError("there is nothing in it, not even a header")


def _lines(text: io.TextIOWrapper) -> Lines:
    """Cut lines without an end, which cannot be good ones any more."""
    while line := text.readline(_LONGEST):
        yield line
        while line and len(line) == _LONGEST and not line.endswith("\n"):
            line = text.readline(_LONGEST)


def _read_json(lines: Lines, before: int) -> Iterator[Record]:
    for number, line in enumerate(lines, start=before + 1):
        if not line.isspace():
            yield _json_record(number, line)


class Pairs(list[tuple[str, Any]]):
    """A JSON object with whatever it names twice."""


def _json_record(number: int, line: str) -> Record:
    try:
        pairs = json.loads(line, object_pairs_hook=Pairs)
    except (ValueError, RecursionError):
        pairs = None
    if not isinstance(pairs, Pairs):
        return _bad(number, "is no JSON object (one on each line is expected)")
    cells, spelled, flaws = dict[str, str](), dict[str, str](), list[Flaw]()
    for position, (spelling, value) in enumerate(pairs, start=1):
        name = find_column(spelling)
        problem = _judge_field(name, value, position, cells)
        if name is not None:
            spelled[name] = spelling
        if problem is not None:
            flaws.append(Flaw(line=number, column=name and spelling, text=problem))
        elif name is not None and isinstance(value, str):
            cells[name] = value
    record = make_record(number, _given(cells), spelled)
    return evolve(record, flaws=(*flaws, *record.flaws)) if flaws else record


def _judge_field(
    name: str | None, value: object, position: int, cells: Mapping[str, str]
) -> str | None:
    if name is None:
        return f"field {position} is none of {', '.join(COLUMNS)}"
    if name in cells:
        return "is there twice"
    return None if value is None or isinstance(value, str) else "must be a string"


def _given(cells: Mapping[str, str]) -> dict[str, str]:
    """Leave out what is empty; only an empty passphrase means something."""
    return {name: text for name, text in cells.items() if text or name == "api_passphrase"}


def _read_csv(first: str, lines: Lines, before: int) -> Iterator[Record]:
    delimiter = max(",;\t", key=first.count)  # Excel separates by what the country is used to
    reader = csv.reader(lines, delimiter=delimiter, skipinitialspace=True, strict=True)
    spelled = _read_header(reader)
    while True:
        number = before + reader.line_num + 1
        cells, problem = _next_row(reader, len(spelled))
        if cells is None:
            return
        if problem is not None:
            yield _bad(number, problem + _swallowed(number, before + reader.line_num))
        elif any(cells):
            given = {name: cell for name, cell in zip(spelled, cells, strict=False) if cell}
            yield make_record(number, given, spelled)


def _next_row(reader: Iterator[list[str]], size: int) -> tuple[list[str] | None, str | None]:
    """Return the cells, None at the end, and what is wrong with them."""
    try:
        cells = next(reader, None)
    except csv.Error as error:
        return [], f"cannot be read: {error}"
    return cells, None if cells is None else _judge_size(cells, size)


def _swallowed(first: int, last: int) -> str:
    """Name the lines that a bad row took with it, as rows of their own may be among them."""
    return f" (it goes to line {last}: is a quotation mark missing?)" if last > first else ""


def _judge_size(cells: Sequence[str], size: int) -> str | None:
    if any(cells[size:]):
        return "has more cells than the header"
    return "has fewer cells than the header" if any(cells) and len(cells) < size else None


def _read_header(reader: Iterator[list[str]]) -> dict[str, str]:
    """Return how the fields are spelled, in the order of their columns."""
    try:
        cells = next(reader)
    except csv.Error:
        cells = []
    names = [find_column(cell) for cell in cells]
    if None in names or not cells:
        raise UsageError(
            f"column {names.index(None) + 1 if cells else 1} of the header is none of"
            f" {', '.join(COLUMNS)} (is the first line a header, and the file CSV in UTF-8?)"
        )
    known = [name for name in names if name is not None]
    twice = next((name for name in known if known.count(name) > 1), None)
    if twice is not None:
        raise UsageError(f"the header has {spell(twice)} twice")
    missing = [name for name in REQUIRED if name not in known]
    if missing:
        raise UsageError(f"the header lacks {', '.join(map(spell, missing))}")
    return dict(zip(known, map(str.strip, cells), strict=True))


def _bad(number: int, problem: str) -> Record:
    return Record(line=number, flaws=(Flaw(line=number, text=problem),), broken=True)
