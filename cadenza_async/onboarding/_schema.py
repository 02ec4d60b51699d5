"""The journal's file: made, recognised, opened."""

from __future__ import annotations

import os
import secrets
import sqlite3
from contextlib import closing
from typing import TYPE_CHECKING, Final, TypeVar, cast

from cadenza_async._private import make
from cadenza_async.errors import ConfigError, UsageError

if TYPE_CHECKING:
    from collections.abc import Callable

T = TypeVar("T")

_APPLICATION: Final = 0x43444E5A  # "CDNZ"
_FORMAT: Final = 3
_OLDEST: Final = (3, 33)  # with UPDATE … FROM

_TABLES: Final = """
CREATE TABLE journal (
    base_url TEXT NOT NULL,
    secret BLOB NOT NULL,        -- the key of the fingerprints
    run INTEGER NOT NULL,        -- the newest run
    complete INTEGER NOT NULL,   -- the newest run that met all of its rows
    refused INTEGER NOT NULL DEFAULT 0,  -- rows of the newest run that were not taken in
    flavour TEXT NOT NULL DEFAULT 'direct'
);
CREATE TABLE rows (
    id INTEGER PRIMARY KEY,
    key TEXT NOT NULL UNIQUE,
    user TEXT NOT NULL,          -- empty: the client's own
    venue TEXT NOT NULL COLLATE NOCASE,
    name TEXT,                   -- NULL: it has none of its own
    fingerprint TEXT NOT NULL,
    state TEXT NOT NULL,
    attempts INTEGER NOT NULL DEFAULT 0,
    doubted INTEGER NOT NULL DEFAULT 0,  -- whether any sending may have been done
    run INTEGER NOT NULL,        -- the newest run that met it
    account_id TEXT,
    account TEXT,
    error TEXT
);
CREATE INDEX names ON rows (user, venue, name);
CREATE TABLE users (             -- those whose accounts were listed before the first sending
    user TEXT PRIMARY KEY,
    renames INTEGER NOT NULL DEFAULT 0   -- whether the server changed a name of theirs
) WITHOUT ROWID;
CREATE TABLE baseline (          -- the accounts they had then
    user TEXT NOT NULL,
    account_id TEXT NOT NULL,
    venue TEXT NOT NULL COLLATE NOCASE,
    name TEXT,                   -- NULL: free to be used again
    PRIMARY KEY (user, account_id)
) WITHOUT ROWID;
CREATE INDEX taken ON baseline (user, venue, name);
CREATE TABLE credentials (       -- those that rows have stored
    row INTEGER PRIMARY KEY,
    credential_id TEXT NOT NULL,
    external_id TEXT,            -- the exchange's account that it is for, once that was chosen
    stale INTEGER NOT NULL       -- whether it may hold other keys than the row
);
CREATE INDEX stored ON credentials (credential_id);
CREATE TABLE former_credentials (  -- those of no row: had before the first sending, or gone
    user TEXT NOT NULL,
    credential_id TEXT NOT NULL,
    PRIMARY KEY (user, credential_id)
) WITHOUT ROWID;
"""


def create(path: str, base_url: str, flavour: str) -> None:
    """Make a journal, unless there is a file already."""
    make(path)
    with closing(connect(path)) as file:
        if file.execute("SELECT count(*) FROM sqlite_schema").fetchone()[0]:
            return
        file.execute("PRAGMA journal_mode = WAL")
        file.executescript(f"BEGIN IMMEDIATE; {_TABLES}")
        first = (base_url, secrets.token_bytes(32), flavour)
        file.execute("INSERT INTO journal VALUES (?, ?, 0, 0, 0, ?)", first)
        file.execute(f"PRAGMA application_id = {_APPLICATION}")
        file.execute(f"PRAGMA user_version = {_FORMAT}")
        file.execute("COMMIT")


def connect(path: str) -> sqlite3.Connection:
    """Open a file that is there, for use in any one thread at a time."""
    file = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
    try:
        file.execute("PRAGMA synchronous = FULL")
        file.execute("PRAGMA fullfsync = ON")  # or macOS leaves it in the disk's own memory
        file.execute("PRAGMA temp_store = MEMORY")  # or large statements write elsewhere, too
    except sqlite3.Error:
        file.close()
        raise
    return file


def check(file: sqlite3.Connection, path: str) -> None:
    """Refuse a file that is no journal of ours.

    Raises:
        ConfigError: If it is none, or one of another format.
    """
    if file.execute("PRAGMA application_id").fetchone()[0] != _APPLICATION:
        raise ConfigError(f"{path} is not a journal of cadenza_async")
    found = file.execute("PRAGMA user_version").fetchone()[0]
    if found != _FORMAT:
        raise ConfigError(
            f"{path} has the format {found} of another version of cadenza_async, not {_FORMAT}"
        )


def path_of(argument: str, given: object) -> str:
    """Return the path that an argument names.

    Raises:
        UsageError: If it names none.
    """
    known = isinstance(given, str | os.PathLike)
    path = os.fspath(cast("str | os.PathLike[str]", given)) if known else None
    if not isinstance(path, str) or not path:
        raise UsageError(f"{argument} must be a path, as a string or a pathlib.Path")
    return path


def opened(path: str, job: Callable[[], T]) -> T:
    """Do what opens a journal, and say plainly why it cannot be opened.

    Raises:
        ConfigError: If the file cannot be used.
    """
    if sqlite3.sqlite_version_info < _OLDEST:
        raise ConfigError(f"a journal needs SQLite 3.33 or newer, not {sqlite3.sqlite_version}")
    try:
        return job()
    except sqlite3.DatabaseError as error:
        why = "it is no database" if "not a database" in str(error) else str(error)
    except OSError as error:
        why = error.strerror or type(error).__name__
    raise ConfigError(f"the journal {path} cannot be opened: {why}")


def holds(file: sqlite3.Connection, question: str, *facts: object) -> bool:
    """Tell whether a query finds anything."""
    return file.execute(f"{question} LIMIT 1", facts).fetchone() is not None
