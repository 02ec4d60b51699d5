"""How many calls the server's rate limit lets through now. No I/O, no clock of its own."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from cadenza_async._calls import RateClass
    from cadenza_async._clock import ServerClock
    from cadenza_async._headers import RateReport

_UNASKED_WAIT = 1.0  # seconds after a 429 that asks for none
_LONGEST_WAIT = 3600.0  # seconds, after which one call finds out whether the server meant it


class Ticket(NamedTuple):
    """Leave to make one call.

    Attributes:
        rate_class: What the call counts against.
        budget: The budget it was charged to.
    """

    rate_class: RateClass
    budget: Budget


class Budget:
    """The calls left in the server's fixed window, as its headers tell.

    Before the first headers one call is let through at a time, and until a class of calls has
    seen some, one of that class. After the end of a window the next one is assumed to have the
    same limit, less what is still in flight: that may count in either.

    Args:
        clock: Where the server's clock stands.
    """

    __slots__ = (
        "_by",
        "_clock",
        "_in_flight",
        "_left",
        "_limit",
        "_limits",
        "_past",
        "_reset",
        "_shut",
        "_stale",
    )

    def __init__(self, clock: ServerClock) -> None:
        self._clock = clock
        self._in_flight: dict[RateClass, int] = {}
        self._limits: dict[RateClass, int | None] = {}
        self._limit: int | None = None  # None: the server has not reported one
        self._left = 0
        self._reset: float | None = None  # None: the window's first answer is not there yet
        self._by = math.inf  # when the reset has passed, as it seemed when it was reported
        self._past = -math.inf  # the reset of the window before
        self._shut = -math.inf  # until when nothing goes out, after a 429
        self._stale = 0  # calls in flight whose silence about a limit says nothing

    def limit(self, rate_class: RateClass) -> int | None:
        """Return the calls per window that this class was last told."""
        return self._limits.get(rate_class)

    def start(self, rate_class: RateClass, now: float) -> Ticket | None:
        """Charge one call, or return None when there is no room for it now."""
        self._roll(now)
        unseen = rate_class not in self._limits
        probing = unseen and (
            self._in_flight.get(rate_class, 0)
            or (not self._limits and any(self._in_flight.values()))
        )
        spent = self._limit is not None and self._left <= 0
        if probing or spent or now < self._shut:
            return None
        return self.begin(rate_class)

    def begin(self, rate_class: RateClass) -> Ticket:
        """Charge one call, whether there is room or not."""
        self._left -= 1
        self._in_flight[rate_class] = self._in_flight.get(rate_class, 0) + 1
        return Ticket(rate_class, self)

    def opens(self, now: float) -> float | None:
        """Return when there may be room again; None if a call in flight has to tell."""
        spent = self._limit is not None and self._left <= 0 and self._reset is not None
        moments = [self._shut] if now < self._shut else []
        moments += [self._ends()] if spent else []
        return max(moments, default=None)

    def refund(self, ticket: Ticket) -> None:
        """Take back a ticket whose call never reached the server."""
        self._left += 1  # a window that began since has charged what was in flight
        self._finish(ticket)

    def settle(self, ticket: Ticket, report: RateReport | None, *, answered: bool) -> None:
        """Note the end of a call that may have reached the server.

        Args:
            ticket: What the call was charged with.
            report: What the answer says about the limit.
            answered: Whether Cadenza answered, so that silence about a limit means there is none.
        """
        if report is not None:
            self._learn(ticket, report)
        elif answered and not self._stale:
            self._limits.setdefault(ticket.rate_class, None)
        self._finish(ticket)

    def throttled(self, now: float, wait: float | None, *, told: bool) -> None:
        """Note a 429: nothing goes out until the window ends, or for as long as it asks.

        Args:
            now: The loop's time.
            wait: Seconds it asks to wait.
            told: Whether it told of a window. One that only asks to wait is not about the window
                that is known: after that one call finds out how things stand.
        """
        if wait and not told:
            self._forget()
        self._left = min(self._left, 0)
        ends = self._ends()
        asked = min(wait or _UNASKED_WAIT, _LONGEST_WAIT)
        self._shut = ends if now < ends < math.inf else now + asked
        self._probe_if_idle()

    def _ends(self) -> float:
        """Return when the window is over; a clock that was set since does not put it off."""
        return math.inf if self._reset is None else min(self._by, self._clock.when(self._reset))

    def _roll(self, now: float) -> None:
        """Begin the next window once the server's clock has surely passed the reset."""
        if self._limit is None or self._reset is None or now < self._ends():
            return
        self._past, self._reset = self._reset, None
        self._left = self._limit - sum(self._in_flight.values())

    def _learn(self, ticket: Ticket, report: RateReport) -> None:
        first, self._limit = self._limit is None, report.limit
        self._limits[ticket.rate_class] = report.limit
        current = self._past if self._reset is None else self._reset
        if first or (self._reset is not None and report.reset > current):
            others = sum(self._in_flight.values()) - 1
            self._open(report.reset, report.remaining - others)
        elif self._reset is None and report.reset > current:
            self._open(report.reset, min(self._left, report.remaining))
        elif self._reset is None or report.reset < current:
            self._left += 1  # it was counted in a window that is over
        elif report.remaining < self._left:
            self._left = report.remaining

    def _open(self, reset: float, left: int) -> None:
        self._reset, self._left = reset, left
        self._by = min(self._clock.when(reset), self._clock.now() + _LONGEST_WAIT)

    def _finish(self, ticket: Ticket) -> None:
        self._in_flight[ticket.rate_class] -= 1
        if self._stale:
            self._stale -= 1
        self._probe_if_idle()

    def _probe_if_idle(self) -> None:
        """Ask one call at a time again if nobody is left who could tell of the new window."""
        waiting = self._limit is not None and self._reset is None and self._left <= 0
        if waiting and not any(self._in_flight.values()):
            self._forget()

    def _forget(self) -> None:
        self._limit = self._reset = None
        self._limits.clear()
        self._stale = sum(self._in_flight.values())
