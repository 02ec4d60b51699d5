"""A run without sending: what is wrong with the rows, and how long they will take."""

from __future__ import annotations

import os
import sys
from collections import Counter
from contextlib import ExitStack
from typing import TYPE_CHECKING

from cadenza_async.cli._console import open_console, printable
from cadenza_async.cli._output import write_json
from cadenza_async.cli._progress import duration
from cadenza_async.cli._stored_session import entry_for
from cadenza_async.errors import ConfigError
from cadenza_async.onboarding import RowState
from cadenza_async.onboarding._files.rehearsal import Rehearsal, windows
from cadenza_async.onboarding._foresight import Foresight

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from cadenza_async.auth import Token
    from cadenza_async.cli._job_run import Plan
    from cadenza_async.cli._onboard import Job
    from cadenza_async.onboarding import JournalReader
    from cadenza_async.onboarding._files.cells import Flaw


def rehearse(job: Job) -> int:
    """Check everything that can be checked without sending, and return the exit code.

    Raises:
        UsageError: If a file cannot be used at all.
    """
    source, tokens = job.open(), job.open_tokens()
    with ExitStack() as stack:
        journal = _open_journal(job, stack)
        rehearsal = stack.enter_context(
            Rehearsal(
                lambda user: _has_token(tokens, user),
                unique_names=job.plan.unique_names,
                object_to=lambda account: None if journal is None else journal.object_to(account),
            )
        )
        for row in source.rows:
            for flaw in rehearsal.check(row):
                _tell(flaw, json=job.plan.json)
        _conclude(rehearsal, job.plan, journal)
    if tokens is None and job.plan.sandbox is None:
        _mind_tokens(job.plan, named=any(user is not None for user in rehearsal.good))
    return 2 if rehearsal.bad else 0


def _has_token(tokens: Mapping[str, Token] | None, user: str | None) -> bool:
    """Say whether there is a token; without a file of tokens nobody has looked."""
    if user is None:
        return tokens is None or bool(os.environ.get("CADENZA_ACCESS_TOKEN"))
    return tokens is None or user in tokens


def _open_journal(job: Job, stack: ExitStack) -> Foresight | None:
    """Open the journal of earlier runs, if there were any."""
    path, plan = job.journal_path, job.plan
    if path is None or not _is_there(path):
        return None
    journal = Foresight(path, unique_names=plan.unique_names, retry_failed=plan.retry_failed)
    return stack.enter_context(journal)


def _connected(rehearsal: Rehearsal, journal: JournalReader | None) -> Counter[str | None]:
    """Count, for each user, those of the rows that an earlier run has connected."""
    done = () if journal is None else journal.rows(RowState.DONE)
    return Counter(row.user for row in done if rehearsal.met(row.key))


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


def _conclude(rehearsal: Rehearsal, plan: Plan, journal: JournalReader | None) -> None:
    good, users, seconds = rehearsal.good.total(), len(rehearsal.good), None
    if good and plan.limit is not None:
        left = rehearsal.good - _connected(rehearsal, journal)
        seconds = _seconds(left, plan, plan.limit)
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


def _seconds(left: Counter[str | None], plan: Plan, limit: int) -> int:
    """Return what the run will take at least."""
    flavour = plan.flavour
    return windows(left, limit, baseline=flavour.baseline, calls=flavour.calls) * plan.span


def _mind_tokens(plan: Plan, *, named: bool) -> None:
    if named:
        sys.stderr.write("The rows name users: the run will need --tokens.\n")
    elif not (os.environ.get("CADENZA_ACCESS_TOKEN") or _logged_in(plan)):
        sys.stderr.write("The run will need 'cadenza login', CADENZA_ACCESS_TOKEN, or --tokens.\n")


def _logged_in(plan: Plan) -> bool:
    return entry_for({"base_url": plan.base_url}).read() is not None
