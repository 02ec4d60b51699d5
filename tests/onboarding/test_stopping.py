"""A run that is stopped sends nothing more, and leaves a journal to go on from."""

from __future__ import annotations

import asyncio
import gc
import sqlite3
import threading
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING
from weakref import WeakValueDictionary

import pytest

from cadenza_async import NewAccount, RowState, onboard
from cadenza_async.errors import ClosedError
from cadenza_async.onboarding import _schema
from cadenza_async.onboarding._store import Store
from cadenza_async.sandbox import Fault

from .jobs import Job, row

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from cadenza_async.onboarding._store import Move


async def _finish(job: Job, number: int) -> None:
    """Run the job to its end: each account is there once, and the journal agrees."""
    outcomes = await job.run([row(n) for n in range(number)])
    assert {o.state for o in outcomes.values()} == {RowState.DONE}
    assert set(job.names().values()) == {1}
    assert len(job.names()) == number
    there = {a["tradingAccountId"] for a in job.sandbox.accounts}
    journaled = (await job.journaled()).values()
    assert {r.account.trading_account_id for r in journaled if r.account} == there


async def test_leaving_the_block_stops(job: Job) -> None:
    """What is in flight is waited for and written down; the rest is not sent."""
    job.sandbox.script("latency:50ms:100%@connect")
    async with job.running((row(n) for n in range(100)), concurrency=5) as run:
        await anext(run)
        while len(job.calls("connect")) < 3:  # so that some are in flight
            await asyncio.sleep(0.01)
    sent = len(job.calls("connect"))
    assert 3 <= sent <= 12
    assert len(job.sandbox.accounts) == sent
    assert await _number(job, RowState.DONE) == sent
    with pytest.raises(StopAsyncIteration):
        await anext(run)
    await _finish(job, 100)
    assert len(job.calls("connect")) == 100


async def _number(job: Job, *states: RowState) -> int:
    return len(await job.journaled(*states))


async def test_what_outlives_the_grace_period_is_unknown(job: Job) -> None:
    """A call that is not answered in time is left in the journal as such, and settled later."""
    impatient = Job(sandbox=job.sandbox, journal=job.journal, pool={"grace": 0.1, "timeout": 9})
    job.sandbox.script(Fault("slow-commit", seconds=0.5, endpoint="connect"))
    async with impatient.running([row(n) for n in range(3)], concurrency=1):
        while not job.calls("connect"):
            await asyncio.sleep(0.01)
    assert await _number(job, RowState.INTENT, RowState.UNKNOWN) == 1
    assert len(job.calls("connect")) == 1
    outcomes = await job.run([row(n) for n in range(3)], quarantine=0.8)
    assert {o.state for o in outcomes.values()} == {RowState.DONE}
    assert len(job.calls("connect")) == 3
    assert set(job.names().values()) == {1}


@pytest.mark.parametrize("after", [0, 0.001, 0.01, 0.05, 0.1, 0.2])
async def test_cancelling(job: Job, after: float) -> None:
    """At whatever moment the caller is cancelled, nothing is lost and nothing is done twice."""
    job.sandbox.script("latency:20ms:50%@connect")

    async def work() -> None:
        async with job.running([row(n) for n in range(100)], concurrency=5) as run:
            async for _ in run:
                pass

    task = asyncio.create_task(work())
    await asyncio.sleep(after)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    job.sandbox.behave()
    await _finish(job, 100)


async def test_breaking_out_of_a_plain_loop(job: Job) -> None:
    """When nobody holds the run any more, it stops by itself."""
    async with job.connect() as pool:
        async for _ in onboard(
            pool, [row(n) for n in range(2000)], tokens=job.tokens, journal=job.journal
        ):
            break
        gc.collect()
        while await asyncio.to_thread(_is_held, job):
            await asyncio.sleep(0.01)
    assert len(job.sandbox.accounts) < 1000
    await _finish(job, 2000)


def _is_held(job: Job) -> bool:
    try:
        Store(str(job.journal), job.sandbox.url, retry_failed=False).close()
    except ValueError:
        return True
    return False


