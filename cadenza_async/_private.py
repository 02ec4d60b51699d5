"""Whether a file is its owner's secret, as ssh judges it."""

from __future__ import annotations

import os
import stat
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
