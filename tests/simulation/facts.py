"""What the server knows of the rows of a job, held against the job's journal."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Collection
from typing import TYPE_CHECKING

from attrs import frozen

from cadenza_async import RowState
from cadenza_async.errors import AmbiguousOutcomeError

from .world import name_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from cadenza_async import JournalRow, RowOutcome

    from .history import Birth
    from .world import World

SETTLED = frozenset({RowState.DONE, RowState.FAILED, RowState.CONFLICT})
_COUNTED = ("/connect", "/create")


@frozen(kw_only=True)
class Facts:
    """What the server knows of the rows, by their keys.

    Attributes:
        there: The ids of the accounts that were made for them.
        others: The ids of those that somebody else made by their credentials.
        stored: The ids of the credentials that were made for them.
        revoked: The ids of those that somebody else has revoked since.
        read: How often the server read what makes either.
        touched: The places where somebody else may have made a conflict of a row.
        changed: The accounts that may be named then.
        lenient: Whether any row may be a conflict, as the server trims names.
        namesakes: Whether rows may have taken accounts of somebody else, or of each other, for
            their own, as these had their names.
    """

    there: defaultdict[str, list[str]]
    others: defaultdict[str, list[str]]
    stored: defaultdict[str, list[str]]
    revoked: Collection[str]
    read: Counter[str]
    touched: Collection[tuple[str, str]]
    changed: Collection[str]
    lenient: bool
    namesakes: bool

    @classmethod
    def of(cls, world: World) -> Facts:
        """Look at a world."""
        history = world.history
        bodies = [r["body"] for r in world.sandbox.requests if r["path"].endswith(_COUNTED)]
        stored = _ids(history.credentials.values())
        owners = {id_: key for key, ids in stored.items() for id_ in ids}
        others = defaultdict[str, list[str]](list)
        for each in history.accounts.values():
            if each.by_hand and each.credentials:
                others[owners.get(each.credentials[0], "")].append(each.id)
        return cls(
            there=_ids(history.accounts.values()),
            others=others,
            stored=stored,
            revoked=history.revoked,
            read=Counter(_key(name_of(body)) for body in bodies if isinstance(body, dict)),
            touched=history.touched,
            changed=history.changed,
            lenient=world.weather.trims,
            namesakes=world.company == "namesakes",
        )

    def belie(self, outcome: RowOutcome) -> str | None:
        """Say what does not fit about an outcome, if anything."""
        known = [] if outcome.account is None else [outcome.account.trading_account_id]
        held = [] if outcome.credential_id is None else [outcome.credential_id]
        certain = outcome.state in {RowState.DONE, RowState.FAILED, RowState.STORED}
        if certain and not (self._fits(outcome.key, known) and self._stores(outcome.key, held)):
            there, stored = self.there[outcome.key], self.stored[outcome.key]
            return f"{outcome.key}: said {outcome.state}, there: {there} {stored}"
        return None

    def audit(self, keys: Iterable[str], rows: Iterable[JournalRow]) -> list[str]:
        """Say what does not fit in a journal all of whose rows should be settled."""
        known = {row.key: row for row in rows}
        wrong = [f"{key}: lost" for key in keys if key not in known]
        wrong += [f"{row.key}: {what}" for row in known.values() for what in self._check(row)]
        return [*wrong, *self._count(known.values())]

    def _fits(self, key: str, known: list[str]) -> bool:
        """Tell whether what a row has connected is all that it has made.

        Where somebody else has connected by its credential it is that.
        """
        there = self.there[key]
        if self.namesakes:
            return True
        return known == there or (not there and known != [] and {*known} <= {*self.others[key]})

    def _stores(self, key: str, held: list[str]) -> bool:
        """Tell whether a row knows of all that it has stored and nobody has revoked."""
        stored = {*self.stored[key]}
        return stored - {*self.revoked} <= {*held} and (self.namesakes or {*held} <= stored)

    def _count(self, rows: Collection[JournalRow]) -> Iterator[str]:
        """Say where namesakes have more accounts than there are rows that may have made them."""
        if not self.namesakes:
            return
        known = Counter(row.account.trading_account_id for row in rows if row.account is not None)
        yield from (f"{id_}: of {number} rows" for id_, number in known.items() if number > 1)
        most, made = Counter[tuple[str, str]](), Counter[tuple[str, str]]()
        for row in rows:
            place = (row.user or "", row.venue.upper())
            made[place] += len(self.there[row.key])
            most[place] += row.state in {RowState.DONE, RowState.CONFLICT}
        yield from (f"{place}: {made[place] - most[place]} too many" for place in made - most)

    def _check(self, row: JournalRow) -> Iterator[str]:
        there, read = self.there[row.key], self.read[row.key]
        known = [] if row.account is None else [row.account.trading_account_id]
        if len(there) > 1 and not self.namesakes:
            yield f"connected {len(there)} times"
        if row.state not in SETTLED:
            yield f"lost, it is {row.state}"
        if row.state in {RowState.DONE, RowState.FAILED} and not self._fits(row.key, known):
            yield f"{row.state} with {known}, there: {there}"
        if row.state is RowState.DONE and not known:
            yield "done without an account"
        if row.state is RowState.CONFLICT and not self._excuses(row):
            yield "a conflict although no name was trimmed and nobody else was there"
        if read > row.attempts:
            yield f"read {read} times, attempted {row.attempts} times"
        yield from self._check_credential(row)

    def _excuses(self, row: JournalRow) -> bool:
        """Tell whether somebody else may have made a conflict of a row, as its error says."""
        accounts = row.error.accounts if isinstance(row.error, AmbiguousOutcomeError) else ()
        named = {account.trading_account_id for account in accounts}
        there = (row.user or "", row.venue.upper()) in self.touched
        return self.lenient or (there and (not named or bool(named & {*self.changed})))

    def _check_credential(self, row: JournalRow) -> Iterator[str]:
        stored = self.stored[row.key]
        held = [] if row.credential_id is None else [row.credential_id]
        left = [each for each in stored if each not in self.revoked]
        if len(left) > 1:
            yield f"stored {len(left)} times"
        if row.state is not RowState.CONFLICT and (orphans := {*left} - {*held}):
            yield f"orphaned {sorted(orphans)}"
        if not {*held} <= {*stored} and not self.namesakes:
            yield f"says that it is stored as {held}"


def _ids(births: Iterable[Birth]) -> defaultdict[str, list[str]]:
    """Return the ids of the things that were made for each row."""
    found = defaultdict[str, list[str]](list)
    for birth in births:
        if not birth.by_hand:
            found[_key(birth.name)].append(birth.id)
    return found


def _key(name: str) -> str:
    """Return the key of a row; it is in all of its names."""
    found = re.search(r"No\d{4}", name)
    return name if found is None else found[0]
