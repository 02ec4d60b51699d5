"""Accounts and errors as the journal keeps them: JSON, without extras and without secrets."""

from __future__ import annotations

import json
from datetime import datetime
from operator import attrgetter
from typing import TYPE_CHECKING, Any, Final

from attrs import fields

from cadenza_async import errors
from cadenza_async.errors import CadenzaError
from cadenza_async.models import TradingAccount

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

_FIELDS: Final = tuple(field.name for field in fields(TradingAccount) if field.name != "extra")
_values: Final = attrgetter(*_FIELDS)
_DATES: Final = ("created_at", "updated_at")


def dumps(facts: object) -> str:
    """Return JSON of plain data, of accounts and of errors of ours."""
    return json.dumps(facts, default=_plain)


def _plain(value: TradingAccount | CadenzaError | datetime) -> object:
    if isinstance(value, TradingAccount):
        facts = zip(_FIELDS, _values(value), strict=True)
        return {name: fact for name, fact in facts if fact is not None}
    if isinstance(value, CadenzaError):
        return {"kind": type(value).__name__, "args": value.args, "facts": vars(value)}
    return value.isoformat()


def load_account(text: str | None) -> TradingAccount | None:
    """Make an account of its JSON, if there is one."""
    return None if text is None else _account(json.loads(text))


def _account(facts: Mapping[str, Any]) -> TradingAccount:
    dates = {name: datetime.fromisoformat(facts[name]) for name in _DATES if facts.get(name)}
    known: dict[str, Any] = {**facts, **dates}
    return TradingAccount(**known)


def load_error(text: str | None) -> CadenzaError | None:
    """Make an error of its JSON, if there is one."""
    if text is None:
        return None
    stored = json.loads(text)
    kind: type[CadenzaError] = getattr(errors, stored["kind"])
    error = kind.__new__(kind)
    error.args = tuple(stored["args"])
    for name, value in stored["facts"].items():
        load = None if value is None else _LOADED.get(name)
        setattr(error, name, load(value) if load else value)
    return error


def _load_accounts(stored: list[Mapping[str, Any]]) -> tuple[TradingAccount, ...]:
    return tuple(_account(facts) for facts in stored)


_LOADED: Final[Mapping[str, Callable[[Any], object]]] = {
    "sent_at": datetime.fromisoformat,
    "accounts": _load_accounts,
}
