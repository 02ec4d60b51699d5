"""All accounts of a user, listed in the background of other work."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from attrs import frozen

from cadenza_async import _endpoints
from cadenza_async._paging import Cursor
from cadenza_async._retry import backoff
from cadenza_async.errors import CadenzaError, ServerError
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
            found, cursor = await _pages(session, desk.shared.loop.time())
        except CadenzaError as error:
            failure = error
        else:
            plausible = cursor.total in {None, len(found.accounts)} or found.ids == before
            if plausible and not cursor.shrunk:
                return found
            before = found.ids
            failure = ServerError("the list of accounts changed each time it was read", status=200)
        if fate_of_others(failure) is Fate.USER_OUT or desk.shared.loop.time() > give_up:
            raise failure
        await desk.shared.pause(backoff(failures, desk.shared.jitter))
        failures += 1


async def _pages(session: Session, begun: float) -> tuple[Sweep, Cursor]:
    """List them once."""
    cursor = Cursor()
    accounts: list[TradingAccount] = []
    while not cursor.finished:
        call = _endpoints.list_accounts(offset=cursor.offset)
        accounts += cursor.advance(await _page(session, call))
    return Sweep(begun=begun, accounts=tuple(accounts)), cursor


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
