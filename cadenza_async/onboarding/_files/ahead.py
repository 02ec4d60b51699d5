"""An iterable that is read in a thread of its own, so that the event loop never waits for it."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from itertools import islice
from threading import Semaphore, Thread
from typing import TYPE_CHECKING, Final, Generic, Self, TypeVar

if TYPE_CHECKING:
    from collections.abc import Iterable

T = TypeVar("T")

_BATCH: Final = 256
_AHEAD: Final = 4  # batches


class ReadAhead(Generic[T]):
    """Iterates over an iterable that may block, some batches ahead.

    The thread is a daemon: reading from somebody who says nothing keeps no process alive.

    Args:
        items: Used in that thread alone.
    """

    def __init__(self, items: Iterable[T]) -> None:
        self._items = items
        self._room = Semaphore(_AHEAD)
        self._batches: asyncio.Queue[list[T] | BaseException] = asyncio.Queue()
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
            batch = await self._batches.get()
            if isinstance(batch, BaseException):
                self._batches.put_nowait(batch)  # an end stays one
                raise batch
            self._room.release()
            self._ready = batch[::-1]
        return self._ready.pop()

    def _start(self) -> None:
        if self._thread is None:
            loop = asyncio.get_running_loop()
            self._thread = Thread(target=self._read, args=(loop,), daemon=True)
            self._thread.start()

    def _read(self, loop: asyncio.AbstractEventLoop) -> None:
        with suppress(RuntimeError):  # nobody wants it any more: the loop is closed
            end = self._read_all(loop)
            loop.call_soon_threadsafe(self._batches.put_nowait, end)

    def _read_all(self, loop: asyncio.AbstractEventLoop) -> BaseException:
        try:
            items = iter(self._items)
            while batch := list(islice(items, _BATCH)):
                self._room.acquire()
                loop.call_soon_threadsafe(self._batches.put_nowait, batch)
        except Exception as error:  # noqa: BLE001  # the one who iterates is told
            return error
        return StopAsyncIteration()
