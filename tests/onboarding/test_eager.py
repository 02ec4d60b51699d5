"""In a loop that begins tasks at once, inside of what starts them."""

from __future__ import annotations

import asyncio
import gc
import sys
from typing import TYPE_CHECKING

import pytest

from cadenza_async import RowState, Secret, onboard
from cadenza_async.errors import ConfigError

from .jobs import row

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from .jobs import Job

pytestmark = pytest.mark.skipif(sys.version_info < (3, 12), reason="such loops came with 3.12")


@pytest.fixture
async def _eager() -> AsyncIterator[None]:
    loop = asyncio.get_running_loop()
    loop.set_task_factory(vars(asyncio)["eager_task_factory"])
    yield
    loop.set_task_factory(None)


@pytest.mark.usefixtures("_eager")
async def test_many_rows_do_not_go_ever_deeper(job: Job, monkeypatch: pytest.MonkeyPatch) -> None:
    """However many may be in flight, no row is sent from within another."""
    monkeypatch.setattr("cadenza_async.onboarding._slots._FIRST", 100.0)
    rows = [row(n, user=f"u-{n % 3 + 1}", name=f"Desk {n}") for n in range(400)]
    outcomes = await job.run(rows, concurrency=100)
    assert {o.state for o in outcomes.values()} == {RowState.DONE}
    assert len(job.sandbox.accounts) == len(rows)


@pytest.mark.usefixtures("_eager")
async def test_stopping(job: Job) -> None:
    """What was not sent is left for the next run, which connects the rest once."""
    rows = [row(n) for n in range(40)]
    async with job.running(rows) as run:
        async for _ in run:
            break
    assert len(job.sandbox.accounts) < len(rows)
    outcomes = await job.run(rows)
    assert {o.state for o in outcomes.values()} == {RowState.DONE}
    assert len(job.sandbox.accounts) == len(rows)


@pytest.mark.usefixtures("_eager")
async def test_rows_that_are_given_up_at_once(job: Job) -> None:
    """There is no token for their user, and room for their outcomes; nothing of them is kept."""
    rows = [row(n, user="nobody") for n in range(200)]
    async with job.running(rows) as run:
        outcomes = [outcome async for outcome in run]
        gc.collect()
        tasks = [each for each in gc.get_objects() if isinstance(each, asyncio.Task)]
    assert {type(o.error) for o in outcomes} == {ConfigError}
    assert len(outcomes) == len(rows)
    assert len(tasks) < 50
    assert not job.sandbox.requests


class Odd:
    """A token source that cannot be compared."""

    async def token(self, *, rejected: Secret | None = None) -> Secret:
        return Secret("in.vain")

    def __eq__(self, other: object) -> bool:
        raise LookupError

    __hash__ = object.__hash__


@pytest.mark.usefixtures("_eager")
async def test_an_error_at_the_very_beginning(job: Job) -> None:
    """It ends the run, although that has hardly begun."""
    async with job.connect() as pool:
        pool.client(access_token=Odd(), identity="u-1")
        run = onboard(pool, [row(1)], tokens={"u-1": Odd()}, journal=job.journal)
        async with asyncio.timeout(10):
            with pytest.raises(LookupError):
                await anext(run)
            await run.aclose()
