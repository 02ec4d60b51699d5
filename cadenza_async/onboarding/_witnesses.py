"""What can testify to the outcome of a call whose answer was lost, and what each can prove.

What may have been *made* is looked for in complete lists:

- An account in the list that was not there before the first sending, and that no other row
  explains, is the row's if it was connected with the row's credential. One that names none is
  known by the exchange's account that was chosen for the row, and one that does not even tell
  that, as all are that were connected with keys, by venue and name. So is a credential.
- Two lists that agree, both begun after the quarantine, prove that it was not made: unless names
  are known to be changed, or something there may be it under another name. That may be any account
  that was changed since it was made: somebody may have renamed it meanwhile. Nothing else proves
  that.

Where the keys are stored first there is a second witness. After any doubt the exchange's accounts
are asked about again (``credential/verify``) before the next connect. It can

- confirm that the account is free: the connect goes on, as the lists had said already;
- contradict the lists: the account is connected, by us or by somebody else. Then nothing is sent.
  If a connect of the row was ever in doubt the lists are read again: the account is adopted if it
  is there by now, and the row has failed as a duplicate if it is another row's or somebody's from
  before. What is connected as an account that no list shows, or as one that may be the row's under
  another name, is for a person to judge.

It cannot speak for itself: it tells neither when nor under what name an account was connected, so
it makes no row DONE, and its silence (it cannot be reached, the key is gone) proves nothing.

The log of operations (``tradingAccount/operation/list``) would be a third, and is not heard. An
entry names neither credential nor exchange's account nor name, so none can be a row's; and as an
objection ("something was connected that no list shows") it would let whatever else the user does
turn good rows into conflicts.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol, TypeVar

from cadenza_async import _endpoints
from cadenza_async._reconcile import folded, is_older, was_changed
from cadenza_async.errors import AmbiguousOutcomeError
from cadenza_async.onboarding._credentials import Held
from cadenza_async.onboarding._states import RowState

if TYPE_CHECKING:
    from collections.abc import Collection, Hashable, Iterable, Sequence
    from datetime import datetime
    from typing import TypeAlias

    from cadenza_async._answers import Page
    from cadenza_async._calls import Call
    from cadenza_async.config import Dialect
    from cadenza_async.models import Credential, TradingAccount
    from cadenza_async.onboarding._row import Row
    from cadenza_async.onboarding._store import Store

    Adopted: TypeAlias = tuple[RowState, TradingAccount | None, Held | None]

T = TypeVar("T")


class Witness(Protocol[T]):
    """A kind of things that calls make, and that can be listed."""

    def concern(self, row: Row) -> bool:
        """Tell whether what is in doubt about a row is a thing of this kind."""
        ...

    def page(self, offset: int, dialect: Dialect) -> Call[Page[T]]:
        """Return what asks for a page of them."""
        ...

    def id_of(self, thing: T) -> str:
        """Return what the server calls a thing."""
        ...

    def note(self, store: Store, user: str, there: Iterable[T]) -> None:
        """Note what a user has before anything is sent."""
        ...

    def strangers(self, store: Store, user: str, there: Iterable[T]) -> list[T]:
        """Return those that neither were there before nor are explained by a row."""
        ...

    def signs(self, thing: T) -> Iterable[Hashable]:
        """Return what a thing may be known by."""
        ...

    def marks(self, row: Row) -> Iterable[Hashable]:
        """Return what the thing of a row is known by."""
        ...

    def adopt(self, row: Row, thing: T) -> Adopted:
        """Return what a row comes to whose thing was found."""
        ...

    def doubt(
        self,
        row: Row,
        there: Collection[str],
        strangers: Sequence[T],
        *,
        since: datetime | None,
        renames: bool,
    ) -> AmbiguousOutcomeError | None:
        """Return why the absence of a row's thing does not prove that it was not made.

        Args:
            row: The row.
            there: The ids of all there is.
            strangers: What is there, belongs to no row, and was not seen before this one was sent.
            since: When it can have been made at the earliest, if that is known.
            renames: Whether the server was seen to change names.
        """
        ...

    def ambiguous(self, row: Row, found: Sequence[T]) -> AmbiguousOutcomeError:
        """Return the error of a row that several things, or none, may belong to."""
        ...


class AccountWitness:
    """Trading accounts, which connecting makes."""

    def concern(self, row: Row) -> bool:  # noqa: ARG002  # all that no other witness is asked about
        return True

    def page(self, offset: int, dialect: Dialect) -> Call[Page[TradingAccount]]:
        return _endpoints.list_accounts(offset=offset, dialect=dialect)

    def id_of(self, thing: TradingAccount) -> str:
        return thing.trading_account_id

    def note(self, store: Store, user: str, there: Iterable[TradingAccount]) -> None:
        store.note_baseline(user, there)

    def strangers(
        self, store: Store, user: str, there: Iterable[TradingAccount]
    ) -> list[TradingAccount]:
        return store.strangers(user, there)

    def signs(self, thing: TradingAccount) -> Iterable[Hashable]:
        venue, external = thing.venue.casefold(), thing.external_trading_account_id
        by_reference: list[Hashable] = [("credential", each) for each in thing.credential_ids]
        if not by_reference and external is not None:
            by_reference = [("external", venue, external)]
        return (venue, thing.name), *(by_reference or [("name", venue, thing.name)])

    def marks(self, row: Row) -> Iterable[Hashable]:
        venue = row.account.venue.casefold()
        if row.held is None:
            return ((venue, row.name),)
        return (
            ("credential", row.held.credential_id),
            ("external", venue, row.held.external_id),
            ("name", venue, row.name),
        )

    def adopt(self, row: Row, thing: TradingAccount) -> Adopted:
        return RowState.DONE, thing, row.held

    def doubt(
        self,
        row: Row,
        there: Collection[str],
        strangers: Sequence[TradingAccount],
        *,
        since: datetime | None,
        renames: bool,
    ) -> AmbiguousOutcomeError | None:
        told = row.held and row.held.told
        if row.held is not None:
            if told is not None and told not in there:
                return _unsure(row, f"it is, as {told}, but no list shows that account")
            strangers = [each for each in strangers if not _tells(each)]
            renames = renames and bool(strangers)
        found = [
            each
            for each in strangers
            if each.trading_account_id == told
            or _alike(row, each, renames=renames or _renamed(each, since))
        ]
        return self.ambiguous(row, found) if found or renames else None

    def ambiguous(self, row: Row, found: Sequence[TradingAccount]) -> AmbiguousOutcomeError:
        several = "s" if len(found) > 1 else ""
        why = f"{len(found)} account{several} may be it" if found else "Cadenza changes names"
        return _unsure(row, why, found)


class CredentialWitness:
    """Stored credentials, which the first step of the second flavour makes."""

    def concern(self, row: Row) -> bool:
        return row.held is None

    def page(self, offset: int, dialect: Dialect) -> Call[Page[Credential]]:
        return _endpoints.list_credentials(offset=offset, dialect=dialect)

    def id_of(self, thing: Credential) -> str:
        return thing.credential_id

    def note(self, store: Store, user: str, there: Iterable[Credential]) -> None:
        store.credentials.note_baseline(user, there)

    def strangers(self, store: Store, user: str, there: Iterable[Credential]) -> list[Credential]:
        return store.credentials.strangers(user, there)

    def signs(self, thing: Credential) -> Iterable[Hashable]:
        return ((thing.venue.casefold(), thing.name),)

    def marks(self, row: Row) -> Iterable[Hashable]:
        return ((row.account.venue.casefold(), row.name),)

    def adopt(self, row: Row, thing: Credential) -> Adopted:  # noqa: ARG002  # the other witness needs it
        return RowState.STORED, None, Held(credential_id=thing.credential_id)

    def doubt(
        self,
        row: Row,
        there: Collection[str],  # noqa: ARG002  # the other witness needs it
        strangers: Sequence[Credential],
        *,
        since: datetime | None,  # noqa: ARG002  # the other witness needs it
        renames: bool,
    ) -> AmbiguousOutcomeError | None:
        found = [each for each in strangers if _alike(row, each, renames=renames)]
        return self.ambiguous(row, found) if found or renames else None

    def ambiguous(self, row: Row, found: Sequence[Credential]) -> AmbiguousOutcomeError:
        named = ", ".join(each.credential_id for each in found)
        why = f"any of these credentials may be it: {named}" if found else "Cadenza changes names"
        error = AmbiguousOutcomeError(
            f"{row.account.venue} {row.name!r}: whether its keys were stored cannot be told: {why}"
        )
        error.remedy = "A person has to tell the credentials apart and revoke the surplus ones."
        return error


def _unsure(row: Row, why: str, found: Sequence[TradingAccount] = ()) -> AmbiguousOutcomeError:
    return AmbiguousOutcomeError(
        f"{row.account.venue} {row.name!r}: whether it was connected cannot be told: {why}",
        accounts=found,
    )


def _tells(account: TradingAccount) -> bool:
    """Tell whether an account says by what it was connected, so that its name does not matter."""
    return bool(account.credential_ids or account.external_trading_account_id)


def _renamed(account: TradingAccount, since: datetime | None) -> bool:
    """Tell whether an account that was made since then may have had another name."""
    recent = since is None or not is_older(account.created_at, since)
    return recent and was_changed(account)


def _alike(row: Row, thing: TradingAccount | Credential, *, renames: bool) -> bool:
    """Tell whether a thing may be the row's under a name that was trimmed, cut or changed."""
    if thing.venue.casefold() != row.account.venue.casefold():
        return False
    return renames or folded(row.name).startswith(folded(thing.name))
