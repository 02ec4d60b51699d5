"""How many calls may be in flight, and when an exchange that is down is tried again."""

from __future__ import annotations

import asyncio

from cadenza_async._retry import backoff
from cadenza_async.errors import VenueError
from cadenza_async.onboarding._outlet import Outlet
from cadenza_async.onboarding._slots import Slots
from cadenza_async.onboarding._states import RowOutcome, RowState
from cadenza_async.onboarding._venues import Venues
from tests.unit.virtual import run


def at_most() -> float:
    """What a random number is at most: the longest backoff."""
    return 1.0


async def fill(slots: Slots) -> list[float]:
    """Take as many as there are, and tell when each was given."""
    given: list[float] = []
    while True:
        try:
            async with asyncio.timeout(0.001):
                given.append(await slots.take())
        except TimeoutError:
            return given


def test_it_grows_with_good_answers_and_halves_with_trouble() -> None:
    """Quickly at first, slowly after the first trouble; once for all that left before it."""

    async def main() -> None:
        slots = Slots(100, at_most)
        left = await fill(slots)
        assert len(left) == 8
        for _ in left:
            slots.well()
            slots.give_back()
        left = await fill(slots)
        assert len(left) == 16
        for moment in left:
            slots.trouble(moment)
            slots.give_back()
        left = await fill(slots)
        assert len(left) == 8
        for _ in left:
            slots.well()
            slots.give_back()
        assert len(await fill(slots)) == 8
        slots.well()
        assert len(await fill(slots)) == 1

    run(main)


def test_it_stays_between_one_and_the_most() -> None:
    """However well or badly it goes."""

    async def main() -> None:
        slots = Slots(10, at_most)
        for _ in range(50):
            slots.well()
        assert len(await fill(slots)) == 10
        loop = asyncio.get_running_loop()
        for _ in range(9):
            slots.trouble(loop.time())
            await asyncio.sleep(1)
        for _ in range(10):
            slots.give_back()
        assert len(await fill(slots)) == 1

    run(main)


def test_nobody_is_let_in_while_nothing_can_be_reached() -> None:
    """Longer and longer, until an answer comes."""

    async def main() -> None:
        slots, loop = Slots(10, at_most), asyncio.get_running_loop()
        waits: list[float] = []
        for _ in range(8):
            before = loop.time()
            left = await slots.take()
            waits.append(left - before)
            slots.unreachable(left)
            slots.give_back()
        assert waits == [0.0, 1.0, 2.0, 4.0, 8.0, 16.0, 30.0, 30.0]
        assert slots.unreachable_since == 0.0
        await slots.take()
        slots.well()
        assert slots.unreachable_since is None
        slots.unreachable(loop.time())
        slots.give_back()
        before = loop.time()
        assert await slots.take() == before + 1.0

    run(main)


def test_a_cancelled_turn_is_given_on() -> None:
    """Whether it had been given in the same moment or not."""

    async def main() -> None:
        slots = Slots(1, at_most)
        await slots.take()
        first = asyncio.create_task(slots.take())
        second = asyncio.create_task(slots.take())
        third = asyncio.create_task(slots.take())
        await asyncio.sleep(0)
        first.cancel()
        slots.give_back()
        second.cancel()
        await third
        assert first.cancelled()
        assert second.cancelled()

    run(main)


def test_who_came_first_goes_first() -> None:
    """Also before whoever comes when there has just been made room for one more."""

    async def main() -> None:
        slots, order = Slots(10, at_most), list[int]()
        await fill(slots)

        async def wait(number: int) -> None:
            await slots.take()
            order.append(number)

        async with asyncio.TaskGroup() as group:
            for number in range(2):
                group.create_task(wait(number))
            await asyncio.sleep(0)
            slots.well()
            group.create_task(wait(2))
            for _ in range(2):
                await asyncio.sleep(0)
                slots.give_back()
        assert order == [0, 1, 2]

    run(main)


def test_what_fails_together_counts_once() -> None:
    """All that were under way when Cadenza went away: a second's wait, and half as many calls."""

    async def main() -> None:
        slots, loop = Slots(10, at_most), asyncio.get_running_loop()
        left = await fill(slots)
        await asyncio.sleep(1)
        for moment in left:
            slots.unreachable(moment)
            slots.give_back()
        gone = loop.time()
        assert await slots.take() == gone + 1.0
        assert len(await fill(slots)) == 3

    run(main)


def test_room_that_is_given_back_can_be_taken() -> None:
    """Whether an outcome came of it or not."""

    async def main() -> None:
        outlet = Outlet(1)
        for _ in range(2):
            await outlet.take_room()
            outlet.leave_room()
        for key in ("1", "2"):
            await outlet.take_room()
            outlet.put(RowOutcome(key=key, state=RowState.DONE))
            outcome = await outlet.get()
            assert outcome is not None
            assert outcome.key == key

    run(main)


ERROR = VenueError("down", status=503)


def test_one_call_finds_out_whether_a_venue_is_back() -> None:
    """The others look again a little later; when it answers, all may go."""
    venues = Venues(lambda _, failures: backoff(failures, at_most))
    assert venues.wait("BINANCE", 0.0) == 0.0
    venues.down("BINANCE", ERROR, 0.0)
    assert venues.error("binance") is ERROR
    assert venues.wait("binance", 0.1) == 0.4
    assert venues.wait("BINANCE", 0.5) == 0.0
    assert venues.wait("BINANCE", 0.5) == 0.25
    venues.no_news("binance")
    assert venues.wait("BINANCE", 0.5) == 0.0
    venues.down("binance", ERROR, 0.5)
    assert venues.wait("BINANCE", 0.5) == 1.0
    assert venues.wait("BYBIT", 0.5) == 0.0
    venues.up("binance")
    venues.no_news("BINANCE")
    assert venues.wait("BINANCE", 0.5) == venues.wait("BINANCE", 0.5) == 0.0
    assert venues.error("BINANCE") is None
