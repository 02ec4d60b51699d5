"""What a command has to say, to people or to scripts."""

from __future__ import annotations

import json
import os
import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, TextIO, cast

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table
from rich.text import Text

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterable
    from datetime import datetime
    from io import TextIOWrapper

    from cadenza_async.cli._exits import Stopped
    from cadenza_async.errors import CadenzaError
    from cadenza_async.models import TradingAccount

_WIDE = 200  # where no terminal limits it, a row stays on its line
_FACTS = {
    "status": "status",
    "errno": "errno",
    "request_id": "requestId",
    "retry_after": "retryAfter",
    "venue": "venue",
    "name": "name",
}


class _Console(Console):
    """A console that leaves it to others what follows when its reader has gone."""

    def on_broken_pipe(self) -> None:
        raise BrokenPipeError


def open_console(stream: TextIO) -> Console:
    """Return a console that leaves texts as they are, whatever the stream can show."""
    cast("TextIOWrapper", stream).reconfigure(errors="backslashreplace")
    endless = not stream.isatty() and "COLUMNS" not in os.environ
    return _Console(
        file=stream, width=_WIDE if endless else None, highlight=False, markup=False, emoji=False
    )


def printable(text: str) -> str:
    """Return what a terminal can show without doing anything else."""
    return "".join(char if char.isprintable() else "\ufffd" for char in text)


def account_table(accounts: Iterable[TradingAccount]) -> Table:
    """Lay out accounts, a row for each; ids are never cut."""
    table = Table("Venue", "Name", "Type", "Status", box=SIMPLE_HEAD, pad_edge=False)
    table.add_column("Id", no_wrap=True)
    for each in accounts:
        cells = (each.venue, each.name, each.account_type, each.status, each.trading_account_id)
        table.add_row(*(Text(printable(cell or "")) for cell in cells))
    return table


def complaint(message: str, remedy: str | None) -> Text:
    """Say what happened and, on a second line, who must act."""
    lines = [(printable(message), "bold red"), *([("\n" + remedy, "")] if remedy else [])]
    return Text.assemble(*lines)


class Output:
    """Standard output for results, standard error for what went wrong.

    Args:
        json: Whether scripts read it: every result, and an error as well, is then a line of JSON
            on standard output, under the names that are used on the wire.
    """

    def __init__(self, *, json: bool) -> None:
        self._json = json

    def done(self, what: str, account: TradingAccount) -> None:
        """Tell that something happened to an account."""
        if self._json:
            write_json(_wire(account))
            return
        facts = (account.venue, account.name, account.account_type, account.status)
        text = f"{what}: {', '.join(each for each in facts if each)}, {account.trading_account_id}"
        open_console(sys.stdout).print(Text(printable(text)), soft_wrap=True)

    @contextmanager
    def listing(self) -> Generator[Callable[[TradingAccount], None]]:
        """Show accounts: scripts get each at once, people a table of all."""
        accounts: list[TradingAccount] = []
        yield (lambda each: write_json(_wire(each))) if self._json else accounts.append
        if accounts:
            open_console(sys.stdout).print(account_table(accounts))
        elif not self._json:
            open_console(sys.stdout).print("No accounts.")

    def failed(self, error: CadenzaError, remedy: str, code: int) -> None:
        """Tell of an error, and who must act."""
        facts = {wire: getattr(error, name, None) for name, wire in _FACTS.items()}
        self._complain(type(error).__name__, str(error), remedy, code, facts)

    def stopped(self, stopped: Stopped, remedy: str | None) -> None:
        """Tell that the command was ended, and what may have been done by then."""
        text, pending = stopped.text, stopped.pending
        facts: dict[str, Any] = {"outcomeUnknown": pending is not None}
        if pending is not None:
            text = f"{text}, but {pending.path} had been sent and may have been done"
            facts |= {"venue": pending.venue, "name": pending.name}
        self._complain("Stopped", text, remedy, stopped.code, facts)

    def lost(self, message: str, remedy: str) -> None:
        """Tell people that nothing more can be told to anybody else."""
        open_console(sys.stderr).print(complaint(message, remedy), soft_wrap=True)

    def _complain(
        self, kind: str, message: str, remedy: str | None, code: int, facts: dict[str, Any]
    ) -> None:
        open_console(sys.stderr).print(complaint(message, remedy), soft_wrap=True)
        if self._json:
            known = {name: value for name, value in facts.items() if value is not None}
            error = {"type": kind, "message": message, "remedy": remedy, "exitCode": code, **known}
            write_json({"error": error})


def write_json(value: dict[str, Any]) -> None:
    """Write one line for scripts, at once."""
    sys.stdout.write(json.dumps(value) + "\n")
    sys.stdout.flush()


def _wire(account: TradingAccount) -> dict[str, Any]:
    return {
        "tradingAccountId": account.trading_account_id,
        "userId": account.user_id,
        "venue": account.venue,
        "name": account.name,
        "accountType": account.account_type,
        "status": account.status,
        "createdAt": _milliseconds(account.created_at),
        "updatedAt": _milliseconds(account.updated_at),
        **account.extra,
    }


def _milliseconds(moment: datetime | None) -> int | None:
    return None if moment is None else round(moment.timestamp() * 1000)
