"""What is shown while a run goes on, and what it is worked out from."""

from __future__ import annotations

import asyncio
import io
import json
import sys
import time
from collections import Counter
from queue import Queue
from typing import TYPE_CHECKING, Any

import pytest
from attrs import evolve

from cadenza_async import RowOutcome, RowState
from cadenza_async.cli import _progress
from cadenza_async.cli._progress import Progress, duration, watched
from cadenza_async.cli._summary import Summary
from cadenza_async.cli._tally import Meter, Tally
from cadenza_async.errors import InvalidRowError, NotSentError
from cadenza_async.models import Attempt
from cadenza_async.onboarding._files.ahead import ReadAhead
from cadenza_async.onboarding._files.rehearsal import windows

if TYPE_CHECKING:
    from collections.abc import Iterator

ATTEMPT = Attempt(method="POST", path="tradingAccount/connect", number=1, verdict="done", seconds=1)


def add(tally: Tally, state: RowState, text: str | None = None, user: str | None = None) -> None:
    """Count a row."""
    error = None if text is None else InvalidRowError(text)
    facts: dict[str, Any] = {"key": f"k-{tally.rows}", "user": user, "remedy": "Act."}
    tally.add(RowOutcome(key=facts["key"], state=state, error=error), facts)


def progress(**changes: Any) -> Progress:
    """Ten rows of one user, and four of another."""
    facts: dict[str, Any] = {
        "counts": lambda: dict.fromkeys(RowState, 0),
        "users": Counter({"u-1": 90, "u-2": 4}),
        "complete": True,
        "tally": Tally(),
        "meter": Meter(60),
        "limit": 30,
    }
    return Progress(**{**facts, **changes})


@pytest.mark.parametrize(
    ("states", "code", "text"),
    [
        ([], 0, "no rows"),
        ([RowState.DONE] * 1200, 0, "1,200 connected"),
        ([RowState.DONE, RowState.FAILED], 1, "1 connected, 1 failed"),
        ([RowState.CONFLICT], 1, "1 in conflict"),
        ([RowState.FAILED, RowState.UNKNOWN], 3, "1 failed, 1 in doubt"),
        ([RowState.DONE, RowState.PENDING], 3, "1 connected, 1 not done"),
        ([RowState.INTENT], 3, "1 in doubt"),
    ],
)
def test_states_add_up_to_an_exit_code(states: list[RowState], code: int, text: str) -> None:
    """What is left to do outweighs what has failed."""
    tally = Tally()
    for state in states:
        add(tally, state)
    assert (tally.code(), tally.text()) == (code, text)
    assert tally.code(whole=False) == 3


def test_a_summary_tells_the_commonest_reasons(capsys: pytest.CaptureFixture[str]) -> None:
    """And that there are others, so that rows and reasons add up."""
    tally = Tally()
    for text in ["often"] * 5 + [f"once {number}" for number in range(30)] + ["twice"] * 2:
        add(tally, RowState.FAILED, text)
    Summary(tally=tally).tell(json=False)
    lines = capsys.readouterr().out.splitlines()
    assert [line for line in lines if line.startswith("  ") and line[2] != " "] == [
        "  5 rows: often",
        "  2 rows: twice",
        *(f"  1 row: once {number}" for number in range(29, 21, -1)),
        "  22 rows: other reasons",
    ]


def test_failures_are_told_by_reason() -> None:
    """The last first; the line is no part of a reason, and reasons are not kept for ever."""
    tally = Tally()
    for number in range(500):
        add(tally, RowState.FAILED, f"reason {number}")
    add(tally, RowState.FAILED, "line 7, venue: is missing")
    add(tally, RowState.FAILED, "line 8, venue: is missing")
    add(tally, RowState.DONE, "is of no interest any more")
    last, *others = tally.reasons()
    assert (str(last), last.last) == ("2 rows: venue: is missing", "k-501")
    assert str(others[0]) == "1 row: reason 499"
    assert len(others) == 199


def test_rows_with_the_same_flaws_have_one_reason() -> None:
    """However many flaws: each is told with its line, and no line is part of the reason."""
    tally = Tally()
    for line in (2, 3):
        flaws = f"line {line}, venue: is missing; line {line}, apiKey: is missing"
        add(tally, RowState.FAILED, flaws)
    (reason,) = tally.reasons()
    assert str(reason) == "2 rows: venue: is missing; apiKey: is missing"


