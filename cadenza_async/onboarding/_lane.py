"""The rows of one user on their way, in their order, at the pace of the user's own limits."""

from __future__ import annotations

import asyncio
from collections import deque
from functools import partial
from heapq import heappop, heappush
from itertools import chain, count
from typing import TYPE_CHECKING, Any, Final, cast

from cadenza_async._retry import backoff
from cadenza_async.errors import CadenzaError, ClosedError
from cadenza_async.onboarding._doubts import Doubts
from cadenza_async.onboarding._flight import SETTLED, Flight
from cadenza_async.onboarding._states import OPEN, Fate, RowState
from cadenza_async.onboarding._sweeps import sweep

if TYPE_CHECKING:
    from collections.abc import Sequence

    from cadenza_async._session import Session
    from cadenza_async.models import NewAccount
    from cadenza_async.onboarding._desk import Desk
    from cadenza_async.onboarding._intake import Intake
    from cadenza_async.onboarding._register import Admitted
    from cadenza_async.onboarding._row import Row
    from cadenza_async.onboarding._store import Store
    from cadenza_async.onboarding._sweeps import Sweep
    from cadenza_async.onboarding._witnesses import Witness

_AHEAD: Final = 64  # rows that are ready to be sent
_PROGRESS: Final = frozenset(
    {Fate.DONE, Fate.STEP_DONE, Fate.REFUSED, Fate.DOUBTFUL, Fate.VENUE_DOWN}
)


