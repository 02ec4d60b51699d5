"""How many calls the server's limit lets through, told by headers in any order."""

from __future__ import annotations

import pytest

from cadenza_async._budget import Budget, Ticket
from cadenza_async._calls import RateClass
from cadenza_async._clock import ServerClock
from cadenza_async._headers import RateReport

CONNECTS, READS = RateClass.ACCOUNTS, RateClass.READS
LIMIT, PERIOD = 5, 60.0


def budget() -> Budget:
    """Make a budget whose server has the loop's clock."""
    return Budget(ServerClock(lambda: 0.0, lambda: 0.0))


def report(remaining: int, reset: float = PERIOD, limit: int = LIMIT) -> RateReport:
    """Make what an answer says about the window that ends at `reset`."""
    return RateReport(limit=limit, remaining=remaining, reset=reset)


def start(it: Budget, now: float = 0.0, rate_class: RateClass = CONNECTS) -> Ticket:
    """Start a call that must be let through."""
    ticket = it.start(rate_class, now)
    assert ticket is not None
    return ticket


def room(it: Budget, now: float = 0.0, rate_class: RateClass = CONNECTS) -> int:
    """Count the calls that are let through at once, and take them back."""
    tickets: list[Ticket] = []
    while len(tickets) < 99 and (ticket := it.start(rate_class, now)):
        tickets.append(ticket)
    for ticket in tickets:
        it.refund(ticket)
    return len(tickets)


def taught(remaining: int = LIMIT - 1) -> Budget:
    """Make a budget that has seen one answer."""
    it = budget()
    it.settle(start(it), report(remaining), answered=True)
    return it


def test_before_the_first_headers_there_is_one_call_at_a_time() -> None:
    """Nobody knows the limit yet, and a burst could meet a wall."""
    it = budget()
    first = start(it)
    assert it.start(CONNECTS, 0.0) is None
    assert it.opens(0.0) is None
    it.settle(first, None, answered=False)
    assert it.limit(CONNECTS) is None
    assert room(it) == 1


def test_the_first_headers_open_it() -> None:
    """Then exactly what they allow is let through."""
    it = taught()
    assert it.limit(CONNECTS) == LIMIT
    assert room(it) == LIMIT - 1


def test_without_headers_nothing_is_paced() -> None:
    """A server that answers and says nothing of a limit has none."""
    it = budget()
    it.settle(start(it), None, answered=True)
    assert room(it) == 99
    assert it.opens(0.0) is None


def test_headers_that_come_late_still_count() -> None:
    """A limit may be switched on under a running client."""
    it = budget()
    it.settle(start(it), None, answered=True)
    others = [start(it) for _ in range(3)]
    it.settle(others.pop(), report(4), answered=True)
    assert room(it) == 2
    for other in others:
        it.settle(other, report(2), answered=True)
    assert room(it) == 2


def test_a_spent_window_opens_again_at_its_reset() -> None:
    """It is waited for to the moment, and then there is a whole window."""
    it = taught(0)
    assert room(it) == 0
    assert it.opens(0.0) == PERIOD
    assert room(it, PERIOD - 0.001) == 0
    assert room(it, PERIOD) == LIMIT


def test_the_reset_is_on_the_server_s_clock() -> None:
    """A server whose clock is ahead opens earlier by ours."""
    clock = ServerClock(lambda: 0.0, lambda: 0.0)
    clock.observe(1_000.0, sent=0.0, received=0.0)
    it = Budget(clock)
    it.settle(start(it), report(0, 1_060.0), answered=True)
    assert it.opens(0.0) == PERIOD


@pytest.mark.parametrize(("reset", "opens"), [(1_060.0, PERIOD), (1_000_000.0, 3600.0)])
def test_a_server_s_clock_that_is_set_back_does_not_put_the_reset_off(
    reset: float, opens: float
) -> None:
    """It comes when it seemed to come, and after an hour at the latest."""
    clock = ServerClock(lambda: 0.0, lambda: 0.0)
    clock.observe(1_000.0, sent=0.0, received=0.0)
    it = Budget(clock)
    it.settle(start(it), report(0, reset), answered=True)
    clock.observe(0.0, sent=0.0, received=0.0)
    assert it.opens(0.0) == opens


def test_what_is_in_flight_is_charged() -> None:
    """Answers in any order never give back what was spent."""
    it = taught()
    tickets = [start(it) for _ in range(4)]
    assert it.start(CONNECTS, 0.0) is None
    for ticket, remaining in zip(tickets, (0, 3, 1, 2), strict=True):
        it.settle(ticket, report(remaining), answered=True)
        assert room(it) == 0


