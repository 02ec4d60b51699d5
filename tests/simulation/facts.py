"""What the server knows of the rows of a job, held against the job's journal."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from typing import TYPE_CHECKING, Any

from attrs import frozen

from cadenza_async import RowState

from .world import name_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from cadenza_async import JournalRow, RowOutcome

    from .world import World

SETTLED = frozenset({RowState.DONE, RowState.FAILED, RowState.CONFLICT})
_COUNTED = ("/connect", "/create")


@frozen(kw_only=True)
class Facts:
    """What the server knows of the rows, by their keys.

    Attributes:
        there: The ids of their accounts.
        stored: The ids of their credentials.
        read: How often it read what makes either.
        trims: Whether it trims names.
    """

    there: defaultdict[str, list[str]]
    stored: defaultdict[str, list[str]]
    read: Counter[str]
    trims: bool

    @classmethod
    def of(cls, world: World) -> Facts:
        """Look at a world."""
        sandbox = world.sandbox
        bodies = [r["body"] for r in sandbox.requests if r["path"].endswith(_COUNTED)]
        return cls(
            there=_ids((*sandbox.accounts, *sandbox.archive), "tradingAccountId"),
            stored=_ids(sandbox.credentials, "credentialId"),
            read=Counter(_key(body) for body in bodies if isinstance(body, dict)),
            trims=world.weather.trims,
        )

    def belie(self, outcome: RowOutcome) -> str | None:
        """Say what does not fit about an outcome, if anything."""
        there, stored = self.there[outcome.key], self.stored[outcome.key]
        known = [] if outcome.account is None else [outcome.account.trading_account_id]
        held = [] if outcome.credential_id is None else [outcome.credential_id]
        certain = outcome.state in {RowState.DONE, RowState.FAILED, RowState.STORED}
        if certain and (there, stored) != (known, held):
            return f"{outcome.key}: said {outcome.state}, there: {there} {stored}"
        return None

    def audit(self, keys: Iterable[str], rows: Iterable[JournalRow]) -> list[str]:
        """Say what does not fit in a journal all of whose rows should be settled."""
        known = {row.key: row for row in rows}
        wrong = [f"{key}: lost" for key in keys if key not in known]
        return wrong + [f"{row.key}: {what}" for row in known.values() for what in self._check(row)]

    def _check(self, row: JournalRow) -> Iterator[str]:
        there, read = self.there[row.key], self.read[row.key]
        known = [] if row.account is None else [row.account.trading_account_id]
        if len(there) > 1:
            yield f"connected {len(there)} times"
        if row.state not in SETTLED:
            yield f"lost, it is {row.state}"
        if row.state in {RowState.DONE, RowState.FAILED} and there != known:
            yield f"{row.state} with {known}, there: {there}"
        if row.state is RowState.DONE and not known:
            yield "done without an account"
        if row.state is RowState.CONFLICT and not self.trims:
            yield "a conflict although no name was trimmed"
        if read > row.attempts:
            yield f"read {read} times, attempted {row.attempts} times"
        yield from self._check_credential(row)

    def _check_credential(self, row: JournalRow) -> Iterator[str]:
        stored = self.stored[row.key]
        held = [] if row.credential_id is None else [row.credential_id]
        if len(stored) > 1:
            yield f"stored {len(stored)} times"
        if row.state is not RowState.CONFLICT and (orphans := {*stored} - {*held}):
            yield f"orphaned {sorted(orphans)}"
        if not {*held} <= {*stored}:
            yield f"says that it is stored as {held}"


def _ids(things: Iterable[Mapping[str, Any]], id_: str) -> defaultdict[str, list[str]]:
    """Return the ids of the things of each row."""
    found = defaultdict[str, list[str]](list)
    for thing in things:
        found[_key(thing)].append(thing[id_])
    return found


def _key(thing: Mapping[str, Any]) -> str:
    """Return the key of a row; it is in all of its names."""
    name = name_of(thing)
    found = re.search(r"No\d{4}", name)
    return name if found is None else found[0]
