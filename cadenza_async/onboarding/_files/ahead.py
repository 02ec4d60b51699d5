"""An iterable that is read in a thread of its own, so that the event loop never waits for it."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from threading import Condition, Thread
from typing import TYPE_CHECKING, Final, Generic, Self, TypeVar

if TYPE_CHECKING:
    from collections.abc import Iterable

T = TypeVar("T")

_AHEAD: Final = 1024  # items


class ReadAhead(Generic[T]):
    """Iterates over an iterable that may block, some items ahead; none waits for the next.

    The thread is a daemon: reading from somebody who says nothing keeps no process alive.

    Args:
        items: Used in that thread alone.
    """

    def __init__(self, items: Iterable[T]) -> None:
        self._items = items
        self._changed = Condition()
        self._read: list[T] = []
        self._end: BaseException | None = None
        self._news = asyncio.Event()
        self._ready: list[T] = []
        self._thread: Thread | None = None

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> T:
        """Return the next item.

        Raises:
            BaseException: What reading raised.
        """
        while not self._ready:
            self._start()
            await self._news.wait()
            self._fetch()
        return self._ready.pop()

    def _start(self) -> None:
        if self._thread is None:
            loop = asyncio.get_running_loop()
            self._thread = Thread(target=self._work, args=(loop,), daemon=True)
            self._thread.start()

    def _fetch(self) -> None:
        """Take all that has been read by now.

        Raises:
            BaseException: What reading raised, if nothing came before that.
        """
        with self._changed:
            self._ready, self._read = self._read[::-1], []
            self._changed.notify()
            if self._end is None:
                self._news.clear()
            elif not self._ready:
                raise self._end

    def _work(self, loop: asyncio.AbstractEventLoop) -> None:
        end = self._read_all(loop)
        with self._changed:
            self._end = end
        with suppress(RuntimeError):  # nobody wants it any more: the loop is closed
            loop.call_soon_threadsafe(self._news.set)

    def _read_all(self, loop: asyncio.AbstractEventLoop) -> BaseException:
        try:
            for item in self._items:
                self._hand_over(item, loop)
        except Exception as error:  # noqa: BLE001  # the one who iterates is told
            return error
        return StopAsyncIteration()

    def _hand_over(self, item: T, loop: asyncio.AbstractEventLoop) -> None:
        with self._changed:
            while len(self._read) == _AHEAD:
                self._changed.wait()
            self._read.append(item)
            if len(self._read) == 1:
                loop.call_soon_threadsafe(self._news.set)
