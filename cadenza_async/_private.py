"""Files that are their owner's secret: whether one is, as ssh judges it, and how one is made."""

from __future__ import annotations

import os
import stat
from contextlib import suppress
from errno import EACCES
from pathlib import Path
from typing import Final

_OTHERS: Final = stat.S_IRWXG | stat.S_IRWXO


def can_tell() -> bool:
    """Tell whether this system says who may read a file; Windows has other rules."""
    return hasattr(os, "geteuid")


def exposure(status: os.stat_result) -> str | None:
    """Say what gives others access to a file, or None if nothing does.

    Args:
        status: What `os.fstat` tells of the file once it is open.
    """
    if not can_tell():
        return None
    if status.st_uid not in {os.geteuid(), 0}:
        return "belongs to somebody else"
    if status.st_mode & _OTHERS:
        return f"is open to others ({stat.S_IMODE(status.st_mode):04o}): chmod 600 it"
    return None


def make(path: str) -> None:
    """Make a file that is its owner's alone, unless there is one.

    One that is there is not even opened: closing it would free whatever locks this process has on
    it, as POSIX wants it.

    Raises:
        OSError: If there is none, and none can be made; or if what is there is of no use.
    """
    with suppress(FileExistsError):
        os.close(os.open(os.path.realpath(path), os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600))
    if not (Path(path).is_file() and os.access(path, os.R_OK | os.W_OK)):
        raise PermissionError(EACCES, "it is no file that can be read and written")
