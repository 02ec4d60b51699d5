"""Keeping state in an event loop: one thread writes, what waits together is written together."""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar, cast

from cadenza_async.sandbox._records import StateError
from cadenza_async.sandbox._statefile import StateFile

if TYPE_CHECKING:
    import os
    from collections.abc import Callable

    from cadenza_async.sandbox._records import Record

T = TypeVar("T")


class Keeper:
    """Brings records to a state file, in the order in which they were saved.

    Args:
        path: The state file.
        key_file: Its key file, if one was named.
    """

    def __init__(
        self, path: str | os.PathLike[str], key_file: str | os.PathLike[str] | None
    ) -> None:
        self._path = Path(path)
        self._key_file = None if key_file is None else Path(key_file)
        self._waiting: list[Record] = []
        self._written = 0
        self._writing: asyncio.Task[StateError | None] | None = None
        self._thread: ThreadPoolExecutor | None = None
        self._file: StateFile | None = None

    def save(self, record: Record) -> None:
        """Keep a record soon; it lasts once `settled` was awaited."""
        self._waiting.append(record)

    async def open(self) -> list[Record]:
        """Open the file; what it has, or will have once what waits is written.

        Raises:
            StateError: It cannot be opened.
        """
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="cadenza-sandbox")
        try:
            found = await self._do(self._open)
        except BaseException:
            await self._shut()
            raise
        newest = {(each.kind, each.id): each for each in (*found, *self._waiting)}
        return [each for each in newest.values() if each.value is not None]

    async def settled(self) -> None:
        """Wait until all that was saved so far lasts.

        Raises:
            StateError: It could not be written; the next to wait tries it again.
        """
        due = self._written + len(self._waiting)
        while self._written < due:
            if self._writing is None:
                self._writing = asyncio.create_task(self._write())
            writing = self._writing
            await asyncio.wait([writing])  # goes on if whoever waits is cancelled
            if problem := writing.result():
                raise problem

    async def close(self) -> None:
        """Write what is waiting, and close the file if it is open.

        Raises:
            StateError: It could not be written.
        """
        if self._thread is None:
            return
        try:
            await self.settled()
        finally:
            await self._shut()

    def _open(self) -> list[Record]:
        self._file = StateFile(self._path, self._key_file)
        return self._file.load()

    async def _write(self) -> StateError | None:
        batch = tuple(self._waiting)
        try:
            await self._do(partial(cast("StateFile", self._file).write, batch))
        except StateError as problem:
            return problem
        finally:
            self._writing = None
        del self._waiting[: len(batch)]
        self._written += len(batch)
        return None

    async def _shut(self) -> None:
        closing = self._do(self._close)
        cast("ThreadPoolExecutor", self._thread).shutdown(wait=False)
        self._thread = None
        await asyncio.wait([closing])
        closing.result()

    def _close(self) -> None:
        if self._file is not None:
            self._file.close()
            self._file = None

    def _do(self, job: Callable[[], T]) -> asyncio.Future[T]:
        return asyncio.get_running_loop().run_in_executor(self._thread, job)
