"""What each flavour sends for a row, and what tells it what became of that."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final

from attrs import frozen

from cadenza_async.onboarding._credential_steps import next_step
from cadenza_async.onboarding._row import Row
from cadenza_async.onboarding._states import Flavour
from cadenza_async.onboarding._steps import Connect, Step
from cadenza_async.onboarding._witnesses import AccountWitness, CredentialWitness, Witness

if TYPE_CHECKING:
    from collections.abc import Mapping


@frozen(kw_only=True)
class Way:
    """How rows come to their accounts.

    Attributes:
        next_step: Says what to send for a row that waits.
        witnesses: Tell what became of what was sent; the first whose concern a row is.
    """

    next_step: Callable[[Row], Step]
    witnesses: tuple[Witness[Any], ...]


_CONNECT: Final = Connect()

WAYS: Final[Mapping[Flavour, Way]] = {
    Flavour.DIRECT: Way(next_step=lambda _: _CONNECT, witnesses=(AccountWitness(),)),
    Flavour.CREDENTIAL: Way(next_step=next_step, witnesses=(CredentialWitness(), AccountWitness())),
}
