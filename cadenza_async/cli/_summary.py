"""What is said when a run has ended, and where it is written down."""

from __future__ import annotations

import sys
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from attrs import frozen
from rich.text import Text

from cadenza_async.cli._output import open_console, printable, write_json
from cadenza_async.cli._tally import Tally
from cadenza_async.errors import ConfigError
from cadenza_async.onboarding import RowState
from cadenza_async.onboarding._reports import Reports

if TYPE_CHECKING:
    from collections.abc import Generator, Iterator


_MOST = 10  # reasons


@frozen(kw_only=True)
class Summary:
    """What a run, or all runs of a journal, came to.

    Attributes:
        tally: The rows.
        missing: How many rows of the journal were not in the file.
        unread: What was not read to its end.
        reports: The folder with the details.
    """

    tally: Tally
    missing: int = 0
    unread: str | None = None
    reports: Path | None = None

    def tell(self, *, json: bool) -> None:
        """Say it, to scripts as one object."""
        if json:
            counts = {state.value: self.tally.states[state] for state in RowState}
            whole = {"counts": counts, "missing": self.missing, "complete": self.unread is None}
            write_json({"summary": whole})
            return
        console = open_console(sys.stdout)
        for line in self._lines():
            console.print(line, soft_wrap=True)

    def _lines(self) -> Iterator[Text]:
        yield Text(f"{self.tally.text()} ({self.tally.rows:,} rows)", "bold")
        for reason, _ in zip(self.tally.reasons(), range(_MOST), strict=False):
            yield Text(printable(f"  {reason}"), "red")
            yield Text(f"    {reason.remedy}")
        if self.unread is not None:
            yield Text(printable(f"{self.unread} was not read to its end."))
        if self.missing:
            yield Text(f"{self.missing:,} rows of the journal were not among the rows.")
        if self.reports is not None:
            yield Text(printable(f"Every row: {self.reports}/{{connected,failed,unfinished}}.csv"))
        if self.tally.code(whole=self.unread is None) == 3:
            yield Text("The same command again goes on with what is not done.")
        elif self.tally.states[RowState.FAILED]:
            yield Text("Corrected rows are sent by the same command; --retry-failed sends all.")


@contextmanager
def report_to(folder: Path) -> Generator[Reports]:
    """Open reports.

    Raises:
        ConfigError: If they cannot be written.
    """
    try:
        with Reports(folder) as reports:
            yield reports
    except BrokenPipeError:
        raise
    except OSError as error:
        problem = error.strerror
    else:
        return
    raise ConfigError(f"the reports cannot be written to {folder}: {problem}")
