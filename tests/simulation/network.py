"""A network inside the event loop: time is virtual, bytes travel, connections close and break.

async-solipsism brings the loop and its clock. Its sockets deliver at once and know no reset, so
these take their place: what is sent arrives a moment later and in order, and whatever reaches a
closed end is answered with a reset, as TCP does. A process of this network can be killed: its
connections close as the kernel would close them. Blocking jobs take virtual time, and no thread.
"""

from __future__ import annotations

import asyncio
import errno
import logging
import os
import random
import socket
from collections import defaultdict, deque
from contextlib import contextmanager
from contextvars import ContextVar, copy_context
from functools import partial
from itertools import count
from random import Random
from typing import TYPE_CHECKING, Any, TypeVar
from unittest import mock

import async_solipsism
from async_solipsism.clock import Clock
from async_solipsism.selector import Selector

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine, Iterator
    from concurrent.futures import Executor
    from selectors import SelectorKey

T = TypeVar("T")

_QUICKEST, _SLOWEST = 0.0002, 0.040
_NEVER = 3600.0


_start_connection = async_solipsism.aiohappyeyeballs_start_connection


class _End(async_solipsism.Socket):
    """One end of a connection."""

    peer: _End

    def __init__(self, loop: VirtualLoop, own: Any, other: Any) -> None:
        super().__init__(async_solipsism.Queue(), async_solipsism.Queue(), own, other)
        self._loop = loop
        self._inbox = bytearray()
        self._sent: deque[Callable[[], None]] = deque()
        self._arrives = 0.0
        self._ended = self._closed = self._orphaned = self._lingers_not = False
        self._error: OSError | None = None

    def setsockopt(self, level: int, optname: int, value: Any, optlen: Any = None) -> None:
        if (level, optname) == (socket.SOL_SOCKET, socket.SO_LINGER):
            self._lingers_not = True
        else:
            super().setsockopt(level, optname, value, optlen)

    def send(  # pyright: ignore[reportIncompatibleMethodOverride] - a better name
        self, data: bytes | bytearray | memoryview, flags: int = 0
    ) -> int:
        self._check_closed()
        if self._error is not None:
            raise BrokenPipeError(errno.EPIPE, os.strerror(errno.EPIPE))
        content = bytes(data)
        self._post(lambda: self.peer.take(content))
        return len(content)

    def sendmsg(self, buffers: Any, *_: object) -> int:
        return self.send(b"".join(buffers))

    def recv(self, bufsize: int, flags: int = 0) -> bytes:
        self._check_closed()
        if self._inbox:
            data = bytes(self._inbox[:bufsize])
            del self._inbox[:bufsize]
            return data
        if self._error is not None:
            raise self._error
        if self._ended:
            return b""
        raise BlockingIOError

    def read_ready(self) -> bool:
        return bool(self._inbox) or self._ended or self._error is not None or self._closed

    def write_ready(self) -> bool:
        return True

    def shutdown(self, flag: int) -> None:
        if flag != socket.SHUT_RD:
            self._post(self.peer.end)

    def close(self) -> None:
        if not self._closed:
            self._hang_up()
            self._closed = True
            self._read_queue = self._write_queue = None

    def orphan(self) -> None:
        """Be closed by the kernel, because the process is gone."""
        if not self._closed:
            self._hang_up()
            self._orphaned = True
            self._inbox.clear()
            self.break_off()

    def _hang_up(self) -> None:
        if not self._orphaned:
            rude = self._inbox or self._lingers_not
            self._post(self.peer.break_off if rude else self.peer.end)

    def take(self, content: bytes) -> None:
        """Receive bytes."""
        if self._closed or self._orphaned:
            self._post(self.peer.break_off)
        else:
            self._inbox += content

    def end(self) -> None:
        """Learn that the other end sends no more."""
        self._ended = True

    def break_off(self) -> None:
        """Learn that the other end is gone."""
        self._error = ConnectionResetError(errno.ECONNRESET, os.strerror(errno.ECONNRESET))

    def _post(self, arrival: Callable[[], None]) -> None:
        """Let something happen at the other end, after everything that was sent before."""
        self._sent.append(arrival)
        self._arrives = max(self._arrives, self._loop.time() + self._loop.delay())
        self._loop.call_at(self._arrives, self._deliver)

    def _deliver(self) -> None:
        self._sent.popleft()()


class _Listener(async_solipsism.ListenSocket):
    """Makes connections of the ends above."""

    _queue: deque[tuple[asyncio.Future[_End], Any]]

    def __init__(self, loop: VirtualLoop, address: tuple[Any, ...]) -> None:
        super().__init__(address)
        self._loop = loop

    def accept(self) -> tuple[_End, Any]:
        if not self.read_ready():
            raise BlockingIOError
        waiter, caller = self._queue.popleft()
        ours, theirs = (
            _End(self._loop, self.getsockname(), caller),
            _End(self._loop, caller, self.getsockname()),
        )
        ours.peer, theirs.peer = theirs, ours
        waiter.set_result(theirs)
        return ours, caller


class Process:
    """A program on the network, that can be killed.

    What its tasks still do after that reaches nobody.

    Attributes:
        killed: Whether it was.
    """

    def __init__(self) -> None:
        self.killed = False
        self._ends: list[_End] = []

    def start(self, main: Coroutine[Any, Any, T]) -> asyncio.Task[T]:
        """Run a coroutine, and all that it starts, as this process."""
        context = copy_context()
        context.run(_process.set, self)
        return asyncio.get_running_loop().create_task(main, context=context)

    def kill(self) -> None:
        """Close its connections, and let it make no more."""
        self.killed = True
        self.cut_off()

    def cut_off(self) -> None:
        """Close its connections, as when its machine was asleep."""
        for end in self._ends:
            end.orphan()
        self._ends.clear()

    def own(self, end: _End) -> None:
        """Take a connection."""
        self._ends.append(end)
        if self.killed:
            end.orphan()


