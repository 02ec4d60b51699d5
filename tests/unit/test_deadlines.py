"""Deadlines end what they surround, and can all be brought forward."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, TypeVarTuple

import pytest

from cadenza_async._deadlines import Deadlines
from tests.loops import on_every_loop

from .virtual import VirtualLoop, virtually

if TYPE_CHECKING:
    from collections.abc import Callable
    from contextvars import Context

Ts = TypeVarTuple("Ts")


def now() -> float:
    """Return the loop's time."""
    return asyncio.get_running_loop().time()


@virtually
async def test_a_deadline_ends_what_takes_too_long() -> None:
    """The time runs out to the moment."""
    with pytest.raises(TimeoutError):
        async with Deadlines().at(3.0):
            await asyncio.sleep(10)
    assert now() == 3.0


@on_every_loop
async def test_the_time_is_never_up_too_early() -> None:
    """Not by a fraction of a millisecond, where a loop rounds its timers to whole ones."""
    for fraction in range(1, 10):
        when = now() + 0.001 + fraction / 10_000
        with pytest.raises(TimeoutError):
            async with Deadlines().at(when):
                await asyncio.sleep(10)
        assert now() >= when


@virtually
async def test_what_is_in_time_goes_on() -> None:
    """A deadline that is left is over."""
    async with Deadlines().at(3.0):
        await asyncio.sleep(2)
    await asyncio.sleep(10)
    assert now() == 12.0


@virtually
async def test_an_error_inside_is_not_changed() -> None:
    """A deadline only adds its own end."""
    with pytest.raises(KeyError):
        async with Deadlines().at(3.0):
            raise KeyError


@virtually
async def test_a_cancellation_inside_stays_one() -> None:
    """Whoever cancels is not told of a timeout."""

    async def wait() -> None:
        async with Deadlines().at(3.0):
            await asyncio.sleep(10)

    task = asyncio.ensure_future(wait())
    await asyncio.sleep(1)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert now() == 1.0


@virtually
async def test_each_ends_in_its_own_time() -> None:
    """Whichever began first, and though the others are still running."""
    deadlines = Deadlines()

    async def wait(until: float) -> float:
        with pytest.raises(TimeoutError):
            async with deadlines.at(until):
                await asyncio.sleep(10)
        return now()

    assert await asyncio.gather(*map(wait, (2.0, 4.0, 1.0))) == [2.0, 4.0, 1.0]
    assert await asyncio.gather(*map(wait, (8.0, 6.0, 8.0))) == [8.0, 6.0, 8.0]


@virtually
async def test_what_was_left_rings_for_nobody() -> None:
    """A later deadline is met though the one that the timer was set for is left."""
    deadlines = Deadlines()
    async with deadlines.at(1.0):
        await asyncio.sleep(0.5)
    with pytest.raises(TimeoutError):
        async with deadlines.at(3.0):
            await asyncio.sleep(10)
    assert now() == 3.0
    async with deadlines.at(4.0):
        await asyncio.sleep(0.5)


@virtually
async def test_expiring_ends_all_that_run_and_no_other() -> None:
    """Those that are over, come later, or belong elsewhere are left alone."""
    deadlines, others = Deadlines(), Deadlines()

    async def wait(of: Deadlines, until: float | None) -> float:
        try:
            async with of.at(until):
                await asyncio.sleep(10)
        except TimeoutError:
            pass
        return now()

    early = asyncio.ensure_future(wait(deadlines, 1.0))
    running = [asyncio.ensure_future(wait(deadlines, until)) for until in (5.0, 50.0, None)]
    elsewhere = asyncio.ensure_future(wait(others, None))
    await asyncio.sleep(2)
    deadlines.expire()
    deadlines.expire()
    later = asyncio.ensure_future(wait(deadlines, 8.0))
    assert await asyncio.gather(early, *running) == [1.0, 2.0, 2.0, 2.0]
    assert [await later, await elsewhere] == [8.0, 10.0]


@virtually
async def test_expiring_twice_at_once_is_as_good_as_once() -> None:
    """A deadline that has just run out is not brought forward again."""
    deadlines = Deadlines()

    async def wait() -> None:
        async with deadlines.at(None) as scope:
            deadlines.expire()
            try:
                await asyncio.sleep(10)
            finally:
                assert scope.expired()
                deadlines.expire()

    with pytest.raises(TimeoutError):
        await wait()
    assert now() == 0.0


class Timers(VirtualLoop):
    """A loop that tells what timers it was asked for."""

    def __init__(self) -> None:
        super().__init__()
        self.set: list[asyncio.TimerHandle] = []

    def call_at(
        self,
        when: float,
        callback: Callable[[*Ts], object],
        *args: *Ts,
        context: Context | None = None,
    ) -> asyncio.TimerHandle:
        assert len(self.set) < 20, "it spins"
        handle = super().call_at(when, callback, *args, context=context)
        self.set.append(handle)
        return handle

    @property
    def running(self) -> list[float]:
        """When those that were not cancelled ring."""
        return [timer.when() for timer in self.set if not timer.cancelled()]


def test_who_takes_long_to_leave_is_not_rung_for_again() -> None:
    """A deadline that is over and not yet left would ring without end."""
    deadlines, loop = Deadlines(), Timers()

    async def linger() -> None:
        async with deadlines.at(1.0):
            try:
                await asyncio.sleep(10)
            finally:
                await asyncio.sleep(2)

    async def main() -> None:
        with pytest.raises(TimeoutError):
            await linger()
        assert now() == 3.0

    with asyncio.Runner(loop_factory=lambda: loop) as runner:
        runner.run(main())
    assert len(loop.set) < 10


def test_one_timer_rings_for_all() -> None:
    """Whichever comes first; none is left when all have ended, or when only `expire` ends them."""
    deadlines, loop = Deadlines(), Timers()

    async def wait() -> None:
        async with deadlines.at(None):
            assert loop.running == []
            async with deadlines.at(9.0), deadlines.at(8.0), deadlines.at(7.0):
                assert loop.running == [7.0]
                deadlines.expire()
                assert loop.running == []
                await asyncio.Event().wait()

    async def main() -> None:
        with pytest.raises(TimeoutError):
            await wait()

    with asyncio.Runner(loop_factory=lambda: loop) as runner:
        runner.run(main())
