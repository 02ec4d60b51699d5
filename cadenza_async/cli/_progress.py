"""How a run is shown while it goes on: to people at a terminal, in plain lines, to scripts."""

from __future__ import annotations

import asyncio
import sys
import time
from collections import Counter
from collections.abc import Callable
from contextlib import asynccontextmanager, suppress
from typing import TYPE_CHECKING, Any, Final

from attrs import define, field
from rich.console import Group
from rich.live import Live
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from cadenza_async.cli._console import open_console, printable
from cadenza_async.cli._tally import Meter, Tally
from cadenza_async.onboarding import RowState
from cadenza_async.onboarding._files.rehearsal import windows

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator


_BARS: Final = {
    "connected": (RowState.DONE, "green"),
    "in flight": (RowState.INTENT, "cyan"),
    "stored": (RowState.STORED, "blue"),
    "in doubt": (RowState.UNKNOWN, "yellow"),
    "failed": (RowState.FAILED, "red"),
    "in conflict": (RowState.CONFLICT, "magenta"),
    "waiting": (RowState.PENDING, "bright_black"),
}
_RARE: Final = frozenset({RowState.CONFLICT, RowState.STORED})
_REASONS: Final = 4
_EACH: Final = 0.25  # seconds
_PLAIN_EACH: Final = 10.0
_WINDOWS: Final = 2  # whose calls may be made in one span of the meter
_SILENCE: Final = 3  # calls without an answer that are no coincidence


@define(kw_only=True)
class Progress:
    """What there is to show.

    Attributes:
        counts: How many of the rows read so far are in each state.
        users: How many rows each user has, of all or of those read so far.
        complete: Whether ``users`` tells of all rows.
        tally: The outcomes.
        meter: The calls.
        limit: Calls that a user may make in the meter's span; None: no limit.
        calls: Calls that a row takes.
        began: When it began.
    """

    counts: Callable[[], dict[RowState, int]]
    users: Counter[str | None]
    complete: bool
    tally: Tally
    meter: Meter
    limit: int | None
    calls: int = 1
    began: float = field(factory=time.monotonic)

    @property
    def total(self) -> int:
        """How many rows there are, as far as is known."""
        return max(self.users.total(), self.tally.rows)

    def pace(self) -> str:
        """Say how fast it goes, and how long it will take."""
        calls, span = self.meter.calls, self.meter.span
        text = f"{calls:,} calls in the last {'minute' if span == 60 else f'{span} s'}"
        if self.limit is not None and calls <= self._allowed(self.limit):
            text += f" of {self._allowed(self.limit):,} allowed"
        if self.meter.silent >= _SILENCE:
            return f"{text}, no answer to the last {self.meter.silent:,}"
        left = self._left() if self.complete else None
        return text if left is None else f"{text}, {left} left"

    def _allowed(self, limit: int) -> int:
        """Return how many calls all users together may make in the meter's span."""
        return limit * max(1, len(self.users))

    def _left(self) -> str | None:
        left, elapsed = self.total - self.tally.rows, time.monotonic() - self.began
        if 0 < left <= self.counts()[RowState.UNKNOWN]:
            return None  # the quarantine decides
        if self.limit is None:
            each = elapsed / self.tally.rows if self.tally.rows else None
            return None if each is None else f"about {duration(each * left)}"
        seconds, span = self._limited(self.limit, left, elapsed), self.meter.span
        return f"less than {duration(span)}" if seconds < span else f"about {duration(seconds)}"

    def _limited(self, limit: int, left: int, elapsed: float) -> float:
        """Return the seconds by the limit; what is seen tells whether it is another one."""
        longest = min(left, max((self.users - self.tally.users).values(), default=0))
        calls, span = self.meter.calls, self.meter.span
        waits = windows({None: longest}, limit, baseline=0, calls=self.calls) * span
        seen = left * self.calls * span / calls if calls and elapsed >= span else 0
        return seen if calls > _WINDOWS * self._allowed(limit) else max(waits, seen)


def duration(seconds: float) -> str:
    """Say how long something takes: ``42 s``, ``12 min``, ``3 h 20 min``."""
    if seconds < 90:
        return f"{seconds:.0f} s"
    hours, minutes = divmod(round(seconds / 60), 60)
    return f"{hours} h {minutes} min" if hours else f"{minutes} min"


@asynccontextmanager
async def watched(progress: Progress, *, json: bool) -> AsyncGenerator[None]:
    """Show a run while the block runs; scripts are shown nothing but outcomes."""
    if json:
        yield
        return
    console = open_console(sys.stdout)
    if not console.is_terminal or console.is_dumb_terminal:  # which shows no bars
        async with _ticking(lambda: console.print(_line(progress), soft_wrap=True), _PLAIN_EACH):
            yield
        return
    with Live(console=console, auto_refresh=False, transient=True) as live:
        async with _ticking(lambda: live.update(_panel(progress), refresh=True), _EACH):
            yield


@asynccontextmanager
async def _ticking(show: Callable[[], Any], each: float) -> AsyncGenerator[None]:
    async def tick() -> None:
        while True:
            await asyncio.sleep(each)
            show()

    ticker = asyncio.create_task(tick())
    try:
        yield
    finally:
        ticker.cancel()
        with suppress(asyncio.CancelledError):
            await ticker


def _line(progress: Progress) -> Text:
    total = f"{progress.total:,}" if progress.complete else "?"
    elapsed = duration(time.monotonic() - progress.began)
    known = f"{progress.tally.text()} of {total} after {elapsed}; {progress.pace()}"
    return Text(known)


def _panel(progress: Progress) -> Group:
    bars = Table.grid(padding=(0, 1))
    bars.add_column(justify="right", no_wrap=True)
    bars.add_column(max_width=40)
    bars.add_column(justify="right", no_wrap=True)
    counts = progress.counts()
    unread = progress.total - sum(counts.values())
    for name, (state, colour) in _BARS.items():
        number = counts[state] + (max(0, unread) if state is RowState.PENDING else 0)
        if number or state not in _RARE:
            bar = ProgressBar(progress.total or 1, number, complete_style=colour, style="grey23")
            bars.add_row(Text(name), bar, Text(f"{number:,}", colour))
    elapsed = duration(time.monotonic() - progress.began)
    return Group(bars, Text(f"{elapsed}; {progress.pace()}", "dim"), *_reasons(progress.tally))


def _reasons(tally: Tally) -> list[Text]:
    last = [reason for reason, _ in zip(tally.reasons(), range(_REASONS), strict=False)]
    return [
        Text(
            printable(f"{reason} (last: {reason.last})"),
            "red",
            overflow="ellipsis",
            no_wrap=True,
        )
        for reason in last
    ]
