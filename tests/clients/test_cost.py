"""What a call does beside careful aiohttp: counted, not timed, so that it is the same anywhere."""

from __future__ import annotations

import asyncio
import gc
import sys
from collections import Counter
from contextlib import contextmanager
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any
from unittest.mock import patch

import pytest

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterator
    from types import FrameType

    Connect = Callable[[int], Awaitable[object]]

BENCHMARKS = Path(__file__).parents[2] / "benchmarks"
CALLS = 50
FUNCTIONS = 290  # more than with careful aiohttp; to be lowered whenever it can be
STEPS = 5 if sys.version_info >= (3, 12) else 3  # likewise; aiohttp's writes start eagerly there


@pytest.fixture
def _benchmarks(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the benchmarks' modules be imported: what is compared is written there, once."""
    monkeypatch.syspath_prepend(BENCHMARKS)


@contextmanager
def counting_functions(counts: Counter[str]) -> Iterator[None]:
    """Count the functions that this thread enters, those of Python and those of C."""

    def count(frame: FrameType, event: str, argument: object) -> None:
        if event in {"call", "c_call"}:
            counts["functions"] += 1

    sys.setprofile(count)
    try:
        yield
    finally:
        sys.setprofile(None)


@contextmanager
def counting_steps(counts: Counter[str]) -> Iterator[None]:
    """Count what the running loop is given to do."""
    loop = asyncio.get_running_loop()

    def call_soon(*args: Any, **kwargs: Any) -> asyncio.Handle:
        counts["steps"] += 1
        return type(loop).call_soon(loop, *args, **kwargs)

    def create_task(*args: Any, **kwargs: Any) -> asyncio.Task[Any]:
        counts["tasks"] += 1
        return type(loop).create_task(loop, *args, **kwargs)

    with patch.multiple(loop, call_soon=call_soon, create_task=create_task):
        yield


async def make(connect: Connect, calls: int = CALLS) -> None:
    """Make so many calls, one after another."""
    for _ in range(calls):
        await connect(0)


async def cost(way: str, url: str) -> dict[str, float]:
    """Count what a call takes, once everything that lasts is there."""
    rival, job = import_module(f"rivals.with_{way}"), import_module("job")
    counts: Counter[str] = Counter()
    async with rival.connecting(job.Target(url=url)) as connect:
        await make(connect)
        gc.collect()
        gc.disable()
        try:
            with counting_functions(counts):
                await make(connect)
            with counting_steps(counts):
                await make(connect)
        finally:
            gc.enable()
    return {name: counts[name] / CALLS for name in ("functions", "steps", "tasks")}


@pytest.mark.usefixtures("_benchmarks")
async def test_a_call_does_little_more_than_careful_aiohttp() -> None:
    """It makes no task, and goes through the loop and into functions not much more often."""
    with import_module("server").serving(answers=1000) as server:
        ours, careful = await cost("ours", server.plain), await cost("careful", server.plain)
    assert ours["tasks"] == careful["tasks"]
    assert ours["steps"] <= careful["steps"] + STEPS
    assert ours["functions"] <= careful["functions"] + FUNCTIONS


@pytest.mark.usefixtures("_benchmarks")
async def test_a_call_leaves_nothing_behind() -> None:
    """After four hundred calls no more memory is in use than after a hundred."""
    with import_module("server").serving(answers=1000) as server:
        target = import_module("job").Target(url=server.plain)
        async with import_module("rivals.with_ours").connecting(target) as connect:
            await make(connect, 100)
            gc.collect()
            before = sys.getallocatedblocks()
            await make(connect, 300)
            gc.collect()
            assert sys.getallocatedblocks() - before < 100