def test_calls_are_counted_for_a_while() -> None:
    """Those of the last seconds count, earlier ones do not."""
    now = [100.0]
    meter = Meter(60, clock=lambda: now[-1])
    for moment in (100.0, 100.5, 130.0, 159.0):
        now.append(moment)
        meter.count(ATTEMPT)
    assert meter.calls == 4
    now.append(161.0)
    assert meter.calls == 2


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0, "0 s"), (89.4, "89 s"), (90, "2 min"), (1980, "33 min"), (12_000, "3 h 20 min")],
)
def test_durations_are_short(seconds: float, text: str) -> None:
    """As one would say it."""
    assert duration(seconds) == text


@pytest.mark.parametrize(
    ("rows", "limit", "expected"),
    [({}, 30, 0), ({"a": 29}, 30, 0), ({"a": 30}, 30, 1), ({"a": 1000, "b": 3}, 30, 33)],
)
def test_the_longest_lane_sets_the_time(
    rows: dict[str | None, int], limit: int, expected: int
) -> None:
    """Users go side by side, and each lists its accounts once."""
    assert windows(rows, limit, baseline=1, calls=1) == expected


@pytest.mark.parametrize(("rows", "expected"), [(9, 0), (10, 1), (1000, 100)])
def test_a_row_may_take_several_calls(rows: int, expected: int) -> None:
    """Storing the keys first takes three, after two lists."""
    assert windows({"a": rows}, 30, baseline=2, calls=3) == expected


def test_the_pace_is_told_against_the_limit() -> None:
    """What is left of the user with the most rows says how long it takes."""
    tally = Tally()
    for _ in range(30):
        add(tally, RowState.DONE, user="u-1")
    now = progress(tally=tally)
    assert now.pace() == "0 calls in the last minute of 60 allowed, about 60 s left"
    assert now.total == 94
    assert progress(complete=False).pace() == "0 calls in the last minute of 60 allowed"
    for _ in range(60):
        add(tally, RowState.DONE, user="u-1")
    assert progress(tally=tally).pace().endswith(" of 60 allowed, less than 60 s left")


def test_a_limit_that_is_not_the_published_one_is_noticed() -> None:
    """What was seen for a while tells more: all users may share a limit, or have a higher one."""
    crowd = Counter({f"u-{number}": 10 for number in range(500)})
    tally, meter, began = Tally(), Meter(60), time.monotonic() - 600
    for number in range(300):
        add(tally, RowState.DONE, user=f"u-{number}")
    for _ in range(30):
        meter.count(evolve(ATTEMPT, status=200))
    shared = progress(users=crowd, tally=tally, meter=meter, began=began)
    assert shared.pace().endswith(
        "30 calls in the last minute of 15,000 allowed, about 2 h 37 min left"
    )
    assert progress(users=crowd, tally=tally, meter=meter).pace().endswith("less than 60 s left")
    for _ in range(270):
        meter.count(evolve(ATTEMPT, status=200))
    higher = progress(users=Counter({"u-0": 1800}), tally=tally, meter=meter, began=began)
    assert higher.pace() == "300 calls in the last minute, about 5 min left"


def test_rows_that_could_not_be_read_are_not_waited_for() -> None:
    """Nobody knows whose they were, so their users seem to lack outcomes; the sum tells."""
    tally = Tally()
    for _ in range(90):
        add(tally, RowState.FAILED)
    assert progress(tally=tally).pace().endswith("less than 60 s left")


def test_rows_in_doubt_take_as_long_as_they_do() -> None:
    """Where nothing else is left, no rate limit says when it is certain what became of them."""
    tally = Tally()
    for number in range(90):
        add(tally, RowState.DONE, user="u-1" if number else "u-2")
    counts = {**dict.fromkeys(RowState, 0), RowState.UNKNOWN: 4}
    doubtful = progress(tally=tally, counts=lambda: counts)
    assert doubtful.pace() == "0 calls in the last minute of 60 allowed"
    counts[RowState.UNKNOWN] = 3
    assert doubtful.pace().endswith("less than 60 s left")


def test_silence_is_told() -> None:
    """Nobody knows how long it takes until there are answers again."""
    meter = Meter(60)
    for _ in range(3):
        meter.count(ATTEMPT)
    told = "calls in the last minute of 60 allowed"
    assert progress(meter=meter).pace() == f"3 {told}, no answer to the last 3"
    meter.count(evolve(ATTEMPT, status=503))
    assert progress(meter=meter).pace().startswith(f"4 {told}, about ")


