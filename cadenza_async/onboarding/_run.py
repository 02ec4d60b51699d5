"""A run: rows are read, dealt out to the lanes of their users, and waited for."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterable
from functools import partial
from typing import TYPE_CHECKING, Final

from cadenza_async._cancelling import is_cancelled, spared
from cadenza_async.errors import ClosedError, InvalidRowError, UsageError
from cadenza_async.models import NewAccount
from cadenza_async.onboarding._desk import Desk, Options
from cadenza_async.onboarding._intake import Intake
from cadenza_async.onboarding._journal import Journal
from cadenza_async.onboarding._lane import Lane
from cadenza_async.onboarding._states import RowState
from cadenza_async.onboarding._store import Store

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from cadenza_async._session import Session
    from cadenza_async._shared import Shared
    from cadenza_async.onboarding._states import RowOutcome

    Rows = Iterable[NewAccount | InvalidRowError] | AsyncIterable[NewAccount | InvalidRowError]

READ_AHEAD: Final = 10_000  # rows; so long may one user's rows be before another's turn up
_AT_A_TIME: Final = 32  # rows that are read before others in the loop have their turn
_ENOUGH: Final = 5  # rows in hand for each call that may be in flight
_PAUSE: Final = 0.02  # seconds until then, while there are rows in hand


class Run:
    """A run that has begun; `start` makes one.

    Args:
        shared: What the pool shares.
        journal: The journal, open.
        options: How it goes.
        rows: What is to be connected.
        find_session: Gives the session of a user (empty: the client's own).

    Attributes:
        missing: How many keys of the journal were not among the rows, once that is known.
    """

    def __init__(
        self,
        shared: Shared,
        journal: Journal,
        options: Options,
        rows: Rows,
        find_session: Callable[[str], Session],
    ) -> None:
        self._desk = Desk(shared, journal, options, find_session, self._fail)
        self._intake = Intake(self._desk)
        self._rows = rows
        self._number = 0
        self._error: BaseException | None = None
        self._stopped = self._ending = False
        self.missing: int | None = None
        self._main = shared.spawn(self._work())
        self._main.add_done_callback(self._ended)

    @classmethod
    async def start(
        cls,
        shared: Shared,
        options: Options,
        rows: Rows,
        find_session: Callable[[str], Session],
    ) -> Run:
        """Open the journal and begin.

        Raises:
            ConfigError: If the journal cannot be used.
        """
        make = partial(
            Store,
            options.path,
            shared.config.base_url,
            retry_failed=options.retry_failed,
            flavour=options.flavour,
        )
        journal = await Journal.open(make)
        return cls(shared, journal, options, rows, find_session)

    async def next(self) -> RowOutcome | None:
        """Return the next outcome; None when there are no more.

        Raises:
            Exception: What ended the run, if it did not end well.
        """
        return await self._desk.outlet.get()

    def abandon(self) -> None:
        """Stop, without waiting for it; may be called in any thread."""
        self._stopped = True
        loop = self._desk.shared.loop
        if not loop.is_closed():
            loop.call_soon_threadsafe(self._end)

    async def stop(self) -> None:
        """Send nothing more, wait for what is in flight, and close the journal."""
        self._stopped = True
        if not self._main.done():
            self._end()
            await asyncio.wait([self._main])
        await asyncio.wait([self._desk.journal.close()])  # if it was cancelled before it began

    @property
    def counts(self) -> dict[RowState, int]:
        """How many rows are in each state."""
        return {state: self._desk.counts[state] for state in RowState}

    def _fail(self, error: BaseException) -> None:
        if isinstance(error, ClosedError) and not self._desk.shared.is_open:
            error = _closed()  # what one call is told, that nothing was done, is not true of all
        self._error = self._error or error
        self._end()

    def _end(self) -> None:
        """Stop reading and wind up; once, as a second time would break the winding up off."""
        if not self._ending:
            self._ending = True
            self._main.cancel()

    async def _work(self) -> None:
        self._desk.spawn(self._desk.until_closed)
        try:
            await asyncio.sleep(0)  # in a loop that begins tasks at once there is no `_main` yet
            await self._read_all()
            await self._desk.until_left(0)
            self.missing = await self._desk.journal.do(lambda store: store.complete())
        except asyncio.CancelledError:
            if self._error is None and not self._stopped:
                self._error = _closed()
        except BaseException as error:  # noqa: BLE001  # their owner's to see
            self._error = self._error or error
        self._ending = True
        try:
            await self._desk.stop()
        finally:
            await spared(self._desk.journal.close())

    def _ended(self, main: asyncio.Task[None]) -> None:
        self._desk.journal.close()  # if it was cancelled before it began
        failure = None if main.cancelled() else main.exception()
        self._desk.outlet.close(self._error or failure)

    async def _read_all(self) -> None:
        """Read the rows, and tell whoever iterates of what would end the iteration quietly.

        Raises:
            UsageError: If what gives the rows was cancelled, though we were not.
        """
        try:
            await self._read()
        except (asyncio.CancelledError, StopAsyncIteration) as error:
            if is_cancelled():
                raise
            raise UsageError(f"what gives the rows raised {type(error).__name__}") from error

    async def _read(self) -> None:
        """Take the rows as there is room for them."""
        if isinstance(self._rows, AsyncIterable):
            async for row in self._rows:
                await self._take(row)
        else:
            for row in self._rows:
                await self._take(row)

    async def _take(self, row: object) -> None:
        self._number += 1
        if isinstance(row, NewAccount):
            self._deal(row)
        else:
            await self._refuse(row)
        if self._number % _AT_A_TIME == 0:
            await asyncio.sleep(self._pause())
        await self._desk.until_left(READ_AHEAD - 1)

    def _pause(self) -> float:
        """Return how long to leave the loop to others: rows that wait cost them collections."""
        enough = _ENOUGH * self._desk.options.concurrency
        return 0.0 if self._desk.unfinished < enough else _PAUSE

    def _deal(self, account: NewAccount) -> None:
        """Give a row to the lane of its user."""
        self._desk.take()
        user, lanes = account.user or "", self._desk.lanes
        if user not in lanes:
            lanes[user] = Lane(self._desk, self._intake, user)
        lanes[user].add(account)

    async def _refuse(self, row: object) -> None:
        error = row if isinstance(row, InvalidRowError) else InvalidRowError("it is no NewAccount")
        key = error.key or f"row {self._number}"
        await self._desk.outlet.take_room()
        self._desk.take()
        self._desk.spawn(partial(self._desk.refuse, error, key))


def _closed() -> ClosedError:
    return ClosedError("the client was closed before the rows were done")
