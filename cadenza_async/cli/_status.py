"""What a journal tells of the runs so far."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from cadenza_async.cli._console import open_console, printable
from cadenza_async.cli._summary import Summary
from cadenza_async.cli._tally import Tally
from cadenza_async.onboarding import JournalReader
from cadenza_async.onboarding._files.reports import describe
from cadenza_async.onboarding._files.tracked import Origin, outcome_of

if TYPE_CHECKING:
    from pathlib import Path


def show(journal: Path, *, json: bool) -> int:
    """Tell how far a job is, and return the exit code of a run that ended so.

    Nothing is sent, and the job may be running.

    Raises:
        ConfigError: If there is no such journal.
    """
    tally, missing = Tally(), 0
    with JournalReader(journal) as reader:
        for row in reader.rows():
            outcome = outcome_of(row)
            tally.add(outcome, describe(outcome, Origin(key=row.key)))
            missing += row.missing
        url, complete, refused = reader.base_url, reader.complete, reader.refused
    if not json:
        open_console(sys.stdout).print(printable(f"{journal} for {url}"), soft_wrap=True)
    unread = None if complete else "The newest run has not met all of its rows."
    Summary(tally=tally, missing=missing, unread=unread, refused=refused).tell(json=json)
    return tally.code(whole=complete) or int(refused > 0)
