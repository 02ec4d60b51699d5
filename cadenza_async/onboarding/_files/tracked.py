"""Rows on their way from a file into a run: which line an outcome belongs to."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Self

from attrs import frozen

from cadenza_async.errors import InvalidRowError
from cadenza_async.onboarding._entry import key_of
from cadenza_async.onboarding._reader import JournalReader, JournalRow
from cadenza_async.onboarding._states import SAME_KEY, RowOutcome, RowState

if TYPE_CHECKING:
    import os
    from collections.abc import AsyncIterator, Iterator

    from cadenza_async.models import NewAccount
    from cadenza_async.onboarding._files.accounts import FileRow


@frozen(kw_only=True)
class Origin:
    """Where an outcome comes from.

    Attributes:
        line: The line of the file, from 1.
        key: What the row is known by.
        api_key: The first and last characters of its API key.
        user: Whose account it is.
        venue: Its venue.
        name: The name it was given.
    """

    line: int | None = None
    key: str
    api_key: str | None = None
    user: str | None = None
    venue: str | None = None
    name: str | None = None


class TrackedRows:
    """Rows for `onboard`, each remembered until it has its outcome.

    Args:
        rows: The rows of a file.

    Attributes:
        users: How many rows each user has, of those read so far.
        exhausted: Whether all rows have been read.
    """

    def __init__(self, rows: AsyncIterator[FileRow]) -> None:
        self._rows = rows
        self._open: dict[str, list[Origin]] = {}
        self._begun: set[str] = set()  # keys of which the first row has an outcome, and others none
        self.users: Counter[str | None] = Counter()
        self.exhausted = False

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> NewAccount | InvalidRowError:
        """Return the next row."""
        try:
            row = await anext(self._rows)
        except StopAsyncIteration:
            self.exhausted = True
            raise
        entry = row.entry
        origin = _origin(row.line, entry)
        self._open.setdefault(origin.key, []).append(origin)
        self.users[origin.user] += 1
        return entry

    def claim(self, outcome: RowOutcome) -> Origin:
        """Say where an outcome comes from; each row has one."""
        origins = self._open[outcome.key]
        whose = outcome.user, outcome.venue
        alike = [each for each in origins if (each.user or None, each.venue) == whose]
        # Of rows with the same key all but the first are refused for that, at once and in turn.
        later = str(outcome.error) == SAME_KEY and outcome.key not in self._begun
        origin = alike[1 if later and len(alike) > 1 else 0]
        origins.remove(origin)
        if not origins:
            del self._open[outcome.key]
            self._begun.discard(outcome.key)
        elif not later and outcome.venue is not None:  # what could not be read is of no venue
            self._begun.add(outcome.key)
        return origin

    def leftovers(self, journal: str | os.PathLike[str]) -> Iterator[tuple[RowOutcome, Origin]]:
        """Tell of the rows without an outcome, by what a journal knows of them.

        Args:
            journal: The journal of the run, which has ended.
        """
        if not self._open:
            return
        with JournalReader(journal) as reader:
            for row in reader.rows():
                origins = self._open.get(row.key, [])
                origin = next((each for each in origins if _fits(row, each)), None)
                if origin is not None:
                    origins.remove(origin)
                    yield outcome_of(row), origin
        for origin in (each for origins in self._open.values() for each in origins):
            yield _unmet(origin), origin
        self._open.clear()


def _origin(line: int, entry: NewAccount | InvalidRowError) -> Origin:
    if isinstance(entry, InvalidRowError):
        return Origin(line=line, key=entry.key or "")
    return Origin(
        line=line,
        key=key_of(entry),
        api_key=entry.api_key.masked(),
        user=entry.user,
        venue=entry.venue,
        name=entry.name,
    )


def _fits(row: JournalRow, origin: Origin) -> bool:
    """Tell whether a journal means this row, and not another one that has the same key."""
    whose = (row.user, row.venue.upper()) == (origin.user or None, (origin.venue or "").upper())
    return whose and (row.name is None or row.name.startswith(origin.name or ""))


def outcome_of(row: JournalRow) -> RowOutcome:
    """Return what became of a row, as its journal has it; the attempts are those of all runs."""
    state = RowState.UNKNOWN if row.state is RowState.INTENT else row.state
    return RowOutcome(
        key=row.key,
        state=state,
        account=row.account,
        error=row.error,
        attempts=row.attempts,
        user=row.user,
        venue=row.venue,
        name=row.name,
        credential_id=row.credential_id,
    )


def _unmet(origin: Origin) -> RowOutcome:
    """Return the outcome of a row that the run did not come to."""
    return RowOutcome(
        key=origin.key,
        state=RowState.PENDING,
        user=origin.user,
        venue=origin.venue,
        name=origin.name,
    )
