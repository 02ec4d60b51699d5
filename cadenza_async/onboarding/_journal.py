"""The journal in an event loop: one thread writes, what waits together is committed together."""

from __future__ import annotations

import asyncio
import hmac
from collections import deque
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import TYPE_CHECKING, Any, Final, NamedTuple, TypeVar

from cadenza_async._cancelling import spared
from cadenza_async.errors import ClosedError
from cadenza_async.onboarding._states import RowState
from cadenza_async.onboarding._store import Move, Store

if TYPE_CHECKING:
    from cadenza_async.errors import CadenzaError
    from cadenza_async.models import TradingAccount
    from cadenza_async.onboarding._credentials import Held

T = TypeVar("T")

Job = Callable[[Store], Any] | Move

_LARGEST_COMMIT: Final = 500  # jobs
_PACE: Final = 0.002  # seconds from one commit to the next: its size hardly tells in its cost
_BURST: Final = 16  # what is told at a time: more would keep others in the loop waiting
_SENDING: Final = 4  # rows handed over are as much work as one that is sent


class _Order(NamedTuple):
    """A job that waits to be done.

    Attributes:
        job: What it is.
        done: Who waits for it.
        work: How much whoever waits has to do at once, counted in rows that are handed over.
    """

    job: Job
    done: asyncio.Future[Any]
    work: int


class Journal:
    """Does jobs on a store, and lets many of them share one commit.

    Args:
        store: An open store; from now on nobody else uses it.
        thread: Where it is used.

    Attributes:
        keyed: What the fingerprints begin with: a hash under the journal's own key.
    """

    def __init__(self, store: Store, thread: ThreadPoolExecutor) -> None:
        self._store = store
        self._thread = thread
        self._loop = asyncio.get_running_loop()
        self._waiting: list[_Order] = []
        self._committing: asyncio.Future[Any] | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._not_before = 0.0
        self._done: deque[tuple[_Order, object]] = deque()
        self._closing: asyncio.Future[None] | None = None
        self.keyed = hmac.new(store.secret, digestmod="sha256")

    @classmethod
    async def open(cls, make: Callable[[], Store]) -> Journal:
        """Open a store in a thread of its own.

        Raises:
            ConfigError: If it cannot be opened.
        """
        thread = ThreadPoolExecutor(1, thread_name_prefix="cadenza-journal")
        made: list[Store] = []
        opening = _begin(thread, lambda: made.append(make()))
        try:
            await spared(opening)
        except BaseException:
            closing = _begin(thread, partial(_close, made))
            thread.shutdown(wait=False)
            await asyncio.wait([closing])  # the lock has to be free again
            raise
        return cls(made[0], thread)

    def do(self, job: Callable[[Store], T]) -> asyncio.Future[T]:
        """Do a job soon, whoever waits for it or does not; it lasts when the future is done."""
        return self._add(job)

    def move(
        self,
        id_: int,
        state: RowState,
        *,
        account: TradingAccount | None = None,
        error: CadenzaError | None = None,
        held: Held | None = None,
    ) -> asyncio.Future[None]:
        """Take a row to another state, as `do` does.

        Args:
            id_: Its place in the journal.
            state: Where it goes.
            account: The account that was connected, if it was.
            error: What went wrong, if anything.
            held: The credential that holds the row's keys, if there is one.
        """
        move = Move(id_, state, account, error)
        job: Job = move if held is None else lambda store: store.keep(move, held)
        return self._add(job, work=_SENDING if state is RowState.INTENT else 1)

    def _add(self, job: Job, *, work: int = 0) -> asyncio.Future[Any]:
        done: asyncio.Future[Any] = self._loop.create_future()
        self._waiting.append(_Order(job, done, work))
        if self._committing is None:
            self._plan()
        return done

    def close(self) -> asyncio.Future[None]:
        """Do what is still to be done, and close the store; the future is done when it is."""
        if self._closing is None:
            if self._timer is not None:
                self._timer.cancel()
            while self._waiting:
                self._commit()
            self._closing = _begin(self._thread, self._store.close)
            self._thread.shutdown(wait=False)
        return self._closing

    def _plan(self) -> None:
        """See to it that what waits is committed, together with what comes until then."""
        if self._waiting and self._committing is None and self._timer is None:
            self._timer = self._loop.call_at(self._not_before, self._commit)

    def _commit(self) -> None:
        self._timer, self._not_before = None, self._loop.time() + _PACE
        batch = self._waiting[:_LARGEST_COMMIT]
        del self._waiting[:_LARGEST_COMMIT]
        jobs = [order.job for order in batch]
        self._committing = _begin(self._thread, partial(_run, self._store, jobs))
        self._committing.add_done_callback(lambda committing: self._committed(batch, committing))

    def _committed(self, batch: list[_Order], committing: asyncio.Future[list[Any]]) -> None:
        if committing is self._committing:
            self._committing = None
        self._plan()
        error = committing.exception()
        answers = committing.result() if error is None else [error] * len(batch)
        telling = bool(self._done)
        for order, answer in zip(batch, answers, strict=True):
            if order.work:
                self._done.append((order, answer))
            else:
                _answer(order.done, answer)
        if not telling:
            self._tell()

    def _tell(self) -> None:
        """Tell those whose jobs are done, some at a time."""
        work = 0
        while self._done and work < _BURST:
            order, answer = self._done.popleft()
            work += order.work
            _answer(order.done, answer)
        if self._done:
            self._loop.call_soon(self._tell)


def _begin(thread: ThreadPoolExecutor, job: Callable[[], T]) -> asyncio.Future[T]:
    """Do a job in the thread.

    Raises:
        ClosedError: In the future, if the program has come to its end: then threads take no more.
    """
    loop = asyncio.get_running_loop()
    try:
        return loop.run_in_executor(thread, job)
    except RuntimeError as error:
        why = str(error)
    refused: asyncio.Future[T] = loop.create_future()
    refused.set_exception(ClosedError(f"nothing can be written to the journal any more: {why}"))
    refused.exception()  # whoever waits for it sees it, and there may be nobody
    return refused


def _answer(done: asyncio.Future[Any], answer: object) -> None:
    if done.cancelled():
        return
    if isinstance(answer, BaseException):
        done.set_exception(answer)
    else:
        done.set_result(answer)


def _close(made: list[Store]) -> None:
    for store in made:
        store.close()


def _run(store: Store, jobs: list[Job]) -> list[Any]:
    moves = [job for job in jobs if isinstance(job, Move)]
    if len(moves) == len(jobs):
        store.move(moves)
        return [None] * len(jobs)
    with store.transaction():
        if moves:
            store.move(moves)
        return [None if isinstance(job, Move) else job(store) for job in jobs]
