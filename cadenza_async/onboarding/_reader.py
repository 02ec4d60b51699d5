"""What a journal holds, read without sending anything."""

from __future__ import annotations

import sqlite3
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Self, cast

from attrs import frozen

from cadenza_async.errors import CadenzaError, ConfigError, UsageError
from cadenza_async.models import TradingAccount
from cadenza_async.onboarding import _schema
from cadenza_async.onboarding._records import load_account, load_error
from cadenza_async.onboarding._states import RowState

if TYPE_CHECKING:
    import os
    from collections.abc import Generator, Iterator
    from types import TracebackType


@frozen(kw_only=True)
class JournalRow:
    """A row as the journal knows it.

    Attributes:
        key: The row's key.
        user: Whose account it is; None for the client's own.
        venue: Its venue.
        name: The name it was or will be sent under; None if there is none free for it.
        state: What is known of it.
        account: The connected account, when it is DONE.
        error: What went wrong last.
        attempts: How often it was sent, in all runs.
        missing: Whether the last run that met all of its rows did not meet this one.
        credential_id: The credential that holds its keys at Cadenza, if one was stored.
    """

    key: str
    user: str | None
    venue: str
    name: str | None
    state: RowState
    account: TradingAccount | None
    error: CadenzaError | None
    attempts: int
    missing: bool
    credential_id: str | None = None


class JournalReader:
    """Reads a journal, that of a running job too; use it with ``with``.

    Args:
        path: Where the journal is.

    Raises:
        UsageError: If the path is no path, or the journal is asked outside the block.
        ConfigError: On entering, if there is no file or it is no journal; later, if it is damaged.
    """

    def __init__(self, path: str | os.PathLike[str]) -> None:
        self._path = _schema.path_of("path", path)
        self._opened: sqlite3.Connection | None = None

    def __enter__(self) -> Self:
        self._opened = _schema.opened(self._path, partial(_open, self._path))
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._file.close()
        self._opened = None

    @property
    def _file(self) -> sqlite3.Connection:
        if self._opened is None:
            raise UsageError("the journal is not open: with JournalReader(path) as journal: …")
        return self._opened

    @contextmanager
    def _reading(self) -> Generator[None]:
        """Say plainly that the file cannot be read."""
        try:
            yield
        except sqlite3.DatabaseError as error:
            problem = str(error)
        else:
            return
        raise ConfigError(f"the journal {self._path} cannot be read: {problem}")

    def _fact(self, question: str) -> object:
        with self._reading():
            (fact,) = self._file.execute(f"SELECT {question} FROM journal").fetchone()  # noqa: S608  # the words are ours
        return fact

    @property
    def base_url(self) -> str:
        """Where the accounts are connected."""
        return str(self._fact("base_url"))

    @property
    def complete(self) -> bool:
        """Whether the newest run met all of its rows; those it did not come to are not known here.

        A run that is going on has not.
        """
        return bool(self._fact("complete = run"))

    @property
    def refused(self) -> int:
        """How many rows of the newest run were refused and are not in here as they are.

        They could not be read, were changed after they had been sent, or share another's key.
        """
        return cast("int", self._fact("refused"))

    def counts(self) -> dict[RowState, int]:
        """Return how many rows are in each state."""
        with self._reading():
            found = dict(self._file.execute("SELECT state, count(*) FROM rows GROUP BY state"))
        return dict.fromkeys(RowState, 0) | {RowState(state): found[state] for state in found}

    def rows(self, *states: RowState) -> Iterator[JournalRow]:
        """Iterate over the rows in these states, or over all, in the order they were met first.

        Raises:
            UsageError: If one of them is no `RowState`.
        """
        if not all(state in [*RowState] for state in states):
            raise UsageError(f"each state must be one of {', '.join(RowState)}")
        with self._reading():
            yield from self._rows(states or tuple(RowState))

    def _rows(self, states: tuple[RowState, ...]) -> Iterator[JournalRow]:
        found = self._file.execute(
            "SELECT key, user, venue, name, state, account, error, credential_id, attempts,"  # noqa: S608  # marks for values
            " rows.run < complete"
            " FROM journal JOIN rows LEFT JOIN credentials ON credentials.row = rows.id"
            f" WHERE state IN ({', '.join('?' for _ in states)}) ORDER BY id",
            states,
        )
        for key, user, venue, name, state, account, error, credential, attempts, missing in found:
            yield JournalRow(
                key=key,
                user=user or None,
                venue=venue,
                name=name,
                state=RowState(state),
                account=load_account(account),
                error=load_error(error),
                credential_id=credential,
                attempts=attempts,
                missing=bool(missing),
            )


def _open(path: str) -> sqlite3.Connection:
    Path(path).stat()  # or it would be made
    file = _schema.connect(path)
    try:
        _schema.check(file, path)
        file.execute("PRAGMA query_only = ON")
    except BaseException:
        file.close()
        raise
    return file