class Lane:
    """Takes the rows of one user to their outcomes.

    One row at a time waits for room in the rate limit and for a slot, so that users take turns.

    Args:
        desk: What the lanes share.
        intake: Has the journal take in rows.
        user: The user; empty for the client's own identity.
    """

    def __init__(self, desk: Desk, intake: Intake, user: str) -> None:
        self._desk = desk
        self._intake = intake
        self._user = user
        self._queue: deque[NewAccount] = deque()
        self._ready: deque[Row] = deque()
        self._later: list[tuple[float, int, Row]] = []
        self._number = count()
        self._session: Session | None = None
        self._doubts = [
            Doubts(desk, user, witness, settled=self._settled, fail=self.end)
            for witness in desk.way.witnesses
        ]
        self._opened = self._admitting = self._departing = self._starting = False
        self._flying = 0
        self._leaving: asyncio.Task[Any] | None = None
        self._error = desk.stopped.get(user) or desk.lost
        self._not_before = 0.0
        self._stalled_since: float | None = None
        self._holds = 0
        self._timer: asyncio.TimerHandle | None = None
        desk.spawn(self._open)

    def add(self, account: NewAccount) -> None:
        """Take a row in."""
        self._queue.append(account)
        self._call()

    def end(self, error: CadenzaError) -> None:
        """Send nothing more for this user."""
        self._error = self._error or error
        self._desk.stopped[self._user] = self._error
        self._go_on()

    def rest(self) -> None:
        """Look again only when something happens, not when a row's time has come."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _go_on(self) -> None:
        """Do all that can be done now."""
        self.rest()
        if not self._opened or self._desk.stopping:
            return
        if self._error is not None:
            self._write_off()
        elif not (self._departing or self._starting):
            self._depart()
        self._call()
        if not self._busy and self._desk.lanes.get(self._user) is self:
            del self._desk.lanes[self._user]

    def _call(self) -> None:
        """Have rows taken in, if there are some and there is room for them."""
        if self._queue and self._opened and not self._admitting and len(self._ready) < _AHEAD:
            self._admitting = True
            self._intake.call(self)

    @property
    def _busy(self) -> bool:
        waiting = self._ready or self._later or self._queue or self._admitting
        return bool(self._flying or waiting or any(self._doubts))

    async def _open(self) -> None:
        """Get ready to send, if there is something to send with."""
        failure: CadenzaError | None = None
        try:
            self._session = self._desk.find_session(self._user)
            if self._error is None:
                await self._note_baseline(self._session)
        except ClosedError:
            raise
        except CadenzaError as error:
            failure = error
        self._opened = True
        if failure is None:
            self._go_on()
        else:
            self.end(failure)

    async def _note_baseline(self, session: Session) -> None:
        """Note what there is before the first row is sent."""
        if not await self._desk.journal.do(lambda store: store.knows(self._user)):
            witnesses = self._desk.way.witnesses
            before = [await sweep(self._desk, session, witness) for witness in witnesses]
            await self._desk.journal.do(partial(_note, witnesses, before, self._user))

    def give(self, most: int) -> list[NewAccount]:
        """Give the first of the rows that the journal has not taken in."""
        return [self._queue.popleft() for _ in range(min(most, len(self._queue)))]

    async def sort(self, row: Row, found: Admitted) -> None:
        """Go on with a row that the journal has taken in, from where it is."""
        row.id, row.name, row.connected = found.id, found.name, found.account
        row.error, row.doubted, row.held = found.error, found.doubted, found.held
        self._desk.mark(row, found.state)
        if found.state in OPEN:
            self._ready.append(row)
        elif found.state is RowState.UNKNOWN and found.id:
            self._doubt(row)
        else:
            await self._desk.finish(row)

    def admitted(self) -> None:
        """Note that the rows given last have been taken in."""
        self._admitting = False
        self._go_on()

    def _doubt(self, row: Row) -> None:
        if self._error is None and self._session is not None:
            next(each for each in self._doubts if each.concern(row)).add(row, self._session)
        else:
            self._give_up([row], self._error)

    def _write_off(self) -> None:
        """Finish the rows that nothing more can be done for, in the state they are in."""
        if self._leaving is not None:
            self._leaving.cancel()
        doubtful = chain.from_iterable(each.clear() for each in self._doubts)
        rows = [*self._ready, *(row for *_, row in self._later), *doubtful]
        self._ready.clear()
        self._later.clear()
        self._give_up(rows, self._error)

    def _give_up(self, rows: Sequence[Row], error: CadenzaError | None) -> None:
        for row in rows:
            row.error = error
            self._desk.spawn(partial(self._desk.finish, row))

    def _depart(self) -> None:
        """Send the next row off, or look again when it may be sent.

        In a loop that begins tasks at once a row may have had its turn before `spawn` returns.
        """
        while (row := self._pick()) is not None:
            self._departing = self._starting = True
            self._flying += 1
            self._desk.spawn(partial(self._fly, row))
            self._starting = False
            if self._departing:
                return
        moments = [self._later[0][0]] if self._later else []
        moments += [self._not_before] if self._ready else []
        if moments:
            self._timer = self._desk.shared.loop.call_at(min(moments), self._go_on)

    def _pick(self) -> Row | None:
        """Return the next row that may be sent now."""
        if not (self._ready or self._later):
            return None
        now = self._now()
        while self._later and self._later[0][0] <= now:
            self._ready.append(heappop(self._later)[-1])
        if now < self._not_before:
            return None
        while self._ready:
            row = self._ready.popleft()
            wait = self._desk.venues.wait(row.account.venue, now)
            if not wait:
                return row
            self._postpone(row, wait)
        return None

    def _postpone(self, row: Row, wait: float) -> None:
        """Wait for the row's exchange to come back, but not for ever."""
        now = self._now()
        row.since = now if row.since is None else row.since
        if now - row.since > self._desk.options.patience:
            self._give_up([row], row.error or self._desk.venues.error(row.account.venue))
        else:
            heappush(self._later, (now + wait, next(self._number), row))

    async def _fly(self, row: Row) -> None:
        """Send a row; the next one may wait for its turn when this one has had its own."""
        try:
            self._land(row, await self._send(row))
        finally:
            self._desk.venues.no_news(row.account.venue)
            self._flying -= 1
            self._go_on()

    async def _send(self, row: Row) -> Fate:
        """Send a row, unless the user is given up before it has its turn."""
        if self._error is not None:
            self._departed()
            return Fate.USER_OUT
        session = cast("Session", self._session)  # without one there is an error
        flight = Flight(self._desk, session, self._user, row, departed=self._departed)
        self._leaving = asyncio.current_task()
        try:
            return await flight.fly()
        except asyncio.CancelledError:
            if self._error is None or self._desk.stopping or row.state not in OPEN:
                raise
        return Fate.USER_OUT

    def _departed(self) -> None:
        self._departing, self._leaving = False, None
        self._go_on()

    def _land(self, row: Row, came: Fate) -> None:
        if came in _PROGRESS:
            self._stalled_since, self._holds = None, 0
        if row.state in SETTLED:
            self._desk.hand_over(row)
        elif came is Fate.DOUBTFUL:
            self._doubt(row)
        elif came is Fate.VENUE_DOWN:
            row.failures += 1
            self._postpone(row, backoff(row.failures, self._desk.shared.jitter))
        else:
            self._ready.appendleft(row)
            self._hold(row.error, came)

    def _hold(self, error: CadenzaError | None, came: Fate) -> None:
        """Wait before the next row is sent, or give the user up."""
        if error is None:
            return
        if came is Fate.USER_OUT:
            self.end(error)
        elif came is Fate.THROTTLED:
            self._throttle(error)
        else:
            self._desk.lose_patience(error)

    def _throttle(self, error: CadenzaError) -> None:
        now = self._now()
        self._stalled_since = now if self._stalled_since is None else self._stalled_since
        if now - self._stalled_since > self._desk.options.patience:
            self.end(error)
            return
        self._not_before = now + self._desk.pause_after(error, self._holds)
        self._holds += 1

    def _settled(self, row: Row) -> None:
        if row.state in OPEN:
            self._try_again(row)
        self._go_on()

    def _try_again(self, row: Row) -> None:
        """Send a row again of which nothing came, but not for ever."""
        now = self._now()
        if row.fruitless_since is None or row.error is None:
            row.fruitless_since = now
        if now - row.fruitless_since > self._desk.options.patience:
            self._give_up([row], row.error)
        else:
            self._ready.appendleft(row)

    def _now(self) -> float:
        return self._desk.shared.loop.time()


def _note(
    witnesses: Sequence[Witness[Any]], before: Sequence[Sweep[Any]], user: str, store: Store
) -> None:
    for witness, there in zip(witnesses, before, strict=True):
        witness.note(store, user, there.found.values())
