"""Which core whom: the server has one to itself, the client another, where there are two."""

from __future__ import annotations

import os


def shares() -> tuple[int | None, int | None]:
    """Return a core for the server and one for the client; None where they cannot be told apart."""
    if not hasattr(os, "sched_getaffinity"):
        return None, None
    first, *others = sorted(os.sched_getaffinity(0))
    return (first, others[-1]) if others else (None, None)


def pin(process: int, core: int | None) -> None:
    """Keep a process on a core; 0 is the one that asks."""
    if core is not None:
        os.sched_setaffinity(process, {core})
