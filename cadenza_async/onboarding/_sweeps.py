"""All that a user has of a kind, listed in the background of other work."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Final, Generic, TypeVar

from attrs import frozen

from cadenza_async._paging import Cursor
from cadenza_async.errors import CadenzaError, ClosedError, ServerError
from cadenza_async.onboarding._states import Fate, as_cadenza_error, fate_of_others

if TYPE_CHECKING:
    from collections.abc import Collection

    from cadenza_async._answers import Page
    from cadenza_async._calls import Call
    from cadenza_async._session import Session
    from cadenza_async.onboarding._desk import Desk
    from cadenza_async.onboarding._witnesses import Witness

T = TypeVar("T")

FOREVER: Final = 1e9  # seconds


@frozen(kw_only=True)
class Sweep(Generic[T]):
    """A complete list.

    Attributes:
        begun: When it was begun, by the loop's clock.
        found: All there is by its id, whatever its venue and status.
    """

    begun: float
    found: Mapping[str, T]


async def sweep(desk: Desk, session: Session, witness: Witness[T]) -> Sweep[T]:
    """List all of a kind that an identity has, however long that takes.

    A list that changes while its pages are read may skip a row: then it is read again.

    Raises:
        CadenzaError: If it is of no use to go on trying.
    """
    since = desk.shared.loop.time()
    failures, before = 0, None
    while True:
        found, cursor = await _pages(desk, session, witness)
        if cursor.settled(before):
            return found
        before = cursor.seen
        await _rest(desk, list_changed(), failures, since)
        failures += 1


def list_changed() -> CadenzaError:
    """Return the failure of a list that is another one each time."""
    return ServerError("the list changed each time it was read", status=200)


async def _pages(desk: Desk, session: Session, witness: Witness[T]) -> tuple[Sweep[T], Cursor]:
    """List them once."""
    begun, cursor = desk.shared.loop.time(), Cursor()
    found: dict[str, T] = {}
    while not cursor.finished:
        page = await _page(desk, session, witness.page(cursor.offset, desk.shared.config.dialect))
        cursor.advance(page)
        found |= page.rows
    return Sweep(begun=begun, found=found), cursor


async def _page(desk: Desk, session: Session, call: Call[Page[T]]) -> Page[T]:
    """Ask for a page until it comes: those before it are not read again for its sake."""
    since = desk.shared.loop.time()
    failures = 0
    while True:
        try:
            return await session.send(call, patience=FOREVER)
        except Exception as error:  # noqa: BLE001  # a user's token source may raise anything
            if isinstance(error, ClosedError):
                desk.shared.check()
            failure = as_cadenza_error(error)
        await _rest(desk, failure, failures, since)
        failures += 1


async def _rest(desk: Desk, failure: CadenzaError, failures: int, since: float) -> None:
    """Wait before the next try, unless trying is of no use, or has been for too long."""
    too_long = desk.shared.loop.time() - since > desk.options.patience
    if too_long or fate_of_others(failure) is Fate.USER_OUT:
        raise failure
    await desk.shared.pause(desk.pause_after(failure, failures))


def agree(first: Sweep[T], second: Sweep[T], strangers: Collection[T]) -> bool:
    """Tell whether two lists show the same, but for what we made meanwhile.

    Args:
        first: One list.
        second: The next one.
        strangers: What no row explains of the second.
    """
    fresh = [thing for id_, thing in second.found.items() if id_ not in first.found]
    gone = first.found.keys() - second.found.keys()
    return not gone and not any(thing in strangers for thing in fresh)
