"""What all sessions of a pool share, and its life: opened, draining, closed."""

from __future__ import annotations

import asyncio
import contextlib
import os
import random
import time
from collections import OrderedDict
from enum import Enum, auto
from typing import TYPE_CHECKING, Any, TypeVar

from anyio import CancelScope

from cadenza_async._cancelling import spared
from cadenza_async._clock import ServerClock
from cadenza_async._deadlines import Deadlines
from cadenza_async._retry import RetryBudget
from cadenza_async._transport import Transport
from cadenza_async.errors import ClosedError

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine, Sequence

    from cadenza_async._transport import ClientSession, Middleware
    from cadenza_async.config import Config
    from cadenza_async.models import TradingAccount

T = TypeVar("T")


_REMEMBERED = 256  # connects, of all identities
_LAST_MOMENT = 1.0  # seconds for calls whose time was up to say so


class _State(Enum):
    NEW = auto()
    OPEN = auto()
    CLOSING = auto()
    CLOSED = auto()


_UNUSABLE = {
    _State.NEW: "the pool or client is not open: use it inside its 'async with' block",
    _State.OPEN: "the pool or client is open already: enter its 'with' block once, and share it",
    _State.CLOSING: "the pool or client is closing; nothing was done",
    _State.CLOSED: "the pool or client is closed, and stays closed",
}


class Shared:
    """The transport, the retry budget and the server's clock of one pool.

    Args:
        config: The settings.
        session: A user's own aiohttp session, used and never closed.
        middlewares: A user's own aiohttp middlewares.
        wall: The wall clock, in Unix seconds.
        jitter: Draws from 0 to 1.

    Attributes:
        sent_as: The name that was sent for an account, by its id, where that is known.
        waits: The deadlines of all waits that come before sending; closing ends them.
        loop: The event loop that opened it; not there before.
        clock: Where the server's clock stands; likewise.
    """

    def __init__(
        self,
        config: Config,
        *,
        session: ClientSession | None = None,
        middlewares: Sequence[Middleware] = (),
        wall: Callable[[], float] = time.time,
        jitter: Callable[[], float] = random.random,
    ) -> None:
        self.config = config
        self.wall = wall
        self.jitter = jitter
        self.transport = Transport(config, session=session, middlewares=middlewares)
        self.retry_budget = RetryBudget()
        self.sent_as: OrderedDict[str, str | None] = OrderedDict()
        self.waits = Deadlines()
        self._state = _State.NEW
        self._calls = 0
        self._tasks: set[asyncio.Task[Any]] = set()
        self._quiet: asyncio.Future[None] | None = None
        self._end: asyncio.Task[None] | None = None
        self._pid = 0

    def open(self) -> None:
        """Open the transport, in the loop that will use it.

        Raises:
            ClosedError: If this was opened before.
        """
        if self._state is not _State.NEW:
            raise ClosedError(_UNUSABLE[self._state])
        self.loop = asyncio.get_running_loop()
        self.clock = ServerClock(self.wall, self.loop.time)
        self._pid = os.getpid()
        self.transport.open()
        self._state = _State.OPEN

    def check(self) -> None:
        """Refuse to be used in a state, a process or a loop that cannot work.

        Raises:
            ClosedError: If it is not open, or was opened elsewhere.
        """
        if self._state is not _State.OPEN:
            raise ClosedError(_UNUSABLE[self._state])
        if self._pid != os.getpid():
            raise ClosedError("the client was opened before a fork: open one in each process")
        if asyncio.get_running_loop() is not self.loop:
            raise ClosedError("the client belongs to another event loop: open one in each loop")

    @property
    def is_open(self) -> bool:
        """Whether it may be used, and is not being closed."""
        return self._state is _State.OPEN

    def credit(self, account: TradingAccount, name: str | None) -> None:
        """Remember the connect that an account comes from by its name."""
        self.sent_as[account.trading_account_id] = name
        if len(self.sent_as) > _REMEMBERED:
            self.sent_as.popitem(last=False)

    def __enter__(self) -> None:
        """Count a call, so that closing waits for it."""
        self.check()
        self._calls += 1

    def __exit__(self, *_: object) -> None:
        self._calls -= 1
        if not self._calls and self._quiet is not None and not self._quiet.done():
            self._quiet.set_result(None)

    def spawn(self, job: Coroutine[Any, Any, T]) -> asyncio.Task[T]:
        """Start a task that closing ends, and that outlives whoever asked for it."""
        task = self.loop.create_task(job)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task

    async def pause(self, seconds: float) -> None:
        """Sleep.

        Raises:
            ClosedError: If the client is closed meanwhile.
        """
        with contextlib.suppress(TimeoutError):
            async with self.waits.at(self.loop.time() + seconds):
                await self.loop.create_future()
        self.check()

    async def close(self) -> None:
        """Refuse new calls, wait for those in flight, close.

        Doing it again waits for the same end. Being cancelled only shortens it: what is in flight
        gets no more time, but everything is closed.

        Raises:
            ClosedError: If it was opened elsewhere.
        """
        if self._state is _State.NEW:
            self._state = _State.CLOSED
        if self._state is _State.OPEN:
            self.check()
            self._state = _State.CLOSING
            self._end = self.loop.create_task(self._shut())
        if self._end is None:
            return
        try:
            await spared(self._end)
        except asyncio.CancelledError:
            self.transport.expire()
            with CancelScope(shield=True):  # a scope of anyio cancels every wait, not only one
                await asyncio.wait([self._end])
            raise

    async def _shut(self) -> None:
        self.waits.expire()
        await self._drain(self.config.grace)
        self.transport.expire()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self._drain(_LAST_MOMENT)
        await self.transport.close()
        self._state = _State.CLOSED

    async def _drain(self, grace: float) -> None:
        if self._calls:
            self._quiet = self.loop.create_future()
            await asyncio.wait([self._quiet], timeout=grace)
