"""What a failure proves: the rule that decides whether an account may be connected twice."""

from __future__ import annotations

from typing import Any

import pytest

from cadenza_async._calls import Evidence, NoAnswer
from cadenza_async._outcomes import Outcome, Verdict, judge
from cadenza_async.errors import (
    ApiError,
    AuthenticationError,
    CadenzaError,
    ConflictError,
    CredentialsRejectedError,
    DeadlineExceededError,
    InvalidRequestError,
    NotFoundError,
    NotSentError,
    OutcomeUnknownError,
    OutcomeUnknownTimeoutError,
    PermissionDeniedError,
    RateLimitedError,
    ServerError,
    UnreadableAnswerError,
    VenueError,
)

from .samples import CONNECT, LIST, NOW, answer, call, judged, refusal

BOTH = pytest.mark.parametrize("kind", [CONNECT, LIST])
FINE = {CONNECT: {"tradingAccountId": "a"}, LIST: []}
LIMITS = {
    "X-RateLimit-Limit": "30",
    "X-RateLimit-Remaining": "9",
    "X-RateLimit-Reset": "1767323100",
}


def verdicts(outcome: Outcome[Any]) -> tuple[Verdict, type]:
    """Return what matters most."""
    return outcome.verdict, type(outcome.error)


@BOTH
@pytest.mark.parametrize("status", [200, 201, 202, 299])
@pytest.mark.parametrize(
    "envelope",
    [{"errno": 0}, {"errno": 0, "success": True, "error": None}, {"success": True}, {"errno": "0"}],
    ids=["errno alone", "complete", "success alone", "text"],
)
def test_done(kind: str, status: int, envelope: dict[str, Any]) -> None:
    """Any 2xx with number 0 that carries what was asked for is done."""
    outcome = judged(kind, answer(status, {"data": FINE[kind], **envelope}))
    assert (outcome.verdict, outcome.error) == (Verdict.DONE, None)
    assert outcome.value is not None
    assert outcome.reading is not None
    assert outcome.reading.status == status
    assert not outcome.stale


@pytest.mark.parametrize("data", [None, {}, [], "ok", {"tradingAccountId": 5}], ids=repr)
@pytest.mark.parametrize("status", [200, 201])
def test_done_without_an_account_is_unknown(status: int, data: object) -> None:
    """A write that is said to be done and shows nothing may have been done."""
    outcome = judged(CONNECT, answer(status, {"data": data, "errno": 0}))
    assert verdicts(outcome) == (Verdict.UNKNOWN, OutcomeUnknownError)
    assert outcome.value is None


def test_done_without_a_list_is_unreadable() -> None:
    """A read that shows nothing has merely failed."""
    outcome = judged(LIST, answer(200, {"data": None, "errno": 0}))
    assert verdicts(outcome) == (Verdict.UNKNOWN, UnreadableAnswerError)


@pytest.mark.parametrize("status", [200, 299])
@pytest.mark.parametrize("errno", ["E42", "9999999999", 1.5, [], {}, 10**40], ids=repr)
def test_a_number_nobody_can_read_proves_nothing(status: int, errno: object) -> None:
    """It may be the number of a failure, or not: a write is unknown."""
    body = {"errno": errno, "data": {"tradingAccountId": "a"}}
    assert judged(CONNECT, answer(status, body)).verdict is Verdict.UNKNOWN


UNREADABLE: dict[str, object] = {
    "empty": b"",
    "page": b"<html>Bad gateway</html>",
    "cut": b'{"errno": 0, "data": {"tradingAcc',
    "too long": None,
    "other json": {"status": "healthy"},
    "list": [],
}


@BOTH
@pytest.mark.parametrize("body", UNREADABLE.values(), ids=UNREADABLE)
@pytest.mark.parametrize("status", [200, 201, 301, 302, 307, 308, 500, 502, 503, 504, 599])
def test_what_proves_nothing(kind: str, status: int, body: object) -> None:
    """A 2xx that is no envelope, a redirect and a gateway's 5xx leave a write unknown."""
    outcome = judged(kind, answer(status, body, LIMITS, Retry_After="1"))
    failed = ServerError if status >= 500 else UnreadableAnswerError
    expected = OutcomeUnknownError if kind == CONNECT else failed
    assert verdicts(outcome) == (Verdict.UNKNOWN, expected)


@BOTH
@pytest.mark.parametrize("errno", [0, 19000, 22000, 18000, 18016, 22008, 22001, 120001])
@pytest.mark.parametrize("status", [500, 501, 502, 504])
def test_any_other_5xx_proves_nothing(kind: str, status: int, errno: int) -> None:
    """A server that failed may have failed after it was done, whatever number it gives."""
    outcome = judged(kind, answer(status, refusal(errno), LIMITS, Retry_After="1"))
    expected = OutcomeUnknownError if kind == CONNECT else ServerError
    assert verdicts(outcome) == (Verdict.UNKNOWN, expected)


