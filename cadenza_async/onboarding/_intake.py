"""How rows come into the journal: those of all users together, a batch at a time."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING, Final

from cadenza_async.onboarding._entry import enter
from cadenza_async.onboarding._row import Row

if TYPE_CHECKING:
    from cadenza_async.models import NewAccount
    from cadenza_async.onboarding._desk import Desk
    from cadenza_async.onboarding._lane import Lane

_BATCH: Final = 128  # rows; taking them down keeps others in the loop waiting


class Intake:
    """Has rows taken in for the lanes that call for them, in turns.

    Args:
        desk: What the lanes share.
    """

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._calling: deque[Lane] = deque()
        self._working = False

    def call(self, lane: Lane) -> None:
        """Take in rows of a lane, some at least; it is told when that is done."""
        self._calling.append(lane)
        if not self._working:
            self._working = True
            self._desk.spawn(self._work)

    async def _work(self) -> None:
        while self._calling:
            await self._admit(self._gather())
        self._working = False

    def _gather(self) -> list[tuple[Lane, NewAccount]]:
        batch: list[tuple[Lane, NewAccount]] = []
        while self._calling and len(batch) < _BATCH:
            lane = self._calling.popleft()
            batch += [(lane, account) for account in lane.give(_BATCH - len(batch))]
        return batch

    async def _admit(self, batch: list[tuple[Lane, NewAccount]]) -> None:
        journal, unique = self._desk.journal, self._desk.options.unique_names
        entries = [enter(account, journal.keyed, unique_names=unique) for _, account in batch]
        admitted = await journal.do(lambda store: store.register.admit(entries))
        for (lane, account), entry, found in zip(batch, entries, admitted, strict=True):
            await lane.sort(Row(account=account, key=entry.key), found)
        for lane in dict.fromkeys(lane for lane, _ in batch):
            lane.admitted()
