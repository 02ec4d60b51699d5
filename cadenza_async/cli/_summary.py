"""What is said when a run has ended."""

from __future__ import annotations

import sys
from heapq import nlargest
from pathlib import Path
from typing import TYPE_CHECKING

from attrs import frozen
from rich.text import Text

from cadenza_async.cli._console import open_console, printable
from cadenza_async.cli._output import write_json
from cadenza_async.cli._tally import Tally, counted
from cadenza_async.onboarding import RowState

if TYPE_CHECKING:
    from collections.abc import Iterator


_MOST = 10  # reasons


@frozen(kw_only=True)
class Summary:
    """What a run, or all runs of a journal, came to.

    Attributes:
        tally: The rows.
        missing: How many rows of the journal were not in the file.
        unread: Why there may be more rows than these, if so.
        refused: How many rows were refused and are not among these.
        reports: The folder with the details.
        again: Whether the same command can go on with it.
    """

    tally: Tally
    missing: int = 0
    unread: str | None = None
    refused: int = 0
    reports: Path | None = None
    again: bool = True

    def tell(self, *, json: bool) -> None:
        """Say it, to scripts as one object."""
        if json:
            counts = {state.value: self.tally.states[state] for state in RowState}
            whole = {"counts": counts, "missing": self.missing, "complete": self.unread is None}
            whole |= {"refused": self.refused} if self.refused else {}
            whole |= {"unusedCredentials": self.tally.unused} if self.tally.unused else {}
            write_json({"summary": whole})
            return
        console = open_console(sys.stdout)
        for line in self._lines():
            console.print(line, soft_wrap=True)

    def _lines(self) -> Iterator[Text]:
        yield Text(f"{self.tally.text()} ({counted(self.tally.rows)})", "bold")
        yield from self._reasons()
        if self.unread is not None:
            yield Text(printable(self.unread))
        if self.refused:
            yield Text(f"Refused in the newest run: {counted(self.refused)}; see its reports.")
        if self.missing:
            yield Text(f"Not among the rows: {counted(self.missing)} of the journal.")
        if self.tally.unused:
            some = "credential is" if self.tally.unused == 1 else "credentials are"
            yield Text(
                f"{self.tally.unused:,} {some} stored at Cadenza without an account:"
                " see credentialId in the reports."
            )
        if self.reports is not None:
            yield Text(printable(f"Every row: {self.reports}/{{connected,failed,unfinished}}.csv"))
        if self.again:
            yield from self._advice()

    def _advice(self) -> Iterator[Text]:
        if self.tally.code(whole=self.unread is None) == 3:
            yield Text("The same command again goes on with what is not done.")
        elif self.tally.states[RowState.FAILED] or self.refused:
            yield Text("Corrected rows are sent by the same command; --retry-failed sends all.")

    def _reasons(self) -> Iterator[Text]:
        told = nlargest(_MOST, self.tally.reasons(), key=lambda reason: reason.rows)
        for reason in told:
            yield Text(printable(f"  {reason}"), "red")
            yield Text(f"    {reason.remedy}")
        if rest := self.tally.explained - sum(reason.rows for reason in told):
            yield Text(f"  {counted(rest)}: other reasons", "red")
