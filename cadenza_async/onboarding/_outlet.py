"""Where outcomes wait for whoever iterates over them: bounded, so that the reader sets the pace."""

from __future__ import annotations

import asyncio
from collections import deque
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from cadenza_async.onboarding._states import RowOutcome


class Outlet:
    """A bounded buffer of outcomes. Room in it is taken before there is an outcome to put in.

    Args:
        room: How many outcomes it holds, those that are only expected included.
    """

    def __init__(self, room: int) -> None:
        self._room = asyncio.Semaphore(room)
        self._ready: deque[RowOutcome] = deque()
        self._news = asyncio.Event()
        self._closed = False
        self._error: BaseException | None = None

    async def take_room(self) -> None:
        """Wait until there is room for one more."""
        await self._room.acquire()

    def leave_room(self) -> None:
        """Give back room that no outcome came of."""
        self._room.release()

    def put(self, outcome: RowOutcome) -> None:
        """Hand over an outcome that there is room for."""
        self._ready.append(outcome)
        self._news.set()

    def close(self, error: BaseException | None = None) -> None:
        """Say that nothing more will come, because of an error perhaps."""
        self._closed, self._error = True, error
        self._news.set()

    async def get(self) -> RowOutcome | None:
        """Return the next outcome, or None when there will be no more.

        Raises:
            BaseException: Why nothing more comes, if an error ended it; once.
        """
        while not self._ready and not self._closed:
            self._news.clear()
            await self._news.wait()
        if self._ready:
            self._room.release()
            return self._ready.popleft()
        error, self._error = self._error, None
        if error is not None:
            raise error
        return None
