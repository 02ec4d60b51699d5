"""When an attempt may be repeated, and after how long. No I/O."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from attrs import evolve, frozen

from cadenza_async._outcomes import Outcome, Verdict

if TYPE_CHECKING:
    from collections.abc import Callable

_FIRST_BACKOFF = 0.5  # seconds
_LONGEST_BACKOFF = 30.0  # seconds
_DOUBLINGS = 6  # from the first to the longest; a thousand of them would overflow
_LONGEST_WAIT = 120.0  # seconds that a server may ask for
_BUDGET = 500  # tokens, as the costs are
_NETWORK_COST = 14
_THROTTLE_COST = 5


class RetryBudget:
    """What a whole pool may spend on retries, so that a dead server is not hammered.

    A token bucket: every success gives one token back, up to where it started.
    """

    def __init__(self) -> None:
        self._tokens = _BUDGET

    def spend(self, cost: int) -> bool:
        """Take the cost of one retry, or tell that there is not enough left."""
        if cost > self._tokens:
            return False
        self._tokens -= cost
        return True

    def credit(self) -> None:
        """Note a success."""
        if self._tokens < _BUDGET:
            self._tokens += 1


@frozen(kw_only=True)
class Tried:
    """What has been repeated for one call so far.

    Attributes:
        retries: Repetitions that count against the caller's limit.
        stale: Repetitions because a pooled connection was closing.
    """

    retries: int = 0
    stale: int = 0


@frozen(kw_only=True)
class Plan:
    """One more attempt.

    Attributes:
        wait: Seconds until then.
        cost: What it takes from the pool's retry budget.
        tried: What will have been repeated.
    """

    wait: float
    cost: int
    tried: Tried


def plan(
    outcome: Outcome[Any],
    tried: Tried,
    *,
    write: bool,
    retries: int,
    left: float,
    jitter: Callable[[], float],
) -> Plan | None:
    """Plan the next attempt, or None to stop and tell the caller.

    Args:
        outcome: How the last attempt ended.
        tried: What was repeated before.
        write: Whether the call changes something.
        retries: The caller's limit.
        left: Seconds until it is too late to begin.
        jitter: Draws from 0 to 1.
    """
    if outcome.stale and not tried.stale and retries:
        return Plan(wait=0.0, cost=0, tried=evolve(tried, stale=1))
    if tried.retries >= retries:
        return None
    wait = _wait(outcome, tried, write=write, jitter=jitter)
    if wait is None or wait >= left:
        return None
    cost = _THROTTLE_COST if outcome.verdict is Verdict.THROTTLED else _NETWORK_COST
    return Plan(wait=wait, cost=cost, tried=evolve(tried, retries=tried.retries + 1))


def _wait(
    outcome: Outcome[Any], tried: Tried, *, write: bool, jitter: Callable[[], float]
) -> float | None:
    """Return seconds to wait; None when the attempt must not be repeated."""
    certain = outcome.verdict in {Verdict.THROTTLED, Verdict.NOT_SENT}
    if not certain and (write or outcome.verdict is not Verdict.UNKNOWN):
        return None
    asked = outcome.asked_to_wait
    if asked is None:
        return backoff(tried.retries, jitter)
    return asked if asked <= _LONGEST_WAIT else None


def backoff(retries: int, jitter: Callable[[], float]) -> float:
    """Return seconds to wait: exponential, with full jitter.

    Args:
        retries: How many there were before this one.
        jitter: Draws from 0 to 1.
    """
    return jitter() * min(_LONGEST_BACKOFF, _FIRST_BACKOFF * 2.0 ** min(retries, _DOUBLINGS))
