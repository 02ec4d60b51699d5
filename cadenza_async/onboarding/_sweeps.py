"""All accounts of a user, listed in the background of other work."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from attrs import frozen

from cadenza_async import _endpoints
from cadenza_async._paging import Cursor
from cadenza_async._retry import backoff
from cadenza_async.errors import CadenzaError
from cadenza_async.models import TradingAccount
from cadenza_async.onboarding._states import Fate, fate_of_others, ours

if TYPE_CHECKING:
    from collections.abc import Iterable

    from cadenza_async._calls import Call
    from cadenza_async._session import Session
    from cadenza_async._wire import Page
    from cadenza_async.onboarding._desk import Desk

FOREVER: Final = 1e9  # seconds


@frozen(kw_only=True)
class Sweep:
    """A complete list.

    Attributes:
        begun: When it was begun, by the loop's clock.
        accounts: All accounts, whatever their venue and status.
    """

    begun: float
    accounts: tuple[TradingAccount, ...]

    @property
    def ids(self) -> frozenset[str]:
        """What the accounts are called by the server."""
        return frozenset(account.trading_account_id for account in self.accounts)


async def sweep(desk: Desk, session: Session) -> Sweep:
    """List all accounts of an identity, however long that takes.

    A list that changes while its pages are read may skip a row: then it is read again.

    Raises:
        CadenzaError: If it is of no use to go on trying.
    """
    give_up = desk.shared.loop.time() + desk.options.patience
    failures, before = 0, frozenset[str]()
    while True:
        try:
            found, reliable = await _pages(session, desk.shared.loop.time())
        except CadenzaError as error:
            lost = fate_of_others(error) is Fate.USER_OUT
            if lost or desk.shared.loop.time() > give_up:
                raise
        else:
            if reliable or found.ids == before:
                return found
            before = found.ids
        await desk.shared.pause(backoff(failures, desk.shared.jitter))
        failures += 1


async def _pages(session: Session, begun: float) -> tuple[Sweep, bool]:
    """List them once, and tell whether nothing can have been skipped."""
    cursor = Cursor()
    accounts: list[TradingAccount] = []
    while not cursor.finished:
        call = _endpoints.list_accounts(offset=cursor.offset)
        accounts += cursor.advance(await _page(session, call))
    reliable = not cursor.shrunk and cursor.total in {None, len(accounts)}
    return Sweep(begun=begun, accounts=tuple(accounts)), reliable


async def _page(session: Session, call: Call[Page]) -> Page:
    try:
        return await session.send(call, patience=FOREVER)
    except Exception as error:  # noqa: BLE001  # a user's token source may raise anything
        failure = ours(error)
    raise failure


def agree(first: Sweep, second: Sweep, strangers: Iterable[TradingAccount]) -> bool:
    """Tell whether two lists show the same accounts, but for what we connected meanwhile.

    Args:
        first: One list.
        second: The next one.
        strangers: The accounts of the second that no row explains.
    """
    fresh = second.ids - first.ids
    return first.ids <= second.ids and not any(a.trading_account_id in fresh for a in strangers)
