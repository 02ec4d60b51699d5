"""A network inside the event loop: time is virtual, bytes travel, connections close and break.

async-solipsism brings the loop and its clock. Its sockets deliver at once and know no reset, so
these take their place: what is sent arrives a moment later and in order, and whatever reaches a
closed end is answered with a reset, as TCP does.
"""

from __future__ import annotations

import asyncio
import errno
import logging
import os
import random
import socket
from collections import deque
from contextlib import contextmanager
from random import Random
from typing import TYPE_CHECKING, Any, TypeVar
from unittest import mock

import async_solipsism
from async_solipsism.clock import Clock
from async_solipsism.selector import Selector

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine, Iterator
    from selectors import SelectorKey

T = TypeVar("T")

_QUICKEST, _SLOWEST = 0.0002, 0.040
_NEVER = 3600.0


_start_connection = async_solipsism.aiohappyeyeballs_start_connection


class _End(async_solipsism.Socket):
    """One end of a connection."""

    peer: _End

    def __init__(self, loop: VirtualLoop, own: Any, other: Any) -> None:  # noqa: ANN401
        super().__init__(async_solipsism.Queue(), async_solipsism.Queue(), own, other)
        self._loop = loop
        self._inbox = bytearray()
        self._sent: deque[Callable[[], None]] = deque()
        self._arrives = 0.0
        self._ended = self._closed = self._lingers_not = False
        self._error: OSError | None = None

    def setsockopt(self, level: int, optname: int, value: Any, optlen: Any = None) -> None:  # noqa: ANN401
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

    def sendmsg(self, buffers: Any, *_: object) -> int:  # noqa: ANN401
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
            self._closed = True
            unread = bool(self._inbox)
            self._post(self.peer.break_off if unread or self._lingers_not else self.peer.end)
            self._read_queue = self._write_queue = None

    def take(self, content: bytes) -> None:
        """Receive bytes."""
        if self._closed:
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
    """

    def __init__(self, seed: int = 0) -> None:
        super().__init__()
        self._selector.close()
        self._clock = _Clock()
        self._selector = _Selector(self._clock)
        self._dice = Random(f"network {seed}")
        self.outages: set[str] = set()

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
        return await super().aiohappyeyeballs_start_connection(*given, **options)


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
