"""A run without sending: every flaw of a file, and how long it will take."""

from __future__ import annotations

import hmac
import sqlite3
from collections import Counter
from math import ceil
from typing import TYPE_CHECKING, Final, Self

from cadenza_async.onboarding._entry import enter
from cadenza_async.onboarding._files.cells import Flaw

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from types import TracebackType

    from cadenza_async.errors import InvalidRowError
    from cadenza_async.models import NewAccount
    from cadenza_async.onboarding._files.accounts import FileRow

CALLS_A_MINUTE: Final = 30
"""What is published for account management; the truth is in the headers of the answers."""

_NO_KEY: Final = hmac.new(b"", digestmod="sha256")  # nothing is kept of the fingerprints


class Rehearsal:
    """Checks rows one by one, against those before as well; use it with ``with``.

    What was seen is kept in a temporary file, as a million rows would fill the memory.

    Args:
        has_token: Says of a user (None: of rows without one) whether there is a token.
        unique_names: Whether equal names will be told apart.
        object_to: Says why the run would refuse a row because of what its journal knows.

    Attributes:
        good: How many good rows each user has.
        bad: How many rows are bad.
    """

    def __init__(
        self,
        has_token: Callable[[str | None], bool],
        *,
        unique_names: bool,
        object_to: Callable[[NewAccount], InvalidRowError | None],
    ) -> None:
        self._has_token = has_token
        self._object_to = object_to
        self._unique_names = unique_names
        self.good: Counter[str | None] = Counter()
        self.bad = 0

    def __enter__(self) -> Self:
        self._seen = sqlite3.connect("", isolation_level=None)
        self._seen.execute("PRAGMA synchronous = OFF")
        self._seen.execute("BEGIN")
        self._seen.execute("CREATE TABLE seen (what TEXT PRIMARY KEY, line INTEGER) WITHOUT ROWID")
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._seen.close()

    def check(self, row: FileRow) -> tuple[Flaw, ...]:
        """Return all that is wrong with the next row."""
        account = row.account
        flaws = row.flaws
        if account is not None:
            flaws = tuple(self._compare(row.line, account)) or self._recall(row.line, account)
        if flaws or account is None:
            self.bad += 1
        else:
            self.good[account.user] += 1
        return flaws

    def met(self, key: str) -> bool:
        """Tell whether a row with this key, its own or a made one, has been checked."""
        found = self._seen.execute("SELECT 1 FROM seen WHERE what = ?", (f"key\0{key}",))
        return found.fetchone() is not None

    def _compare(self, line: int, account: NewAccount) -> Iterator[Flaw]:
        entry = enter(account, _NO_KEY, unique_names=self._unique_names)
        if not self._has_token(account.user):
            yield Flaw(line=line, column="user", text="there is no access token for this user")
        first = self._first(f"key\0{entry.key}", line)
        if first != line:
            problem = "the key is" if account.key else "user, venue, API key and account type are"
            yield Flaw(line=line, text=f"{problem} the same as in line {first}")
        if account.name and not self._unique_names:
            place = f"name\0{entry.user}\0{entry.venue.lower()}\0{entry.names[0]}"
            first = self._first(place, line)
            if first != line:
                text = f"the same user and venue have this name in line {first} already"
                yield Flaw(line=line, column="name", text=text)

    def _recall(self, line: int, account: NewAccount) -> tuple[Flaw, ...]:
        refusal = self._object_to(account)
        return () if refusal is None else (Flaw(line=line, text=str(refusal)),)

    def _first(self, what: str, line: int) -> int:
        """Return the line in which something was seen first."""
        self._seen.execute("INSERT OR IGNORE INTO seen VALUES (?, ?)", (what, line))
        found: tuple[int] = self._seen.execute(
            "SELECT line FROM seen WHERE what = ?", (what,)
        ).fetchone()
        return found[0]


def windows(rows: Mapping[str | None, int], limit: int, *, baseline: int, calls: int) -> int:
    """Return how many windows of the rate limit a run has to wait for, users side by side.

    The wait for the end of the first one, which began before the run, comes on top.

    Args:
        rows: How many rows each user has.
        limit: Calls in a window for each user.
        baseline: Calls for each user that list what there is before anything is sent.
        calls: Calls for each row.
    """
    longest = max(rows.values(), default=0)
    return ceil((longest * calls + baseline) / limit) - 1 if longest > 0 else 0
