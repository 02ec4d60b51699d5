"""Where the server's clock stands, from dates that are cut to a second."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cadenza_async._clock import ServerClock

WALL, LOOP = 1_000_000.0, 50.0


def clock() -> ServerClock:
    """Make a clock on a machine whose wall shows a million when its loop shows 50."""
    return ServerClock(lambda: WALL, lambda: LOOP)


def test_until_the_first_answer_our_own_clock_is_trusted() -> None:
    """The wall clock stands in."""
    fresh = clock()
    assert not fresh.known
    assert fresh.when(WALL + 7) == LOOP + 7
    assert fresh.ahead() == 0.0


def test_an_answer_places_the_server_within_a_second_and_a_round_trip() -> None:
    """The later end counts: by then the server's clock has surely passed."""
    seen = clock()
    seen.observe(WALL + 100, sent=LOOP, received=LOOP + 0.2)
    assert seen.known
    assert seen.when(WALL + 110) == pytest.approx(LOOP + 10.2)
    assert seen.ahead() == pytest.approx(99.8)


def test_further_answers_narrow_it() -> None:
    """A date that has just changed tells more than one that has not."""
    seen = clock()
    seen.observe(1000.0, sent=0.0, received=0.9)  # offset within 999.1 … 1001
    seen.observe(1001.0, sent=1.0, received=1.1)  # within 999.9 … 1001
    assert seen.when(1001.0) == pytest.approx(1.1)
    seen.observe(1000.0, sent=0.2, received=0.8)  # within 999.2 … 1000.8: nothing new at this end
    assert seen.when(1001.0) == pytest.approx(1.1)


@pytest.mark.parametrize("jump", [-3600.0, -5.0, 5.0, 3600.0])
def test_a_clock_that_was_set_replaces_what_was_known(jump: float) -> None:
    """A contradiction means that one of the clocks is another one now."""
    seen = clock()
    seen.observe(1000.0, sent=0.0, received=0.1)
    seen.observe(1001.0 + jump, sent=1.0, received=1.1)
    assert seen.when(1000.0) == pytest.approx(-0.1 - jump + 0.2)


@pytest.mark.parametrize(
    ("known", "then", "now", "ahead"),
    [
        (True, 0.0, 0.0, 0.0),
        (True, 0.0, -3600.0, 0.0),
        (True, 3600.0, 0.0, -3600.0),
        (True, 0.0, 3600.0, -3600.0),
        (False, 0.0, 0.0, 0.0),
        (False, 3600.0, 0.0, -3600.0),
        (False, 0.0, 3600.0, 0.0),
    ],
)
def test_a_wall_clock_that_was_set_since_a_doubt(
    *,
    known: bool,
    then: float,
    now: float,
    ahead: float,
) -> None:
    """What may have dated it counts: the wall clock as it was, or as it is."""
    seen = ServerClock(lambda: WALL + now, lambda: LOOP)
    if known:
        seen.observe(WALL, sent=LOOP, received=LOOP)
    offset = WALL + then - LOOP
    seen.doubt(offset, seen.ahead_of(offset))
    assert seen.ahead() == ahead


@pytest.mark.parametrize("step", [-3600.0, 0.0, 3600.0])
@pytest.mark.parametrize("asleep", [0.0, 7200.0])
def test_clocks_that_were_set_and_a_machine_that_slept_since_a_doubt(
    asleep: float, step: float
) -> None:
    """It is never further ahead than it was, though the loop's clock stood still meanwhile."""
    wall = WALL
    seen = ServerClock(lambda: wall, lambda: LOOP)
    seen.observe(WALL, sent=LOOP, received=LOOP)
    seen.doubt(WALL - LOOP, seen.ahead_of(WALL - LOOP))
    wall += asleep - 3600.0
    seen.observe(WALL + asleep + step, sent=LOOP, received=LOOP)
    assert seen.ahead() <= 0.0


def test_before_the_first_answer_a_doubt_says_nothing_of_the_server() -> None:
    """How far its clock is ahead is known when it has answered."""
    seen = clock()
    seen.doubt(WALL - LOOP, seen.ahead_of(WALL - LOOP))
    seen.observe(WALL + 100, sent=LOOP, received=LOOP)
    assert seen.ahead() == 100.0


@given(
    st.floats(-1e6, 1e6),
    st.lists(
        st.tuples(st.floats(0, 100), st.floats(0, 5), st.floats(0, 5)), min_size=1, max_size=9
    ),
)
def test_it_never_promises_too_early(
    offset: float, answers: list[tuple[float, float, float]]
) -> None:
    """At the time it names, a server whose clock runs evenly shows the moment or a later one."""
    seen = clock()
    for sent, there, back in answers:
        seen.observe((sent + there + offset) // 1, sent=sent, received=sent + there + back)
    moment = offset + 200
    assert seen.when(moment) + offset >= moment - 1e-6
    quickest = min(there + back for _, there, back in answers)
    assert seen.when(moment) + offset <= moment + 1 + quickest + 1e-6
