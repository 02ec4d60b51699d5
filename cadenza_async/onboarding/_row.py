"""A row on its way through a run: what is to be connected, and how far it is."""

from __future__ import annotations

from attrs import define

from cadenza_async.errors import CadenzaError
from cadenza_async.models import NewAccount, TradingAccount
from cadenza_async.onboarding._credentials import Held
from cadenza_async.onboarding._states import RowState


@define(eq=False)
class Row:
    """A row on its way.

    Attributes:
        account: What is to be connected, under the name that it got.
        key: What it is known by.
        id: Its place in the journal.
        name: The name it is sent under.
        state: What is known of it.
        connected: The account, when it is DONE.
        doubted: Whether an earlier sending may have been done.
        error: What went wrong last.
        attempts: How often it was sent in this run.
        left: When it was last sent in this run, by the loop's clock.
        since: In doubt: when that began. Waiting for its venue: when that began.
        fruitless_since: When it was first seen that nothing came of a sending after all.
        failures: How often its venue has failed it.
        held: The credential that holds its keys at Cadenza.
    """

    account: NewAccount
    key: str
    id: int = 0
    name: str | None = None
    state: RowState = RowState.PENDING
    connected: TradingAccount | None = None
    doubted: bool = False
    error: CadenzaError | None = None
    attempts: int = 0
    left: float | None = None
    since: float | None = None
    fruitless_since: float | None = None
    failures: int = 0
    held: Held | None = None

    @property
    def credential_id(self) -> str | None:
        """The credential, as long as Cadenza has it."""
        return None if self.held is None or self.held.gone else self.held.credential_id
