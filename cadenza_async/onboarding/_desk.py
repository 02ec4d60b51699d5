"""What the lanes of a run share."""

from __future__ import annotations

import asyncio
import contextlib
from collections import Counter
from typing import TYPE_CHECKING, Any, cast

from attrs import frozen

from cadenza_async._retry import backoff
from cadenza_async.errors import ApiError, CadenzaError
from cadenza_async.onboarding._outlet import Outlet
from cadenza_async.onboarding._slots import Slots
from cadenza_async.onboarding._states import Flavour, RowOutcome, RowState
from cadenza_async.onboarding._venues import Venues
from cadenza_async.onboarding._ways import WAYS

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine

    from cadenza_async._session import Session
    from cadenza_async._shared import Shared
    from cadenza_async.errors import InvalidRowError
    from cadenza_async.onboarding._journal import Journal
    from cadenza_async.onboarding._lane import Lane
    from cadenza_async.onboarding._row import Row

_LEAST_ROOM = 256  # outcomes


@frozen(kw_only=True)
class Options:
    """How a run goes; see `onboard`."""

    path: str
    quarantine: float
    patience: float
    concurrency: int
    unique_names: bool
    retry_failed: bool
    flavour: Flavour


class Desk:
    """Tools, tasks and counts of a run.

    Args:
        shared: What the pool shares.
        journal: The journal.
        options: How the run goes.
        find_session: Gives the session of a user (empty: the client's own).
        on_error: Is told of an error that ends the run.

    Attributes:
        tasks: All tasks of the run but its first.
        flying: Those that may have sent something.
        lanes: Those that are at work, by user.
        stopped: Why nothing more can be done for a user, by user.
        lost: Why nothing more can be done for anybody.
        seen: When what no row explains was seen first, by its id and the loop's clock.
        stopping: Whether nothing more may be sent.
        unfinished: How many rows were read and have no outcome yet.
    """

    def __init__(
        self,
        shared: Shared,
        journal: Journal,
        options: Options,
        find_session: Callable[[str], Session],
        on_error: Callable[[BaseException], None],
    ) -> None:
        self.shared = shared
        self.journal = journal
        self.options = options
        self.way = WAYS[options.flavour]
        self.find_session = find_session
        self.slots = Slots(options.concurrency, shared.jitter)
        self.venues = Venues(self.pause_after)
        self.outlet = Outlet(max(_LEAST_ROOM, 2 * options.concurrency))
        self.counts: Counter[RowState] = Counter()
        self.tasks: set[asyncio.Task[None]] = set()
        self.flying: set[asyncio.Task[None]] = set()
        self.stopped: dict[str, CadenzaError] = {}
        self.lanes: dict[str, Lane] = {}
        self.lost: CadenzaError | None = None
        self.seen: dict[str, float] = {}
        self.stopping = False
        self.on_error = on_error
        self._left = asyncio.Event()
        self._few = 0
        self.unfinished = 0

    def spawn(self, job: Callable[[], Coroutine[Any, Any, None]]) -> asyncio.Task[None]:
        """Start a task of this run; an error in it ends the run."""
        task = self.shared.loop.create_task(self._watch(job))
        if not task.done():
            self.tasks.add(task)
        return task

    async def until_closed(self) -> None:
        """Wait until the pool is closed.

        Raises:
            ClosedError: When it is.
        """
        with contextlib.suppress(TimeoutError):
            async with self.shared.waits.at(None):
                await self.shared.loop.create_future()
        self.shared.check()

    async def _watch(self, job: Callable[[], Coroutine[Any, Any, None]]) -> None:
        try:
            await job()
        except asyncio.CancelledError:
            raise
        except BaseException as error:  # noqa: BLE001  # who iterates is told, to exit perhaps
            self.on_error(error)
        finally:
            task = cast("asyncio.Task[None]", asyncio.current_task())
            self.tasks.discard(task)
            self.flying.discard(task)

    def lose_patience(self, error: CadenzaError) -> None:
        """Give all users up if Cadenza has been out of reach for too long."""
        since = self.slots.unreachable_since
        if since is not None and self.shared.loop.time() - since > self.options.patience:
            self.lost = error
            for lane in [*self.lanes.values()]:
                lane.end(error)

    def pause_after(self, error: CadenzaError, failures: int) -> float:
        """Return how long to wait after an error: as long as it asks for, if it does.

        Args:
            error: What could not be done now.
            failures: How many there were before this one.
        """
        wait = backoff(failures, self.shared.jitter)
        if isinstance(error, ApiError) and error.retry_after is not None:
            wait = error.retry_after
        return min(wait, self.options.patience)

    async def stop(self) -> None:
        """End all tasks; those that may have sent something get the grace period to end well.

        Being cancelled only shortens it.
        """
        self.stopping = True
        for lane in self.lanes.values():
            lane.rest()
        for task in self.tasks - self.flying:
            task.cancel()
        try:
            if self.flying:
                await asyncio.wait(self.flying, timeout=self.shared.config.grace)
        finally:
            for task in self.tasks:
                task.cancel()
            await asyncio.gather(*self.tasks, return_exceptions=True)

    def take(self) -> None:
        """Count a row that was read."""
        self.unfinished += 1
        self.counts[RowState.PENDING] += 1

    async def until_left(self, few: int) -> None:
        """Wait until so few rows have no outcome yet; only one may wait."""
        if self.unfinished > few:
            self._few = few
            self._left.clear()
            await self._left.wait()

    def mark(self, row: Row, state: RowState) -> None:
        """Take a row to another state."""
        self.counts[row.state] -= 1
        self.counts[state] += 1
        row.state = state

    async def finish(self, row: Row) -> None:
        """Hand over the outcome of a row for which no room was taken yet."""
        await self.outlet.take_room()
        self.hand_over(row)

    def hand_over(self, row: Row) -> None:
        """Hand over the outcome of a row; there is room for it."""
        outcome = RowOutcome(
            key=row.key,
            state=row.state,
            account=row.connected,
            error=row.error,
            attempts=row.attempts,
            user=row.account.user or None,
            venue=row.account.venue,
            name=row.name,
            credential_id=row.credential_id,
        )
        self._put(outcome)

    async def refuse(self, error: InvalidRowError, key: str) -> None:
        """Note that a row was met that could not be read; there is room for its outcome."""
        known = await self.journal.do(lambda store: store.register.see(key, error))
        self.counts[RowState.PENDING] -= 1
        self.counts[known.state] += 1
        credential_id = None if known.held is None else known.held.credential_id
        self._put(
            RowOutcome(key=key, state=known.state, error=known.error, credential_id=credential_id)
        )

    def _put(self, outcome: RowOutcome) -> None:
        self.unfinished -= 1
        if self.unfinished <= self._few:
            self._left.set()
        self.outlet.put(outcome)
