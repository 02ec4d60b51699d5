"""Reads share the limit of account management until the server shows them one of their own."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest

from cadenza_async._calls import RateClass
from cadenza_async._clock import ServerClock
from cadenza_async._deadlines import Deadlines
from cadenza_async._headers import RateReport
from cadenza_async._limits import Limits
from cadenza_async.errors import DeadlineExceededError

from .virtual import virtually

if TYPE_CHECKING:
    from cadenza_async._budget import Ticket

CONNECTS, READS, LOGINS = RateClass.ACCOUNTS, RateClass.READS, RateClass.AUTHENTICATION
PERIOD, NEVER = 60.0, 1e6


def limits() -> Limits:
    """Make the limits of a scope in which nothing is known; the server has the loop's clock."""
    loop = asyncio.get_running_loop()
    return Limits(ServerClock(loop.time, loop.time), Deadlines(), loop)


def report(remaining: int, limit: int = 5, reset: float = PERIOD) -> RateReport:
    """Make what an answer says about the window that ends at `reset`."""
    return RateReport(limit=limit, remaining=remaining, reset=reset)


async def asked(it: Limits, rate_class: RateClass, told: RateReport | None) -> None:
    """Make one call of a class and give it its answer."""
    it.settle(await it.enter(rate_class, NEVER), told, answered=True)


async def entered(it: Limits, rate_class: RateClass, give_up: float = 1.0) -> list[Ticket]:
    """Enter as often as there is room at once; the tickets are kept."""
    tickets: list[Ticket] = []
    began = asyncio.get_running_loop().time()
    try:
        while len(tickets) < 50:
            ticket = await it.enter(rate_class, began + give_up)
            assert ticket is not None
            tickets.append(ticket)
    except DeadlineExceededError:
        pass
    return tickets


async def room(it: Limits, rate_class: RateClass) -> int:
    """Count the calls of a class that are let through at once, and take them back."""
    tickets = await entered(it, rate_class)
    for ticket in tickets:
        it.refund(ticket)
    return len(tickets)


@virtually
async def test_reads_share_the_limit_of_connects() -> None:
    """As long as both are told the same limit, they spend it together."""
    it = limits()
    await asked(it, CONNECTS, report(4))
    await asked(it, READS, report(3))
    assert (await room(it, CONNECTS), await room(it, READS)) == (3, 3)
    await entered(it, READS)
    assert await room(it, CONNECTS) == 0


@virtually
async def test_reads_with_another_limit_are_split_off() -> None:
    """From then on neither spends what the other has."""
    it = limits()
    await asked(it, CONNECTS, report(4))
    await asked(it, READS, report(19, limit=20))
    assert (await room(it, CONNECTS), await room(it, READS)) == (4, 19)
    await entered(it, READS)
    assert await room(it, CONNECTS) == 4


@virtually
async def test_reads_first() -> None:
    """The order in which the limits are learned does not matter."""
    it = limits()
    await asked(it, READS, report(19, limit=20))
    await asked(it, CONNECTS, report(4))
    await asked(it, READS, report(18, limit=20))
    assert (await room(it, CONNECTS), await room(it, READS)) == (4, 18)


@virtually
async def test_reads_in_flight_when_they_are_split_off() -> None:
    """What was let through at the shared gate is settled without a trace at either."""
    it = limits()
    await asked(it, READS, report(19, limit=20))
    reads = [await it.enter(READS, NEVER) for _ in range(3)]
    await asked(it, CONNECTS, report(4))
    for number, ticket in enumerate(reads):
        it.settle(ticket, report(18 - number, limit=20), answered=True)
    assert (await room(it, CONNECTS), await room(it, READS)) == (4, 16)
    await asyncio.sleep(PERIOD)
    assert (await room(it, CONNECTS), await room(it, READS)) == (5, 20)


@virtually
async def test_reads_that_never_left_when_they_are_split_off() -> None:
    """A ticket is given back where it came from."""
    it = limits()
    await asked(it, READS, report(19, limit=20))
    first, second = [await it.enter(READS, NEVER) for _ in range(2)]
    await asked(it, CONNECTS, report(4))
    it.settle(first, report(18, limit=20), answered=True)
    it.refund(second)
    assert (await room(it, CONNECTS), await room(it, READS)) == (4, 18)
    await asyncio.sleep(PERIOD)
    assert (await room(it, CONNECTS), await room(it, READS)) == (5, 20)


@virtually
async def test_reads_that_wait_when_they_are_split_off() -> None:
    """Whoever stood in the old queue is let through there, and settled there."""
    it = limits()
    await asked(it, CONNECTS, report(1))
    probe = await it.enter(READS, NEVER)
    waiting = [asyncio.ensure_future(it.enter(READS, NEVER)) for _ in range(2)]
    await asyncio.sleep(0)
    it.settle(probe, report(19, limit=20), answered=True)
    tickets = await asyncio.gather(*waiting)
    for number, ticket in enumerate(tickets):
        it.settle(ticket, report(18 - number, limit=20), answered=True)
    await asyncio.sleep(PERIOD)
    assert (await room(it, CONNECTS), await room(it, READS)) == (5, 20)


