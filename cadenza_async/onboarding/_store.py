"""What the journal is asked and told, in SQL. Everything here blocks: see `_journal`."""

from __future__ import annotations

import json
from functools import partial
from typing import TYPE_CHECKING, Any, NamedTuple

from attrs import evolve, frozen

from cadenza_async.errors import CadenzaError, ConfigError, InvalidRowError
from cadenza_async.models import AccountStatus, TradingAccount
from cadenza_async.onboarding import _schema
from cadenza_async.onboarding._credentials import Credentials, Held, hold
from cadenza_async.onboarding._records import error_facts, load_account, load_error
from cadenza_async.onboarding._states import (
    MOVES,
    OPEN,
    Flavour,
    Known,
    RowState,
    meet,
    waiting,
)

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterable, Mapping, Sequence

    from cadenza_async.onboarding._rows import Entry

_MAY_EXIST = ", ".join(
    repr(state.value) for state in RowState if state not in {RowState.PENDING, RowState.FAILED}
)
_ALLOWED = ", ".join(f"'{old}>{new}'" for old, moves in MOVES.items() for new in moves)
_MOVE = f"""
UPDATE rows
SET state = new.state, account_id = new.account_id, account = new.account, error = new.error,
    attempts = attempts + (new.state = 'INTENT'), doubted = doubted OR new.state = 'UNKNOWN'
FROM (
    SELECT json_extract(value, '$[0]') AS id, json_extract(value, '$[1]') AS state,
           json_extract(value, '$[2].trading_account_id') AS account_id,
           json_extract(value, '$[2]') AS account, json_extract(value, '$[3]') AS error
    FROM json_each(?)
) AS new
WHERE rows.id = new.id AND rows.state || '>' || new.state IN ({_ALLOWED})
"""  # noqa: S608  # nothing but our own words

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


class Move(NamedTuple):
    """A row's way to another state.

    Attributes:
        id: Its place in the journal.
        state: Where it goes.
        account: What is known of the account that was connected, if it was.
        error: What went wrong, if anything.
    """

    id: int
    state: RowState
    account: Mapping[str, Any] | None = None
    error: Mapping[str, Any] | None = None


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


