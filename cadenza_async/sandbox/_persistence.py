"""Persistence: what the platform remembers becomes records for a state file, and comes back."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

from cattrs import Converter

from cadenza_async.sandbox._records import Record
from cadenza_async.sandbox._state import Account, Credential, Operation

if TYPE_CHECKING:
    from collections.abc import Iterable

    from cadenza_async.sandbox._keeper import Keeper
    from cadenza_async.sandbox._platform import Platform
    from cadenza_async.sandbox._state import Shelf

_converter = Converter()


def persist(platform: Platform, keeper: Keeper) -> None:
    """Have everything saved that comes to be, or changes, from now on."""
    for kind, (_, shelf) in _shelves(platform).items():
        shelf.keep = partial(_save, keeper, kind)
    platform.sessions.keep = keeper.save
    platform.settled = keeper.settled


def restore(platform: Platform, records: Iterable[Record]) -> None:
    """Have the platform know what was saved, in the order in which it was."""
    shelves = _shelves(platform)
    for each in records:
        value = each.value or {}
        if each.kind in shelves:
            model, shelf = shelves[each.kind]
            shelf.restore(_converter.structure(value, model))
        else:
            platform.sessions.restore(each.kind, value)


def _shelves(platform: Platform) -> dict[str, tuple[type[Any], Shelf[Any]]]:
    return {
        "account": (Account, platform.accounts),
        "credential": (Credential, platform.credentials),
        "operation": (Operation, platform.operations),
    }


def _save(keeper: Keeper, kind: str, thing: Account | Credential | Operation) -> None:
    keeper.save(Record(kind=kind, id=thing.key, value=_converter.unstructure(thing)))