@BOTH
@pytest.mark.parametrize(
    "headers",
    [{}, LIMITS, {"Retry-After": "soon"}, {"Retry-After": "", **LIMITS}],
    ids=["bare", "limits", "nonsense", "limits and nonsense"],
)
def test_a_503_that_does_not_ask_to_come_back_proves_nothing(
    kind: str, headers: dict[str, str]
) -> None:
    """Rate limit headers are on every answer: they do not say that nothing was done."""
    outcome = judged(kind, answer(503, refusal(19000), headers))
    expected = OutcomeUnknownError if kind == CONNECT else ServerError
    assert verdicts(outcome) == (Verdict.UNKNOWN, expected)


@BOTH
@pytest.mark.parametrize(
    ("status", "body", "headers"),
    [
        (429, refusal(-19000), {}),
        (429, refusal(0), {}),
        (429, refusal(120001), {}),
        (429, b"<html>slow down</html>", {}),
        (429, b"", {}),
        (429, None, {}),
        (503, refusal(19000), {"Retry-After": "3"}),
        (503, refusal(0), {"Retry-After": "Fri, 02 Jan 2026 03:04:15 GMT"}),
        (503, refusal(-19006), {}),
        (503, refusal(22014), {}),
        (500, refusal(-22014), {}),
        (409, refusal(19006), {}),
        (200, refusal(22014), {}),
    ],
)
def test_throttled(kind: str, status: int, body: object, headers: dict[str, str]) -> None:
    """Refused before work: it is repeated after a while."""
    outcome = judged(kind, answer(status, body, headers))
    assert verdicts(outcome) == (Verdict.THROTTLED, RateLimitedError)


@BOTH
@pytest.mark.parametrize(
    ("headers", "wait"),
    [
        ({}, None),
        ({"Retry-After": "7"}, 7.0),
        ({"Date": "Fri, 02 Jan 2026 03:04:05 GMT", **LIMITS}, 55.0),
        ({"Retry-After": "7", **LIMITS}, 7.0),
    ],
    ids=["nothing", "retry-after", "reset", "both"],
)
def test_how_long_a_throttled_call_waits(
    kind: str, headers: dict[str, str], wait: float | None
) -> None:
    """What the server asks for is in the outcome and in the error."""
    outcome = judged(kind, answer(429, refusal(-19000), headers))
    assert isinstance(outcome.error, ApiError)
    assert (outcome.asked_to_wait, outcome.error.retry_after) == (wait, wait)
    length = "a minute" if wait is None else f"{wait:.0f} s"
    assert outcome.error.remedy == f"Wait for {length}, then call again: nothing was done."


@BOTH
@pytest.mark.parametrize(
    ("status", "number"),
    [(400, 120001), (401, 100000), (404, 22016), (429, 18011), (503, 18012), (503, 22014)],
)
def test_a_rate_limit_that_is_told_of_is_no_wish_to_wait(
    kind: str, status: int, number: int
) -> None:
    """Every answer tells when the limit is reset; only one that ran into it means "come back"."""
    headers = {"Date": "Fri, 02 Jan 2026 03:04:05 GMT", **LIMITS}
    outcome = judged(kind, answer(status, refusal(-number), headers))
    assert isinstance(outcome.error, ApiError)
    assert outcome.error.retry_after is None
    assert outcome.verdict is not Verdict.THROTTLED or outcome.asked_to_wait is None


@BOTH
@pytest.mark.parametrize("number", [18004, 18009, 18010, 18011, 18012, 18013, 18015])
@pytest.mark.parametrize("status", [200, 400, 401, 409, 429, 500, 502, 503, 504])
@pytest.mark.parametrize("headers", [{}, {"Retry-After": "1"}], ids=["bare", "retry-after"])
def test_the_exchange_failed(kind: str, number: int, status: int, headers: dict[str, str]) -> None:
    """Nothing was connected, and it is nothing that our own rate limit should learn from."""
    for errno in (number, -number):
        outcome = judged(kind, answer(status, refusal(errno), headers))
        assert verdicts(outcome) == (Verdict.VENUE, VenueError)


@BOTH
@pytest.mark.parametrize("number", [18000, 18005, 18008, 18016, 18022, 18099])
@pytest.mark.parametrize(("status", "known"), [(429, True), (503, False)])
def test_the_exchange_s_own_429_is_not_ours(
    kind: str, number: int, status: int, *, known: bool
) -> None:
    """A connector's number is never a throttling of ours, and a 5xx with it proves nothing."""
    outcome = judged(kind, answer(status, refusal(number), {"Retry-After": "1"}))
    assert outcome.verdict is (Verdict.REFUSED if known else Verdict.UNKNOWN)


@BOTH
@pytest.mark.parametrize("status", [200, 400, 409, 500, 503])
def test_a_database_failure_proves_nothing(kind: str, status: int) -> None:
    """The number says that a write may have been done, whatever the status."""
    outcome = judged(kind, answer(status, refusal(-22021)))
    expected = OutcomeUnknownError if kind == CONNECT else ServerError
    assert verdicts(outcome) == (Verdict.UNKNOWN, expected)


