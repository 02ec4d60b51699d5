"""Asking whoever is at the terminal."""

from __future__ import annotations

import os
import sys
from typing import Final

from cadenza_async.cli._console import printable
from cadenza_async.cli._exits import Stopped
from cadenza_async.errors import UsageError

UNREADABLE: Final = "what was typed is no text in the encoding of this terminal"
_STDIN: Final = 0


def confirm(question: str) -> None:
    """Go on only after a yes.

    Raises:
        UsageError: If nobody can be asked.
        Stopped: If it is no yes.
    """
    if not os.isatty(_STDIN):
        raise UsageError("nobody is there to be asked: say --yes")
    if _ask(f"{question} [y/N] ").lower() not in {"y", "yes"}:
        raise Stopped("not confirmed")


def ask(what: str, *, option: str) -> str:
    """Ask for something that everybody may see.

    Raises:
        UsageError: If nobody can be asked, or says nothing.
    """
    if not os.isatty(_STDIN):
        raise UsageError(f"nobody is there to be asked: say {option}")
    answer = _ask(f"{what}: ")
    if not answer:
        raise UsageError(f"no {what.lower()} was given")
    return answer


def _ask(question: str) -> str:
    sys.stderr.write(printable(question))
    sys.stderr.flush()
    try:
        answer = sys.stdin.readline()
    except UnicodeDecodeError:
        answer = None
    if answer is None:
        raise UsageError(UNREADABLE)
    if not answer.endswith("\n"):  # Ctrl-D leaves the line unfinished
        sys.stderr.write("\n")
    return answer.strip()
