"""A run without sending: what is wrong with the rows, and how long they will take."""

from __future__ import annotations

import os
import sys
from collections import Counter
from typing import TYPE_CHECKING

from cadenza_async.cli._console import open_console, printable
from cadenza_async.cli._output import write_json
from cadenza_async.cli._progress import duration
from cadenza_async.cli._stored import entry_for
from cadenza_async.errors import ConfigError
from cadenza_async.onboarding import JournalReader, RowState
from cadenza_async.onboarding._files.rehearsal import Rehearsal, windows

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from cadenza_async.auth import Token
    from cadenza_async.cli._conduct import Plan
    from cadenza_async.cli._onboard import Job
    from cadenza_async.onboarding._files.cells import Flaw


def rehearse(job: Job) -> int:
    """Check everything that can be checked without sending, and return the exit code.

    Raises:
        UsageError: If a file cannot be used at all.
    """
    source, tokens = job.open(), job.open_tokens()
    unique = job.plan.unique_names
    with Rehearsal(lambda user: _has_token(tokens, user), unique_names=unique) as rehearsal:
        for row in source.rows:
            for flaw in rehearsal.check(row):
                _tell(flaw, json=job.plan.json)
        _conclude(rehearsal, job)
    if tokens is None and job.plan.stage is None:
        _mind_tokens(job.plan, named=any(user is not None for user in rehearsal.good))
    return 2 if rehearsal.bad else 0


def _has_token(tokens: Mapping[str, Token] | None, user: str | None) -> bool:
    """Say whether there is a token; without a file of tokens nobody has looked."""
    if user is None:
        return tokens is None or bool(os.environ.get("CADENZA_ACCESS_TOKEN"))
    return tokens is None or user in tokens


def _connected(rehearsal: Rehearsal, job: Job) -> Counter[str | None]:
    """Count, for each user, those of the rows that an earlier run has connected."""
    journal = job.journal_path
    if journal is None or not _is_there(journal):
        return Counter()
    with JournalReader(journal) as reader:
        return Counter(row.user for row in reader.rows(RowState.DONE) if rehearsal.met(row.key))


def _is_there(journal: Path) -> bool:
    try:
        journal.stat()
    except FileNotFoundError:
        return False
    except OSError as error:
        problem = error.strerror
    else:
        return True
    raise ConfigError(f"the journal {journal} cannot be opened: {problem}")


def _tell(flaw: Flaw, *, json: bool) -> None:
    if json:
        write_json({"line": flaw.line, "column": flaw.column, "problem": flaw.text})
    else:
        open_console(sys.stdout).print(printable(str(flaw)), soft_wrap=True)


def _conclude(rehearsal: Rehearsal, job: Job) -> None:
    good, users, plan = rehearsal.good.total(), len(rehearsal.good), job.plan
    seconds = _seconds(rehearsal, job, plan.limit) if good and plan.limit is not None else None
    if plan.json:
        write_json({"summary": {"good": good, "bad": rehearsal.bad, "seconds": seconds}})
        return
    console = open_console(sys.stdout)
    console.print(f"Good rows: {good:,}, bad rows: {rehearsal.bad:,}; nothing was sent.")
    if seconds is not None:
        least, most = duration(seconds), duration(seconds + plan.span)
        console.print(
            f"At {plan.limit} calls a minute for each user ({users:,} of them) the run takes"
            f" {f'{least} to {most}' if seconds else f'less than {most}'}."
        )


def _seconds(rehearsal: Rehearsal, job: Job, limit: int) -> int:
    """Return what the run will take at least, less what earlier ones have done."""
    flavour, left = job.plan.flavour, rehearsal.good - _connected(rehearsal, job)
    return windows(left, limit, baseline=flavour.baseline, calls=flavour.calls) * job.plan.span


def _mind_tokens(plan: Plan, *, named: bool) -> None:
    if named:
        sys.stderr.write("The rows name users: the run will need --tokens.\n")
    elif not (os.environ.get("CADENZA_ACCESS_TOKEN") or _logged_in(plan)):
        sys.stderr.write("The run will need 'cadenza login', CADENZA_ACCESS_TOKEN, or --tokens.\n")


def _logged_in(plan: Plan) -> bool:
    return entry_for({"base_url": plan.base_url}).read() is not None
