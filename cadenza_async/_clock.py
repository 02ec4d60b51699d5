"""Where the server's clock stands, from the ``Date`` of its answers."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable


class ServerClock:
    """The distance from the loop's clock to the server's, as an interval.

    A ``Date`` is cut to a whole second, so one answer places the server's clock within a second
    and a round trip. Every further answer narrows the interval; one that contradicts it (a clock
    was set) replaces it.

    Args:
        wall: The wall clock in Unix seconds, trusted until the first answer.
        monotonic: The loop's clock.

    Attributes:
        known: Whether an answer has told where the server's clock stands.
    """

    def __init__(self, wall: Callable[[], float], monotonic: Callable[[], float]) -> None:
        self._wall = wall
        self._monotonic = monotonic
        self._least = self._most = 0.0
        self._doubted_offset = -math.inf
        self._doubted_ahead = math.inf
        self.known = False

    def observe(self, date: float, *, sent: float, received: float) -> None:
        """Take an answer's ``Date`` into account.

        Args:
            date: In Unix seconds.
            sent: When the request left, by the loop's clock.
            received: When its answer was there.
        """
        least, most = date - received, date + 1 - sent
        anew = not self.known or least > self._most or most < self._least
        if anew or least > self._least:
            self._least = least
        if anew or most < self._most:
            self._most = most
        self.known = True

    def now(self) -> float:
        """Return the loop's time."""
        return self._monotonic()

    def when(self, moment: float) -> float:
        """Return the loop time at which the server's clock surely shows ``moment``."""
        return moment - (self._least if self.known else self._offset())

    def ahead_of(self, offset: float) -> float:
        """Return how far the server's clock is ahead of our wall clock, if it is known.

        Args:
            offset: How far our wall clock is ahead of the loop's.
        """
        return self._least - offset if self.known else math.inf

    def doubt(self, offset: float, ahead: float) -> None:
        """Note that something was sent whose outcome is unknown.

        Args:
            offset: How far our wall clock was ahead of the loop's then.
            ahead: What `ahead_of` that said then.
        """
        self._doubted_offset = max(self._doubted_offset, offset)
        self._doubted_ahead = min(self._doubted_ahead, ahead)

    def ahead(self) -> float:
        """Return how far the server's clock is ahead of our wall clock, in seconds at the least.

        Clocks may be set: of what is so now and what was so when something in doubt was sent, it
        is the smaller.
        """
        offset = self._offset()
        now = (self._least if self.known else offset) - max(offset, self._doubted_offset)
        return min(now, self._doubted_ahead)

    def _offset(self) -> float:
        return self._wall() - self._monotonic()
