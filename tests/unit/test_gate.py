"""Who waits for room in the rate limit is served in order, and may give up at any time."""

from __future__ import annotations

import asyncio

import pytest
from attrs import define

from cadenza_async._budget import Budget, Ticket
from cadenza_async._calls import RateClass
from cadenza_async._clock import ServerClock
from cadenza_async._deadlines import Deadlines
from cadenza_async._gate import Gate
from cadenza_async._headers import RateReport
from cadenza_async.errors import DeadlineExceededError
from tests.loops import on_every_loop

from .virtual import virtually

ACCOUNTS = RateClass.ACCOUNTS
LIMIT, PERIOD, NEVER = 3, 60.0, 1e6


@define
class Queue:
    """A gate, those who wait at it, and the order in which they were let through."""

    gate: Gate
    waits: Deadlines
    served: list[str]

    async def enter(self, name: str, give_up: float = NEVER) -> Ticket:
        ticket = self.gate.enter_nowait(ACCOUNTS) or await self.gate.enter(ACCOUNTS, give_up)
        self.served.append(name)
        return ticket

    async def enqueue(self, *names: str, give_up: float = NEVER) -> list[asyncio.Task[Ticket]]:
        tasks = [asyncio.ensure_future(self.enter(name, give_up)) for name in names]
        await settled()
        return tasks

    def settle(self, ticket: Ticket, remaining: int | None, reset: float = PERIOD) -> None:
        report = None
        if remaining is not None:
            report = RateReport(limit=LIMIT, remaining=remaining, reset=reset)
        self.gate.budget.settle(ticket, report, answered=report is not None)
        self.gate.pump()


async def settled() -> None:
    """Let everybody run who can."""
    for _ in range(5):
        await asyncio.sleep(0)


async def cancelled(*tasks: asyncio.Task[Ticket]) -> None:
    """Cancel tasks, and see that nothing else becomes of them."""
    for task in tasks:
        task.cancel()
    results = await asyncio.gather(*tasks, return_exceptions=True)
    assert [type(result) for result in results] == [asyncio.CancelledError] * len(tasks)


def queue() -> Queue:
    """Make a gate of which nothing is known; the server has the loop's clock."""
    loop, waits = asyncio.get_running_loop(), Deadlines()
    clock = ServerClock(loop.time, loop.time)
    return Queue(Gate(Budget(clock), waits, loop), waits, [])


async def taught(remaining: int = 0) -> Queue:
    """Make a gate that knows its limit."""
    made = queue()
    made.settle(await made.enter("probe"), remaining)
    made.served.clear()
    return made


def now() -> float:
    """Return the loop's time."""
    return asyncio.get_running_loop().time()


@virtually
async def test_with_room_nobody_waits() -> None:
    """A call passes without giving way to anybody."""
    it = await taught(2)
    coroutine = it.enter("a")
    with pytest.raises(StopIteration) as passed:
        coroutine.send(None)
    assert isinstance(passed.value.value, Ticket)


@virtually
async def test_first_come_first_served() -> None:
    """The order at the gate is the order of the calls."""
    it = await taught()
    tasks = await it.enqueue(*"abcde")
    await asyncio.gather(*tasks[:LIMIT])
    assert (it.served, now()) == ([*"abc"], PERIOD)
    for task in tasks[:LIMIT]:
        it.settle(await task, 0, 2 * PERIOD)
    await asyncio.gather(*tasks)
    assert (it.served, now()) == ([*"abcde"], 2 * PERIOD)


@on_every_loop
async def test_nobody_passes_before_the_window_opens() -> None:
    """Not by a fraction of a millisecond, where a loop rounds its timers to whole ones."""
    for fraction in range(1, 10):
        it, opens = queue(), now() + 0.001 + fraction / 10_000
        it.settle(await it.enter("probe"), 0, opens)
        await it.enter("a")
        assert opens <= now() < opens + 1


@virtually
async def test_nobody_jumps_the_queue() -> None:
    """Who comes when there is room again stands behind those who were there before."""
    it = await taught(1)
    first = await it.enter("a")
    tasks = await it.enqueue(*"bc")
    it.gate.budget.refund(first)  # room for one, and nobody has been told yet
    tasks += await it.enqueue("d")
    await tasks[0]
    assert it.served == [*"ab"]
    await cancelled(*tasks[1:])


@virtually
async def test_one_probe_at_a_time() -> None:
    """Until the limit is known the others wait for the first answer."""
    it = queue()
    tasks = await it.enqueue(*"abcd")
    assert it.served == ["a"]
    it.settle(await tasks[0], 2)
    await settled()
    assert it.served == [*"abc"]
    await cancelled(tasks[3])


