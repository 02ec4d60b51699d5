"""Who made every account and credential of a sandbox, and where somebody else meddled."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import contextmanager
from typing import TYPE_CHECKING

from attrs import define, field, frozen

from cadenza_async.sandbox._accounts import _DRIFTER

if TYPE_CHECKING:
    from collections.abc import Iterator

    from cadenza_async.sandbox._platform import Platform
    from cadenza_async.sandbox._state import Account, Credential


@frozen(kw_only=True)
class Birth:
    """How an account or a credential came to be.

    Attributes:
        id: What the server calls it.
        place: The user, and the venue in capitals.
        name: What it was called then, whatever it is called now.
        by_hand: Whether somebody else made it.
        credentials: Those that an account was connected with.
    """

    id: str
    place: tuple[str, str]
    name: str
    by_hand: bool
    credentials: tuple[str, ...] = ()


def _nothing(_: Birth) -> None:
    """Nobody wants to know."""


@define
class History:
    """What happened at the server, as nobody else can know it.

    Attributes:
        accounts: All that there ever were, by their ids.
        credentials: Likewise.
        revoked: Credentials that somebody else has revoked.
        touched: Places where somebody else made or changed what was not there before the job.
        changed: The accounts of those that were changed or made so; and the one that a list
            which drifts shows, as it is a copy of another one.
        on_account: Is told of each account that is made.
    """

    accounts: dict[str, Birth] = field(factory=dict[str, Birth], init=False)
    credentials: dict[str, Birth] = field(factory=dict[str, Birth], init=False)
    revoked: set[str] = field(factory=set[str], init=False)
    touched: set[tuple[str, str]] = field(factory=set[tuple[str, str]], init=False)
    changed: set[str] = field(factory=lambda: {_DRIFTER}, init=False)
    on_account: Callable[[Birth], None] = field(default=_nothing, init=False)
    _by_hand: bool = field(default=False, init=False)

    def watch(self, platform: Platform) -> None:
        """Take down all that is made from now on."""
        platform.accounts.keep = self._account
        platform.credentials.keep = self._credential

    @contextmanager
    def by_hand(self) -> Iterator[None]:
        """Take down that what is made meanwhile is made by somebody else."""
        self._by_hand = True
        try:
            yield
        finally:
            self._by_hand = False

    def _account(self, account: Account) -> None:
        if self._by_hand:
            self.changed.add(account.key)
        if account.key in self.accounts:
            return
        birth = self.accounts[account.key] = Birth(
            id=account.key,
            place=(account.user_id, account.venue.upper()),
            name=account.name,
            by_hand=self._by_hand,
            credentials=account.credential_ids,
        )
        self.on_account(birth)

    def _credential(self, credential: Credential) -> None:
        if credential.key not in self.credentials:
            self.credentials[credential.key] = Birth(
                id=credential.key,
                place=(credential.user_id, credential.venue.upper()),
                name=credential.name or "",
                by_hand=self._by_hand,
            )
