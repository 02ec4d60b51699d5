"""One call of those that take a row to its account. No I/O."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, Any, ClassVar

from attrs import evolve

from cadenza_async import _endpoints
from cadenza_async.onboarding._states import Fate, fate

if TYPE_CHECKING:
    from cadenza_async._calls import Call
    from cadenza_async.config import Config
    from cadenza_async.errors import CadenzaError
    from cadenza_async.models import TradingAccount
    from cadenza_async.onboarding._row import Row


class Step(ABC):
    """What is sent for a row, and what the answer means for it.

    Attributes:
        writes: Whether it changes something at Cadenza, so that the journal has to know of it
            before it is sent.
        names: Whether it sends the row's name, which the answer repeats.
    """

    writes: ClassVar[bool] = True
    names: ClassVar[bool] = True

    @abstractmethod
    def call(self, row: Row, config: Config) -> Call[Any]:
        """Return what to send."""

    @abstractmethod
    def take(self, row: Row, value: Any) -> CadenzaError | None:  # noqa: ANN401  # the answer of any step
        """Take down what was answered; return what keeps the row from going on, if anything."""

    def fate(self, row: Row, error: CadenzaError | None) -> Fate:
        """Say what comes of it.

        Args:
            row: The row.
            error: What went wrong, if anything.
        """
        return fate(error, doubted=row.doubted)


class Connect(Step):
    """Connects the account with its keys: the only step of the direct flavour."""

    def call(self, row: Row, config: Config) -> Call[TradingAccount]:  # noqa: ARG002  # other steps need it
        account = row.account
        return _endpoints.connect_account(
            account if account.name == row.name else evolve(account, name=row.name)
        )

    def take(self, row: Row, value: TradingAccount) -> None:
        row.connected = value
