"""How the journal takes rows in: new ones, and those that it has met before. In SQL."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from attrs import evolve, frozen

from cadenza_async.errors import CadenzaError, InvalidRowError
from cadenza_async.models import TradingAccount
from cadenza_async.onboarding._credentials import Credentials, Held
from cadenza_async.onboarding._records import dumps, load_account, load_error
from cadenza_async.onboarding._schema import holds
from cadenza_async.onboarding._states import (
    OPEN,
    Known,
    RowState,
    meet,
    refused,
    unread,
    waiting,
)

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Sequence

    from cadenza_async.onboarding._entry import Entry

_MAY_EXIST = ", ".join(
    repr(state.value) for state in RowState if state not in {RowState.PENDING, RowState.FAILED}
)
_KNOWN = """
SELECT id, state, fingerprint, run, name, account, error, doubted, user, venue,
       credential_id, external_id, stale
FROM rows LEFT JOIN credentials ON credentials.row = rows.id WHERE key = ?
"""
_TAKE_IN = """
INSERT INTO rows (key, user, venue, name, fingerprint, state, run)
WITH new AS (
    SELECT json_each.key AS number, json_extract(value, '$[0]') AS key,
           json_extract(value, '$[1]') AS user, json_extract(value, '$[2]') AS venue,
           json_extract(value, '$[3]') AS name, json_extract(value, '$[4]') AS fingerprint
    FROM json_each(?)
)
SELECT key, user, venue, name, fingerprint, 'PENDING', ? FROM new
WHERE NOT EXISTS (SELECT 1 FROM new JOIN rows ON rows.key = new.key)
    AND NOT EXISTS (
        SELECT 1 FROM new JOIN rows
        ON rows.user = new.user AND rows.venue = new.venue AND rows.name = new.name
    )
    AND NOT EXISTS (
        SELECT 1 FROM new JOIN baseline AS there
        ON there.user = new.user AND there.venue = new.venue AND there.name = new.name
    )
