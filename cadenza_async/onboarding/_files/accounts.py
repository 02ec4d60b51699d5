"""Accounts from a file: CSV or JSON lines, judged row by row."""

from __future__ import annotations

import os
import stat
from collections import Counter
from typing import IO, TYPE_CHECKING, Any, Final

from attrs import NOTHING, fields, frozen

from cadenza_async._private import exposure
from cadenza_async.errors import InvalidRowError, UsageError
from cadenza_async.models import NewAccount
from cadenza_async.models._accounts import check_field
from cadenza_async.onboarding._files.cells import Flaw
from cadenza_async.onboarding._files.formats import read_records
from cadenza_async.onboarding._files.references import Reference

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from cadenza_async.onboarding._files.cells import Record


@frozen(kw_only=True)
class FileRow:
    """A row of a file.

    Attributes:
        line: Where it begins, from 1.
        key: The key it was given.
        account: The account, unless the row is bad.
        flaws: What is wrong with it.
    """

    line: int
    key: str | None = None
    account: NewAccount | None = None
    flaws: tuple[Flaw, ...] = ()

    @property
    def entry(self) -> NewAccount | InvalidRowError:
        """What `onboard` takes."""
        if self.account is not None:
            return self.account
        text = "; ".join(map(str, self.flaws))
        return InvalidRowError(text, key=self.key or f"line {self.line}")


def read_rows(stream: IO[bytes], folder: Path) -> Iterator[FileRow]:
    """Read accounts, one at a time, and look up the secrets that are kept elsewhere.

    Args:
        stream: CSV with a header (separated by comma, semicolon or tab) or JSON lines, UTF-8.
            Fields are those of `NewAccount`, spelled ``apiKey`` or ``api_key``.
        folder: Where the relative paths of ``file:`` references begin.

    Raises:
        UsageError: If it is no file of accounts at all.
    """
    return (judge(record, folder) for record in read_records(stream))


def judge(record: Record, folder: Path) -> FileRow:
    """Make a record an account, or say all that is wrong with it."""
    values: dict[str, Any] = dict(record.texts)
    flaws = list(record.flaws)
    for name, cell in record.secrets.items():
        try:
            values[name] = cell.look_up(folder) if isinstance(cell, Reference) else cell
        except UsageError as error:
            flaws.append(record.flaw(name, str(error)))
    flaws += () if record.broken else _check(record, values, {flaw.column for flaw in flaws})
    account = None
    if not flaws:
        try:
            account = NewAccount(**values)
        except UsageError as error:
            flaws.append(_about_all(record, str(error)))
    return FileRow(line=record.line, key=values.get("key"), account=account, flaws=tuple(flaws))


def _check(record: Record, values: dict[str, Any], known: set[str | None]) -> Iterator[Flaw]:
    """Check each field by itself, so that all are heard of."""
    for attribute in _FIELDS:
        name, value = attribute.name, values.get(attribute.name)
        if record.flaw(name, "").column in known:
            continue
        if value is None and attribute.default is NOTHING:
            yield record.flaw(name, "is missing")
            continue
        try:
            check_field(name, value)
        except UsageError as error:
            yield record.flaw(name, str(error).removeprefix(f"{name} "))


_FIELDS: Final[tuple[Any, ...]] = tuple(fields(NewAccount))


def _about_all(record: Record, problem: str) -> Flaw:
    """Complain of what only all fields together show; only a passphrase can be wrong so."""
    name, _, text = problem.partition(" ")
    text = text.partition(" (")[0]
    return record.flaw(name, f"{text} (if this key really has none, write 'plain:' there)")


@frozen(kw_only=True)
class Survey:
    """What a quick look through a file shows, before any of it is used.

    Attributes:
        rows: How many rows each user has, good or bad; None: rows without a user.
        exposure: What gives others access to the secrets that are written out in it, and where the
            first is; None if nothing does, or there are none.
    """

    rows: Counter[str | None]
    exposure: str | None


def survey(path: Path) -> Survey | None:
    """Look through a file; None if it can be read only once, as a pipe.

    Raises:
        UsageError: If it is no file of accounts at all.
        OSError: If it cannot be read.
    """
    mode = path.stat().st_mode
    if not (stat.S_ISREG(mode) or stat.S_ISDIR(mode)):  # a folder is refused on opening
        return None
    with path.open("rb") as stream:
        return _survey(stream, exposure(os.fstat(stream.fileno())))


def _survey(stream: IO[bytes], exposed: str | None) -> Survey:
    rows, first = Counter[str | None](), None
    for record in read_records(stream):
        rows[record.texts.get("user")] += 1
        if exposed and first is None and record.plain is not None:
            first = record.flaw(record.plain, f"the secret is written out, and the file {exposed}")
    return Survey(rows=rows, exposure=None if first is None else str(first))
