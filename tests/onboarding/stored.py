"""Jobs whose rows' keys are stored first, and what must hold whenever one has run."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from cadenza_async import RowState

from .jobs import Job, row

if TYPE_CHECKING:
    from cadenza_async import RowOutcome

OPENAPI: Final[dict[str, Any]] = {"dialect": "openapi"}


async def run(job: Job, *rows: Any, **options: Any) -> dict[str, RowOutcome]:
    """Run the job; what it says of its rows is what is there, and nothing else is."""
    outcomes = await job.run(rows, flavour="credential", **options)
    stored = job.stored()
    for outcome in outcomes.values():
        if outcome.state is not RowState.UNKNOWN:
            assert outcome.credential_id == stored.get(outcome.name or "")
    connected = {o.account.trading_account_id for o in outcomes.values() if o.account}
    assert connected == {a["tradingAccountId"] for a in job.sandbox.accounts}
    return outcomes


async def run_one(job: Job, given: Any = None, **options: Any) -> RowOutcome:
    """Run the job with one row."""
    (outcome,) = (await run(job, given or row(1, name="Desk"), **options)).values()
    return outcome


def steps(job: Job) -> list[str]:
    """The calls that were made for rows, in short."""
    paths = [r["path"].rpartition("/")[2] for r in job.sandbox.requests]
    return [path for path in paths if path != "list"]