ORDER BY number
"""


class _Found(NamedTuple):
    """A row as the journal has it."""

    id: int
    state: str
    fingerprint: str
    run: int
    name: str | None
    account: str | None
    error: str | None
    doubted: int
    user: str
    venue: str
    credential_id: str | None
    external_id: str | None
    stale: int

    @property
    def held(self) -> Held | None:
        """The credential that holds its keys."""
        if self.credential_id is None:
            return None
        return Held(
            credential_id=self.credential_id,
            external_id=self.external_id,
            stale=bool(self.stale),
        )


@frozen(kw_only=True)
class Admitted:
    """A row as it takes part in a run.

    Attributes:
        id: Its place in the journal; 0 for a row that is refused and not kept.
        state: INTENT never.
        name: The name it is sent under.
        account: The connected account, when it is DONE.
        error: Why it is not.
        doubted: Whether an earlier sending may have been done.
        held: The credential that holds its keys at Cadenza.
    """

    id: int
    state: RowState
    name: str | None = None
    account: TradingAccount | None = None
    error: CadenzaError | None = None
    doubted: bool = False
    held: Held | None = None


class Register:
    """The part of a store that takes rows in.

    Args:
        file: The journal.
        run: The number of this run.
        retry_failed: Whether rows that were refused are to be sent again.
    """

    def __init__(self, file: sqlite3.Connection, *, run: int, retry_failed: bool) -> None:
        self._file = file
        self._credentials = Credentials(file)
        self._run = run
        self._retry_failed = retry_failed

    def admit(self, entries: Sequence[Entry]) -> list[Admitted]:
        """Take rows in, and say in what state each takes part.

        A row that must not take part comes back with the reason, FAILED or still UNKNOWN.
        """
        return self._take_in_all(entries) or [self._admit(entry) for entry in entries]

    def object_to(self, entry: Entry) -> InvalidRowError | None:
        """Say why a row would be refused, and take nothing in."""
        row = self._file.execute(_KNOWN, (entry.key,)).fetchone()
        now = RowState.PENDING
        if row is not None:
            try:
                now = meet(self._recall(_Found(*row), entry), retry_failed=self._retry_failed)
            except InvalidRowError as refusal:
                return refusal
        return self._choose(entry)[1] if now in OPEN else None

    def see(self, key: str, error: InvalidRowError) -> Admitted:
        """Meet a row that could not be read, and say what is known of it nevertheless."""
        self._refuse()
        try:
            row = self._file.execute(_KNOWN, (key,)).fetchone()
        except UnicodeEncodeError:  # half a surrogate pair: no row has such a key
            row = None
        if row is None or _Found(*row).run == self._run:
            return Admitted(id=0, state=RowState.FAILED, error=error)
        found = _Found(*row)
        self._meet_unread(found.id)
        state, reason = unread(RowState(found.state), error)
        return Admitted(id=0, state=state, error=reason, held=found.held)

    def _take_in_all(self, entries: Sequence[Entry]) -> list[Admitted] | None:
        """Take in rows that nobody has seen before, in one statement; None if they are not."""
        names = {(entry.user, entry.venue.upper(), entry.names[0]) for entry in entries}
        if len(names) < len(entries) or len({entry.key for entry in entries}) < len(entries):
            return None
        told = dumps([(e.key, e.user, e.venue, e.names[0], e.fingerprint) for e in entries])
        taken = self._file.execute(_TAKE_IN, (told, self._run))
        if not taken.rowcount:
            return None
        first = (taken.lastrowid or 0) - len(entries) + 1
        return [
            Admitted(id=id_, state=RowState.PENDING, name=entry.names[0])
            for id_, entry in enumerate(entries, first)
        ]

    def _admit(self, entry: Entry) -> Admitted:
        row = self._file.execute(_KNOWN, (entry.key,)).fetchone()
        return self._take_in(entry) if row is None else self._meet(_Found(*row), entry)

    def _meet(self, found: _Found, entry: Entry) -> Admitted:
        known, held = self._recall(found, entry), found.held
        try:
            now = meet(known, retry_failed=self._retry_failed)
        except InvalidRowError as refusal:
            refusal.key = entry.key
            self._meet_unread(found.id)
            self._refuse()
            state = refused(known)
            return Admitted(id=0, state=state, name=found.name, error=refusal, held=held)
        if now in OPEN:
            doubted = bool(found.doubted)
            return self._reopen(found.id, entry, held, doubted=doubted, same=known.same)
        self._meet_again(found.id, now)
        return Admitted(
            id=found.id,
            state=now,
            name=found.name,
            account=load_account(found.account),
            error=load_error(found.error),
            doubted=now is RowState.UNKNOWN,
            held=held,
        )

    def _recall(self, found: _Found, entry: Entry) -> Known:
        whose, stored = (found.user, found.venue.upper()), found.held is not None
        return Known(
            state=RowState(found.state),
            same=found.fingerprint == entry.fingerprint,
            met=found.run == self._run,
            provisional=isinstance(load_error(found.error), InvalidRowError),
            stored=stored,
            moved=stored and whose != (entry.user, entry.venue.upper()),
        )

    def _reopen(
        self, id_: int, entry: Entry, held: Held | None, *, doubted: bool, same: bool
    ) -> Admitted:
        """Let a row wait to be sent; a credential may hold other keys than it has now."""
        if held is None:
            return self._renew(id_, entry, doubted=doubted and same)
        if not same:
            held = evolve(held, external_id=held.external_id if doubted else None, stale=True)
        return self._renew(id_, entry, doubted=doubted, held=held)

    def _meet_unread(self, id_: int) -> None:
        self._file.execute("UPDATE rows SET run = ? WHERE id = ?", (self._run, id_))

    def _refuse(self) -> None:
        """Count a row that is not kept, so that nobody takes the others for all."""
        self._file.execute("UPDATE journal SET refused = refused + 1")

    def _meet_again(self, id_: int, state: RowState) -> None:
        self._file.execute(
            "UPDATE rows SET run = ?, state = ?, doubted = doubted OR ? WHERE id = ?",
            (self._run, state, state is RowState.UNKNOWN, id_),
        )

    def _take_in(self, entry: Entry) -> Admitted:
        name, error = self._choose(entry)
        state = RowState.FAILED if error else RowState.PENDING
        cursor = self._file.execute(
            "INSERT INTO rows (key, user, venue, fingerprint, run, name, state, error)"
            " VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
            (
                *(entry.key, entry.user, entry.venue, entry.fingerprint, self._run),
                *(name, state, error and dumps(error)),
            ),
        )
        return Admitted(id=cursor.lastrowid or 0, state=state, name=name, error=error)

    def _renew(
        self, id_: int, entry: Entry, *, doubted: bool, held: Held | None = None
    ) -> Admitted:
        name, error = self._choose(entry)
        state = RowState.FAILED if error else waiting(stored=held is not None)
        self._file.execute(
            "UPDATE rows SET user = ?, venue = ?, fingerprint = ?, run = ?,"
            " name = ?, state = ?, error = ?, doubted = ? WHERE id = ?",
            (
                *(entry.user, entry.venue, entry.fingerprint, self._run),
                *(name, state, error and dumps(error), doubted, id_),
            ),
        )
        if held is not None:
            self._credentials.keep(id_, held)
        return Admitted(id=id_, state=state, name=name, error=error, doubted=doubted, held=held)

    def _choose(self, entry: Entry) -> tuple[str | None, InvalidRowError | None]:
        """Give a row that may be sent the first of its names that is free."""
        reason = ""
        for name in entry.names:
            wanted = (entry.user, entry.venue, name)
            if self._rival(*wanted, entry.key):
                reason = "another row of the same user and venue has the same name"
            elif self._was_there(*wanted):
                reason = "an account of the same venue and name was there before"
                if not entry.evasive:
                    break
            else:
                return name, None
        error = InvalidRowError(f"{reason}: names tell accounts apart", key=entry.key)
        return None, error

    def _rival(self, user: str, venue: str, name: str, key: str) -> bool:
        """Tell whether a row of this run, or one that may have been done, has the name."""
        return holds(
            self._file,
            "SELECT 1 FROM rows WHERE user = ? AND venue = ? AND name = ? AND key <> ?"  # noqa: S608  # the words are ours
            f" AND (run = ? OR state IN ({_MAY_EXIST}))",
            user,
            venue,
            name,
            key,
            self._run,
        )

    def _was_there(self, user: str, venue: str, name: str) -> bool:
        return holds(
            self._file,
            "SELECT 1 FROM baseline WHERE user = ? AND venue = ? AND name = ?",
            user,
            venue,
            name,
        )
