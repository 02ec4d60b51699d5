"""How many calls may be in flight: more while answers come well, half as many when they do not."""

from __future__ import annotations

import asyncio
from collections import deque
from typing import TYPE_CHECKING, Final

from cadenza_async._retry import backoff

if TYPE_CHECKING:
    from collections.abc import Callable

_FIRST: Final = 8.0


class Slots:
    """Leave to have a call in flight, first come first served.

    How many there are follows the answers, as TCP does it: slow start, then additive increase
    and multiplicative decrease (AIMD). It begins with a few, adds one for every good answer until
    the first trouble, and from then on one for every round of good answers. Trouble halves it,
    once for all calls that were in flight then. While Cadenza cannot be reached, all wait, longer
    and longer.

    Args:
        most: How many there may ever be.
        jitter: Draws from 0 to 1.

    Attributes:
        unreachable_since: Since when every call failed to leave; by the loop's clock.
    """

    def __init__(self, most: int, jitter: Callable[[], float]) -> None:
        self._loop = asyncio.get_running_loop()
        self._jitter = jitter
        self._most = most
        self._limit = min(_FIRST, most)
        self._calm = True
        self._taken = 0
        self._halved = 0.0
        self._closed_until = 0.0
        self._failures = 0
        self._waiting: deque[asyncio.Future[None]] = deque()
        self._timer: asyncio.TimerHandle | None = None
        self.unreachable_since: float | None = None

    async def take(self) -> float:
        """Wait for one; return when it was given, by the loop's clock."""
        if not self._waiting and self._taken < int(self._limit):
            now = self._loop.time()
            if now >= self._closed_until:
                self._taken += 1
                return now
        turn: asyncio.Future[None] = self._loop.create_future()
        self._waiting.append(turn)
        self._let_in()
        try:
            await turn
        except asyncio.CancelledError:
            if not turn.cancelled():
                self._taken -= 1
                self._let_in()
            raise
        return self._loop.time()

    def give_back(self) -> None:
        """Give one back."""
        self._taken -= 1
        if self._waiting:
            self._let_in()

    def well(self) -> None:
        """Note an answer that came well."""
        self.unreachable_since = None
        self._failures = 0
        self._limit = min(self._most, self._limit + (1.0 if self._calm else 1.0 / self._limit))

    def trouble(self, since: float) -> None:
        """Note that a call which left at ``since`` was throttled, or not answered in time."""
        if since >= self._halved:
            self._halved = self._loop.time()
            self._limit = max(1.0, self._limit / 2)
            self._calm = False

    def unreachable(self, since: float) -> None:
        """Note that a call did not reach Cadenza at all."""
        now = self._loop.time()
        if since >= self._halved:
            self._failures += 1
            self._closed_until = now + backoff(self._failures, self._jitter)
        if self.unreachable_since is None:
            self.unreachable_since = now
        self.trouble(since)

    def _let_in(self) -> None:
        now = self._loop.time()
        if now < self._closed_until:
            if self._timer is None and self._waiting:
                self._timer = self._loop.call_at(self._closed_until, self._reopen)
            return
        while self._waiting and self._taken < int(self._limit):
            turn = self._waiting.popleft()
            if not turn.done():
                turn.set_result(None)
                self._taken += 1

    def _reopen(self) -> None:
        self._timer = None
        self._let_in()
