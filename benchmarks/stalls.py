"""How late a task that ticks every millisecond gets its turn, while calls are made beside it."""

from __future__ import annotations

import asyncio
import json
import sys
import time
from importlib import import_module
from statistics import quantiles
from typing import Any

from job import Target
from processes import pin

_TICK = 0.001
_PACE = 0.005  # seconds between calls
_CALLS = 1200


class Ticker:
    """Ticks; notes how late each tick is, and how much work was done since the one before.

    On a busy machine others make ticks late, too; they do not work for this thread.
    """

    def __init__(self) -> None:
        self._late: list[float] = []
        self._work: list[float] = []
        self._loop = asyncio.get_running_loop()
        self._await_next()

    def _await_next(self) -> None:
        self._worked = time.thread_time()
        self._due = self._loop.time() + _TICK
        self._next = self._loop.call_at(self._due, self._tick)

    def _tick(self) -> None:
        self._late.append((self._loop.time() - self._due) * 1e3)
        self._work.append((time.thread_time() - self._worked) * 1e3)
        self._await_next()

    def stop(self) -> dict[str, float]:
        """Stop, and sum up."""
        self._next.cancel()
        return {"busy": _rarely_above(self._work), "late": _rarely_above(self._late)}


def _rarely_above(values: list[float]) -> float:
    return quantiles(values, n=1000)[-1]


async def calls(rival: str, target: Target) -> None:
    """Open a rival, make calls at a leisurely pace, and close it."""
    async with import_module(f"rivals.with_{rival}").connecting(target) as connect:
        running: set[asyncio.Future[object]] = set()
        for _ in range(_CALLS):
            running.add(asyncio.ensure_future(connect(0)))
            await asyncio.sleep(_PACE)
        await asyncio.gather(*running)


async def measure(order: dict[str, Any]) -> dict[str, float]:
    """Measure one rival."""
    rival, target = order["rival"], Target(**order["target"])
    if rival != "nobody":
        import_module(f"rivals.with_{rival}")
        target.context()
    ticker = Ticker()
    if rival == "nobody":
        for _ in range(_CALLS):
            await asyncio.sleep(_PACE)
    else:
        await calls(rival, target)
    return ticker.stop()


def main() -> None:
    """Do as told on the command line."""
    order = json.loads(sys.argv[1])
    pin(0, order["core"])
    print(json.dumps(asyncio.run(measure(order))))


if __name__ == "__main__":
    main()
