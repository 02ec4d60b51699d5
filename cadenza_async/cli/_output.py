"""What a command has to say, to people or to scripts."""

from __future__ import annotations

import json
import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Final, TypeVar

from attrs import AttrsInstance
from rich.text import Text

from cadenza_async._wire import spell
from cadenza_async.cli._console import open_console, printable
from cadenza_async.cli._kinds import lines, wire

if TYPE_CHECKING:
    from collections.abc import Callable, Generator

    from cadenza_async.cli._exits import Stopped
    from cadenza_async.cli._kinds import Kind
    from cadenza_async.errors import CadenzaError

T = TypeVar("T", bound=AttrsInstance)

_FACTS: Final = ("status", "errno", "request_id", "retry_after", "venue", "name")


def complaint(message: str, remedy: str | None) -> Text:
    """Say what happened and, on a second line, who must act."""
    told = [(printable(message), "bold red"), *([("\n" + remedy, "")] if remedy else [])]
    return Text.assemble(*told)


def complain(message: str, remedy: str | None) -> None:
    """Tell people what went wrong, on standard error."""
    open_console(sys.stderr).print(complaint(message, remedy), soft_wrap=True)


class Output:
    """Standard output for results, standard error for what went wrong.

    Args:
        json: Whether scripts read it: every result, and an error as well, is then a line of JSON
            on standard output, under the names that are used on the wire.
    """

    def __init__(self, *, json: bool) -> None:
        self._json = json

    def done(self, what: str, kind: Kind[T], thing: T) -> None:
        """Tell that something happened to a thing."""
        if self._json:
            write_json(wire(thing))
            return
        open_console(sys.stdout).print(Text(f"{what}: {kind.line(thing)}"), soft_wrap=True)

    def show(self, thing: AttrsInstance) -> None:
        """Tell all that is known of a thing."""
        if self._json:
            write_json(wire(thing))
        else:
            open_console(sys.stdout).print(Text(lines(thing)), soft_wrap=True)

    def say(self, text: str, **facts: object) -> None:
        """Tell people a sentence, and scripts the facts in it."""
        if self._json:
            write_json(facts)
        else:
            open_console(sys.stdout).print(Text(printable(text)), soft_wrap=True)

    @contextmanager
    def listing(self, kind: Kind[T]) -> Generator[Callable[[T], None]]:
        """Show things: scripts get each at once, people all of them together."""
        things: list[T] = []
        yield (lambda each: write_json(wire(each))) if self._json else things.append
        if things:
            console = open_console(sys.stdout)
            console.print(kind.layout(things, console.width), soft_wrap=True)
        elif not self._json:
            open_console(sys.stdout).print(f"No {kind.plural}.")

    def failed(self, error: CadenzaError, remedy: str, code: int) -> None:
        """Tell of an error, and who must act."""
        facts = {spell(name): getattr(error, name, None) for name in _FACTS}
        self._tell(type(error).__name__, str(error), remedy, code, facts)

    def stopped(self, stopped: Stopped, remedy: str | None) -> None:
        """Tell that the command was ended, and what may have been done by then."""
        text, pending = stopped.text, stopped.pending
        facts: dict[str, Any] = {"outcomeUnknown": pending is not None or stopped.doubtful}
        if pending is not None:
            text = f"{text}, but {pending.path} had been sent and may have been done"
            facts |= {"venue": pending.venue, "name": pending.name}
        self._tell("Stopped", text, remedy, stopped.code, facts)

    def _tell(
        self, kind: str, message: str, remedy: str | None, code: int, facts: dict[str, Any]
    ) -> None:
        try:
            complain(message, remedy)
        finally:  # also where standard error cannot be written
            if self._json:
                known = {name: value for name, value in facts.items() if value is not None}
                error = {"type": kind, "message": message, "remedy": remedy, "exitCode": code}
                write_json({"error": error | known})


def write_json(value: dict[str, Any]) -> None:
    """Write one line for scripts, at once."""
    sys.stdout.write(json.dumps(value) + "\n")
    sys.stdout.flush()
