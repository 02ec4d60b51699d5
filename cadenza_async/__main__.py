"""The command `cadenza`, also as ``python -m cadenza_async``."""

from __future__ import annotations

import os
import signal
import sys
from contextlib import suppress
from importlib.util import find_spec
from typing import TYPE_CHECKING, NoReturn, cast

if TYPE_CHECKING:
    from io import TextIOWrapper


def _terminate(*_: object) -> NoReturn:
    sys.exit(143)


def _open_closed_streams() -> None:
    """Open the null device in place of each standard stream that is closed.

    Otherwise the next file or socket would get its number, and with it what is meant for people.
    """
    for name, mode in (("stdin", "r"), ("stdout", "w"), ("stderr", "w")):
        if getattr(sys, name) is None:
            nowhere = os.open(os.devnull, os.O_RDWR)
            setattr(sys, name, os.fdopen(nowhere, mode, encoding="utf-8", closefd=False))


def _show_everything() -> None:
    """Let no text fail that the encoding of a standard stream does not know, as in the help."""
    for stream in (sys.stdout, sys.stderr):
        cast("TextIOWrapper", stream).reconfigure(errors="backslashreplace")


def _leave_no_core() -> None:
    r"""Let no crash, and no Ctrl-\, write the memory to a file: there are secrets in it."""
    with suppress(ImportError):  # Windows
        import resource

        resource.setrlimit(resource.RLIMIT_CORE, (0, resource.getrlimit(resource.RLIMIT_CORE)[1]))


def _drop_complaints_that_cannot_be_written() -> None:
    """Leave nothing in standard error that Python would fail to write at its end: code 120."""
    try:
        sys.stderr.flush()
    except OSError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stderr.fileno())


def main() -> None:
    """Run the command line, or say what is missing for it."""
    _open_closed_streams()
    _show_everything()
    _leave_no_core()
    if not (find_spec("typer") and find_spec("rich")):
        sys.stderr.write("The command line is an extra: pip install 'cadenza_async[cli]'\n")
        sys.exit(2)
    signal.signal(signal.SIGTERM, _terminate)  # while it is still loading
    try:
        from cadenza_async.cli import app

        app(prog_name="cadenza")
    except KeyboardInterrupt:  # likewise
        sys.exit(130)
    finally:
        _drop_complaints_that_cannot_be_written()


if __name__ == "__main__":
    main()
