"""Accounts and errors as the journal keeps them: JSON, without extras and without secrets."""

from __future__ import annotations

import json
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final

from attrs import fields

from cadenza_async import errors
from cadenza_async.models import TradingAccount

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from cadenza_async.errors import CadenzaError

_FIELDS: Final = tuple(field.name for field in fields(TradingAccount) if field.name != "extra")
_DATES: Final = ("created_at", "updated_at")


def dump_account(account: TradingAccount) -> str:
    """Write an account, without the fields that are not described."""
    facts = {name: getattr(account, name) for name in _FIELDS}
    facts |= {name: facts[name].isoformat() for name in _DATES if facts[name]}
    return json.dumps(facts)


def load_account(text: str) -> TradingAccount:
    """Read what `dump_account` wrote."""
    return _account(json.loads(text))


def _account(facts: Mapping[str, Any]) -> TradingAccount:
    dates = {name: datetime.fromisoformat(facts[name]) for name in _DATES if facts[name]}
    known: dict[str, Any] = {**facts, **dates}
    return TradingAccount(**known)


def dump_error(error: CadenzaError) -> str:
    """Write an error of ours; it is plain data."""
    facts = {
        name: value if value is None else _STORED.get(name, _same)(value)
        for name, value in vars(error).items()
    }
    return json.dumps({"kind": type(error).__name__, "args": error.args, "facts": facts})


def load_error(text: str) -> CadenzaError:
    """Read what `dump_error` wrote."""
    stored = json.loads(text)
    kind: type[CadenzaError] = getattr(errors, stored["kind"])
    error = kind.__new__(kind)
    error.args = tuple(stored["args"])
    for name, value in stored["facts"].items():
        setattr(error, name, value if value is None else _LOADED.get(name, _same)(value))
    return error


def _same(value: object) -> object:
    return value


def _dump_accounts(accounts: tuple[TradingAccount, ...]) -> list[object]:
    return [json.loads(dump_account(account)) for account in accounts]


def _load_accounts(stored: list[Mapping[str, Any]]) -> tuple[TradingAccount, ...]:
    return tuple(_account(facts) for facts in stored)


_STORED: Final[Mapping[str, Callable[[Any], object]]] = {
    "sent_at": datetime.isoformat,
    "accounts": _dump_accounts,
}
_LOADED: Final[Mapping[str, Callable[[Any], object]]] = {
    "sent_at": datetime.fromisoformat,
    "accounts": _load_accounts,
}
