"""What the journal is asked and told, in SQL. Everything here blocks: see `_journal`."""

from __future__ import annotations

import sqlite3
from contextlib import contextmanager
from functools import partial
from typing import TYPE_CHECKING, NamedTuple

from cadenza_async.errors import ConfigError
from cadenza_async.models import AccountStatus, TradingAccount
from cadenza_async.onboarding import _schema
from cadenza_async.onboarding._credentials import Credentials, Held
from cadenza_async.onboarding._lock import lock
from cadenza_async.onboarding._records import dumps
from cadenza_async.onboarding._register import Register
from cadenza_async.onboarding._states import (
    MOVES,
    Flavour,
    RowState,
)

if TYPE_CHECKING:
    from collections.abc import Generator, Iterable, Sequence

    from cadenza_async.errors import CadenzaError

_ALLOWED = ", ".join(f"'{old}>{new}'" for old, moves in MOVES.items() for new in moves)
_MOVE = f"""
UPDATE rows
SET state = CASE WHEN rows.state || '>' || new.state IN ({_ALLOWED}) THEN new.state END,
    account_id = new.account_id, account = new.account, error = new.error,
    attempts = attempts + (new.state = 'INTENT'), doubted = doubted OR new.state = 'UNKNOWN'
FROM (
    SELECT json_extract(value, '$[0]') AS id, json_extract(value, '$[1]') AS state,
           json_extract(value, '$[2].trading_account_id') AS account_id,
           json_extract(value, '$[2]') AS account, json_extract(value, '$[3]') AS error
    FROM json_each(?)
) AS new
WHERE rows.id = new.id
"""  # noqa: S608  # nothing but our own words
_EXPLAINED = """
SELECT account_id FROM baseline WHERE user = ?
UNION ALL SELECT account_id FROM rows WHERE user = ? AND account_id IS NOT NULL
"""


class Move(NamedTuple):
    """A row's way to another state.

    Attributes:
        id: Its place in the journal.
        state: Where it goes.
        account: The account that was connected, if it was.
        error: What went wrong, if anything.
    """

    id: int
    state: RowState
    account: TradingAccount | None = None
    error: CadenzaError | None = None


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
        register: Its part that takes rows in.

    Raises:
        ConfigError: If it cannot be used for that.
    """

    def __init__(
        self, path: str, base_url: str, *, retry_failed: bool, flavour: Flavour = Flavour.DIRECT
    ) -> None:
        self._flavour = flavour
        taken = f"{path} is in use by another job: wait until it has ended, or stop it"
        self._lock = _schema.opened(path, partial(lock, path, taken=taken))
        try:
            self._file = _schema.opened(path, partial(self._open, path, base_url))
        except BaseException:
            self._lock.close()
            raise
        self.credentials = Credentials(self._file)
        self.register = Register(self._file, run=self._run, retry_failed=retry_failed)

    def _open(self, path: str, base_url: str) -> sqlite3.Connection:
        _schema.create(path, base_url, self._flavour)
        file = _schema.connect(path)
        try:
            _schema.check(file, path)
            found, flavour, self.secret = file.execute(
                "SELECT base_url, flavour, secret FROM journal"
            ).fetchone()
            if found != base_url:
                raise ConfigError(f"{path} is the journal of {found}, not of {base_url}")
            if flavour != self._flavour:
                raise ConfigError(
                    f"{path} is the journal of a job of the flavour {flavour}, not {self._flavour}"
                )
            file.execute("UPDATE journal SET run = run + 1, refused = 0")
            (self._run,) = file.execute("SELECT run FROM journal").fetchone()
        except BaseException:
            file.close()
            raise
        return file

    def close(self) -> None:
        """Close it, and let others have it."""
        self._file.close()
        self._lock.close()

    @contextmanager
    def transaction(self) -> Generator[None]:
        """Make all that is done meanwhile last (one fsync), or nothing of it."""
        self._file.execute("BEGIN IMMEDIATE")
        with self._file:
            yield

    def move(self, moves: Sequence[Move]) -> None:
        """Take rows to other states, all of them or none.

        One statement does it, that leaves the interpreter to others and needs no transaction.

        Raises:
            RuntimeError: If a row cannot go there from where it is: a mistake of ours.
        """
        try:
            self._file.execute(_MOVE, (dumps(moves),))
        except sqlite3.IntegrityError:
            raise RuntimeError("a row of the journal cannot be moved so") from None

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
        found = self._file.execute(_EXPLAINED, (user, user))
        ids = {account_id for (account_id,) in found}
        return [
            account
            for account in accounts
            if account.trading_account_id not in ids and not self._is_being_sent(user, account)
        ]

    def _is_being_sent(self, user: str, account: TradingAccount) -> bool:
        return self._holds(
            "SELECT 1 FROM rows WHERE user = ? AND venue = ? AND name = ? AND state = 'INTENT'",
            user,
            account.venue,
            account.name,
        )

    def complete(self) -> int:
        """Note that all rows were met; return how many of the journal's were not."""
        self._file.execute("UPDATE journal SET complete = run")
        missing = self._file.execute("SELECT count(*) FROM rows WHERE run < ?", (self._run,))
        count: int = missing.fetchone()[0]
        return count

    def _holds(self, question: str, *facts: object) -> bool:
        return _schema.holds(self._file, question, *facts)


def _blocking(account: TradingAccount) -> str | None:
    """Return the name that no other account may have; one that is gone for good blocks none."""
    return None if account.status == AccountStatus.DISCONNECTED else account.name
