"""Where processes run, and with what environment."""

from __future__ import annotations

import os


def shares() -> tuple[int | None, int | None]:
    """Return a core for the server and one for the client; None where there are no two."""
    if not hasattr(os, "sched_getaffinity"):
        return None, None
    first, *others = sorted(os.sched_getaffinity(0))
    return (first, others[-1]) if others else (None, None)


def pin(process: int, core: int | None) -> None:
    """Keep a process on a core; 0 is the one that asks."""
    if core is not None:
        os.sched_setaffinity(process, {core})


def environment() -> dict[str, str]:
    """Return this process's environment, less what keeps a script from its neighbours."""
    return {name: value for name, value in os.environ.items() if name != "PYTHONSAFEPATH"}
