"""What the rows of a run have come to, counted for people."""

from __future__ import annotations

import re
import time
from collections import Counter, OrderedDict, deque
from typing import TYPE_CHECKING, Any, Final

from attrs import define, field

from cadenza_async.onboarding import RowState

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from cadenza_async.errors import CadenzaError
    from cadenza_async.models import Attempt
    from cadenza_async.onboarding import RowOutcome

_REASONS: Final = 200  # those met last; a text may be different each time
_LINE: Final = re.compile(r"(?:^|(?<=; ))line \d+[,:] ")
_UNFINISHED: Final = (RowState.PENDING, RowState.STORED, RowState.UNKNOWN, RowState.INTENT)


def counted(rows: int) -> str:
    """Say how many rows there are."""
    return f"{rows:,} {'row' if rows == 1 else 'rows'}"


@define
class Reason:
    """Why rows are not connected.

    Attributes:
        text: What happened.
        remedy: Who must act.
        rows: How many rows it happened to.
        last: Which was the last.
    """

    text: str
    remedy: str
    rows: int = 0
    last: str = ""

    def __str__(self) -> str:
        return f"{counted(self.rows)}: {self.text}"


@define
class Tally:
    """Counts outcomes.

    Attributes:
        states: How many rows are in each state.
        users: How many rows of each user have an outcome.
        unused: How many rows have a stored credential, and no account.
        explained: For how many rows there is a reason why they are not connected.
    """

    states: Counter[RowState] = field(factory=Counter[RowState])
    users: Counter[str | None] = field(factory=Counter["str | None"])
    unused: int = 0
    explained: int = 0
    _reasons: OrderedDict[str, Reason] = field(factory=OrderedDict[str, Reason])

    def add(self, outcome: RowOutcome, facts: Mapping[str, Any]) -> None:
        """Count one row.

        Args:
            outcome: What it has come to.
            facts: The same in words, see `describe`.
        """
        self.states[outcome.state] += 1
        self.users[facts.get("user")] += 1
        self.unused += outcome.credential_id is not None and outcome.state is not RowState.DONE
        if outcome.error is not None and outcome.state is not RowState.DONE:
            self.explained += 1
            text = _reason(outcome.error)
            reason = self._reasons.setdefault(text, Reason(text, facts["remedy"]))
            reason.rows += 1
            reason.last = facts.get("name") or facts["key"]
            self._reasons.move_to_end(text)
            if len(self._reasons) > _REASONS:
                self._reasons.popitem(last=False)

    @property
    def rows(self) -> int:
        """How many rows have been counted."""
        return self.states.total()

    def reasons(self) -> Iterable[Reason]:
        """Return why rows are not connected, the last first."""
        return reversed(self._reasons.values())

    def code(self, *, whole: bool = True) -> int:
        """Return the exit code: 3 if there is more to do, 1 if some failed, else 0.

        Args:
            whole: Whether all rows were counted.
        """
        if not whole or any(self.states[state] for state in _UNFINISHED):
            return 3
        return int(self.states[RowState.DONE] < self.rows)

    def text(self) -> str:
        """Say it in a line."""
        parts = {
            "connected": self.states[RowState.DONE],
            "failed": self.states[RowState.FAILED],
            "in conflict": self.states[RowState.CONFLICT],
            "stored": self.states[RowState.STORED],
            "in doubt": self.states[RowState.UNKNOWN] + self.states[RowState.INTENT],
            "not done": self.states[RowState.PENDING],
        }
        told = [f"{number:,} {what}" for what, number in parts.items() if number]
        return ", ".join(told) or "no rows"


def _reason(error: CadenzaError) -> str:
    """Return what rows may have in common: no request id, no line."""
    return _LINE.sub("", str(getattr(error, "message", error)))


class Meter:
    """How many calls went out in the last so many seconds.

    Args:
        span: The seconds.
        clock: Seconds that never go back.

    Attributes:
        silent: How many calls there were since the last answer.
    """

    def __init__(self, span: int, clock: Callable[[], float] = time.monotonic) -> None:
        self.span = span
        self._clock = clock
        self._seconds: deque[list[int]] = deque()
        self.silent = 0

    def count(self, attempt: Attempt) -> None:
        """Count one call."""
        self.silent = self.silent + 1 if attempt.status is None else 0
        now = int(self._clock())
        if not self._seconds or self._seconds[-1][0] != now:
            self._seconds.append([now, 0])
        self._seconds[-1][1] += 1
        self._forget()

    @property
    def calls(self) -> int:
        """How many calls there were."""
        self._forget()
        return sum(number for _, number in self._seconds)

    def _forget(self) -> None:
        """Leave out what is too long ago."""
        while self._seconds and self._seconds[0][0] <= self._clock() - self.span:
            self._seconds.popleft()
