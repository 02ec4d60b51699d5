"""How fast it goes, and what it takes: limits, turns, the disk, memory."""

from __future__ import annotations

import asyncio
import gc
from collections import Counter
from typing import TYPE_CHECKING, Any
from unittest.mock import Mock
from weakref import WeakSet, WeakValueDictionary

from cadenza_async import NewAccount, RowState
from cadenza_async.onboarding import _journal
from cadenza_async.onboarding._lane import Lane
from cadenza_async.sandbox import Sandbox
from tests.raw import RawServer, done, hang

from .jobs import Job, row

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator
    from pathlib import Path

    import pytest

LIMIT, PERIOD, WINDOWS, USERS = 30, 2, 3, 3


async def test_the_rate_limit_is_used_up(tmp_path: Path) -> None:
    """Windows are filled to the last call, and none is exceeded."""
    async with Sandbox(rate_limit=LIMIT, rate_period=PERIOD) as sandbox:
        users = tuple(f"u-{n}" for n in range(USERS))
        job = Job(sandbox=sandbox, journal=tmp_path / "journal", users=users)
        rows = [row(n, user=f"u-{n % USERS}") for n in range(USERS * (LIMIT * WINDOWS - 1))]
        outcomes = await job.run(rows)
        assert {o.state for o in outcomes.values()} == {RowState.DONE}
        refused = [r for r in sandbox.requests if r["status"] == 429]
        assert len(refused) <= 0.01 * len(sandbox.requests)
        times = [r["receivedAt"] / 1000 for r in sandbox.requests]
        windows = Counter(
            (r["user"], t // PERIOD) for r, t in zip(sandbox.requests, times, strict=True)
        )
    # A run that begins at the end of a window cannot fill that one, a busy machine not every one.
    assert times[-1] // PERIOD - times[0] // PERIOD <= WINDOWS + 1
    full = [number for number in windows.values() if number == LIMIT]
    assert len(full) >= USERS


async def test_users_take_turns(job: Job) -> None:
    """Three rows of one user are not kept waiting by three hundred of another before them."""
    before = 0

    def rows() -> Iterator[NewAccount]:
        nonlocal before
        yield from (row(n) for n in range(300))
        before = len(job.sandbox.accounts)
        yield from (row(n, user="u-2") for n in range(300, 303))

    outcomes = await job.run(rows(), concurrency=2)
    position = {key: place for place, key in enumerate(outcomes)}
    assert max(position[f"desk-{n}"] for n in range(300, 303)) < before + 30


async def test_commits_are_shared(job: Job, monkeypatch: pytest.MonkeyPatch) -> None:
    """Many rows that are written at the same time cost one fsync."""
    commits = Mock(wraps=_journal._run)
    monkeypatch.setattr(_journal, "_run", commits)
    async with RawServer() as server:
        raw = Job(sandbox=job.sandbox, journal=job.journal, pool={"base_url": server.url})
        outcomes = await raw.run([row(n) for n in range(600)])
    assert {o.state for o in outcomes.values()} == {RowState.DONE}
    assert commits.call_count < 600  # of what would be some 1200


async def test_an_intent_is_durable_before_the_request_leaves(
    job: Job, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever reads the journal when the server reads the request finds the row in it."""
    seen: list[RowState] = []
    async with RawServer() as server:
        raw = Job(sandbox=job.sandbox, journal=job.journal, pool={"base_url": server.url})
        answer = server.default

        async def look_first(exchange: Any) -> None:
            if exchange.request.method == "POST":
                seen.append((await job.journaled())["desk-1"].state)
            await answer(exchange)

        server.default = look_first
        await raw.run([row(1)])
    assert seen == [RowState.INTENT]


class Forgetful(list[Any]):
    """Keeps nothing."""

    def append(self, item: object, /) -> None:
        """Forget it."""


async def test_memory_does_not_grow_with_the_rows(
    job: Job, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Only rows that were read ahead are held; of those that are done nothing is left."""
    monkeypatch.setattr("cadenza_async.onboarding._run.READ_AHEAD", 500)
    alive: WeakValueDictionary[int, NewAccount] = WeakValueDictionary()

    def rows() -> Iterator[NewAccount]:
        for n in range(4_000):
            account = alive[n] = row(n)
            yield account

    held: list[int] = []
    objects: list[int] = []
    async with RawServer() as server:
        server.requests = Forgetful()
        raw = Job(sandbox=job.sandbox, journal=job.journal, pool={"base_url": server.url})
        async with raw.running(rows(), concurrency=8) as run:
            done = 0
            async for _ in run:
                done += 1
                held.append(len(alive))
                if done in {1_000, 3_000}:
                    gc.collect()
                    objects.append(len(gc.get_objects()))
    assert done == 4_000
    assert max(held) <= 500 + 256
    assert objects[1] < objects[0] + 1_500  # so not one for each row


async def test_memory_does_not_grow_with_the_users(
    job: Job, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of those whose rows are done nothing is left, although others go on."""
    users, done = tuple(f"u-{n}" for n in range(20)), asyncio.Event()
    alive: WeakSet[Lane] = WeakSet()

    class Watched(Lane):
        def __init__(self, *args: Any) -> None:
            alive.add(self)
            super().__init__(*args)

    monkeypatch.setattr("cadenza_async.onboarding._run.Lane", Watched)

    async def rows() -> AsyncIterator[NewAccount]:
        for n, user in enumerate(users):
            yield row(n, user=user)
        await done.wait()

    many = Job(sandbox=job.sandbox, journal=job.journal, users=users)
    async with many.running(rows()) as run:
        for _ in users:
            assert (await anext(run)).state is RowState.DONE
        for _ in range(10):  # so that what has handed over its outcome comes to its end
            await asyncio.sleep(0)
        gc.collect()
        assert not alive
        done.set()
        assert [outcome async for outcome in run] == []


async def test_rows_are_read_slowly_while_all_slots_are_taken(job: Job) -> None:
    """What waits for nothing but a slot need not be in memory, but other users may follow."""
    read, goal, arrived = 0, 0, asyncio.Event()

    def rows() -> Iterator[NewAccount]:
        nonlocal read
        while True:
            yield row(read := read + 1)
            if read == goal:
                arrived.set()

    async with RawServer() as server:
        server.play(done, hang)
        options = {"base_url": server.url, "grace": 0.1}
        raw = Job(sandbox=job.sandbox, journal=job.journal, pool=options)
        async with raw.running(rows(), concurrency=1):
            await server.until(lambda: len(server.requests) == 2)
            goal, begun = read + 320, asyncio.get_running_loop().time()
            await arrived.wait()
            assert asyncio.get_running_loop().time() - begun > 0.1


async def test_reading_ahead_is_bounded(job: Job, monkeypatch: pytest.MonkeyPatch) -> None:
    """An endless input is fine."""
    monkeypatch.setattr("cadenza_async.onboarding._run.READ_AHEAD", 100)
    read = 0

    def rows() -> Iterator[NewAccount]:
        nonlocal read
        while True:
            yield row(read := read + 1)

    async with job.running(rows()) as run:
        for _ in range(50):
            assert (await anext(run)).state is RowState.DONE
            assert read <= len(job.sandbox.accounts) + 100
    assert len(job.sandbox.accounts) < 500
