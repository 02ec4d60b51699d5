"""When an attempt is repeated, after how long, and what it costs."""

from __future__ import annotations

import math
from typing import Any

import pytest

from cadenza_async._calls import Evidence, NoAnswer
from cadenza_async._outcomes import Outcome, judge
from cadenza_async._retry import Plan, RetryBudget, Tried, backoff, plan

from .samples import CONNECT, LIST, NOW, answer, call, judged, refusal

WRITE, READ = CONNECT, LIST
BOTH = pytest.mark.parametrize("kind", [WRITE, READ])
NETWORK, THROTTLE = 14, 5


def lost(kind: str, evidence: Evidence, *, timed_out: bool = False) -> Outcome[Any]:
    """Make the outcome of an attempt without an answer."""
    reply = NoAnswer(evidence=evidence, reason="gone", timed_out=timed_out)
    return judge(call(kind), reply, sent_at=NOW.timestamp())


def throttled(kind: str, after: float | None = None, status: int = 429) -> Outcome[Any]:
    """Make the outcome of an attempt that came too early."""
    headers = {} if after is None else {"Retry-After": f"{after:g}"}
    return judged(kind, answer(status, refusal(-19006), headers))


def planned(
    outcome: Outcome[Any],
    kind: str = WRITE,
    *,
    retries: int = 3,
    left: float = math.inf,
    tried: Tried | None = None,
) -> Plan | None:
    """Plan with the whole of every backoff."""
    return plan(
        outcome,
        tried or Tried(),
        write=kind == WRITE,
        retries=retries,
        left=left,
        jitter=lambda: 1.0,
    )


@BOTH
def test_a_stale_connection_is_replaced_at_once_and_for_free(kind: str) -> None:
    """The first time; after that even a fresh one was closed, and it is a retry like others."""
    stale = lost(kind, Evidence.STALE)
    first = planned(stale, kind)
    assert first == Plan(wait=0.0, cost=0, tried=Tried(retries=0, stale=1))
    assert first is not None
    second = planned(stale, kind, tried=first.tried)
    assert second == Plan(wait=0.5, cost=NETWORK, tried=Tried(retries=1, stale=1))


@BOTH
def test_a_failed_connection_backs_off(kind: str) -> None:
    """What never left is repeated, writes too."""
    made = planned(lost(kind, Evidence.NOT_SENT), kind)
    assert made == Plan(wait=0.5, cost=NETWORK, tried=Tried(retries=1))


@BOTH
@pytest.mark.parametrize("after", [0, 0.25, 7, 120])
def test_throttled_waits_as_asked(kind: str, after: float) -> None:
    """The server's word counts, up to two minutes."""
    made = planned(throttled(kind, after), kind)
    assert made == Plan(wait=after, cost=THROTTLE, tried=Tried(retries=1))


@BOTH
def test_throttled_for_longer_is_told(kind: str) -> None:
    """Nobody waits for more than two minutes in silence."""
    assert planned(throttled(kind, 121), kind) is None


@BOTH
@pytest.mark.parametrize("status", [429, 503])
def test_throttled_without_a_time_backs_off(kind: str, status: int) -> None:
    """Exponential backoff stands in for what the server did not say."""
    waits = [
        made.wait
        for retries in range(4)
        if (
            made := planned(throttled(kind, status=status), retries=9, tried=Tried(retries=retries))
        )
    ]
    assert waits == [0.5, 1.0, 2.0, 4.0]


DONE = {
    WRITE: {"errno": 0, "data": {"tradingAccountId": "a"}},
    READ: {"errno": 0, "data": []},
}
FINAL = {
    "done": lambda kind: judged(kind, answer(200, DONE[kind])),
    "refused": lambda kind: judged(kind, answer(400, refusal(-120001), Retry_After="1")),
    "exchange": lambda kind: judged(kind, answer(503, refusal(18012), Retry_After="1")),
    "exchange's limit": lambda kind: judged(kind, answer(429, refusal(18011), Retry_After="1")),
    "forbidden": lambda kind: judged(kind, answer(403, b"<html>")),
}
IN_DOUBT = {
    "server error": lambda kind: judged(kind, answer(500, refusal(22000))),
    "gateway": lambda kind: judged(kind, answer(503, b"")),
    "redirect": lambda kind: judged(kind, answer(307)),
    "no envelope": lambda kind: judged(kind, answer(200, b"")),
    "database": lambda kind: judged(kind, answer(400, refusal(22021))),
    "hung up": lambda kind: lost(kind, Evidence.UNKNOWN),
    "timed out": lambda kind: lost(kind, Evidence.UNKNOWN, timed_out=True),
}


