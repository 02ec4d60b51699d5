"""What became of each row, in files for people (CSV) and programs (JSON lines)."""

from __future__ import annotations

import csv
import json
import os
import re
from collections.abc import Sequence
from contextlib import ExitStack, closing, contextmanager, suppress
from typing import TYPE_CHECKING, Any, Final, Self, TextIO

from attrs import frozen

from cadenza_async.errors import (
    AuthenticationError,
    ConfigError,
    InvalidRowError,
    PermissionDeniedError,
)
from cadenza_async.onboarding._lock import lock
from cadenza_async.onboarding._states import RowState

if TYPE_CHECKING:
    from collections.abc import Generator, Mapping
    from pathlib import Path
    from types import TracebackType

    from cadenza_async.errors import CadenzaError
    from cadenza_async.models import TradingAccount
    from cadenza_async.onboarding._files.tracked import Origin
    from cadenza_async.onboarding._states import RowOutcome

_ROW: Final = (
    *("line", "key", "user", "venue", "name", "apiKey", "state", "attempts"),
    "credentialId",
)
_ACCOUNT: Final = ("tradingAccountId", "accountType", "status", "createdAt")
_ERROR: Final = ("error", "errno", "requestId", "reason", "remedy")
_COLUMNS: Final = {
    "connected": (*_ROW, *_ACCOUNT),
    "failed": (*_ROW, *_ERROR),
    "unfinished": (*_ROW, *_ERROR),
}
_AGAIN: Final = {
    RowState.PENDING: "Run the same command again: it goes on with this row.",
    RowState.STORED: "Run the same command again: it connects with the credential that is stored.",
    RowState.UNKNOWN: "Run the same command again: it finds out what became of this row.",
}
_FIRST: Final = (AuthenticationError, ConfigError, PermissionDeniedError)  # somebody must act
# What makes a cell a formula at its beginning, in wide letters, too; and a cell begins after a
# semicolon or a line break where a spreadsheet separates by others than our commas.
_ACTIVE: Final = re.compile('^(?=[\t\r\n])|(^|[;\t\r\n]"*)(?=[-=+@\uff1d\uff0b\uff0d\uff20])')


def sheet_of(state: RowState) -> str:
    """Say which report a row in this state belongs to."""
    settled = {RowState.DONE: "connected", RowState.FAILED: "failed", RowState.CONFLICT: "failed"}
    return settled.get(state, "unfinished")


def describe(outcome: RowOutcome, origin: Origin) -> dict[str, Any]:
    """Put an outcome into words for reports and scripts. No secret is in it.

    Args:
        outcome: What became of the row.
        origin: Where it comes from.
    """
    refused = isinstance(outcome.error, InvalidRowError)  # and what the journal knows is another's
    facts = {
        "line": origin.line,
        "key": outcome.key,
        "user": outcome.user or origin.user,
        "venue": outcome.venue or origin.venue,
        "name": (refused and origin.name) or outcome.name or origin.name,
        "apiKey": origin.api_key,
        "state": outcome.state.value,
        "attempts": outcome.attempts,
        "credentialId": outcome.credential_id,
    }
    if outcome.account is not None:
        facts |= _describe_account(outcome.account)
    if outcome.state is not RowState.DONE:
        facts |= _describe_error(outcome.error, _AGAIN.get(outcome.state))
    return {name: value for name, value in facts.items() if value is not None}


def _describe_account(account: TradingAccount) -> dict[str, Any]:
    created = account.created_at
    return {
        "tradingAccountId": account.trading_account_id,
        "accountType": account.account_type,
        "status": account.status,
        "createdAt": None if created is None else created.isoformat(),
    }


def _describe_error(error: CadenzaError | None, again: str | None) -> dict[str, Any]:
    if error is None:
        return {"remedy": again}
    return {
        "error": type(error).__name__,
        "errno": getattr(error, "errno", None),
        "requestId": getattr(error, "request_id", None),
        "reason": str(error),
        "remedy": _remedy(error, again),
    }