@virtually
async def test_a_lost_answer_lets_the_next_one_ask() -> None:
    """The queue does not stop because nobody told it anything."""
    it = queue()
    tasks = await it.enqueue(*"ab")
    it.settle(await tasks[0], None)
    await tasks[1]
    assert it.served == [*"ab"]


@virtually
async def test_a_cancelled_waiter_makes_way() -> None:
    """Who leaves the queue takes nobody's place."""
    it = await taught()
    tasks = await it.enqueue(*"abcde")
    await cancelled(tasks[0], tasks[2])
    await asyncio.gather(tasks[1], tasks[3], tasks[4])
    assert (it.served, now()) == ([*"bde"], PERIOD)


@virtually
async def test_cancelled_at_the_moment_of_the_hand_out() -> None:
    """The ticket goes to the next in line, and is not lost."""
    it = await taught(1)
    ticket = await it.enter("a")
    tasks = await it.enqueue(*"bc")
    it.gate.budget.refund(ticket)
    it.gate.pump()  # b's turn is decided
    tasks[0].cancel()  # before b has run
    await asyncio.gather(*tasks, return_exceptions=True)
    assert tasks[0].cancelled()
    assert (it.served, now()) == ([*"ac"], 0.0)


@virtually
async def test_cancelled_by_its_deadline_at_the_moment_of_the_hand_out() -> None:
    """A deadline that ends exactly when there is room refuses, and keeps nothing."""
    it = await taught()
    with pytest.raises(DeadlineExceededError):
        await it.enter("late", PERIOD)
    tasks = await it.enqueue(*"abc")
    await asyncio.gather(*tasks)
    assert (it.served, now()) == ([*"abc"], PERIOD)


@virtually
async def test_everybody_leaves() -> None:
    """An abandoned gate lets the next one through when there is room, and not before."""
    it = await taught()
    await cancelled(*await it.enqueue(*"abc"))
    await asyncio.gather(*await it.enqueue(*"def"))
    assert (it.served, now()) == ([*"def"], PERIOD)


@virtually
async def test_what_is_hopeless_is_refused_at_once() -> None:
    """Nobody waits for a window that begins too late, and the error says when it does."""
    it = await taught()
    with pytest.raises(DeadlineExceededError, match="nothing was done") as refused:
        await it.enter("a", PERIOD - 1)
    assert (refused.value.retry_after, now()) == (PERIOD, 0.0)


@virtually
async def test_a_deadline_ends_the_wait() -> None:
    """A probe that is not answered does not keep the others for ever."""
    it = queue()
    probe = await it.enter("probe")
    with pytest.raises(DeadlineExceededError) as refused:
        await it.enter("a", 7.0)
    assert (refused.value.retry_after, now()) == (None, 7.0)
    assert refused.value.__context__ is None
    it.settle(probe, 2)
    await it.enter("b")
    assert it.served == ["probe", "b"]


@virtually
async def test_a_deadline_tells_when_there_will_be_room() -> None:
    """What was learned while waiting is in the error."""
    it = queue()
    probe = await it.enter("probe")
    tasks = await it.enqueue("a", "b", give_up=7.0)
    it.settle(probe, 1)
    results = await asyncio.gather(*tasks, return_exceptions=True)
    assert isinstance(results[0], Ticket)
    assert isinstance(results[1], DeadlineExceededError)
    assert (results[1].retry_after, now()) == (PERIOD - 7.0, 7.0)


@virtually
async def test_closing_ends_the_wait() -> None:
    """Bringing the deadlines forward sends everybody away."""
    it = await taught()
    tasks = await it.enqueue(*"abcd")
    it.waits.expire()
    results = await asyncio.gather(*tasks, return_exceptions=True)
    assert [type(result) for result in results] == [DeadlineExceededError] * 4
    assert (it.served, now()) == ([], 0.0)


@virtually
async def test_a_window_that_opens_earlier_than_thought() -> None:
    """Who waits does not wait for a time that is out of date."""
    it = await taught(1)
    ticket = await it.enter("a")
    tasks = await it.enqueue("b")
    it.settle(ticket, 2, 2 * PERIOD)  # the server is in its next window already
    await asyncio.gather(*tasks)
    assert (it.served, now()) == ([*"ab"], 0.0)


@virtually
async def test_hundreds_wait_in_order() -> None:
    """A long queue is served window by window, without an idle one."""
    it = await taught()
    names = [str(number) for number in range(300)]
    for task in await it.enqueue(*names):
        ticket = await task
        it.settle(ticket, 0, PERIOD * (now() // PERIOD + 1))
    assert it.served == names
    assert now() == PERIOD * 300 / LIMIT
