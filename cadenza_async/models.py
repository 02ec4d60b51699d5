"""What goes to Cadenza and what comes back, as frozen values."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import datetime
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from attrs import Attribute, field, frozen

from cadenza_async.errors import UsageError
from cadenza_async.secret import Secret, hide


class Venue(StrEnum):
    """Known exchange venues; any other word is sent and kept as it is."""

    BINANCE = "BINANCE"
    COINBASE = "COINBASE"
    BYBIT = "BYBIT"
    OKX = "OKX"
    B2C2 = "B2C2"
    WINTERMUTE = "WINTERMUTE"
    BLOCKFILLS = "BLOCKFILLS"
    STONEX = "STONEX"
    CUMBERLAND = "CUMBERLAND"
    IBKR = "IBKR"
    DERIBIT = "DERIBIT"
    BITFINEX = "BITFINEX"
    HYPERLIQUID = "HYPERLIQUID"
    FERMATA = "FERMATA"
    MOCK = "MOCK"
    PAPER = "PAPER"


class AccountType(StrEnum):
    """Known account types; any other word is sent and kept as it is."""

    SPOT = "SPOT"
    MARGIN = "MARGIN"
    FUTURES = "FUTURES"
    CREDIT = "CREDIT"
    OPTIONS = "OPTIONS"


class AccountStatus(StrEnum):
    """Known states of a trading account; any other word is kept as it came."""

    ACTIVE = "ACTIVE"
    DISABLED = "DISABLED"
    DISCONNECTED = "DISCONNECTED"
    CONNECTED = "CONNECTED"
    ENABLED = "ENABLED"
    NEW = "NEW"
    CREATED = "CREATED"
    INACTIVE = "INACTIVE"
    LOCKED = "LOCKED"
    UNAVAILABLE = "UNAVAILABLE"


@frozen(kw_only=True)
class TradingAccount:
    """A trading account as Cadenza describes it.

    Attributes:
        trading_account_id: Its unique identifier.
        venue: The exchange venue, as it came.
        status: What state it is in, as it came; ``UNKNOWN`` when the answer names none.
        user_id: The user it belongs to.
        name: Its custom name (``name`` or ``nickname`` on the wire).
        account_type: For example ``SPOT``, as it came.
        created_at: When it was connected (aware, UTC, to the millisecond).
        updated_at: When it last changed (aware, UTC, to the millisecond).
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
    extra: Mapping[str, Any] = field(factory=dict[str, Any], eq=False, repr=False)


@frozen(kw_only=True)
class Attempt:
    """One attempt at a call, for metrics; handed to ``on_attempt``.

    Attributes:
        method: The HTTP verb.
        path: The path below ``/api/v3/``.
        number: 1 for the first attempt at the call.
        verdict: ``done``, ``refused``, ``throttled``, ``venue failed``, ``not sent``, ``unknown``.
        seconds: How long it took, waits before it not included.
        status: The HTTP status, if an answer came.
        errno: The server's error number, if there was one.
        request_id: The server's id of the request, if it gave one.
        venue: The venue that was being connected, if it was a connect.
        name: The name that was sent for the account, if there was one.
        identity: The label of the identity, if it has one.
    """

    method: str
    path: str
    number: int
    verdict: str
    seconds: float
    status: int | None = None
    errno: int | None = None
    request_id: str | None = None
    venue: str | None = None
    name: str | None = None
    identity: str | None = None


_UNSENDABLE = re.compile("[\x00-\x1f\x7f-\x9f\ud800-\udfff]")
_UNSENDABLE_IN_KEYS = re.compile(
    "[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff]"
)  # they span lines


def check_text(
    argument: str,
    value: str | Secret,
    *,
    required: bool = True,
    unsendable: re.Pattern[str] = _UNSENDABLE,
    error: type[UsageError] = UsageError,
) -> None:
    """Refuse a text that cannot be sent, naming the argument and never the value.

    Args:
        argument: What the caller knows the value as.
        value: A string or a `Secret`.
        required: Whether a blank text is refused.
        unsendable: What the text must not hold.
        error: What to raise.

    Raises:
        UsageError: If the value is no text, is blank though required, or holds control characters
            or lone surrogates.
    """
    if value.check(_is_plain) if isinstance(value, Secret) else _is_plain(value):
        return
    secret = hide(value)
    if not secret.holds_text():
        raise error(f"{argument} must be a string")
    if required and secret.check(_is_blank):
        raise error(f"{argument} is required and is empty")
    if secret.check(lambda text: bool(unsendable.search(text))):
        raise error(f"{argument} holds a control character or half a surrogate pair")


def _is_plain(text: object) -> bool:
    """Tell, at a glance, that nothing is wrong with a text: most are like that."""
    return isinstance(text, str) and text.isprintable() and bool(text) and not text.isspace()


def _is_blank(text: str) -> bool:
    return not text or text.isspace()


_Check = Callable[[object, "Attribute[Any]", Any], None]


def _text(*, required: bool = True, unsendable: re.Pattern[str] = _UNSENDABLE) -> _Check:
    def check(_: object, attribute: Attribute[Any], value: Any) -> None:  # noqa: ANN401
        if required or value is not None:
            check_text(attribute.name, value, required=required, unsendable=unsendable)

    return check


_WITH_PASSPHRASE = frozenset({"COINBASE", "OKX"})


@frozen(kw_only=True, init=False)
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

    venue: str = field(validator=_text())
    api_key: Secret = field(validator=_text())
    api_secret: Secret = field(validator=_text(unsendable=_UNSENDABLE_IN_KEYS))
    api_passphrase: Secret | None = field(default=None, validator=_text(required=False))
    name: str | None = field(default=None, validator=_text(required=False))
    account_type: str | None = field(default=None, validator=_text(required=False))
    key: str | None = field(default=None, validator=_text(required=False))
    user: str | None = field(default=None, validator=_text(required=False))

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
        self.__attrs_init__(
            venue=venue,
            api_key=api_key,
            api_secret=api_secret,
            api_passphrase=api_passphrase,
            name=name,
            account_type=account_type,
            key=key,
            user=user,
        )

    if TYPE_CHECKING:

        def __attrs_init__(self, **fields: object) -> None: ...

    def __attrs_post_init__(self) -> None:
        venue = self.venue.upper().removesuffix("_UAT")
        if self.api_passphrase is None and venue in _WITH_PASSPHRASE:
            msg = (
                f"api_passphrase is missing: {venue} keys have one"
                ' (give api_passphrase="" if this key really has none)'
            )
            raise UsageError(msg)