@BOTH
@pytest.mark.parametrize("outcome", FINAL.values(), ids=FINAL)
def test_what_is_certain_is_not_repeated(kind: str, outcome: Any) -> None:
    """Done is done, and a refusal stays one."""
    assert planned(outcome(kind), kind) is None


@pytest.mark.parametrize("outcome", IN_DOUBT.values(), ids=IN_DOUBT)
def test_only_reads_are_repeated_in_doubt(outcome: Any) -> None:
    """A write that may have been done is never repeated; a read changes nothing."""
    assert planned(outcome(WRITE), WRITE) is None
    assert planned(outcome(READ), READ) == Plan(wait=0.5, cost=NETWORK, tried=Tried(retries=1))


@pytest.mark.parametrize(("after", "wait"), [("0", 0.0), ("7", 7.0), ("121", None)])
def test_a_read_waits_as_a_gateway_asks(after: str, wait: float | None) -> None:
    """A write that may have been done is not repeated then, either."""
    made = planned(judged(READ, answer(503, b"", Retry_After=after)), READ)
    assert (made and made.wait) == wait
    assert planned(judged(WRITE, answer(503, b"", Retry_After=after)), WRITE) is None


@BOTH
@pytest.mark.parametrize("evidence", [Evidence.STALE, Evidence.NOT_SENT])
def test_zero_retries_turn_it_off(kind: str, evidence: Evidence) -> None:
    """Not even the free one is made."""
    assert planned(lost(kind, evidence), kind, retries=0) is None
    assert planned(throttled(kind, 1), kind, retries=0) is None


@BOTH
@pytest.mark.parametrize("retries", [1, 3])
def test_the_caller_s_limit_holds(kind: str, retries: int) -> None:
    """The last retry is the last, and the free one does not count."""
    refused = lost(kind, Evidence.NOT_SENT)
    assert planned(refused, kind, retries=retries, tried=Tried(retries=retries - 1))
    assert planned(refused, kind, retries=retries, tried=Tried(retries=retries)) is None
    stale = lost(kind, Evidence.STALE)
    assert planned(stale, kind, retries=retries, tried=Tried(retries=retries))
    assert planned(stale, kind, retries=retries, tried=Tried(retries=retries, stale=1)) is None


@pytest.mark.parametrize(
    ("outcome", "wait"),
    [(throttled(WRITE, 7), 7.0), (throttled(WRITE), 0.5), (lost(WRITE, Evidence.NOT_SENT), 0.5)],
    ids=["asked", "throttled", "not sent"],
)
def test_no_wait_crosses_the_deadline(outcome: Outcome[Any], wait: float) -> None:
    """It is given up before a sleep that would outlast the call."""
    assert planned(outcome, left=wait) is None
    made = planned(outcome, left=wait + 0.001)
    assert made is not None
    assert made.wait == wait


@pytest.mark.parametrize(
    ("retries", "longest"), [(0, 0.5), (1, 1.0), (5, 16.0), (6, 30.0), (7, 30.0), (5_000, 30.0)]
)
def test_backoff(retries: int, longest: float) -> None:
    """It doubles up to half a minute, with full jitter, however often it is asked."""
    assert backoff(retries, lambda: 1.0) == longest
    assert backoff(retries, lambda: 0.5) == longest / 2
    assert backoff(retries, lambda: 0.0) == 0.0


def test_a_dead_server_is_not_hammered() -> None:
    """The pool's budget pays for 35 network retries, and then for none."""
    budget = RetryBudget()
    assert [budget.spend(NETWORK) for _ in range(40)].count(True) == 35


def test_what_is_cheap_may_still_be_paid() -> None:
    """A throttled call costs less, and goes on for longer."""
    budget = RetryBudget()
    assert [budget.spend(THROTTLE) for _ in range(101)].count(True) == 100
    assert budget.spend(0)


def test_successes_pay_it_back() -> None:
    """Every success gives one back, and never more than there was."""
    budget = RetryBudget()
    for _ in range(100):
        budget.credit()
    assert [budget.spend(NETWORK) for _ in range(40)].count(True) == 35
    for _ in range(4):  # 500 - 35 * 14 leaves 10
        assert not budget.spend(NETWORK)
        budget.credit()
    assert budget.spend(NETWORK)
    assert not budget.spend(1)
