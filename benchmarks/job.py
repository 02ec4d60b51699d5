"""The job that every rival does: build a body, send it, and read the answer into a typed object."""

from __future__ import annotations

import json
import ssl
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any, Final

from attrs import AttrsInstance, fields, frozen
from cattrs import Converter
from cattrs.gen import make_dict_structure_fn, make_dict_unstructure_fn, override

PATH: Final = "/api/v3/tradingAccount/connect"
NAME: Final = "My Binance Account"
ANSWER: Final[dict[str, Any]] = {
    "data": {
        "tradingAccountId": "550e8400-e29b-41d4-a716-446655440000",
        "userId": "user-uuid-here",
        "venue": "BINANCE",
        "name": NAME,
        "accountType": "SPOT",
        "status": "ACTIVE",
        "createdAt": 1703052635110,
        "updatedAt": 1703052635110,
    },
    "success": True,
    "errno": 0,
    "error": None,
}


@frozen(kw_only=True)
class Target:
    """Where to connect accounts, and for whom.

    Attributes:
        url: Of the server.
        authority: The file of the authority that its certificate is checked against.
        identities: How many access tokens there are.
        connections: How many sockets may be open.
    """

    url: str
    authority: str | None = None
    identities: int = 1
    connections: int = 100

    @property
    def endpoint(self) -> str:
        """The URL that is posted to."""
        return self.url + PATH

    def tokens(self) -> list[str]:
        """Make an access token for every identity, about as long as a real one."""
        return [f"{number:06d}." + "t" * 500 for number in range(self.identities)]

    def headers(self) -> list[dict[str, str]]:
        """Build the headers of every identity's calls."""
        return [
            {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
            for token in self.tokens()
        ]

    def context(self) -> ssl.SSLContext | None:
        """Return a TLS context that trusts the server; only the first call takes its time."""
        return None if self.authority is None else _trusting(self.authority)


@cache
def _trusting(authority: str) -> ssl.SSLContext:
    return ssl.create_default_context(cafile=authority)


@frozen(kw_only=True)
class NewAccount:
    """What is sent."""

    venue: str
    api_key: str
    api_secret: str
    name: str | None = None


@frozen(kw_only=True)
class TradingAccount:
    """What is answered."""

    trading_account_id: str
    user_id: str | None
    venue: str
    name: str | None
    account_type: str | None
    status: str
    created_at: datetime | None
    updated_at: datetime | None


def new_account() -> NewAccount:
    """Build what is sent in every call."""
    return NewAccount(venue="BINANCE", api_key="k" * 64, api_secret="s" * 64, name=NAME)


def body(account: NewAccount) -> bytes:
    """Write a request's body."""
    return json.dumps(_converter.unstructure(account), separators=(",", ":")).encode()


def read(status: int, answer: bytes) -> TradingAccount:
    """Read an answer.

    Raises:
        ValueError: If it is not the account.
    """
    envelope = json.loads(answer)
    if status != 200 or envelope["errno"] != 0:
        raise ValueError("refused")
    return _converter.structure(envelope["data"], TradingAccount)


def _datetime(milliseconds: int) -> datetime:
    return _EPOCH + timedelta(milliseconds=milliseconds)


def _renamed(model: type[AttrsInstance]) -> dict[str, Any]:
    return {a.name: override(rename=_camel(a.name)) for a in fields(model)}


def _camel(name: str) -> str:
    head, *tail = name.split("_")
    return head + "".join(part.title() for part in tail)


def _build_converter() -> Converter:
    converter = Converter(detailed_validation=False)
    converter.register_structure_hook(datetime, lambda value, _: _datetime(value))
    converter.register_unstructure_hook(
        NewAccount, make_dict_unstructure_fn(NewAccount, converter, **_renamed(NewAccount))
    )
    converter.register_structure_hook(
        TradingAccount,
        make_dict_structure_fn(TradingAccount, converter, **_renamed(TradingAccount)),
    )
    return converter


_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_converter: Final = _build_converter()
