"""Which gate a call passes: one for each of the server's limits that is known to be separate."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from cadenza_async._budget import Budget, Ticket
from cadenza_async._calls import RateClass
from cadenza_async._gate import Gate

if TYPE_CHECKING:
    import asyncio

    from cadenza_async._clock import ServerClock
    from cadenza_async._deadlines import Deadlines
    from cadenza_async._headers import RateReport


_SHARING: Final = {
    RateClass.READS: RateClass.ACCOUNTS,
    RateClass.ACCOUNTS: RateClass.READS,
}


class Limits:
    """The server's rate limits in one scope: an identity or a whole pool.

    Reads count against the limit of account management until the server reports another one for
    them.

    Args:
        clock: Where the server's clock stands.
        waits: Where the deadlines of those who queue are kept.
        loop: Whose clock and timers are used.
    """

    __slots__ = ("_clock", "_gates", "_loop", "_waits")

    def __init__(
        self, clock: ServerClock, waits: Deadlines, loop: asyncio.AbstractEventLoop
    ) -> None:
        self._clock = clock
        self._waits = waits
        self._loop = loop
        self._gates: dict[RateClass, Gate] = {}

    def enter_nowait(self, rate_class: RateClass) -> Ticket | None:
        """Return leave to make one call of a class, or None when it has to wait."""
        return self._gate(rate_class).enter_nowait(rate_class)

    async def enter(self, rate_class: RateClass, give_up: float) -> Ticket:
        """Wait for leave to make one call of a class.

        Args:
            rate_class: What it counts against.
            give_up: When it is too late to begin, by the loop's clock.

        Raises:
            DeadlineExceededError: If there is no room before that.
        """
        return await self._gate(rate_class).enter(rate_class, give_up)

    def refund(self, ticket: Ticket | None) -> None:
        """Take back a ticket whose call never left."""
        if ticket is None:
            return
        ticket.budget.refund(ticket)
        self._pump()

    def settle(
        self,
        ticket: Ticket | None,
        report: RateReport | None,
        *,
        answered: bool,
        refused: bool = False,
        wait: float | None = None,
    ) -> None:
        """Note the end of a call that may have reached the server.

        Args:
            ticket: What the call was let through with.
            report: What the answer says about the limit.
            answered: Whether Cadenza answered at all.
            refused: Whether the answer was that there have been too many calls.
            wait: Seconds it then asked to wait.
        """
        if ticket is None:
            return
        gate = self._gates[ticket.rate_class]
        if report is not None and self._differs(ticket.rate_class, report):
            gate = self._split_off(ticket.rate_class)
        if ticket.budget is not gate.budget:
            ticket.budget.refund(ticket)
            ticket = gate.budget.begin(ticket.rate_class)
        gate.budget.settle(ticket, report, answered=answered)
        if refused:
            gate.budget.throttled(self._loop.time(), wait, told=report is not None)
        self._pump()

    def _gate(self, rate_class: RateClass) -> Gate:
        return self._gates.get(rate_class) or self._open(rate_class)

    def _open(self, rate_class: RateClass) -> Gate:
        """Make the gate of a class, and of the one that shares its limit."""
        gate = self._new_gate()
        self._gates[rate_class] = self._gates[_SHARING.get(rate_class, rate_class)] = gate
        return gate

    def _new_gate(self) -> Gate:
        return Gate(Budget(self._clock), self._waits, self._loop)

    def _pump(self) -> None:
        for gate in self._gates.values():
            gate.pump()

    def _differs(self, rate_class: RateClass, report: RateReport) -> bool:
        """Tell whether an answer has just shown that reads have a limit of their own."""
        other, gate = _SHARING.get(rate_class), self._gates[rate_class]
        if other is None or self._gates[other] is not gate:
            return False
        limit = gate.budget.limit(other)
        return limit is not None and limit != report.limit

    def _split_off(self, rate_class: RateClass) -> Gate:
        """Give a class a gate of its own, with those of its calls that are waiting."""
        shared = self._gates[rate_class]
        gate = self._gates[rate_class] = self._new_gate()
        shared.send_over(rate_class, gate)
        return gate