async def test_closing_the_pool_ends_the_run(job: Job) -> None:
    """What is in flight is drained; the one who iterates is told that it was not the end."""
    job.sandbox.script("latency:50ms:100%@connect")
    async with job.connect() as pool:
        run = onboard(pool, [row(n) for n in range(100)], tokens=job.tokens, journal=job.journal)
        await anext(run)
        await pool.aclose()
        with pytest.raises(ClosedError, match="closed before the rows were done"):
            _ = [outcome async for outcome in run]
        await run.aclose()
    assert len(job.sandbox.accounts) == len(job.calls("connect"))
    assert await _number(job, RowState.DONE) == len(job.sandbox.accounts)
    job.sandbox.behave()
    await _finish(job, 100)


async def test_no_task_outlives_the_pool(job: Job) -> None:
    """When the grace period is over, what is in flight is written down and everything ends.

    A fixture of every test sees to it that no task is left.
    """
    job.sandbox.script("latency:10s:100%@connect")
    hasty = Job(sandbox=job.sandbox, journal=job.journal, pool={"grace": 0.1, "timeout": 30})
    async with hasty.connect() as pool:
        rows = [row(n) for n in range(20)]
        run = onboard(pool, rows, tokens=job.tokens, journal=job.journal)
        waiting = asyncio.ensure_future(anext(run))
        while not job.calls("connect"):
            await asyncio.sleep(0.01)
        await pool.aclose()
        with pytest.raises(ClosedError):
            await waiting
        await run.aclose()
    assert await _number(job, RowState.INTENT, RowState.UNKNOWN) == len(job.calls("connect"))


async def test_a_closed_pool_cannot_begin(job: Job) -> None:
    """Nothing is made, not even a journal."""
    async with job.connect() as pool:
        pass
    with pytest.raises(ClosedError):
        await anext(onboard(pool, [row(1)], journal=job.journal))
    assert not job.journal.exists()


async def test_closing_twice_and_before_it_began(job: Job) -> None:
    """Both do nothing."""
    async with job.connect() as pool:
        run = onboard(pool, [row(1)], tokens=job.tokens, journal=job.journal)
        assert set(run.counts.values()) == {0}
        assert run.missing is None
        await run.aclose()
        assert [outcome async for outcome in run] == []
        await run.aclose()
    assert job.sandbox.requests == []


async def test_what_was_closed_does_not_begin(job: Job) -> None:
    """Entering a run that was closed sends nothing, and makes no journal."""
    async with job.connect() as pool:
        run = onboard(pool, [row(1)], tokens=job.tokens, journal=job.journal)
        await run.aclose()
        async with run:
            assert [outcome async for outcome in run] == []
    assert not job.journal.exists()


async def test_closing_while_it_begins(job: Job) -> None:
    """Whoever closes a run that is just opening its journal waits until that is free again."""
    async with job.connect() as pool:
        run = onboard(pool, [row(1)], tokens=job.tokens, journal=job.journal)
        first = asyncio.ensure_future(anext(run))
        await asyncio.sleep(0)
        await run.aclose()
        assert not await asyncio.to_thread(_is_held, job)
        await asyncio.wait([first])
        assert isinstance(first.exception(), StopAsyncIteration)


async def test_several_may_begin_at_once(job: Job) -> None:
    """Those who share a run that nobody has entered begin it once, and share its outcomes."""
    rows = [row(n) for n in range(30)]
    async with job.connect() as pool:
        run = onboard(pool, rows, tokens=job.tokens, journal=job.journal)

        async def work() -> list[str]:
            return [outcome.key async for outcome in run]

        taken = await asyncio.gather(work(), work(), work())
    assert sorted(key for keys in taken for key in keys) == sorted(f"desk-{n}" for n in range(30))


async def test_leaving_at_once_frees_the_journal(job: Job, monkeypatch: pytest.MonkeyPatch) -> None:
    """The block ends when the journal is closed, although the run had no time to begin."""
    close = Store.close

    def close_slowly(store: Store) -> None:
        time.sleep(0.1)
        close(store)

    monkeypatch.setattr(Store, "close", close_slowly)
    async with job.running([row(1)]):
        pass
    assert not await asyncio.to_thread(_is_held, job)


