"""A lock between processes: a file beside what only one of them may have."""

from __future__ import annotations

import os
import sqlite3

from cadenza_async._private import make
from cadenza_async.errors import ConfigError


def lock(path: str, *, taken: str) -> sqlite3.Connection:
    """Take the lock beside a file; it is free again when the process ends, however it does.

    Args:
        path: The file, which need not be there.
        taken: What to say if somebody has it.

    Raises:
        ConfigError: If somebody has it, or nobody can take it.
    """
    name = f"{os.path.realpath(path)}-lock"  # one for whatever links lead to the file
    make(name)
    held = sqlite3.connect(name, isolation_level=None, check_same_thread=False, timeout=0)
    try:
        held.execute("PRAGMA journal_mode = MEMORY")  # leaves no file behind
        held.execute("BEGIN EXCLUSIVE")
    except sqlite3.DatabaseError as error:
        held.close()
        busy = error.sqlite_errorcode == sqlite3.SQLITE_BUSY
        raise ConfigError(taken if busy else f"{name} cannot be locked: {error}") from None
    return held
