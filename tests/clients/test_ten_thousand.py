"""Ten thousand connects of two hundred identities over one pool."""

from __future__ import annotations

import asyncio
import gc
import tracemalloc
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING

from cadenza_async import SessionPool
from cadenza_async.sandbox import Sandbox

if TYPE_CHECKING:
    from cadenza_async import AsyncCadenza

CALLS = 10_000
IDENTITIES = 200
AT_A_TIME = 200
CONNECTIONS = 50


def descriptors() -> int:
    """How many files and sockets this process has open."""
    listed = Path("/proc/self/fd")
    return len([*listed.iterdir()]) if listed.exists() else 0


async def work(clients: list[AsyncCadenza], numbers: range, at_a_time: int = AT_A_TIME) -> set[str]:
    """Connect one account for each number, many at a time; return the ids."""
    ids: set[str] = set()
    left = iter(numbers)

    async def worker() -> None:
        for number in left:
            account = await clients[number % len(clients)].connect_account(
                venue="BINANCE", api_key=f"k{number}", api_secret="s", name=f"Desk {number}"
            )
            assert account.name == f"Desk {number}"
            ids.add(account.trading_account_id)

    async with asyncio.TaskGroup() as group:
        for _ in range(at_a_time):
            group.create_task(worker())
    return ids


async def test_ten_thousand_connects() -> None:
    """All are connected, each once and for its own identity; no socket and no task is left."""
    verdicts: Counter[str] = Counter()
    async with Sandbox() as sandbox:
        tasks, files = len(asyncio.all_tasks()), descriptors()
        async with SessionPool(
            base_url=sandbox.url,
            max_connections=CONNECTIONS,
            on_attempt=lambda attempt: verdicts.update([attempt.verdict]),
        ) as pool:
            tokens = [sandbox.token(f"u-{n}") for n in range(IDENTITIES)]
            clients = [pool.client(access_token=token) for token in tokens]
            ids = await work(clients, range(CALLS // 2))
            assert descriptors() <= files + 2 * CONNECTIONS
            ids |= await work(clients, range(CALLS // 2, CALLS))
        await asyncio.sleep(0)
        assert len(asyncio.all_tasks()) <= tasks
        accounts = sandbox.accounts
    assert verdicts == {"done": CALLS}
    assert len(ids) == len(accounts) == CALLS
    owners = Counter(account["userId"] for account in accounts)
    assert set(owners.values()) == {CALLS // IDENTITIES}


async def test_memory_is_flat() -> None:
    """What a pool holds on to does not grow with the calls that it has made.

    Few are made at a time: the table of a set of many may be renewed in the middle.
    """
    ours = [_sources("*/cadenza_async/*", inclusive=True), _sources("*/aiohttp/*", inclusive=True)]
    theirs = [_sources("*/sandbox/*", inclusive=False), _sources("*/web_*", inclusive=False)]
    async with Sandbox() as sandbox, SessionPool(base_url=sandbox.url, max_connections=10) as pool:
        clients = [pool.client(access_token=sandbox.token(f"u-{n}")) for n in range(5)]
        await work(clients, range(250), at_a_time=20)
        tracemalloc.start()
        try:
            await work(clients, range(250, 500), at_a_time=20)
            before = _held(ours + theirs)
            await work(clients, range(500, 1000), at_a_time=20)
            after = _held(ours + theirs)
        finally:
            tracemalloc.stop()
    assert after - before < 60 * 500, "sixty bytes a call would be a leak"


def _sources(pattern: str, *, inclusive: bool) -> tracemalloc.Filter:
    return tracemalloc.Filter(inclusive, pattern)


def _held(filters: list[tracemalloc.Filter]) -> int:
    gc.collect()
    snapshot = tracemalloc.take_snapshot().filter_traces(filters)
    return sum(statistic.size for statistic in snapshot.statistics("filename"))