def test_what_is_in_flight_at_the_reset_may_count_in_either_window() -> None:
    """It is charged to the new one, and given back when its answer tells of the old one."""
    it = taught()
    old, new = start(it, PERIOD - 1), start(it, PERIOD - 1)
    assert room(it, PERIOD) == LIMIT - 2
    it.settle(old, report(2, PERIOD), answered=True)
    assert room(it, PERIOD) == LIMIT - 1
    it.settle(new, report(LIMIT - 1, 2 * PERIOD), answered=True)
    assert room(it, PERIOD) == LIMIT - 1


def test_the_predicted_window_is_believed_until_its_first_answer() -> None:
    """After the reset a whole window goes out without a probe."""
    it = taught(0)
    tickets = [start(it, PERIOD) for _ in range(LIMIT)]
    assert it.start(CONNECTS, PERIOD) is None
    assert it.opens(PERIOD) is None
    for spent, ticket in enumerate(tickets, start=1):
        it.settle(ticket, report(LIMIT - spent, 2 * PERIOD), answered=True)
    assert it.opens(PERIOD) == 2 * PERIOD
    assert room(it, 2 * PERIOD) == LIMIT


def test_idle_windows_are_skipped() -> None:
    """After a pause of any length there is one whole window, not several."""
    it = taught()
    assert room(it, 10 * PERIOD + 1) == LIMIT
    it.settle(start(it, 10 * PERIOD + 1), report(4, 11 * PERIOD), answered=True)
    assert room(it, 10 * PERIOD + 1) == LIMIT - 1


def test_an_answer_may_tell_of_a_window_that_began_earlier_than_thought() -> None:
    """The server's word about its own window counts; what is in flight is charged to it."""
    it = taught(1)
    early, other = start(it), it.start(CONNECTS, 0.0)
    assert other is None
    it.settle(early, report(3, 2 * PERIOD), answered=True)
    assert room(it) == 3


def test_a_call_that_never_left_is_given_back() -> None:
    """The server has not seen it."""
    it = taught(1)
    ticket = start(it)
    assert room(it) == 0
    it.refund(ticket)
    assert room(it) == 1


def test_a_call_that_never_left_is_given_back_after_the_reset_too() -> None:
    """It was charged to the new window as well, as everything in flight is."""
    it = taught()
    ticket = start(it)
    assert room(it, PERIOD) == LIMIT - 1
    it.refund(ticket)
    assert room(it, PERIOD) == LIMIT


def test_a_lost_answer_stays_charged_until_the_window_ends() -> None:
    """The server may have counted it, in this window or in the next."""
    it = taught()
    it.settle(start(it), None, answered=False)
    assert room(it) == LIMIT - 2
    assert room(it, PERIOD) == LIMIT


def test_a_late_answer_of_the_old_window_does_not_forgive_a_lost_one_of_the_new() -> None:
    """What may have been counted stays charged, whatever else arrives."""
    it = taught()
    old = start(it, PERIOD - 1)
    lost, *others = [start(it, PERIOD) for _ in range(3)]
    it.settle(lost, None, answered=False)
    it.settle(old, report(2), answered=True)
    assert room(it, PERIOD) == LIMIT - 1 - len(others)


def test_when_all_answers_are_lost_it_asks_again() -> None:
    """Without anybody left to tell of the window, there is one call at a time again."""
    it = taught(0)
    for ticket in [start(it, PERIOD) for _ in range(LIMIT)]:
        it.settle(ticket, None, answered=False)
    assert room(it, PERIOD) == 1
    it.settle(start(it, PERIOD), report(2, 2 * PERIOD), answered=True)
    assert room(it, PERIOD) == 2


def test_others_may_spend_the_same_limit() -> None:
    """What another process uses shows in what remains, and is not spent twice."""
    it = taught()
    it.settle(start(it), report(1), answered=True)
    assert room(it) == 1
    it.settle(start(it), report(0), answered=True)
    assert it.opens(0.0) == PERIOD


@pytest.mark.parametrize("limit", [2, 9])
def test_the_limit_may_change(limit: int) -> None:
    """The next window has as much as was last told."""
    it = taught()
    it.settle(start(it), report(1, limit=limit), answered=True)
    assert (room(it), it.limit(CONNECTS)) == (1, limit)
    assert room(it, PERIOD) == limit