@BOTH
@pytest.mark.parametrize(
    ("status", "error"),
    [
        (400, InvalidRequestError),
        (401, AuthenticationError),
        (403, PermissionDeniedError),
        (404, NotFoundError),
        (405, InvalidRequestError),
        (409, ConflictError),
        (413, InvalidRequestError),
        (422, InvalidRequestError),
        (499, InvalidRequestError),
    ],
)
def test_refused_by_status(kind: str, status: int, error: type[ApiError]) -> None:
    """Without a number the status tells who must act."""
    assert verdicts(judged(kind, answer(status, refusal(0)))) == (Verdict.REFUSED, error)


@BOTH
@pytest.mark.parametrize("body", UNREADABLE.values(), ids=UNREADABLE)
@pytest.mark.parametrize("status", [400, 401, 403, 404, 409, 418])
def test_a_4xx_that_is_not_cadenza_s(kind: str, status: int, body: object) -> None:
    """Something on the way refused; only a 401 says as much as one of Cadenza's."""
    error = AuthenticationError if status == 401 else UnreadableAnswerError
    assert verdicts(judged(kind, answer(status, body))) == (Verdict.REFUSED, error)


@BOTH
@pytest.mark.parametrize("status", [200, 201, 400])
def test_a_denial_is_a_refusal(kind: str, status: int) -> None:
    """`success: false` and any number but 0 mean no, in a 2xx too."""
    for body in (refusal(0), refusal(-120001), {"errno": 120001, "success": True}):
        assert judged(kind, answer(status, body)).verdict is Verdict.REFUSED


@pytest.mark.parametrize("number", [18005, 18022])
def test_a_401_about_the_exchange_s_key_is_not_about_the_token(number: int) -> None:
    """It must not make anybody refresh a token."""
    outcome = judged(CONNECT, answer(401, refusal(number)))
    assert verdicts(outcome) == (Verdict.REFUSED, CredentialsRejectedError)


@BOTH
@pytest.mark.parametrize(
    ("evidence", "stale"), [(Evidence.STALE, True), (Evidence.NOT_SENT, False)]
)
@pytest.mark.parametrize(
    ("timed_out", "error"), [(False, NotSentError), (True, DeadlineExceededError)]
)
def test_not_sent(
    kind: str, evidence: Evidence, *, stale: bool, timed_out: bool, error: type[CadenzaError]
) -> None:
    """What never left is said to have never left."""
    reply = NoAnswer(evidence=evidence, reason="no way", timed_out=timed_out)
    outcome = judge(call(kind), reply, sent_at=NOW.timestamp())
    assert verdicts(outcome) == (Verdict.NOT_SENT, error)
    assert (outcome.stale, outcome.reading, outcome.asked_to_wait) == (stale, None, None)
    assert str(outcome.error) == f"{call(kind).title}: no way; nothing was done"


@BOTH
@pytest.mark.parametrize(
    ("timed_out", "error"), [(False, OutcomeUnknownError), (True, OutcomeUnknownTimeoutError)]
)
def test_no_answer(kind: str, *, timed_out: bool, error: type[CadenzaError]) -> None:
    """What may have been read may have been done; a read may simply be repeated."""
    reply = NoAnswer(evidence=Evidence.UNKNOWN, reason="the server hung up", timed_out=timed_out)
    outcome = judge(call(kind), reply, sent_at=NOW.timestamp())
    assert verdicts(outcome) == (Verdict.UNKNOWN, error)
    assert ("may have been done" in str(outcome.error)) is (kind == CONNECT)
    assert outcome.error is not None
    assert ("resolve" in outcome.error.remedy) is (kind == CONNECT)


def test_an_unknown_outcome_carries_what_is_needed_to_ask() -> None:
    """Venue, name and time; the status and the request id if an answer came."""
    body = refusal(22000, "oops", details={"request_id": "r-1"})
    asked = {"venue": "Okx_UAT", "api_passphrase": "", "name": "desk"}
    for reply, status, request_id in (
        (answer(500, body), 500, "r-1"),
        (NoAnswer(evidence=Evidence.UNKNOWN, reason="gone"), None, None),
    ):
        error = judge(call(CONNECT, **asked), reply, sent_at=NOW.timestamp()).error
        assert isinstance(error, OutcomeUnknownError)
        assert (error.venue, error.name, error.sent_at) == ("Okx_UAT", "desk", NOW)
        assert (error.status, error.request_id) == (status, request_id)


def test_a_refusal_carries_the_facts() -> None:
    """Status, raw number, text, request id and wait are attributes."""
    body = refusal(-120001, "Invalid API credentials", details={"request_id": "r-1"})
    error = judged(CONNECT, answer(400, body, Retry_After="2")).error
    assert isinstance(error, CredentialsRejectedError)
    assert (error.status, error.errno, error.request_id) == (400, -120001, "r-1")
    assert (error.message, error.retry_after) == ("Invalid API credentials", 2.0)
