"""Where calls queue, first come first served, until the rate budget lets them through."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from cadenza_async.errors import DeadlineExceededError

if TYPE_CHECKING:
    from cadenza_async._budget import Budget, Ticket
    from cadenza_async._calls import RateClass
    from cadenza_async._deadlines import Deadlines


class _Turn:
    """A place in a queue.

    Attributes:
        rate_class: What the call counts against.
        ticket: What is waited for.
        gate: Where the place is now.
    """

    __slots__ = ("gate", "rate_class", "ticket")

    def __init__(self, gate: Gate, rate_class: RateClass, ticket: asyncio.Future[Ticket]) -> None:
        self.gate = gate
        self.rate_class = rate_class
        self.ticket = ticket

    def give_up(self) -> None:
        """Leave, and hand back what was handed out in the very moment of a cancellation."""
        if self.ticket.done() and not self.ticket.cancelled():
            self.gate.budget.refund(self.ticket.result())
        self.gate.pump()


class Gate:
    """Hands out the tickets of one budget.

    Args:
        budget: What there is to hand out.
        waits: Where the deadlines of those who queue are kept.
        loop: Whose clock and timers are used.
    """

    __slots__ = ("_loop", "_timer", "_waiting", "_waits", "budget")

    def __init__(self, budget: Budget, waits: Deadlines, loop: asyncio.AbstractEventLoop) -> None:
        self.budget = budget
        self._waits = waits
        self._loop = loop
        self._timer: asyncio.TimerHandle | None = None
        self._waiting: list[_Turn] = []  # an idle deque takes ten times the room

    def enter_nowait(self, rate_class: RateClass) -> Ticket | None:
        """Return leave to make one call, or None when it has to wait."""
        return None if self._waiting else self.budget.start(rate_class, self._loop.time())

    async def enter(self, rate_class: RateClass, give_up: float) -> Ticket:
        """Wait for leave to make one call.

        Args:
            rate_class: What the call counts against.
            give_up: When it is too late to begin, by the loop's clock.

        Raises:
            DeadlineExceededError: If there is no room before that.
        """
        opens = self.budget.opens(self._loop.time())
        if opens is not None and opens >= give_up:
            raise self.too_late()
        turn = _Turn(self, rate_class, self._loop.create_future())
        self.queue(turn)
        self.pump()
        return await self._wait(turn, give_up)

    def pump(self) -> None:
        """Let through whoever may go, in order, and look again when there may be room."""
        if not self._waiting:
            return
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        now = self._loop.time()
        while self._waiting:
            turn = self._waiting[0]
            if not turn.ticket.done():
                ticket = self.budget.start(turn.rate_class, now)
                if ticket is None:
                    break
                turn.ticket.set_result(ticket)
            self._waiting.pop(0)
        opens = self.budget.opens(now) if self._waiting else None
        if opens is not None:
            self._timer = self._loop.call_at(opens, self.pump)

    def send_over(self, rate_class: RateClass, other: Gate) -> None:
        """Send those who wait with calls of one class to another gate, in their order."""
        here, self._waiting = self._waiting, []
        for turn in here:
            (other if turn.rate_class is rate_class else self).queue(turn)

    def queue(self, turn: _Turn) -> None:
        """Put a turn at the end of the queue."""
        turn.gate = self
        self._waiting.append(turn)

    async def _wait(self, turn: _Turn, give_up: float) -> Ticket:
        try:
            async with self._waits.at(give_up):
                try:
                    return await turn.ticket
                except asyncio.CancelledError:
                    turn.give_up()
                    raise
        except TimeoutError:
            late = turn.gate.too_late()
        raise late

    def too_late(self) -> DeadlineExceededError:
        """Say that there is no room before the deadline, and when there may be."""
        now = self._loop.time()
        opens = self.budget.opens(now)
        return DeadlineExceededError(
            "no room in the rate limit before the deadline; nothing was done",
            retry_after=None if opens is None else max(0.0, opens - now),
        )