class Store:
    """A journal that is open for writing.

    Args:
        path: Where it is; made when it is not there.
        base_url: Where the accounts are connected.
        retry_failed: Whether rows that were refused are to be sent again.
        flavour: How they are connected.

    Attributes:
        secret: The key of the fingerprints.
        credentials: Its part about credentials.

    Raises:
        ConfigError: If it cannot be used for that.
    """

    def __init__(
        self, path: str, base_url: str, *, retry_failed: bool, flavour: Flavour = Flavour.DIRECT
    ) -> None:
        self._retry_failed = retry_failed
        self._flavour = flavour
        self._lock = _schema.opened(path, partial(_schema.lock, path))
        try:
            self._file = _schema.opened(path, partial(self._open, path, base_url))
        except BaseException:
            self._lock.close()
            raise
        self.credentials = Credentials(self._file)

    def _open(self, path: str, base_url: str) -> sqlite3.Connection:
        _schema.create(path, base_url, self._flavour)
        file = _schema.connect(path)
        try:
            if _schema.check(file, path):
                _schema.upgrade(file)
            found, flavour, self.secret = file.execute(
                "SELECT base_url, flavour, secret FROM journal"
            ).fetchone()
            if found != base_url:
                raise ConfigError(f"{path} is the journal of {found}, not of {base_url}")
            if flavour != self._flavour:
                raise ConfigError(
                    f"{path} is the journal of a job of the flavour {flavour}, not {self._flavour}"
                )
            file.execute("UPDATE journal SET run = run + 1")
            (self._run,) = file.execute("SELECT run FROM journal").fetchone()
        except BaseException:
            file.close()
            raise
        return file

    def close(self) -> None:
        """Close it, and let others have it."""
        self._file.close()
        self._lock.close()

    def begin(self) -> None:
        """Begin a transaction."""
        self._file.execute("BEGIN IMMEDIATE")

    def commit(self) -> None:
        """Make it last (one fsync)."""
        self._file.execute("COMMIT")

    def rollback(self) -> None:
        """Undo what was begun."""
        if self._file.in_transaction:
            self._file.execute("ROLLBACK")

    def admit(self, entries: Sequence[Entry]) -> list[Admitted]:
        """Take rows in, and say in what state each takes part.

        A row that must not take part comes back FAILED, with the reason.
        """
        return self._take_in_all(entries) or [self._admit(entry) for entry in entries]

    def _take_in_all(self, entries: Sequence[Entry]) -> list[Admitted] | None:
        """Take in rows that nobody has seen before, in one statement; None if they are not."""
        names = {(entry.user, entry.venue.upper(), entry.names[0]) for entry in entries}
        if len(names) < len(entries) or len({entry.key for entry in entries}) < len(entries):
            return None
        told = json.dumps([(e.key, e.user, e.venue, e.names[0], e.fingerprint) for e in entries])
        taken = self._file.execute(_TAKE_IN, (told, self._run))
        if not taken.rowcount:
            return None
        first = (taken.lastrowid or 0) - len(entries) + 1
        return [
            Admitted(id=id_, state=RowState.PENDING, name=entry.names[0])
            for id_, entry in enumerate(entries, first)
        ]

    def _admit(self, entry: Entry) -> Admitted:
        found = self._file.execute(_KNOWN, (entry.key,)).fetchone()
        if found is None:
            return self._take_in(entry)
        id_, state, fingerprint, run, name, account, error, doubted, user, venue, *facts = found
        error = load_error(error) if error else None
        held = hold(*facts)
        known = Known(
            state=RowState(state),
            same=fingerprint == entry.fingerprint,
            met=run == self._run,
            provisional=isinstance(error, InvalidRowError),
            stored=held is not None,
            moved=held is not None and (user, venue.upper()) != (entry.user, entry.venue.upper()),
        )
        try:
            now = meet(known, retry_failed=self._retry_failed)
        except InvalidRowError as refusal:
            refusal.key = entry.key
            return Admitted(id=0, state=RowState.FAILED, name=name, error=refusal, held=held)
        if now in OPEN:
            return self._reopen(id_, entry, held, doubted=bool(doubted), same=known.same)
        self._meet_again(id_, now)
        return Admitted(
            id=id_,
            state=now,
            name=name,
            account=load_account(account) if account else None,
            error=error,
            doubted=now is RowState.UNKNOWN,
            held=held,
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
                *(name, state, error and json.dumps(error_facts(error))),
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
                *(name, state, error and json.dumps(error_facts(error)), doubted, id_),
            ),
        )
        if held is not None:
            self.credentials.keep(id_, held)
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
        return self._holds(
            "SELECT 1 FROM rows WHERE user = ? AND venue = ? AND name = ? AND key <> ?"  # noqa: S608
            f" AND (run = ? OR state IN ({_MAY_EXIST}))",
            user,
            venue,
            name,
            key,
            self._run,
        )

    def _was_there(self, user: str, venue: str, name: str) -> bool:
        return self._holds(
            "SELECT 1 FROM baseline WHERE user = ? AND venue = ? AND name = ?", user, venue, name
        )

    def _holds(self, question: str, *facts: object) -> bool:
        return self._file.execute(f"{question} LIMIT 1", facts).fetchone() is not None

    def move(self, moves: Sequence[Move]) -> None:
        """Take rows to other states, all in one statement: it leaves the interpreter to others.

        Raises:
            RuntimeError: If a row cannot go there from where it is: a mistake of ours.
        """
        if self._file.execute(_MOVE, (json.dumps(moves),)).rowcount != len(moves):
            raise RuntimeError("a row of the journal cannot be moved so")

    def keep(self, move: Move, held: Held) -> None:
        """Take a row to another state, and note its credential."""
        self.move([move])
        self.credentials.keep(move.id, held)

    def knows(self, user: str) -> bool:
        """Tell whether the accounts that a user had before the first sending were noted."""
        return self._holds("SELECT 1 FROM users WHERE user = ?", user)

    def note_baseline(self, user: str, accounts: Iterable[TradingAccount]) -> None:
        """Note the accounts that a user has before anything is sent."""
        self._file.execute("INSERT INTO users (user) VALUES (?)", (user,))
        self._file.executemany(
            "INSERT INTO baseline VALUES (?, ?, ?, ?)",
            ((user, a.trading_account_id, a.venue, _blocking(a)) for a in accounts),
        )

    def note_renaming(self, user: str) -> None:
        """Note that the server answered with another name than it was sent."""
        self._file.execute("UPDATE users SET renames = 1 WHERE user = ?", (user,))

    def renames(self, user: str) -> bool:
        """Tell whether the server ever changed a name of this user."""
        return self._holds("SELECT 1 FROM users WHERE user = ? AND renames", user)

    def strangers(self, user: str, accounts: Iterable[TradingAccount]) -> list[TradingAccount]:
        """Return the accounts that neither were there before nor are explained by a row.

        A row that is DONE explains its account, one that is being sent any of its name.
        """
        return [account for account in accounts if not self._explained(user, account)]

    def _explained(self, user: str, account: TradingAccount) -> bool:
        id_ = account.trading_account_id
        return (
            self._holds("SELECT 1 FROM baseline WHERE user = ? AND account_id = ?", user, id_)
            or self._holds("SELECT 1 FROM rows WHERE account_id = ? AND user = ?", id_, user)
            or self._holds(
                "SELECT 1 FROM rows WHERE user = ? AND venue = ? AND name = ? AND state = 'INTENT'",
                user,
                account.venue,
                account.name,
            )
        )

    def see(self, key: str) -> None:
        """Note that a row was met, though it could not be read."""
        self._file.execute("UPDATE rows SET run = ? WHERE key = ?", (self._run, key))

    def complete(self) -> int:
        """Note that all rows were met; return how many of the journal's were not."""
        self._file.execute("UPDATE journal SET complete = run")
        missing = self._file.execute("SELECT count(*) FROM rows WHERE run < ?", (self._run,))
        count: int = missing.fetchone()[0]
        return count


def _blocking(account: TradingAccount) -> str | None:
    """Return the name that no other account may have; one that is gone for good blocks none."""
    return None if account.status == AccountStatus.DISCONNECTED else account.name
