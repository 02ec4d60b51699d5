"""The state file: SQLite, where every row is sealed. Everything here blocks: see `_keeper`."""

from __future__ import annotations

import json
import os
import sqlite3
from contextlib import suppress
from typing import TYPE_CHECKING, Any, Final, TypeAlias

from cadenza_async.sandbox._records import Record, StateError
from cadenza_async.sandbox._sealing import Seal, find_seal, require_library

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

_APPLICATION: Final = 0x43444E53  # "CDNS"
_FORMAT: Final = 1
_CHECK: Final = b"the key of a cadenza sandbox"
_TABLES: Final = (
    """
    CREATE TABLE meta (          -- one row, which opens with the right key
        nonce BLOB NOT NULL,
        sealed BLOB NOT NULL
    )
    """,
    """
    CREATE TABLE records (
        number INTEGER PRIMARY KEY,  -- the order in which things came to be
        kind TEXT NOT NULL,
        id TEXT NOT NULL,
        nonce BLOB NOT NULL,
        sealed BLOB NOT NULL,        -- the value, bound to number, kind and id
        UNIQUE (kind, id)
    )
    """,
)
_Row: TypeAlias = tuple[int, str, str, bytes, bytes]
_EVERYTHING: Final = "SELECT number, kind, id, nonce, sealed FROM records ORDER BY number"
_CHANGED: Final = (
    "is not as the sandbox wrote it: put a copy of the file back, or begin with another; nothing "
    "in it was changed"
)
_NUMBER: Final = """
SELECT coalesce(
    (SELECT number FROM records WHERE kind = ? AND id = ?),
    (SELECT coalesce(max(number), 0) + 1 FROM records)
)
"""


class StateFile:
    """An open state file; while it is open, nobody else can open it.

    A row that was changed does not open any more. One that was removed, or put back as it once
    was, is not noticed.

    Args:
        path: Where it is; made when it is not there.
        key_file: Where its key is, if not where `find_seal` looks.

    Raises:
        StateError: It is in use, no state file, of another version, or does not open with the
            key. Nothing in it was changed then.
    """

    def __init__(self, path: Path, key_file: Path | None) -> None:
        require_library()
        self._path = path
        self._file = _connect(path)
        try:
            self._seal = self._begin(key_file)
        except BaseException:
            self._file.close()
            raise

    def load(self) -> list[Record]:
        """Everything there is, oldest first.

        Raises:
            StateError: A row does not open.
        """
        try:
            rows = self._file.execute(_EVERYTHING).fetchall()
        except sqlite3.Error as error:
            problem = str(error)
        else:
            return [self._open(row) for row in rows]
        raise StateError(f"{self._path} cannot be read: {problem}")

    def write(self, records: Iterable[Record]) -> None:
        """Keep or forget some things, all of them or none; they last when this returns.

        Raises:
            StateError: The file could not be written.
        """
        try:
            with self._file:
                self._file.execute("BEGIN IMMEDIATE")
                for each in records:
                    self._put(each)
        except sqlite3.Error as error:
            problem = str(error)
        else:
            return
        raise StateError(f"{self._path} cannot be written: {problem}")

    def close(self) -> None:
        """Close the file; another sandbox can have it."""
        self._file.close()

    def _begin(self, key_file: Path | None) -> Seal:
        """Lock the file, see what it is, and have the key that it was written with."""
        try:
            self._file.execute("PRAGMA locking_mode = EXCLUSIVE")
            self._file.execute("BEGIN EXCLUSIVE")
            new = not self._one("SELECT count(*) FROM sqlite_schema")
            self._file.execute("COMMIT")
            self._file.execute("PRAGMA synchronous = FULL")
            self._file.execute("PRAGMA fullfsync = ON")  # or macOS leaves it in the disk's memory
            self._file.execute("PRAGMA secure_delete = ON")  # what is forgotten is overwritten
            if not new:
                self._recognise()
            seal = find_seal(self._path, key_file, new=new)
            self._create(seal) if new else self._check(seal)
        except sqlite3.Error as error:
            problem = _problem(error)
        else:
            return seal
        raise StateError(f"{self._path} {problem}")

    def _create(self, seal: Seal) -> None:
        self._file.execute("PRAGMA journal_mode = WAL")
        with self._file:
            self._file.execute("BEGIN IMMEDIATE")
            for table in _TABLES:
                self._file.execute(table)
            self._file.execute("INSERT INTO meta VALUES (?, ?)", seal.close(b"", _CHECK))
            self._file.execute(f"PRAGMA application_id = {_APPLICATION}")
            self._file.execute(f"PRAGMA user_version = {_FORMAT}")

    def _recognise(self) -> None:
        if self._one("PRAGMA application_id") != _APPLICATION:
            raise StateError(f"{self._path} is not the state of a sandbox")
        found = self._one("PRAGMA user_version")
        if found != _FORMAT:
            raise StateError(
                f"{self._path} has the format {found} of another version, not {_FORMAT}"
            )

    def _check(self, seal: Seal) -> None:
        """Tell another key, which opens nothing, from a check that was changed."""
        rows = self._file.execute("SELECT nonce, sealed FROM meta").fetchall()
        if [seal.open(nonce, sealed, _CHECK) for nonce, sealed in rows] == [b""]:
            return
        if any(_opened(seal, row) for row in self._file.execute(_EVERYTHING)):
            raise StateError(f"the check value of {self._path} {_CHANGED}")
        raise StateError(
            f"{self._path} was written with another key than that of {seal.source}; nothing "
            "in it was changed"
        )

    def _put(self, record: Record) -> None:
        place = (record.kind, record.id)
        if record.value is None:
            self._file.execute("DELETE FROM records WHERE kind = ? AND id = ?", place)
            return
        number = self._one(_NUMBER, place)
        sealed = self._seal.close(json.dumps(record.value).encode(), _about(number, *place))
        self._file.execute(
            "INSERT OR REPLACE INTO records VALUES (?, ?, ?, ?, ?)", (number, *place, *sealed)
        )

    def _open(self, row: _Row) -> Record:
        text = _opened(self._seal, row)
        if text is None:
            raise StateError(f"row {row[0]} of {self._path} {_CHANGED}")
        return Record(kind=row[1], id=row[2], value=json.loads(text))

    def _one(self, question: str, given: tuple[str, ...] = ()) -> Any:  # noqa: ANN401  # whatever a cell holds
        return self._file.execute(question, given).fetchone()[0]


def _connect(path: Path) -> sqlite3.Connection:
    try:
        with suppress(FileExistsError):  # closing one that is there would free its locks
            os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600))
        file = sqlite3.connect(path, isolation_level=None, timeout=0)
    except OSError as error:
        problem = error.strerror or type(error).__name__
    except sqlite3.Error as error:
        problem = str(error)
    else:
        file.text_factory = _text
        return file
    raise StateError(f"{path} cannot be opened: {problem}")


def _opened(seal: Seal, row: _Row) -> bytes | None:
    number, kind, id_, nonce, sealed = row
    return seal.open(nonce, sealed, _about(number, kind, id_))


def _text(found: bytes) -> str:
    return found.decode(errors="replace")


def _problem(error: sqlite3.Error) -> str:
    text = str(error)
    if "locked" in text:
        return "is in use: only one sandbox at a time can have it"
    if "not a database" in text:
        return "is not the state of a sandbox"
    return f"cannot be opened: {text}"


def _about(*place: object) -> bytes:
    return json.dumps(place, default=repr).encode()  # somebody may have put bytes there
