"""The one converter between our values and Cadenza's JSON."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, Final, cast, get_args

from attrs import Attribute, AttrsInstance, fields, frozen, resolve_types
from cattrs import Converter
from cattrs.gen import make_dict_structure_fn, make_dict_unstructure_fn, override

from cadenza_async.auth import check_token
from cadenza_async.errors import ConfigError
from cadenza_async.models import NewAccount, TradingAccount
from cadenza_async.secret import Secret

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

UNNAMED: Final = "UNKNOWN"
"""Stands for a venue or status that an answer should name and does not."""

_COMPACT: Final = json.JSONEncoder(separators=(",", ":"))

_UNSENT: Final = ("key", "user")  # what only `onboard` knows rows by

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_EARLIEST, _LATEST = (
    (limit - _EPOCH) // timedelta(milliseconds=1)
    for limit in (datetime.min.replace(tzinfo=UTC), datetime.max.replace(tzinfo=UTC))
)


def decode(body: bytes) -> object:
    """Parse JSON.

    Raises:
        ValueError: If it is none. Raised bare: the parser's own error carries the document.
    """
    try:
        parsed: object = json.loads(body)
    except (ValueError, RecursionError):
        parsed = _NOTHING
    if parsed is _NOTHING:
        raise ValueError("not JSON")
    return parsed


_NOTHING: Final = object()


def as_object(value: object) -> dict[str, Any] | None:
    """Return the value if it is a JSON object."""
    return cast("dict[str, Any]", value) if isinstance(value, dict) else None


def encode(body: object) -> bytes:
    """Return a request body as JSON; this is where secrets are revealed."""
    return _COMPACT.encode(_converter.unstructure(body)).encode()


@frozen(kw_only=True)
class Page:
    """One page of a list.

    Attributes:
        accounts: The rows, in the server's order.
        total: How many rows there are in all, if the server says.
        has_next: Whether there is another page, if the server says.
    """

    accounts: tuple[TradingAccount, ...]
    total: int | None = None
    has_next: bool | None = None


def read_account(envelope: Mapping[str, Any], *, venue: str = UNNAMED) -> TradingAccount:
    """Read the account out of an answer.

    Args:
        envelope: The whole answer.
        venue: What to say when the answer names no venue.

    Raises:
        ValueError: If there is no account with an id in it.
    """
    return _account(envelope.get("data"), venue)


def read_page(envelope: Mapping[str, Any]) -> Page:
    """Read one page of accounts out of an answer.

    Raises:
        ValueError: If it holds no list, or a row that is no account.
    """
    rows = envelope.get("data")
    if not isinstance(rows, list):
        raise ValueError("no list of accounts")  # noqa: TRY004  # the answer is wrong, not a type
    about = as_object(envelope.get("pagination")) or {}
    total, has_next = about.get("total"), about.get("hasNext")
    return Page(
        accounts=tuple(_account(row, UNNAMED) for row in cast("list[object]", rows)),
        total=total if type(total) is int else None,
        has_next=has_next if isinstance(has_next, bool) else None,
    )


@frozen(kw_only=True)
class Grant:
    """What logging in or refreshing gives.

    Attributes:
        access_token: For the header of every call.
        refresh_token: Good for one refresh, if there is one.
        expires_in: Seconds the access token lives.
    """

    access_token: Secret
    refresh_token: Secret | None
    expires_in: float


_LIFETIME = 3600.0  # what is published
_ETERNITY = 10**9


def read_grant(envelope: Mapping[str, Any]) -> Grant:
    """Read the tokens out of an answer.

    Raises:
        ValueError: If there is no access token in it.
    """
    data = as_object(envelope.get("data")) or {}
    access, refresh, lasts = (data.get(k) for k in ("accessToken", "refreshToken", "expiresIn"))
    try:
        token = check_token(Secret(cast("str", access)))
    except ConfigError:
        token = None
    if token is None:
        raise ValueError("no accessToken that can be used")
    return Grant(
        access_token=token,
        refresh_token=Secret(refresh) if isinstance(refresh, str) else None,
        expires_in=float(lasts) if type(lasts) is int and 0 < lasts < _ETERNITY else _LIFETIME,
    )


def _account(data: object, venue: str) -> TradingAccount:
    known, extra = _sift(as_object(data) or {})
    if not known.get("tradingAccountId"):
        raise ValueError("no account with an id")
    return _converter.structure(
        {"venue": venue, "status": UNNAMED, **known, "extra": extra}, TradingAccount
    )


def _sift(data: Mapping[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    """Part what the model can hold from what it cannot: unknown fields and odd values."""
    known: dict[str, Any] = {}
    extra: dict[str, Any] = {}
    for wire, value in data.items():
        readable = _READABLE.get(wire)
        if readable is None or not (value is None or readable(value)):
            extra[wire] = value
        elif value is not None:
            known[wire] = value
    if "name" in known and "nickname" in known:
        extra["nickname"] = known.pop("nickname")
    elif "nickname" in known:
        known["name"] = known.pop("nickname")
    return known, extra


def _camel(name: str) -> str:
    head, *tail = name.split("_")
    return head + "".join(part.title() for part in tail)


def _is_text(value: object) -> bool:
    return isinstance(value, str)


def _is_timestamp(value: object) -> bool:
    return type(value) is int and _EARLIEST <= value <= _LATEST


def _datetime(milliseconds: int) -> datetime:
    return _EPOCH + timedelta(milliseconds=milliseconds)


def _readability(attribute: Attribute[Any]) -> Callable[[object], bool]:
    return _is_timestamp if datetime in get_args(attribute.type) else _is_text


def _renamed(model: type[AttrsInstance]) -> dict[str, Any]:
    resolved = fields(resolve_types(model))
    return {a.name: override(rename=_camel(a.name)) for a in resolved if a.name not in _UNSENT}


def _build_converter() -> Converter:
    converter = Converter(detailed_validation=False)
    unsent: dict[str, Any] = {name: override(omit=True) for name in _UNSENT}
    converter.register_unstructure_hook(Secret, Secret.reveal)
    converter.register_structure_hook(datetime, lambda value, _: _datetime(value))
    converter.register_structure_hook(
        TradingAccount,
        make_dict_structure_fn(TradingAccount, converter, **_renamed(TradingAccount)),
    )
    converter.register_unstructure_hook(
        NewAccount,
        make_dict_unstructure_fn(
            NewAccount, converter, _cattrs_omit_if_default=True, **_renamed(NewAccount), **unsent
        ),
    )
    return converter


_converter: Final = _build_converter()
_READABLE: Final = {
    _camel(attribute.name): _readability(attribute)
    for attribute in fields(TradingAccount)
    if attribute.name != "extra"
} | {"nickname": _is_text}
