"""Where calls queue, first come first served, until the rate budget lets them through."""

from __future__ import annotations

import asyncio
from collections import deque
from typing import TYPE_CHECKING

from cadenza_async.errors import DeadlineExceededError

if TYPE_CHECKING:
    from cadenza_async._budget import Budget, Ticket
    from cadenza_async._calls import RateClass
    from cadenza_async._deadlines import Deadlines


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
        self._waiting: deque[tuple[RateClass, asyncio.Future[Ticket]]] = deque()

    async def enter(self, rate_class: RateClass, give_up: float) -> Ticket:
        """Wait for leave to make one call.

        Args:
            rate_class: What the call counts against.
            give_up: When it is too late to begin, by the loop's clock.

        Raises:
            DeadlineExceededError: If there is no room before that.
        """
        if not self._waiting:
            ticket = self.budget.start(rate_class, self._loop.time())
            if ticket is not None:
                return ticket
        self._refuse_if_hopeless(give_up)
        turn: asyncio.Future[Ticket] = self._loop.create_future()
        self._waiting.append((rate_class, turn))
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
            rate_class, turn = self._waiting[0]
            if not turn.done():
                ticket = self.budget.start(rate_class, now)
                if ticket is None:
                    break
                turn.set_result(ticket)
            self._waiting.popleft()
        opens = self.budget.opens(now) if self._waiting else None
        if opens is not None:
            self._timer = self._loop.call_at(opens, self.pump)

    def send_over(self, rate_class: RateClass, other: Gate) -> None:
        """Send those who wait with calls of one class to another gate, in their order."""
        here, self._waiting = self._waiting, deque()
        for waiting in here:
            gate = other if waiting[0] is rate_class else self
            gate._waiting.append(waiting)  # noqa: SLF001  # a gate of the same kind

    async def _wait(self, turn: asyncio.Future[Ticket], give_up: float) -> Ticket:
        try:
            async with self._waits.at(give_up):
                try:
                    return await turn
                except asyncio.CancelledError:
                    self._hand_back(turn)
                    raise
        except TimeoutError:
            opens = self.budget.opens(self._loop.time())
        raise self._too_late(opens)

    def _hand_back(self, turn: asyncio.Future[Ticket]) -> None:
        """Give away again what was handed out in the very moment of a cancellation."""
        if not turn.cancelled() and turn.done():
            self.budget.refund(turn.result())
        self.pump()

    def _refuse_if_hopeless(self, give_up: float) -> None:
        opens = self.budget.opens(self._loop.time())
        if opens is not None and opens >= give_up:
            raise self._too_late(opens)

    def _too_late(self, opens: float | None) -> DeadlineExceededError:
        wait = None if opens is None else max(0.0, opens - self._loop.time())
        return DeadlineExceededError(
            "no room in the rate limit before the deadline; nothing was sent", retry_after=wait
        )
