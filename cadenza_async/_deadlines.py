"""Deadlines that can all be brought forward, so that closing does not have to wait for them."""

from __future__ import annotations

import asyncio
import math
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Awaitable
    from types import TracebackType


class Deadlines:
    """All the deadlines of one kind that are running; one timer rings for all of them."""

    def __init__(self) -> None:
        self._running: dict[asyncio.Timeout, float] = {}
        self._timer: asyncio.TimerHandle | None = None
        self._rings = math.inf

    def at(self, when: float | None) -> Deadline:
        """Make a deadline at a loop time; ``None`` for one that only `expire` ends."""
        return Deadline(self, math.inf if when is None else when)

    def expire(self) -> None:
        """Bring all of them forward to now."""
        self._ring_at(math.inf)
        self._end(math.inf)

    def add(self, scope: asyncio.Timeout, when: float) -> None:
        """Let a deadline run."""
        self._running[scope] = when
        if when < self._rings:
            self._ring_at(when)

    def discard(self, scope: asyncio.Timeout) -> None:
        """Forget a deadline that is left."""
        del self._running[scope]

    def _ring_at(self, when: float) -> None:
        if self._timer is not None:
            self._timer.cancel()
        self._rings = when
        if when < math.inf:
            self._timer = asyncio.get_running_loop().call_at(when, self._ring)

    def _ring(self) -> None:
        """End what is due, and set the timer for what comes next."""
        now = asyncio.get_running_loop().time()  # a loop of whole milliseconds rings too early
        self._end(now)
        later = [when for when in self._running.values() if when > now]
        self._ring_at(min(later, default=math.inf))

    def _end(self, due: float) -> None:
        for scope, when in self._running.items():
            if when <= due and not scope.expired():
                scope.reschedule(0)


class Deadline:
    """One deadline, as a context manager; `TimeoutError` leaves it when it has passed.

    Args:
        deadlines: Where it is known while it runs.
        when: The loop time.
    """

    __slots__ = ("_deadlines", "_scope", "_when")

    def __init__(self, deadlines: Deadlines, when: float) -> None:
        self._deadlines = deadlines
        self._when = when
        self._scope = asyncio.timeout_at(None)

    def __aenter__(self) -> Awaitable[asyncio.Timeout]:
        self._deadlines.add(self._scope, self._when)
        return self._scope.__aenter__()

    def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> Awaitable[bool | None]:
        self._deadlines.discard(self._scope)
        return self._scope.__aexit__(kind, error, traceback)