def _remedy(error: CadenzaError, again: str | None) -> str:
    """Say who must act; a job finds out by itself what a single call would leave to its caller."""
    if again is None or isinstance(error, InvalidRowError):
        return error.remedy
    return f"{error.remedy} {again}" if isinstance(error, _FIRST) else again


def inert(cell: object) -> str:
    """Return a cell that no spreadsheet takes for a formula."""
    return "" if cell is None else _ACTIVE.sub(r"\1'", str(cell))


class Reports:
    """Three reports, each as CSV and as JSON lines: connected, failed, unfinished.

    Use it with ``with``, and `begin` before the first row. They replace earlier ones all at once
    by `commit`, and only their owner can read them. From beginning to end the folder is theirs.

    Args:
        folder: Where they are written; made when it is not there.

    Raises:
        ConfigError: On beginning, or later, if that is not possible.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._sheets: dict[str, _Sheet] = {}
        self._files = ExitStack()
        self._problem: str | None = None

    def __enter__(self) -> Self:
        return self

    def begin(self) -> None:
        """Begin anew, unless another job has the folder."""
        taken = (
            f"another job is writing its reports to {self.folder}: wait until it has ended, or"
            " name another folder with --reports"
        )
        with self._writing(), ExitStack() as files:
            self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            files.enter_context(closing(lock(str(self.folder / ".reports"), taken=taken)))
            files.callback(_remove_drafts, self.folder)
            for name, columns in _COLUMNS.items():
                table = files.enter_context(_open(_draft(self.folder, f"{name}.csv")))
                lines = files.enter_context(_open(_draft(self.folder, f"{name}.jsonl")))
                self._sheets[name] = _Sheet(table=table, lines=lines, columns=columns)
                self._sheets[name].begin()
            self._files = files.pop_all()

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        with suppress(OSError):  # what found no room was complained of, and is not kept
            self._files.close()

    def add(self, outcome: RowOutcome, origin: Origin) -> None:
        """Write down what became of a row."""
        with self._writing():
            self._sheets[sheet_of(outcome.state)].add(describe(outcome, origin))

    def commit(self) -> None:
        """Replace earlier reports."""
        with self._writing():
            for sheet in self._sheets.values():
                for stream in (sheet.table, sheet.lines):
                    stream.flush()
                    os.fsync(stream.fileno())
                    stream.close()
            for name in _FILES:
                _draft(self.folder, name).replace(self.folder / name)

    @contextmanager
    def _writing(self) -> Generator[None]:
        """Complain of what cannot be written; later rows do not make up for it."""
        if self._problem is None:
            try:
                yield
            except OSError as error:
                self._problem = error.strerror or type(error).__name__
            else:
                return
        raise ConfigError(f"the reports cannot be written to {self.folder}: {self._problem}")


_FILES: Final = [f"{name}.{kind}" for name in _COLUMNS for kind in ("csv", "jsonl")]


def _draft(folder: Path, name: str) -> Path:
    return folder / f".{name}.new"


def _remove_drafts(folder: Path) -> None:
    for name in _FILES:
        _draft(folder, name).unlink(missing_ok=True)


@frozen(kw_only=True)
class _Sheet:
    table: TextIO
    lines: TextIO
    columns: Sequence[str]

    def begin(self) -> None:
        csv.writer(self.table).writerow(self.columns)

    def add(self, facts: Mapping[str, Any]) -> None:
        csv.writer(self.table).writerow([inert(facts.get(name)) for name in self.columns])
        self.lines.write(json.dumps(facts) + "\n")


def _open(path: Path) -> TextIO:
    """Open a new file of our own."""
    path.unlink(missing_ok=True)
    file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    return os.fdopen(file, "w", encoding="utf-8", errors="backslashreplace", newline="")
