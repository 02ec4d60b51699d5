"""What calls cost one rival, in a process of its own: told on the command line, told as JSON."""

from __future__ import annotations

import asyncio
import gc
import json
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from importlib import import_module
from itertools import count
from typing import TYPE_CHECKING, Any

from attrs import frozen
from job import Target
from processes import pin

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterator


@frozen(kw_only=True)
class Load:
    """What a worker has to do.

    Attributes:
        calls: How many calls are measured.
        at_once: How many of them are in flight at a time.
        blocking: Whether they are made from threads, not from tasks.
    """

    calls: int
    at_once: int = 1
    blocking: bool = False


@contextmanager
def metered(calls: int) -> Iterator[dict[str, float]]:
    """Take the time of the process's processors and of the clock, per call."""
    spent: dict[str, float] = {}
    gc.collect()
    cpu, wall = time.process_time(), time.perf_counter()
    yield spent
    cpu, wall = time.process_time() - cpu, time.perf_counter() - wall
    spent |= {"cpu": cpu / calls * 1e6, "wall": wall / calls * 1e6}


async def in_tasks(
    connect: Callable[[int], Awaitable[object]], load: Load, target: Target
) -> dict[str, float]:
    """Make the calls from so many tasks, after every identity and connection has been used."""

    async def work(turns: Iterator[int]) -> None:
        for turn in turns:
            await connect(turn % target.identities)

    async def make(calls: int) -> None:
        turns = iter(range(calls))
        await asyncio.gather(*(work(turns) for _ in range(load.at_once)))

    await make(warm_up(load, target))
    with metered(load.calls) as spent:
        await make(load.calls)
    return spent


def in_threads(connect: Callable[[int], object], load: Load, target: Target) -> dict[str, float]:
    """Make the calls from so many threads."""

    def work(_: int) -> None:
        for turn in turns:
            if turn >= limit:
                break
            connect(turn % target.identities)

    with ThreadPoolExecutor(load.at_once) as threads:
        limit, turns = warm_up(load, target), count()
        list(threads.map(work, range(load.at_once)))
        limit, turns = load.calls, count()
        with metered(load.calls) as spent:
            list(threads.map(work, range(load.at_once)))
    return spent


def warm_up(load: Load, target: Target) -> int:
    """Tell how many calls come before those that are measured."""
    return max(target.identities, 2 * load.at_once, 200)


async def measure_tasks(rival: Any, load: Load, target: Target) -> dict[str, float]:  # noqa: ANN401  # a module of `rivals`
    """Open a rival and measure it."""
    async with rival.connecting(target) as connect:
        return await in_tasks(connect, load, target)


def measure(rival: Any, load: Load, target: Target) -> dict[str, float]:  # noqa: ANN401  # a module of `rivals`
    """Measure a rival."""
    if not load.blocking:
        return asyncio.run(measure_tasks(rival, load, target))
    with rival.blocking(target) as connect:
        return in_threads(connect, load, target)


def main() -> None:
    """Do as told."""
    order = json.loads(sys.argv[1])
    pin(0, order["core"])
    rival = import_module(f"rivals.with_{order['rival']}")
    print(json.dumps(measure(rival, Load(**order["load"]), Target(**order["target"]))))


if __name__ == "__main__":
    main()
