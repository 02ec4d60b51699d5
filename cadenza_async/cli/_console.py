"""Writing to a terminal, a file or a pipe what may hold anything."""

from __future__ import annotations

import os
from typing import TextIO

from rich.console import Console

_WIDE = 200  # where no terminal limits it, a row stays on its line


class _Console(Console):
    """A console that raises when its reader has gone, where rich would exit."""

    def on_broken_pipe(self) -> None:
        raise BrokenPipeError


def open_console(stream: TextIO) -> Console:
    """Return a console that leaves texts as they are."""
    environ = dict(os.environ)
    if not environ.get("COLUMNS", "").strip("0"):  # rich would take 0 at its word, and show nothing
        environ.pop("COLUMNS", None)
    endless = not stream.isatty() and "COLUMNS" not in environ
    return _Console(
        file=stream,
        width=_WIDE if endless else None,
        highlight=False,
        markup=False,
        emoji=False,
        _environ=environ,
    )


def printable(text: str) -> str:
    """Return what a terminal can show without doing anything else."""
    return "".join(char if char.isprintable() else "\ufffd" for char in text)