_process: ContextVar[Process | None] = ContextVar("process", default=None)


class _Worker:
    """Does the jobs of an executor one after another; each takes a while, and so does telling."""

    def __init__(self, loop: VirtualLoop) -> None:
        self._loop = loop
        self._jobs: deque[tuple[Callable[[], Any], asyncio.Future[Any]]] = deque()
        self._answers: deque[Callable[[], None]] = deque()
        self._done = self._told = 0.0

    def submit(self, job: Callable[[], Any]) -> asyncio.Future[Any]:
        """Take a job."""
        answer: asyncio.Future[Any] = self._loop.create_future()
        self._jobs.append((job, answer))
        self._done = max(self._done, self._loop.time()) + self._loop.delay()
        self._loop.call_at(self._done, self._work)
        return answer

    def _work(self) -> None:
        job, answer = self._jobs.popleft()
        if answer.cancelled():
            return
        asyncio._set_running_loop(None)  # in a thread there is none
        try:
            tell = partial(answer.set_result, job())
        except Exception as error:  # noqa: BLE001  # whoever waits is told
            tell = partial(answer.set_exception, error)
        finally:
            asyncio._set_running_loop(self._loop)
        self._answers.append(lambda: None if answer.cancelled() else tell())
        self._told = max(self._told, self._loop.time() + self._loop.delay())
        self._loop.call_at(self._told, self._answers.popleft())


class _Task(asyncio.Task[Any]):
    """Has its place in a set by its number, not by its address: the next run is to be the same."""

    def __init__(self, *given: Any, loop: VirtualLoop, **options: Any) -> None:
        self._place = next(loop.places)
        super().__init__(*given, loop=loop, **options)

    def __hash__(self) -> int:
        return self._place


def _make_task(loop: Any, *given: Any, **options: Any) -> _Task:
    return _Task(*given, loop=loop, **options)


class _Clock(Clock):
    """Moves with every step, however small."""

    def advance(self, delta: float) -> None:
        super().advance(max(delta, self.resolution))


class _Selector(Selector):
    """Gives its sockets as a plain dictionary, which is much quicker to look through."""

    def get_map(self) -> dict[Any, SelectorKey]:
        return self._fd_to_key  # pyright: ignore[reportAttributeAccessIssue] - not in typeshed


class VirtualLoop(async_solipsism.EventLoop):
    """The loop that holds the network.

    Args:
        seed: Of the network's own dice.

    Attributes:
        outages: What happens to new connections now: ``refused``, ``swallowed``, or nothing.
        places: The numbers of its tasks.
    """

    def __init__(self, seed: int = 0) -> None:
        super().__init__()
        self._selector.close()
        self._clock = _Clock()
        self._selector = _Selector(self._clock)
        self._dice = Random(f"network {seed}")
        self._workers: defaultdict[Executor | None, _Worker] = defaultdict(lambda: _Worker(self))
        self.outages: set[str] = set()
        self.places = count()
        self.set_task_factory(_make_task)

    def time(self) -> float:
        return self._clock.time()

    def delay(self) -> float:
        """Draw how long something is on its way."""
        return self._dice.uniform(_QUICKEST, _SLOWEST)

    async def create_server(
        self,
        protocol_factory: Callable[[], asyncio.BaseProtocol],
        host: str | None = None,
        port: int | None = None,
        **options: Any,
    ) -> asyncio.Server:
        listener = _Listener(self, (host, port, 0, 0))
        return await super().create_server(protocol_factory, **(options | {"sock": listener}))

    async def aiohappyeyeballs_start_connection(self, *given: Any, **options: Any) -> _End:
        await asyncio.sleep(_NEVER if "swallowed" in self.outages else self.delay())
        if "refused" in self.outages:
            raise ConnectionRefusedError(errno.ECONNREFUSED, os.strerror(errno.ECONNREFUSED))
        end: _End = await super().aiohappyeyeballs_start_connection(*given, **options)
        process = _process.get()
        if process is not None:
            process.own(end)
        return end

    def run_in_executor(  # pyright: ignore[reportIncompatibleMethodOverride] - as in asyncio
        self, executor: Executor | None, func: Callable[..., T], *args: Any
    ) -> asyncio.Future[T]:
        if getattr(executor, "_shutdown", False):
            raise RuntimeError("cannot schedule new futures after shutdown")
        return self._workers[executor].submit(partial(func, *args))


def run(main: Callable[[], Coroutine[Any, Any, T]], *, seed: int = 0) -> T:
    """Run a coroutine function in a virtual loop; the same seed gives the same run."""
    with virtual(seed) as runner:
        return runner.run(main())


@contextmanager
def virtual(seed: int = 0) -> Iterator[asyncio.Runner]:
    """Give a runner of a virtual loop; no task and no error may be left behind in it.

    Meanwhile aiohttp uses the loop's network and clock, chance is repeatable, and our logger,
    which would tell of thousands of calls, is silent.
    """
    loop, state = VirtualLoop(seed), random.getstate()
    complaints: list[dict[str, Any]] = []
    loop.set_exception_handler(lambda _, context: complaints.append(context))
    random.seed(seed)
    try:
        with (
            mock.patch("aiohappyeyeballs.start_connection", _start_connection),
            mock.patch("aiohttp.connector.monotonic", loop.time),
            mock.patch.object(logging.getLogger("cadenza_async"), "disabled", new=True),
            asyncio.Runner(loop_factory=lambda: loop) as runner,
        ):
            yield runner
            assert not asyncio.all_tasks(loop)
    finally:
        random.setstate(state)
    assert not complaints
