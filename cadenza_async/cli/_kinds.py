"""What can be shown: as a row or lines for people, as the wire's fields for scripts."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, Final, Generic, TypeVar

from attrs import AttrsInstance, fields, frozen
from rich.box import SIMPLE_HEAD
from rich.cells import cell_len
from rich.table import Table
from rich.text import Text

from cadenza_async._wire import milliseconds, spell
from cadenza_async.cli._console import printable
from cadenza_async.models import Credential, Operation, ReachableAccount, TradingAccount, User

T = TypeVar("T")

_BETWEEN: Final = 3  # columns of a table
_READABLE: Final = 6  # characters on a line of a cell

_OF_ONE_FLAVOUR: Final = frozenset(
    {
        "external_trading_account_id",
        "external_account_type",
        "position_mode",
        "collateral_mode",
        "margin_mode",
        "credential_ids",
    }
)


@frozen(kw_only=True)
class Kind(Generic[T]):
    """How things of a kind are shown to people.

    Attributes:
        plural: What many of them are called.
        heads: Of the columns; the first is not an id.
        ids: Of the columns at the end, whose cells are neither cut nor broken.
        cells: Returns what is in the columns.
    """

    plural: str
    heads: tuple[str, ...]
    ids: tuple[str, ...]
    cells: Callable[[T], tuple[str | None, ...]]

    def layout(self, things: Sequence[T], width: int) -> Table | Text:
        """Lay out things in a table, or where that has no room for them, one below the other."""
        rows = [[printable(cell or "") for cell in self.cells(each)] for each in things]
        if self._room(rows, width) >= _READABLE * len(self.heads):
            return self._table(rows)
        heads = self.heads + self.ids
        longest = max(map(len, heads))
        cards = (
            "\n".join(f"{head:<{longest}}  {cell}" for head, cell in zip(heads, row, strict=True))
            for row in rows
        )
        return Text("\n\n".join(cards))

    def _room(self, rows: Sequence[Sequence[str]], width: int) -> int:
        """Return how many characters the ids leave to the columns before them."""
        columns = list(zip(self.heads + self.ids, *rows, strict=True))
        ids = sum(max(map(cell_len, column)) for column in columns[len(self.heads) :])
        return width - ids - _BETWEEN * len(columns)

    def _table(self, rows: Iterable[Sequence[str]]) -> Table:
        table = Table(box=SIMPLE_HEAD, pad_edge=False)
        for head in self.heads:
            table.add_column(head, overflow="fold")
        for head in self.ids:
            table.add_column(head, no_wrap=True)
        for row in rows:
            table.add_row(*map(Text, row))
        return table

    def line(self, thing: T) -> str:
        """Tell of one thing in a line."""
        return printable(", ".join(cell for cell in self.cells(thing) if cell))


ACCOUNTS: Final = Kind[TradingAccount](
    plural="accounts",
    heads=("Venue", "Name", "Type", "Status"),
    ids=("Id",),
    cells=lambda it: (it.venue, it.name, it.account_type, it.status, it.trading_account_id),
)
CREDENTIALS: Final = Kind[Credential](
    plural="credentials",
    heads=("Venue", "Name", "Type", "Status"),
    ids=("Id",),
    cells=lambda it: (it.venue, it.name, it.credential_type, it.status, it.credential_id),
)
REACHABLE: Final = Kind[ReachableAccount](
    plural="accounts",
    heads=("Venue", "Name", "Type", "Reach"),
    ids=("External id", "Id"),
    cells=lambda it: (
        it.venue,
        it.name,
        it.account_type,
        it.reach or it.status,
        it.external_trading_account_id,
        it.trading_account_id,
    ),
)
OPERATIONS: Final = Kind[Operation](
    plural="operations",
    heads=("Time", "Operation", "Status"),
    ids=("Account", "Id"),
    cells=lambda it: (
        None if it.created_at is None else _moment(it.created_at),
        it.operation_type,
        it.status,
        it.trading_account_id,
        it.operation_id,
    ),
)


def wire(thing: AttrsInstance) -> dict[str, Any]:
    """Return a thing under the names of the wire, as scripts read it."""
    facts = {_spell(thing, name): value for name, value in _facts(thing)}
    whose = {"reach": thing.reach} if isinstance(thing, ReachableAccount) else {}
    extra: Mapping[str, Any] = getattr(thing, "extra", {})
    return {name: _plain(value) for name, value in {**facts, **whose, **extra}.items()}


def lines(thing: AttrsInstance) -> str:
    """Tell all that is known of one thing, a line for each fact."""
    extra: Mapping[str, Any] = getattr(thing, "extra", {})
    facts = [(name.replace("_", " "), value) for name, value in _facts(thing)]
    known = [(name, value) for name, value in [*facts, *extra.items()] if _tells(value)]
    width = max(len(name) for name, _ in known)
    return "\n".join(printable(f"{name:<{width}}  {_shown(value)}") for name, value in known)


def _tells(value: object) -> bool:
    return bool(value) or isinstance(value, int)  # no and zero are facts, too


def _shown(value: object) -> str:
    if isinstance(value, datetime):
        return _moment(value)
    return value if isinstance(value, str) else json.dumps(value)


def _facts(thing: AttrsInstance) -> Iterator[tuple[str, Any]]:
    for attribute in fields(type(thing)):
        value: object = getattr(thing, attribute.name)
        if attribute.name != "extra" and (value or attribute.name not in _OF_ONE_FLAVOUR):
            yield attribute.name, value


def _spell(thing: AttrsInstance, name: str) -> str:
    return "id" if isinstance(thing, User) and name == "user_id" else spell(name)


def _plain(value: object) -> object:
    return milliseconds(value) if isinstance(value, datetime) else value


def _moment(when: datetime) -> str:
    return f"{when.astimezone(UTC):%Y-%m-%d %H:%M:%S} UTC"