def test_without_a_limit_experience_tells() -> None:
    """Nothing is known before the first row; then what the others took."""
    tally = Tally()
    began = time.monotonic() - 60
    quick = progress(tally=tally, limit=None, meter=Meter(3), began=began)
    assert quick.pace() == "0 calls in the last 3 s"
    for _ in range(47):
        add(tally, RowState.DONE, user="u-1")
    assert quick.pace() == "0 calls in the last 3 s, about 60 s left"


class Screen(io.TextIOWrapper):
    """A terminal, or a pipe."""

    def __init__(self, *, terminal: bool) -> None:
        self._bytes = io.BytesIO()
        super().__init__(self._bytes, "utf-8", write_through=True)
        self._terminal = terminal

    def isatty(self) -> bool:
        return self._terminal

    @property
    def shown(self) -> str:
        return self._bytes.getvalue().decode()


async def shown(monkeypatch: pytest.MonkeyPatch, progress: Progress, *, terminal: bool) -> str:
    """What a run shows first."""
    screen = Screen(terminal=terminal)
    monkeypatch.setattr(sys, "stdout", screen)
    monkeypatch.setattr(_progress, "_PLAIN_EACH", 0.01)
    async with watched(progress, json=False), asyncio.timeout(5):
        while "calls" not in screen.shown:
            await asyncio.sleep(0.01)
    return screen.shown


@pytest.mark.parametrize("complete", [True, False])
@pytest.mark.parametrize("terminal", [True, False], ids=["dumb", "none"])
async def test_where_there_is_no_terminal_lines_are_written(
    monkeypatch: pytest.MonkeyPatch, *, complete: bool, terminal: bool
) -> None:
    """One every now and then, until it is over; a terminal that cannot go back is none."""
    monkeypatch.setenv("TERM", "dumb")
    tally = Tally()
    add(tally, RowState.DONE)
    text = await shown(monkeypatch, progress(tally=tally, complete=complete), terminal=terminal)
    (first, *_) = text.splitlines()
    assert first.startswith(f"1 connected of {'94' if complete else '?'} after 0 s; 0 calls")


@pytest.mark.parametrize("columns", ["40", "100"])
async def test_a_narrow_terminal_has_short_bars(
    monkeypatch: pytest.MonkeyPatch, columns: str
) -> None:
    """Their names and numbers are what tells something."""
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv("COLUMNS", columns)
    counts = {state: 1000 + number for number, state in enumerate(RowState)}
    text = await shown(monkeypatch, progress(counts=lambda: counts), terminal=True)
    for name in ("connected", "in flight", "stored", "in doubt", "failed", "in conflict"):
        assert name in text
    assert all(f"{number:,}" in text for number in counts.values())


async def test_rows_are_read_ahead_in_their_order() -> None:
    """However many; and an end stays one."""
    ahead = ReadAhead(range(5000))
    assert [each async for each in ahead] == list(range(5000))
    assert [each async for each in ahead] == []


async def test_what_reading_raises_comes_after_the_rows_before() -> None:
    """None of them is lost."""

    def rows() -> Iterator[int]:
        yield from range(300)
        raise NotSentError("no more")

    ahead = ReadAhead(rows())
    assert [await anext(ahead) for _ in range(300)] == list(range(300))
    with pytest.raises(NotSentError):
        await anext(ahead)


async def test_a_row_does_not_wait_for_the_next() -> None:
    """Whoever writes the rows may want to see what becomes of one before the next."""
    answers = Queue[int]()
    ahead = ReadAhead(iter(answers.get, 3))
    for number in range(3):
        answers.put(number)
        assert await anext(ahead) == number
    answers.put(3)
    assert [each async for each in ahead] == []


def test_a_reader_ends_with_its_loop() -> None:
    """Whoever still reads when nobody listens any more just stops."""
    ahead = ReadAhead(json.loads("[1]") * 100_000)

    async def take_one() -> int:
        return await anext(ahead)

    assert asyncio.run(take_one()) == 1
    ahead._fetch()  # there is room for more
    assert ahead._thread is not None
    ahead._thread.join(timeout=5)
    assert not ahead._thread.is_alive()
