"""What became of the rows whose answer was lost: the accounts that exist are the witness."""

from __future__ import annotations

from collections import defaultdict
from functools import partial
from typing import TYPE_CHECKING, Final

from cadenza_async._retry import backoff
from cadenza_async.errors import AmbiguousOutcomeError, CadenzaError, ConflictError, ServerError
from cadenza_async.onboarding._states import RowState
from cadenza_async.onboarding._sweeps import agree, sweep

if TYPE_CHECKING:
    import asyncio
    from collections.abc import Callable, Iterable, Sequence

    from cadenza_async._session import Session
    from cadenza_async.models import TradingAccount
    from cadenza_async.onboarding._desk import Desk, Row

_LEAST_PAUSE: Final = 0.5  # of the quarantine, between two looks
_PAUSE: Final = 3.0  # times what a look took, so that looking leaves calls for sending


class Doubts:
    """The rows of one user that are UNKNOWN. One look at the user's accounts serves all.

    A row is found by its name, at any time. That it is not there is believed after two complete
    lists that agree, both begun when its quarantine was over.

    Args:
        desk: What the lanes share.
        user: The user.
        settled: Is told of each row that is in doubt no longer; one that is PENDING has no outcome.
        fail: Is told what makes going on useless.
    """

    def __init__(
        self,
        desk: Desk,
        user: str,
        *,
        settled: Callable[[Row], None],
        fail: Callable[[CadenzaError], None],
    ) -> None:
        self._desk = desk
        self._user = user
        self._settled = settled
        self._fail = fail
        self._task: asyncio.Task[None] | None = None
        self._rows: dict[int, Row] = {}

    def __len__(self) -> int:
        return len(self._rows)

    def add(self, row: Row, session: Session) -> None:
        """Take a row whose last sending may have been done."""
        row.since = self._desk.shared.loop.time()
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
                raise ServerError("the list of accounts changed each time it was read", status=200)
            else:
                failures += 1
                pause = backoff(failures, self._desk.shared.jitter)

    async def _rest(self, pause: float) -> None:
        """Wait until the first quarantine is over."""
        first = min(self._due(row) for row in self._rows.values())
        await self._desk.shared.pause(max(pause, first - self._now()))

    async def _look(self, session: Session) -> bool:
        """Settle what can be settled. Return whether two lists, if it took two, agree."""
        first = await sweep(self._desk, session)
        await self._adopt(await self._strangers(first.accounts))
        ripe = [row for row in self._rows.values() if self._due(row) <= first.begun]
        if not ripe:
            return True
        second = await sweep(self._desk, session)
        strangers = await self._strangers(second.accounts)
        if not agree(first, second, strangers):
            await self._adopt(strangers)
            return False
        strangers = await self._adopt(strangers)
        await self._conclude([row for row in ripe if row.id in self._rows], strangers)
        return True

    async def _adopt(self, strangers: list[TradingAccount]) -> list[TradingAccount]:
        """Settle the rows whose account is there; return the accounts that are left over."""
        named: defaultdict[object, list[TradingAccount]] = defaultdict(list)
        for account in strangers:
            named[account.venue.casefold(), account.name].append(account)
        found = [
            (row, accounts)
            for row in self._rows.values()
            if (accounts := named.pop((row.account.venue.casefold(), row.name), None))
        ]
        for row, accounts in found:
            if len(accounts) == 1:
                await self._settle(row, RowState.DONE, account=accounts[0])
            else:
                await self._settle(row, RowState.CONFLICT, error=_ambiguous(row, accounts))
        return [account for accounts in named.values() for account in accounts]

    async def _conclude(self, rows: Iterable[Row], strangers: Sequence[TradingAccount]) -> None:
        """Settle rows whose account is not there."""
        renames = await self._desk.journal.do(lambda store: store.renames(self._user))
        for row in rows:
            doubt = _doubt(row, strangers, renames=renames)
            if doubt is not None:
                await self._settle(row, RowState.CONFLICT, error=doubt)
            elif isinstance(row.error, ConflictError):
                await self._settle(row, RowState.FAILED, error=row.error)
            else:
                await self._settle(row, RowState.PENDING, error=row.error)

    async def _settle(
        self,
        row: Row,
        state: RowState,
        *,
        account: TradingAccount | None = None,
        error: CadenzaError | None = None,
    ) -> None:
        await self._desk.journal.move(row.id, state, account=account, error=error)
        del self._rows[row.id]
        row.connected, row.error, row.since = account, error, None
        self._desk.mark(row, state)
        if state is not RowState.PENDING:
            await self._desk.finish(row)
        self._settled(row)

    async def _strangers(self, accounts: Iterable[TradingAccount]) -> list[TradingAccount]:
        return await self._desk.journal.do(lambda store: store.strangers(self._user, accounts))

    def _due(self, row: Row) -> float:
        return (row.since or 0.0) + self._quarantine

    def _now(self) -> float:
        return self._desk.shared.loop.time()

    @property
    def _quarantine(self) -> float:
        return self._desk.options.quarantine


def _doubt(
    row: Row, strangers: Iterable[TradingAccount], *, renames: bool
) -> AmbiguousOutcomeError | None:
    """Return why the absence of a row's name does not prove that nothing was connected.

    A stranger of its venue may be it under a name that the server trimmed or cut.
    """
    venue, name = row.account.venue.casefold(), _folded(row.name)
    candidates = [
        account
        for account in strangers
        if account.venue.casefold() == venue and (renames or name.startswith(_folded(account.name)))
    ]
    return _ambiguous(row, candidates) if candidates or renames else None


def _folded(name: str | None) -> str:
    return "".join((name or "").casefold().split())


def _ambiguous(row: Row, accounts: Sequence[TradingAccount]) -> AmbiguousOutcomeError:
    why = f"{len(accounts)} accounts may be it" if accounts else "Cadenza changes names"
    return AmbiguousOutcomeError(
        f"{row.account.venue} {row.name!r}: whether it was connected cannot be told: {why}",
        accounts=accounts,
    )