async def test_a_slow_reader_slows_sending(job: Job, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without anybody taking outcomes, only so much is sent, and only so much is read."""
    monkeypatch.setattr("cadenza_async.onboarding._run.READ_AHEAD", 100)
    read = 0

    def rows() -> Iterator[NewAccount]:
        nonlocal read
        for read in range(30_000):
            yield row(read, api_key=f"api-key-{read:06}")

    async with job.running(rows()) as run:
        async with asyncio.timeout(30):
            while len(job.sandbox.accounts) < 256:
                await asyncio.sleep(0.01)
        await asyncio.sleep(0.3)
        assert 256 <= len(job.sandbox.accounts) <= 300
        assert read <= 400
        taken = [await anext(run) for _ in range(500)]
        assert len({outcome.key for outcome in taken}) == 500


async def test_the_counts_add_up(job: Job) -> None:
    """At the end of the run every row is in the state of its outcome."""
    rows = [row(n, api_key=("invalid" if n % 5 == 0 else "good") + f"{n:06}") for n in range(20)]
    async with job.running(rows) as run:
        async for _ in run:
            assert sum(run.counts.values()) <= 20
        counts = {state.value: number for state, number in run.counts.items() if number}
    assert counts == {"DONE": 16, "FAILED": 4}


async def test_a_disk_that_is_full_ends_the_run(job: Job, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing is sent before all is noted that was there; the error is raised as it is."""
    before = Job(sandbox=job.sandbox, journal=job.journal.with_name("before"))
    await before.run([row(n) for n in range(60)])
    rows, connect = [row(n) for n in range(60, 100)], _schema.connect

    def cramped(path: str) -> sqlite3.Connection:
        file = connect(path)
        if pages := file.execute("PRAGMA page_count").fetchone()[0]:
            file.execute(f"PRAGMA max_page_count = {pages}")
        return file

    monkeypatch.setattr(_schema, "connect", cramped)
    async with job.running(rows) as run:
        with pytest.raises(sqlite3.OperationalError, match="disk is full"):
            _ = [outcome async for outcome in run]
    assert len(job.sandbox.accounts) == 60
    monkeypatch.undo()
    assert set((await job.states(rows)).values()) == {"DONE"}


async def test_a_disk_that_fails_ends_the_run(job: Job, monkeypatch: pytest.MonkeyPatch) -> None:
    """So does one that takes everything in and then cannot keep it."""
    transaction = Store.transaction

    @contextmanager
    def fail(self: Store) -> Iterator[None]:
        with transaction(self):
            yield
            raise sqlite3.OperationalError("disk I/O error")

    async with job.running(row(n) for n in range(500)) as run:
        await anext(run)
        monkeypatch.setattr(Store, "transaction", fail)
        with pytest.raises(sqlite3.OperationalError, match="disk I/O error"):
            _ = [outcome async for outcome in run]
        monkeypatch.undo()
    assert len(job.sandbox.accounts) < 500
    await _finish(job, 500)


async def test_what_waits_is_forgotten(job: Job, monkeypatch: pytest.MonkeyPatch) -> None:
    """A run that was stopped leaves nothing in the loop that holds the keys of its rows."""
    monkeypatch.setattr("cadenza_async.onboarding._lane.backoff", lambda *_: 60.0)
    alive: WeakValueDictionary[int, NewAccount] = WeakValueDictionary()

    def rows() -> Iterator[NewAccount]:
        down = alive[1] = row(1, venue="BYBIT", api_key="down" + "x" * 9)
        yield down
        yield row(2)

    async def stop_early() -> RowState:
        async with job.running(rows(), concurrency=1) as run:
            return (await anext(run)).state

    assert await stop_early() is RowState.DONE  # so the first one waits for its exchange
    await asyncio.sleep(0)  # what was to be done at once is done
    gc.collect()
    assert not alive


async def test_a_row_whose_turn_comes_while_the_run_is_stopped(
    job: Job, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It was just being written down that it is sent: it is not sent, and that is written down."""
    loop, begun, go_on = asyncio.get_running_loop(), asyncio.Event(), threading.Event()
    move = Store.move

    def wait(self: Store, moves: Sequence[Move]) -> None:
        if any(each.state is RowState.INTENT for each in moves):
            loop.call_soon_threadsafe(begun.set)
            go_on.wait(10)
        move(self, moves)

    monkeypatch.setattr(Store, "move", wait)
    async with job.running([row(1)]) as run:
        await begun.wait()
        closing = asyncio.create_task(run.aclose())
        for _ in range(10):  # so that it has got to where it waits
            await asyncio.sleep(0)
        go_on.set()
        await closing
    assert not job.calls("connect")
    assert (await job.journaled())["desk-1"].state is RowState.PENDING
