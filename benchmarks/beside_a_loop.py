"""How late a task that ticks every millisecond is while accounts are connected in the same loop.

Nothing slows the calls down: a local server answers at once, and there is no rate limit. Told is
how late ticks were, and how much of that this process may be blamed for: no more than the
processor time it has used since the tick before, in all its threads. The rest is the machine's.
"""

from __future__ import annotations

import asyncio
import gc
import os
import time
from argparse import ArgumentParser, Namespace
from pathlib import Path
from statistics import quantiles
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from aiohttp import ClientSession
from instant import serving

from cadenza_async import NewAccount, RowState, SessionPool, onboard

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterator

    Work = Callable[[str, Namespace], Awaitable[None]]

_TICK = 0.001
_USERS = 10


def rows(number: int) -> Iterator[NewAccount]:
    """Make accounts of some users in turns."""
    for each in range(number):
        key, user = f"key-{each:08}", f"u-{each % _USERS}"
        yield NewAccount(venue="BINANCE", api_key=key, api_secret="s", name=key, user=user)


def _token(user: str) -> str:
    return f"token-{user}"


async def nothing(_url: str, _options: Namespace) -> None:
    """Leave the loop idle."""
    await asyncio.sleep(2)


async def by_hand(url: str, options: Namespace) -> None:
    """Make the calls with aiohttp, as many at a time."""
    accounts = iter(range(options.rows))

    async def work(session: ClientSession) -> None:
        for each in accounts:
            body = {"venue": "BINANCE", "apiKey": f"key-{each:08}", "apiSecret": "s", "name": "n"}
            headers = {"Authorization": f"Bearer {_token('u-0')}"}
            path = "/api/v3/tradingAccount/connect"
            async with session.post(path, json=body, headers=headers) as response:
                await response.json()

    async with ClientSession(url) as session:
        await asyncio.gather(*(work(session) for _ in range(options.concurrency)))


async def through_onboard(url: str, options: Namespace) -> None:
    """Make the calls with `onboard`."""
    with TemporaryDirectory() as folder:
        async with (
            SessionPool(base_url=url) as pool,
            onboard(
                pool,
                rows(options.rows),
                tokens=_token,
                journal=Path(folder, "journal"),
                concurrency=options.concurrency,
            ) as run,
        ):
            async for outcome in run:
                assert outcome.state is RowState.DONE


async def tick(late: list[float], ours: list[float]) -> None:
    """Note how late each tick is, and for how much of that this process may be blamed."""
    loop = asyncio.get_running_loop()
    while True:
        due, worked = loop.time() + _TICK, time.process_time()
        await asyncio.sleep(_TICK)
        late.append(loop.time() - due)
        ours.append(min(late[-1], time.process_time() - worked))


async def measure(work: Work, url: str, options: Namespace) -> str:
    """Return a row of the table."""
    late: list[float] = []
    ours: list[float] = []
    ticking = asyncio.create_task(tick(late, ours))
    begun = time.perf_counter()
    await work(url, options)
    rate = "" if work is nothing else f"{options.rows / (time.perf_counter() - begun):,.0f}"
    ticking.cancel()
    cuts = [cut * 1e3 for values in (late, ours) for cut in _cuts(values)]
    return f"{rate} | {len(late):,} | " + " | ".join(f"{cut:.1f}" for cut in cuts)


def _cuts(values: list[float]) -> tuple[float, float, float]:
    thousandths = quantiles(values, n=1000)
    return thousandths[499], thousandths[989], thousandths[998]


def main() -> None:
    """Measure, and print a table."""
    parser = ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=20_000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--concurrency", type=int, default=100)
    parser.add_argument(
        "--freeze", action="store_true", help="what was imported, for the collector"
    )
    options = parser.parse_args()
    if options.freeze:
        gc.collect()
        gc.freeze()
    print(
        "| in the loop | calls/s | ticks | late p50 ms | p99 | p99.9 | ours p50 ms | p99 | p99.9 |"
    )
    print("|---|---:|---:|---:|---:|---:|---:|---:|---:|")
    with serving() as url:
        for _ in range(options.rounds):
            for work in (nothing, by_hand, through_onboard):
                row = asyncio.run(measure(work, url, options))
                print(f"| {work.__name__.replace('_', ' ')} | {row} |", flush=True)
    print(f"\nLoad of the machine: {os.getloadavg()[0]:.1f}")


if __name__ == "__main__":
    main()
