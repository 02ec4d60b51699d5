"""One sending of a row: one step on its way."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, cast

from cadenza_async.errors import (
    CadenzaError,
    ClosedError,
    CredentialsRejectedError,
    OutcomeUnknownTimeoutError,
)
from cadenza_async.onboarding._states import Fate, RowState, after, as_cadenza_error, fate_of_others
from cadenza_async.onboarding._sweeps import FOREVER

if TYPE_CHECKING:
    from collections.abc import Callable

    from cadenza_async._session import Session
    from cadenza_async.onboarding._desk import Desk
    from cadenza_async.onboarding._row import Row

SETTLED = frozenset({RowState.DONE, RowState.FAILED})


class _StoppedError(Exception):
    """The run was stopped before the row was sent."""


class Flight:
    """Sends a row once: waits for its turn, writes down the intent, sends, writes down what came.

    Args:
        desk: What the lanes share.
        session: The user's session.
        user: The user.
        row: The row.
        departed: Is called when the row has had its turn, or never will.
    """

    def __init__(
        self,
        desk: Desk,
        session: Session,
        user: str,
        row: Row,
        *,
        departed: Callable[[], None],
    ) -> None:
        self._desk = desk
        self._session = session
        self._user = user
        self._row = row
        self._step = desk.way.next_step(row)
        self._left: float | None = None
        self._intended = False
        self._broken = False
        self._departed: Callable[[], None] | None = departed

    async def fly(self) -> Fate:
        """Send the row, and leave in it what came of that.

        When it is settled there is room for its outcome.
        """
        try:
            error = await self._send()
            return await self._land(error)
        finally:
            self._give_back()
            self._depart()

    async def _send(self) -> Exception | None:
        row, step = self._row, self._step
        call = step.call(row, self._desk.shared.config)
        try:
            value = await self._session.send(
                call, patience=FOREVER, before_attempt=self._leave, before_retry=self._return
            )
        except Exception as error:  # noqa: BLE001  # a user's token source may raise anything
            closed = isinstance(error, ClosedError) and not self._desk.shared.is_open
            self._broken = self._broken or closed
            return error
        if step.names and value.name != row.name:
            self._desk.journal.do(lambda store: store.note_renaming(self._user))
        return step.take(row, value)

    async def _leave(self) -> None:
        """Wait for a slot, once there is room in the rate limit, and write down the intent."""
        try:
            await self._take_slot()
            if self._step.writes:
                self._row.left = self._left
                await self._desk.journal.move(self._row.id, RowState.INTENT)
        except Exception:
            self._broken = True
            raise
        self._intended = True
        if self._desk.stopping:
            raise _StoppedError
        self._row.attempts += self._step.writes

    async def _take_slot(self) -> None:
        await self._desk.outlet.take_room()
        try:
            self._left = await self._desk.slots.take()
        except BaseException:
            self._desk.outlet.leave_room()
            raise
        self._desk.flying.add(cast("asyncio.Task[None]", asyncio.current_task()))
        self._desk.mark(self._row, RowState.INTENT)
        self._depart()

    def _depart(self) -> None:
        """Let the next row wait for its turn."""
        departed, self._departed = self._departed, None
        if departed is not None:
            departed()

    def _return(self) -> None:
        """Keep nothing back from others while waiting for room in the rate limit once more.

        Those who have that room may be waiting for a slot.
        """
        self._give_back()
        self._desk.outlet.leave_room()

    def _give_back(self) -> None:
        if self._left is not None:
            self._left = None
            self._desk.slots.give_back()

    async def _land(self, error: Exception | None) -> Fate:
        """Write down what came of it."""
        failure, came = self._judge(error)
        row = self._row
        state = after(came, stored=row.held is not None)
        row.error = failure
        if self._left is not None:
            self._note(came, failure, self._left)
            self._give_back()
            if state not in SETTLED:
                self._desk.outlet.leave_room()
        if self._intended:
            written = self._desk.journal.move(
                row.id, state, account=row.connected, error=failure, held=row.held
            )
            row.doubted = row.doubted or state is RowState.UNKNOWN
            self._desk.mark(row, state)
            await written
        if self._broken:
            raise cast("Exception", error)
        return came

    def _judge(self, error: Exception | None) -> tuple[CadenzaError | None, Fate]:
        if isinstance(error, _StoppedError) or self._broken:
            return None, Fate.THROTTLED
        failure = None if error is None else as_cadenza_error(error)
        if failure is not None and self._left is None:
            return failure, fate_of_others(failure)
        return failure, self._step.fate(self._row, failure)

    def _note(self, came: Fate, error: CadenzaError | None, left: float) -> None:
        """Let slots and venues know how it went."""
        slots, venues, venue = self._desk.slots, self._desk.venues, self._row.account.venue
        if came is Fate.UNREACHABLE:
            slots.unreachable(left)
        elif came is Fate.THROTTLED or isinstance(error, OutcomeUnknownTimeoutError):
            slots.trouble(left)
        elif came is not Fate.DOUBTFUL:
            slots.well()
        if came is Fate.VENUE_DOWN and error is not None:
            venues.down(venue, error, self._desk.shared.loop.time())
        elif came is Fate.DONE or isinstance(error, CredentialsRejectedError):
            venues.up(venue)
