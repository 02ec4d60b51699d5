"""The files that `cadenza onboard` reads, and who else can read them."""

from __future__ import annotations

import os
import stat
import sys
from collections import Counter
from collections.abc import Iterable
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Final

from attrs import frozen

from cadenza_async._private import can_tell
from cadenza_async.errors import UsageError
from cadenza_async.onboarding._files.accounts import FileRow, read_rows, survey
from cadenza_async.onboarding._files.cells import Flaw
from cadenza_async.onboarding._files.logins import read_logins

if TYPE_CHECKING:
    from collections.abc import Generator, Iterator, Mapping

    from cadenza_async.auth import Token

_STDIN: Final = 0


@frozen(kw_only=True)
class Source:
    """Rows to come.

    Attributes:
        name: What they come from.
        rows: The rows, to be iterated over once, where blocking does no harm.
        users: How many rows each user has, if that is known beforehand.
    """

    name: str
    rows: Iterable[FileRow]
    users: Counter[str | None] | None = None

    @property
    def names_users(self) -> bool:
        """Whether it is known that rows belong to users."""
        return self.users is not None and any(user is not None for user in self.users)


def open_source(file: str, *, allow_insecure: bool) -> Source:
    """Look at a file of accounts, and get ready to read it.

    Args:
        file: A path, ``-`` for standard input.
        allow_insecure: Whether secrets may be written out in a file that others can read.

    Raises:
        UsageError: If it cannot be read, or others can read it, too.
    """
    if file == "-":
        if os.isatty(_STDIN):
            raise UsageError("a terminal would show the keys: give a file, or pipe the rows in")
        return Source(name="standard input", rows=_read(_STDIN, Path()))
    path = Path(file)
    with _named(file):
        found = survey(path)
    if found is None:  # a pipe, which may be somewhere in /dev
        return Source(name=file, rows=_read(file, Path()))
    if found.exposure is not None:
        _object(f"{file}, {found.exposure}", allowed=allow_insecure)
    return Source(name=file, rows=_read(file, path.parent), users=found.rows)


def open_tokens(file: str, *, allow_insecure: bool) -> Mapping[str, Token]:
    """Read a file of access tokens.

    Args:
        file: Its path.
        allow_insecure: As for `open_source`.

    Raises:
        UsageError: As `open_source` does.
    """
    with _named(file):
        logins = read_logins(Path(file))
    if logins.exposure is not None:
        _object(f"{file} has a secret written out, and {logins.exposure}", allowed=allow_insecure)
    return logins.tokens


def _read(file: str | int, folder: Path) -> Iterator[FileRow]:
    with (
        _named("standard input" if file == _STDIN else str(file)),
        open(file, "rb", closefd=file != _STDIN) as stream,
    ):
        before, line = os.fstat(stream.fileno()), 0
        for row in read_rows(stream, folder):
            line = row.line
            yield row
        if _changed(before, os.fstat(stream.fileno())):
            flaw = Flaw(line=line + 1, text="the file was changed while it was read: run again")
            yield FileRow(line=flaw.line, flaws=(flaw,))


def _changed(before: os.stat_result, now: os.stat_result) -> bool:
    """Tell whether rows may be lacking or mixed up; a pipe changes when it is read."""
    same = (before.st_size, before.st_mtime_ns) == (now.st_size, now.st_mtime_ns)
    return stat.S_ISREG(now.st_mode) and not same


@contextmanager
def _named(file: str) -> Generator[None]:
    """Say which file it is that something is wrong with."""
    try:
        yield
    except UsageError as error:
        problem = str(error)
    except OSError as error:
        problem = f"it cannot be read: {error.strerror}"
    else:
        return
    raise UsageError(f"{file}: {problem}")


def _object(problem: str, *, allowed: bool) -> None:
    if not allowed:
        raise UsageError(f"{problem} (--allow-insecure-file takes it nevertheless)")
    sys.stderr.write(f"WARNING: {problem}\n")


def warn_where_nobody_can_tell() -> None:
    """Say that modes mean nothing on Windows."""
    if not can_tell():
        sys.stderr.write("Windows: nothing checks who else can read the files.\n")