@virtually
async def test_connects_that_wait_when_reads_are_split_off() -> None:
    """They keep their place in the queue that is theirs from then on."""
    it = limits()
    await asked(it, CONNECTS, report(1))
    probe = await it.enter(READS, NEVER)
    waiting = [
        asyncio.ensure_future(it.enter(rate_class, NEVER))
        for rate_class in (READS, CONNECTS, READS, CONNECTS)
    ]
    await asyncio.sleep(0)
    it.settle(probe, report(19, limit=20), answered=True)
    await asyncio.sleep(1)
    assert [task.done() for task in waiting] == [True, True, True, False]
    it.settle(await waiting[1], report(0), answered=True)
    await waiting[3]
    assert asyncio.get_running_loop().time() == PERIOD


@virtually
async def test_reads_that_are_cancelled_after_they_were_split_off() -> None:
    """What was handed out at the very moment goes to the next in the new queue."""
    it = limits()
    await asked(it, CONNECTS, report(1))
    probe = await it.enter(READS, NEVER)
    waiting = [asyncio.ensure_future(it.enter(READS, NEVER)) for _ in range(3)]
    await asyncio.sleep(0)
    it.settle(probe, report(1, limit=20), answered=True)  # room for one: its turn is decided
    waiting[0].cancel()  # before it has run
    await asyncio.sleep(1)
    assert [task.done() for task in waiting] == [True, True, False]
    assert waiting[0].cancelled()
    it.refund(await waiting[1])
    await waiting[2]
    await asyncio.sleep(PERIOD)
    it.refund(await waiting[2])
    assert (await room(it, CONNECTS), await room(it, READS)) == (5, 20)


@virtually
async def test_reads_that_leave_the_queue_after_they_were_split_off() -> None:
    """Who gives up makes way for those behind, and the error tells of the limit of reads."""
    it = limits()
    await asked(it, CONNECTS, report(2))
    probe = await it.enter(READS, NEVER)
    waiting = [asyncio.ensure_future(it.enter(READS, at)) for at in (7.0, NEVER)]
    await asyncio.sleep(0)
    it.settle(probe, report(0, limit=20, reset=30.0), answered=True)
    with pytest.raises(DeadlineExceededError) as refused:
        await waiting[0]
    assert refused.value.retry_after == 23.0
    await waiting[1]
    assert asyncio.get_running_loop().time() == 30.0


@virtually
async def test_reads_without_headers_are_not_split_off() -> None:
    """Silence about a limit is no other limit."""
    it = limits()
    await asked(it, CONNECTS, report(1))
    await asked(it, READS, None)
    assert await room(it, CONNECTS) == 0


@virtually
async def test_once_split_off_they_stay_apart() -> None:
    """A limit that is changed later is each class's own affair."""
    it = limits()
    await asked(it, CONNECTS, report(4))
    await asked(it, READS, report(19, limit=20))
    await asked(it, READS, report(3))
    assert (await room(it, CONNECTS), await room(it, READS)) == (4, 3)
    await entered(it, READS)
    assert await room(it, CONNECTS) == 4


@virtually
async def test_logins_have_a_limit_of_their_own() -> None:
    """Authentication counts for itself."""
    it = limits()
    await asked(it, CONNECTS, report(0))
    await asked(it, LOGINS, report(9, limit=10))
    assert (await room(it, CONNECTS), await room(it, LOGINS)) == (0, 9)


@virtually
async def test_a_refused_call_shuts_the_gate_for_as_long_as_asked() -> None:
    """Too many calls: nothing of this limit goes out until the server wants more."""
    it = limits()
    it.settle(await it.enter(CONNECTS, NEVER), None, answered=True, refused=True, wait=7.0)
    await asked(it, LOGINS, None)
    with pytest.raises(DeadlineExceededError) as refused:
        await it.enter(CONNECTS, 6.0)
    assert refused.value.retry_after == 7.0
    await it.enter(CONNECTS, NEVER)
    assert asyncio.get_running_loop().time() == 7.0


@virtually
async def test_a_refused_read_with_another_limit_shuts_only_reads() -> None:
    """A 429 is about the limit that it tells of."""
    it = limits()
    await asked(it, CONNECTS, report(4))
    ticket = await it.enter(READS, NEVER)
    it.settle(ticket, report(0, limit=20), answered=True, refused=True, wait=7.0)
    assert (await room(it, CONNECTS), await room(it, READS)) == (4, 0)


@virtually
async def test_a_call_that_never_left_makes_room() -> None:
    """Whoever waits goes at once."""
    it = limits()
    await asked(it, CONNECTS, report(1))
    ticket = await it.enter(CONNECTS, NEVER)
    waiting = asyncio.ensure_future(it.enter(CONNECTS, NEVER))
    await asyncio.sleep(0)
    it.refund(ticket)
    await waiting
    assert asyncio.get_running_loop().time() == 0.0


@virtually
async def test_what_counts_against_nothing_teaches_nothing() -> None:
    """It has no ticket, and whatever becomes of it makes no room for others."""
    it = limits()
    await asked(it, CONNECTS, report(0))
    it.settle(None, report(5), answered=True, refused=True)
    it.refund(None)
    assert await room(it, CONNECTS) == 0
