"""Waiting in one thread for what is done in the event loop of another: an anyio portal."""

from __future__ import annotations

import asyncio
import os
import sys
from concurrent.futures import Future
from contextlib import suppress
from contextvars import Context
from functools import cache, partial
from threading import Event, RLock, Thread
from typing import TYPE_CHECKING, Any, Generic, TypeVar, cast

import anyio
from anyio.from_thread import BlockingPortal
from attrs import frozen

from cadenza_async.errors import UsageError

if sys.platform == "win32":
    from asyncio import ProactorEventLoop as UsualLoop
else:
    from asyncio import SelectorEventLoop as UsualLoop

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Coroutine, Generator
    from contextlib import AbstractContextManager

    from cadenza_async.client import AsyncCadenza

T = TypeVar("T")

_STEP = 0.5  # seconds until an interruption is noticed that does not wake who waits


class _Loop(UsualLoop):
    """A loop that goes on when a task raises what ends a program (`SystemExit`, Ctrl-C).

    That is raised again where the task is waited for.

    Attributes:
        kept: Clients that are open. A program may end before they are closed.
    """

    def __init__(self) -> None:
        super().__init__()
        self.kept: set[AsyncCadenza] = set()

    def run_until_complete(self, future: Generator[Any, None, T] | Awaitable[T]) -> T:
        whole = asyncio.ensure_future(cast("Awaitable[T]", future), loop=self)
        while not whole.done():
            with suppress(SystemExit, KeyboardInterrupt):
                super().run_until_complete(whole)
        return whole.result()


class _LoopThread(Thread):
    """Runs a loop and its portal until it is told to end, whatever interrupts who waits for it."""

    def __init__(self) -> None:
        super().__init__(name="cadenza_async", daemon=True)
        self._begun: Future[BlockingPortal] = Future()

    def run(self) -> None:
        """Run the loop."""
        try:
            begin = partial(anyio.run, self._serve, backend_options={"loop_factory": _Loop})
            Context().run(begin)  # Python 3.14 may hand a thread the one of who starts it
        except BaseException as error:  # noqa: BLE001  # it is raised where it is waited for
            self._begun.set_exception(error)

    async def _serve(self) -> None:
        loop = cast("_Loop", asyncio.get_running_loop())
        async with BlockingPortal() as portal:
            self._loop, self._told = loop, asyncio.Event()
            self._begun.set_result(portal)
            await self._told.wait()
        for client in [*loop.kept]:  # an interruption came before they were closed
            await client.aclose()

    def begun(self) -> BlockingPortal:
        """Start, and return the portal once it is there."""
        try:
            self.start()
            return self._begun.result()
        except BaseException:
            self.end()
            raise

    def end(self) -> None:
        """Let it end, as soon as it has begun."""
        self._begun.add_done_callback(self._tell)

    def _tell(self, begun: Future[BlockingPortal]) -> None:
        if begun.exception() is None:
            self._loop.call_soon_threadsafe(self._told.set)


class _Lender:
    """Lends the portal of one loop thread, which lasts as long as somebody has borrowed it.

    The handler of a signal may borrow it at any time, even in the middle of the same thread's
    borrowing it; that is why the lock is reentrant.
    """

    def __init__(self) -> None:
        self._lock = RLock()
        self._borrowers = 0

    def __enter__(self) -> BlockingPortal:
        with self._lock:
            if not self._borrowers:
                thread = _LoopThread()
                portal = thread.begun()
                if self._borrowers:  # a handler of a signal has opened a client meanwhile
                    thread.end()
                else:
                    self._thread, self._portal = thread, portal
            self._borrowers += 1
            return self._portal

    def __exit__(self, *_: object) -> None:
        with self._lock:
            self._borrowers -= 1
            last, thread = not self._borrowers, self._thread
        if last:
            thread.end()
            thread.join()


@cache
def _lender(pid: int) -> _Lender:  # noqa: ARG001  # a fork does not copy threads
    return _Lender()


def portals() -> AbstractContextManager[BlockingPortal]:
    """Return what lends the one loop thread of a process to all of its clients."""
    return _lender(os.getpid())


def wait(
    job: Coroutine[Any, Any, T], *, again: Callable[[], Coroutine[Any, Any, T]] | None = None
) -> T:
    """Do the job in the loop; whatever interrupts the waiting cancels it.

    Args:
        job: What to do.
        again: Makes the same job anew, for one that has to begin, as closing does, even if the
            interruption comes before it has begun.

    Raises:
        UsageError: If this is called in the loop, which could not do anything then.
    """
    _refuse_in_the_loop(job)
    call, ended = _Call(job, again), Event()
    with portals() as portal:  # it does not end meanwhile
        try:
            future = portal.start_task_soon(call.run)
            future.add_done_callback(lambda _: ended.set())
            while not ended.wait(_STEP):
                pass
        except BaseException:
            call.leave()
            raise
    result = future.result()
    if isinstance(result, _Exit):
        raise result.error
    return result


def _refuse_in_the_loop(job: Coroutine[Any, Any, T]) -> None:
    with suppress(RuntimeError):  # where no loop is running
        if isinstance(asyncio.get_running_loop(), _Loop):
            job.close()
            raise UsageError(
                "a hook, a token source and rows cannot call a blocking client, which waits"
                " for them: call it before, or in a thread of your own"
            )


@frozen
class _Exit:
    """What a hook, a token source or the rows raised to end the program."""

    error: BaseException


class _Call(Generic[T]):
    """A job in the loop, and whether somebody still waits for it."""

    def __init__(
        self, job: Coroutine[Any, Any, T], again: Callable[[], Coroutine[Any, Any, T]] | None
    ) -> None:
        self._job = job
        self._again = again
        self._task: asyncio.Task[Any] | None = None
        self._left = False

    async def run(self) -> T | _Exit:
        """Do the job; return what ends a program, as raising it would end the portal for all."""
        self._task = task = cast("asyncio.Task[Any]", asyncio.current_task())
        if self._left:  # before the loop had time to begin
            self._job.close()
            if self._again is None:
                return _Exit(asyncio.CancelledError())
            self._job = self._again()
            task.cancel()
        try:
            return await self._job
        except (Exception, asyncio.CancelledError):
            raise
        except BaseException as error:  # noqa: BLE001  # it is raised where it is waited for
            return _Exit(error)

    def leave(self) -> None:
        """Cancel the job, whether it has begun or not."""
        job, self._left = self._job, True
        if self._task is None:
            job.close()  # it may never have been handed to the loop
        else:
            self._task.get_loop().call_soon_threadsafe(self._task.cancel)


async def opened(client: AsyncCadenza) -> None:
    """Open a client, and keep it until it is closed: the loop closes what was left open."""
    await client.__aenter__()
    cast("_Loop", asyncio.get_running_loop()).kept.add(client)


async def closed(client: AsyncCadenza) -> None:
    """Close a client that was opened so."""
    cast("_Loop", asyncio.get_running_loop()).kept.discard(client)
    await client.aclose()
