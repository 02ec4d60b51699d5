"""What became of the rows whose answer was lost: what exists is the witness."""

from __future__ import annotations

from collections import defaultdict
from datetime import timedelta
from functools import partial
from typing import TYPE_CHECKING, Final, Generic, TypeVar

from attrs import evolve

from cadenza_async._retry import backoff
from cadenza_async.errors import CadenzaError, ConflictError, OutcomeUnknownError
from cadenza_async.onboarding._states import OPEN, RowState, waiting
from cadenza_async.onboarding._sweeps import agree, list_changed, sweep

if TYPE_CHECKING:
    import asyncio
    from collections.abc import Callable, Hashable, Iterable, Sequence
    from datetime import datetime

    from cadenza_async._session import Session
    from cadenza_async.models import TradingAccount
    from cadenza_async.onboarding._credentials import Held
    from cadenza_async.onboarding._desk import Desk
    from cadenza_async.onboarding._row import Row
    from cadenza_async.onboarding._sweeps import Sweep
    from cadenza_async.onboarding._witnesses import Witness

T = TypeVar("T")

_LEAST_PAUSE: Final = 0.5  # of the quarantine, between two looks
_LONG: Final = timedelta(days=1)  # no two clocks are as far apart
_PAUSE: Final = 3.0  # times what a look took, so that looking leaves calls for sending


