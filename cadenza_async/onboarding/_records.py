"""Accounts and errors as the journal keeps them: JSON, without extras and without secrets."""

from __future__ import annotations

import json
from datetime import datetime
from operator import attrgetter
from typing import TYPE_CHECKING, Any, Final

from attrs import fields

from cadenza_async import errors
from cadenza_async.models import TradingAccount

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from cadenza_async.errors import CadenzaError

_FIELDS: Final = tuple(field.name for field in fields(TradingAccount) if field.name != "extra")
_values: Final = attrgetter(*_FIELDS)
_DATES: Final = ("created_at", "updated_at")


def account_facts(account: TradingAccount) -> dict[str, Any]:
    """Return what JSON is to hold of an account: not the fields that are not described."""
    facts = dict(zip(_FIELDS, _values(account), strict=True))
    dates = {name: facts[name].isoformat() for name in _DATES if facts[name]}
    return {name: fact for name, fact in (facts | dates).items() if fact is not None}


def load_account(text: str) -> TradingAccount:
    """Make an account of the JSON of `account_facts`."""
    return _account(json.loads(text))


def _account(facts: Mapping[str, Any]) -> TradingAccount:
    dates = {name: datetime.fromisoformat(facts[name]) for name in _DATES if facts.get(name)}
    known: dict[str, Any] = {**facts, **dates}
    return TradingAccount(**known)


def error_facts(error: CadenzaError) -> dict[str, Any]:
    """Return what JSON is to hold of an error of ours; it is plain data."""
    facts = {
        name: value if value is None else _STORED.get(name, _same)(value)
        for name, value in vars(error).items()
    }
    return {"kind": type(error).__name__, "args": error.args, "facts": facts}


def load_error(text: str) -> CadenzaError:
    """Make an error of the JSON of `error_facts`."""
    stored = json.loads(text)
    kind: type[CadenzaError] = getattr(errors, stored["kind"])
    error = kind.__new__(kind)
    error.args = tuple(stored["args"])
    for name, value in stored["facts"].items():
        setattr(error, name, value if value is None else _LOADED.get(name, _same)(value))
    return error


def _same(value: object) -> object:
    return value


def _facts_of_all(accounts: tuple[TradingAccount, ...]) -> list[object]:
    return [account_facts(account) for account in accounts]


def _load_accounts(stored: list[Mapping[str, Any]]) -> tuple[TradingAccount, ...]:
    return tuple(_account(facts) for facts in stored)


_STORED: Final[Mapping[str, Callable[[Any], object]]] = {
    "sent_at": datetime.isoformat,
    "accounts": _facts_of_all,
}
_LOADED: Final[Mapping[str, Callable[[Any], object]]] = {
    "sent_at": datetime.fromisoformat,
    "accounts": _load_accounts,
}
