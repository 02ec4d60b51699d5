"""How a command ends: every error and every signal has two lines and an exit code."""

from __future__ import annotations

import os
import signal
import sys
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Final, NoReturn

from cadenza_async import errors
from cadenza_async.cli._output import complain

if TYPE_CHECKING:
    from collections.abc import Generator

    from cadenza_async.cli._output import Output
    from cadenza_async.models import Attempt

_CODES: Final = (
    (errors.UsageError, 2),
    (errors.OutcomeUnknownError, 3),
    (errors.TransportError, 4),
    (errors.CadenzaError, 1),
)
_SIGPIPE: Final = 141  # what a shell says of a command whose reader has gone
_LOOK_FIRST: Final = "Do not repeat it: look with 'cadenza accounts' whether it was done."
_HARMLESS: Final = "Then do it again: nothing was changed."


class Stopped(KeyboardInterrupt):
    """Somebody ended the command: with Ctrl-C, by saying no, or with SIGTERM.

    Args:
        text: What happened.
        code: The exit code.

    Attributes:
        pending: The write that may have been done nevertheless.
        doubtful: Whether anything may have been done nevertheless.
    """

    def __init__(self, text: str = "interrupted", *, code: int = 130) -> None:
        super().__init__(text)
        self.text = text
        self.code = code
        self.pending: Attempt | None = None
        self.doubtful = False


def stopped(stop: KeyboardInterrupt) -> Stopped:
    """Return what there is to know; Ctrl-C leaves a line of the terminal unfinished."""
    if isinstance(stop, Stopped):
        return stop
    if sys.stderr.isatty():
        sys.stderr.write("\n")
    return Stopped()


@contextmanager
def unhurried() -> Generator[None]:
    """Let what tells of the end be broken off by a second SIGTERM alone.

    People press Ctrl-C again, and of a terminal that goes both system and shell tell.
    """
    known = (getattr(signal, name, None) for name in ("SIGINT", "SIGHUP"))  # one on Windows
    before = {each: signal.signal(each, signal.SIG_IGN) for each in known if each}
    before[signal.SIGTERM] = signal.signal(signal.SIGTERM, _put_off)
    try:
        yield
    finally:
        for each, handler in before.items():
            signal.signal(each, handler)


def _put_off(number: int, _: object) -> None:
    signal.signal(number, signal.SIG_DFL)


def terminated() -> Stopped:
    """Return what SIGTERM raises."""
    return Stopped("terminated", code=128 + signal.SIGTERM)


def ending() -> list[signal.Signals]:
    """Return the signals that ask a command to end; a terminal that goes is none under nohup."""
    known = (getattr(signal, name, None) for name in ("SIGTERM", "SIGHUP"))  # not on Windows
    return [each for each in known if each and signal.getsignal(each) is not signal.SIG_IGN]


def _terminate(*_: object) -> NoReturn:
    raise terminated()


def _unheard(error: OSError, unsure: str | None) -> int:
    """Return the code for what was done and could not be told, which is no refusal."""
    if isinstance(error, BrokenPipeError):
        return _SIGPIPE
    with suppress(OSError):  # a terminal that has gone took standard error with it
        complain(
            f"standard output cannot be written: {error.strerror}",
            f"Make room. {unsure or _HARMLESS}",
        )
    return 3


def _code(error: Exception) -> int:
    return next(code for kind, code in _CODES if isinstance(error, kind))


@contextmanager
def reporting(output: Output, *, unsure: str | None = _LOOK_FIRST) -> Generator[None]:
    """Report whatever ends the block, and exit with its code.

    Args:
        output: Where to report.
        unsure: What to do where nobody knows whether it was done; None if it changes nothing.

    Raises:
        SystemExit: If the block did not come to its end.
    """
    for number in ending():
        signal.signal(number, _terminate)  # a prompt has to switch the echo on again
    code = 0
    try:
        try:
            yield
        except errors.CadenzaError as error:
            code = _code(error)
            unknown = isinstance(error, errors.OutcomeUnknownError)
            output.failed(error, (unknown and unsure) or error.remedy, code)
        except KeyboardInterrupt as stop:
            known = stopped(stop)
            known.pending = known.pending if unsure else None
            code = known.code
            output.stopped(known, unsure if known.pending else None)
    except OSError as error:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # flushed once more
        code = code or _unheard(error, unsure)
    if code:
        raise SystemExit(code)
