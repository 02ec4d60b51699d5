"""Trading accounts: as they are asked for, and as Cadenza describes them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final

from attrs import field, fields, frozen

from cadenza_async._checks import UNSENDABLE_IN_KEYS, check_passphrase, check_text
from cadenza_async.models._words import AccountStatus, Reach
from cadenza_async.secret import Secret, hide


def _ids(given: Iterable[str]) -> tuple[str, ...]:
    return tuple(given)


@frozen(kw_only=True)
class TradingAccount:
    """A trading account as Cadenza describes it.

    Attributes:
        trading_account_id: Its unique identifier.
        venue: The exchange venue, as it came; when the answer names none the one that was sent with
            the keys, else ``UNKNOWN``.
        status: What state it is in, as it came; ``UNKNOWN`` when the answer names none.
        user_id: The user it belongs to.
        name: Its custom name (``name`` or ``nickname`` on the wire).
        account_type: For example ``SPOT``, as it came.
        created_at: When it was connected (aware, UTC, to the millisecond).
        updated_at: When it last changed (aware, UTC, to the millisecond).
        external_trading_account_id: What the exchange calls it.
        external_account_type: The exchange's word for its type.
        position_mode: As it came.
        collateral_mode: As it came.
        margin_mode: As it came.
        credential_ids: The stored credentials that it is connected with.
        extra: Fields of the answer that are not described here, and described ones that could
            not be read, under their wire names. No part of equality or of the repr.
    """

    trading_account_id: str
    venue: str
    status: str
    user_id: str | None = None
    name: str | None = None
    account_type: str | None = None
    created_at: datetime | None = None
    updated_at: datetime | None = None
    external_trading_account_id: str | None = None
    external_account_type: str | None = None
    position_mode: str | None = None
    collateral_mode: str | None = None
    margin_mode: str | None = None
    credential_ids: tuple[str, ...] = field(default=(), converter=_ids)
    extra: Mapping[str, Any] = field(factory=dict[str, Any], eq=False, repr=False)


@frozen(kw_only=True)
class ReachableAccount:
    """An account at the exchange that a credential reaches.

    Attributes:
        external_trading_account_id: What the exchange calls it.
        venue: The exchange venue, as it came; ``UNKNOWN`` when the answer names none.
        status: What Cadenza says of it, as it came; ``UNKNOWN`` when it says nothing.
        name: Its name, if it has one.
        account_type: For example ``SPOT``, as it came.
        trading_account_id: What Cadenza calls it, if it is connected.
        extra: As for `TradingAccount`.
    """

    external_trading_account_id: str
    venue: str
    status: str
    name: str | None = None
    account_type: str | None = None
    trading_account_id: str | None = None
    extra: Mapping[str, Any] = field(factory=dict[str, Any], eq=False, repr=False)

    @property
    def reach(self) -> Reach | None:
        """Whether it is new, ours or somebody else's; `None` when the status does not tell."""
        if self.status in _REACHES:
            return _REACHES[self.status]
        return None if self.trading_account_id is None else Reach.OURS


_REACHES: Final[Mapping[str, Reach]] = {
    AccountStatus.NEW: Reach.NEW,
    AccountStatus.DISCONNECTED: Reach.NEW,
    AccountStatus.UNAVAILABLE: Reach.TAKEN,
    AccountStatus.ACTIVE: Reach.OURS,
    AccountStatus.DISABLED: Reach.OURS,
    AccountStatus.CONNECTED: Reach.OURS,
    AccountStatus.ENABLED: Reach.OURS,
}


@frozen(kw_only=True)
class Operation:
    """Something that was done to a trading account, or tried.

    Attributes:
        operation_id: Its unique identifier.
        operation_type: For example ``CONNECT``, as it came; ``UNKNOWN`` when the answer names none.
        status: For example ``SUCCESS``, as it came; ``UNKNOWN`` when the answer names none.
        trading_account_id: The account.
        created_at: When it was asked for (aware, UTC, to the millisecond).
        extra: As for `TradingAccount`.
    """

    operation_id: str
    operation_type: str
    status: str
    trading_account_id: str | None = None
    created_at: datetime | None = None
    extra: Mapping[str, Any] = field(factory=dict[str, Any], eq=False, repr=False)


@frozen(init=False, match_args=False)
class NewAccount:
    """An exchange account to be connected, checked for what is known to be wrong.

    Args:
        venue: The exchange venue, e.g. ``BINANCE``; sent as given.
        api_key: The exchange API key.
        api_secret: The exchange API secret; may span lines.
        api_passphrase: The passphrase of the key. COINBASE and OKX need one; give ``""`` for a
            key of theirs that has none.
        name: A custom name. A unique one is what makes an unknown outcome answerable.
        account_type: For example ``SPOT``; the server chooses when it is left out.
        key: What `onboard` knows the row by in its journal, and is never sent. Derived from
            user, venue, API key and account type when it is left out.
        user: For `onboard`: whose account it is, as in its ``tokens``; never sent.

    Raises:
        UsageError: If an argument is known to be refused. Nothing was sent.
    """

    venue: str
    api_key: Secret
    api_secret: Secret
    api_passphrase: Secret | None = None
    name: str | None = None
    account_type: str | None = None
    key: str | None = None
    user: str | None = None

    def __init__(
        self,
        *,
        venue: str,
        api_key: str | Secret,
        api_secret: str | Secret,
        api_passphrase: str | Secret | None = None,
        name: str | None = None,
        account_type: str | None = None,
        key: str | None = None,
        user: str | None = None,
    ) -> None:
        # Hidden before anything can fail: a traceback may show the locals of this frame.
        api_key, api_secret = hide(api_key), hide(api_secret)
        api_passphrase = None if api_passphrase is None else hide(api_passphrase)
        given = venue, api_key, api_secret, api_passphrase, name, account_type, key, user
        self.__attrs_init__(*given)
        if not (Secret.all_plain(given) and venue):  # a venue of None was not left out
            self._check_each()
        check_passphrase(venue, api_passphrase)

    if TYPE_CHECKING:

        def __attrs_init__(self, *given: object) -> None: ...

    def _check_each(self) -> None:
        """Name what cannot be sent, if there is something."""
        for each in fields(NewAccount):
            check_field(each.name, getattr(self, each.name))


def check_field(name: str, value: Any) -> None:  # noqa: ANN401  # whatever a user gives
    """Refuse what a field of a `NewAccount` must not hold.

    Raises:
        UsageError: If it cannot be sent. The text names the field.
    """
    if name == "api_secret":
        check_text(name, value, unsendable=UNSENDABLE_IN_KEYS)
    elif name in _REQUIRED or value is not None:
        check_text(name, value, required=name in _REQUIRED)


_REQUIRED: Final = ("venue", "api_key")