class Doubts(Generic[T]):
    """The rows of one user that are UNKNOWN. One look at what the user has serves all.

    What a row made is found by its marks, at any time. That it is not there is believed after two
    complete lists that agree, both begun when its quarantine was over.

    Args:
        desk: What the lanes share.
        user: The user.
        witness: What is looked for.
        settled: Is told of each row that is in doubt no longer; one that is PENDING has no outcome.
        fail: Is told what makes going on useless.
    """

    def __init__(
        self,
        desk: Desk,
        user: str,
        witness: Witness[T],
        *,
        settled: Callable[[Row], None],
        fail: Callable[[CadenzaError], None],
    ) -> None:
        self._desk = desk
        self._user = user
        self._witness = witness
        self.concern = witness.concern
        self._settled = settled
        self._fail = fail
        self._task: asyncio.Task[None] | None = None
        self._rows: dict[int, Row] = {}

    def __len__(self) -> int:
        return len(self._rows)

    def add(self, row: Row, session: Session) -> None:
        """Take a row whose last sending may have been done."""
        row.since = self._desk.shared.loop.time()
        if row.held is not None:
            row.held = evolve(row.held, verified=False)
        self._rows[row.id] = row
        if self._task is None:
            self._task = self._desk.spawn(partial(self._work, session))

    def clear(self) -> list[Row]:
        """Stop, and give back all rows as they are."""
        if self._task is not None:
            self._task.cancel()
        rows = list(self._rows.values())
        self._rows.clear()
        return rows

    async def _work(self, session: Session) -> None:
        failure: CadenzaError | None = None
        try:
            await self._settle_all(session)
        except CadenzaError as error:
            failure = error
        self._task = None
        if failure is not None:
            self._fail(failure)

    async def _settle_all(self, session: Session) -> None:
        failures, pause = 0, 0.0
        stable = self._now()
        while self._rows:
            await self._rest(pause)
            began = self._now()
            if await self._look(session):
                failures, stable = 0, self._now()
                pause = max(_LEAST_PAUSE * self._quarantine, _PAUSE * (stable - began))
            elif began - stable > self._desk.options.patience:
                raise list_changed()
            else:
                failures += 1
                pause = backoff(failures, self._desk.shared.jitter)

    async def _rest(self, pause: float) -> None:
        """Wait until the first quarantine is over."""
        first = min(self._due(row) for row in self._rows.values())
        await self._desk.shared.pause(max(pause, first - self._now()))

    async def _look(self, session: Session) -> bool:
        """Settle what can be settled. Return whether two lists, if it took two, agree."""
        first = await sweep(self._desk, session, self._witness)
        await self._adopt(await self._strangers(first.found.values()))
        ripe = [row for row in self._rows.values() if self._due(row) <= first.begun]
        if not ripe:
            return True
        second = await sweep(self._desk, session, self._witness)
        strangers = await self._strangers(second.found.values())
        if not agree(first, second, strangers):
            await self._adopt(strangers)
            return False
        strangers = await self._adopt(strangers)
        await self._conclude([row for row in ripe if row.id in self._rows], second, strangers)
        return True

    async def _adopt(self, strangers: Sequence[T]) -> list[T]:
        """Settle the rows whose thing is there; return the things that are left over."""
        signed: defaultdict[Hashable, list[T]] = defaultdict(list)
        for thing in strangers:
            for sign in self._witness.signs(thing):
                signed[sign].append(thing)
        adopted = set[int]()
        for row in [*self._rows.values()]:
            found = [thing for mark in self._witness.marks(row) for thing in signed.pop(mark, ())]
            if len(found) == 1:
                await self._settle(row, *self._witness.adopt(row, found[0]))
            elif found:
                error = self._witness.ambiguous(row, found)
                await self._settle(row, RowState.CONFLICT, error=error)
            adopted |= set(map(id, found))
        return [thing for thing in strangers if id(thing) not in adopted]

    async def _conclude(self, rows: Iterable[Row], last: Sweep[T], strangers: Sequence[T]) -> None:
        """Settle rows that made nothing."""
        renames = await self._desk.journal.do(lambda store: store.renames(self._user))
        for row in rows:
            since = _earliest(row)
            fresh = [thing for thing in strangers if not self._was_there(row, thing)]
            doubt = self._witness.doubt(row, last.found, fresh, since=since, renames=renames)
            if doubt is not None:
                await self._settle(row, RowState.CONFLICT, error=doubt)
            elif isinstance(row.error, ConflictError):
                await self._settle(row, RowState.FAILED, error=row.error)
            else:
                await self._settle(row, waiting(stored=row.held is not None), error=row.error)

    async def _settle(
        self,
        row: Row,
        state: RowState,
        account: TradingAccount | None = None,
        held: Held | None = None,
        *,
        error: CadenzaError | None = None,
    ) -> None:
        held = held or row.held
        await self._desk.journal.move(row.id, state, account=account, error=error, held=held)
        del self._rows[row.id]
        row.doubted = row.doubted and held is row.held
        row.connected, row.held, row.error, row.since = account, held, error, None
        self._desk.mark(row, state)
        if state not in OPEN:  # that needs room, and has to be done even if this is broken off
            self._desk.spawn(partial(self._desk.finish, row))
        self._settled(row)

    async def _strangers(self, things: Iterable[T]) -> list[T]:
        found = await self._desk.journal.do(
            lambda store: self._witness.strangers(store, self._user, things)
        )
        now = self._now()
        for thing in found:
            self._desk.seen.setdefault(self._witness.id_of(thing), now)
        return found

    def _was_there(self, row: Row, thing: T) -> bool:
        """Tell whether a list had shown a thing before the row was sent."""
        return row.left is not None and self._desk.seen[self._witness.id_of(thing)] <= row.left

    def _due(self, row: Row) -> float:
        return (row.since or 0.0) + self._quarantine

    def _now(self) -> float:
        return self._desk.shared.loop.time()

    @property
    def _quarantine(self) -> float:
        return self._desk.options.quarantine


def _earliest(row: Row) -> datetime | None:
    """Return when a row can have been done at the earliest, if that is known.

    Our clock may be wrong, or have been set since, and the clock that dates accounts need not be
    the one that a ``Date`` is taken from.
    """
    sent = row.error.sent_at if isinstance(row.error, OutcomeUnknownError) else None
    return None if sent is None else sent - _LONG
