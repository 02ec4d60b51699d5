"""Deadlines that can all be brought forward, so that closing does not have to wait for them."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from types import TracebackType


class Deadline:
    """One deadline, as a context manager; `TimeoutError` leaves it when it has passed.

    Args:
        scope: The timeout itself.
        all_: Where it is known while it runs.
    """

    __slots__ = ("_all", "scope")

    def __init__(self, scope: asyncio.Timeout, all_: set[asyncio.Timeout]) -> None:
        self.scope = scope
        self._all = all_

    async def __aenter__(self) -> asyncio.Timeout:
        scope = await self.scope.__aenter__()
        self._all.add(scope)
        return scope

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._all.discard(self.scope)
        await self.scope.__aexit__(kind, error, traceback)


class Deadlines:
    """All the deadlines of one kind that are running."""

    def __init__(self) -> None:
        self._running: set[asyncio.Timeout] = set()

    def at(self, when: float | None) -> Deadline:
        """Make a deadline at a loop time; ``None`` for one that only `expire` ends."""
        return Deadline(asyncio.timeout_at(when), self._running)

    def expire(self) -> None:
        """Bring all of them forward to now."""
        for scope in self._running:
            if not scope.expired():
                scope.reschedule(0)