def test_two_classes_share_a_window() -> None:
    """Each class asks once before it is believed to count here; then they share what is left."""
    it = taught()
    probe = start(it, rate_class=READS)
    assert it.start(READS, 0.0) is None
    assert room(it) == LIMIT - 2
    it.settle(probe, report(3), answered=True)
    assert (room(it), room(it, rate_class=READS)) == (3, 3)
    tickets = [start(it, rate_class=rate_class) for rate_class in (CONNECTS, READS, READS)]
    assert it.start(CONNECTS, 0.0) is None
    assert [ticket.rate_class for ticket in tickets] == [CONNECTS, READS, READS]


def test_a_call_can_be_charged_without_asking() -> None:
    """What was let through elsewhere is counted here, whether there is room or not."""
    it = taught(0)
    it.settle(it.begin(READS), report(3), answered=True)
    assert it.limit(READS) == LIMIT


@pytest.mark.parametrize(
    ("wait", "opens", "then"),
    [(7.0, 7.0, 1), (1e6, 3600.0, 1), (None, 1.0, 99), (0.0, 1.0, 99)],
    ids=["asked", "asked for days", "not asked", "none"],
)
def test_a_429_without_headers_shuts_it_as_long_as_asked(
    wait: float | None, opens: float, then: int
) -> None:
    """Nothing goes out until then, an hour at most; one call finds out if a wait is over."""
    it = budget()
    ticket = start(it)
    it.settle(ticket, None, answered=True)
    it.throttled(0.0, wait, told=False)
    assert it.opens(0.0) == opens
    assert room(it, opens - 0.001) == 0
    assert room(it, opens) == then


def test_a_429_with_headers_shuts_it_until_the_reset() -> None:
    """The window's end is exact; what is asked for is rounded."""
    it = taught()
    ticket = start(it)
    it.settle(ticket, report(0), answered=True)
    it.throttled(0.0, 61.0, told=True)
    assert it.opens(0.0) == PERIOD
    assert room(it, PERIOD - 0.001) == 0
    assert room(it, PERIOD) == LIMIT


def test_a_429_empties_a_window_that_seemed_to_have_room() -> None:
    """Others have spent it, and the answer told nothing else."""
    it = taught()
    it.settle(start(it), None, answered=True)
    it.throttled(0.0, None, told=False)
    assert room(it, 5.0) == 0
    assert room(it, PERIOD) == LIMIT


def test_a_429_that_only_asks_to_wait_is_not_about_the_window() -> None:
    """Whatever shut it, perhaps a gateway: after the wait one call finds out how things stand."""
    it = taught()
    it.settle(start(it), None, answered=True)
    it.throttled(0.0, 5.0, told=False)
    assert it.opens(0.0) == 5.0
    assert (room(it, 4.999), room(it, 5.0)) == (0, 1)
    it.settle(start(it, 5.0), report(7), answered=True)
    assert room(it, 5.0) == 7


@pytest.mark.parametrize("others", [0, 2])
@pytest.mark.parametrize("wait", [None, 1.0], ids=["bare", "asking to wait"])
def test_a_429_at_the_begin_of_a_window_does_not_shut_it_for_ever(
    wait: float | None, others: int
) -> None:
    """When nobody is left who could tell of the window, somebody is sent to ask."""
    it = taught()
    tickets = [start(it, PERIOD) for _ in range(1 + others)]
    it.settle(tickets.pop(), None, answered=True)
    it.throttled(PERIOD, wait, told=False)
    for ticket in tickets:
        it.settle(ticket, None, answered=True)
    assert room(it, PERIOD + 0.5) == 0
    assert it.opens(PERIOD + 0.5) == PERIOD + 1
    assert room(it, PERIOD + 1) == 1
    it.settle(start(it, PERIOD + 1), None, answered=True)
    assert room(it, PERIOD + 1) == 99


def test_a_window_that_is_spent_outlasts_a_shorter_wait() -> None:
    """Whoever waits is not woken for nothing."""
    it = budget()
    it.settle(start(it), None, answered=True)
    first, second = start(it), start(it)
    it.settle(first, None, answered=True)
    it.throttled(0.0, 5.0, told=False)
    it.settle(second, report(0), answered=True)
    assert it.opens(0.0) == PERIOD


def test_a_429_is_over_when_its_time_is() -> None:
    """A limit of calls per window is not made smaller by it."""
    it = taught(0)
    it.throttled(0.0, None, told=False)
    assert room(it, 2 * PERIOD) == LIMIT


def test_resets_in_the_past_do_not_stop_anything() -> None:
    """A server that counts down seconds there is paced by its 429s alone."""
    it = taught()
    for left in (42.0, 41.0, 40.0, 39.0, 38.0, 37.0):
        it.settle(start(it, 1_000.0), report(0, left), answered=True)
    assert room(it, 1_000.0) > 0
