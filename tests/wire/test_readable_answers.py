"""The server said no: by whom it was said, and whether it is worth asking again."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import TYPE_CHECKING, Any

import pytest

from cadenza_async.errors import (
    ApiError,
    AuthenticationError,
    ConflictError,
    CredentialsRejectedError,
    InvalidRequestError,
    NotFoundError,
    OutcomeUnknownError,
    PermissionDeniedError,
    RateLimitedError,
    UnreadableAnswerError,
    VenueError,
)
from tests.raw import RawServer, answers, envelope

from .line import CALLS, check_told, failure, line_to

if TYPE_CHECKING:
    from tests.raw import Act

HTML = b"<html>"
SOON = "0.01"

# status, content, headers
THROTTLED: dict[str, tuple[int, object, dict[str, str]]] = {
    "429": (429, envelope(-19000), {"retry_after": SOON}),
    "429 without Retry-After": (429, envelope(-19000), {}),
    "429 without errno": (429, {"success": False, "error": "slow down"}, {}),
    "429 as HTML": (429, HTML, {"retry_after": SOON}),
    "429 without a body": (429, b"", {}),
    "lock not acquired": (503, envelope(-22014), {}),
    "lock not acquired, 409": (409, envelope(-22014), {}),
    "temporarily unavailable": (503, envelope(-19006), {}),
    "unsigned": (503, envelope(19006), {}),
    "503 that names a time": (503, envelope(-19000), {"retry_after": SOON}),
}
VENUE = [
    (502, -18004, {}),
    (502, -18009, {}),
    (503, -18010, {}),
    (429, -18011, {}),
    (429, -18011, {"retry_after": SOON}),
    (503, -18012, {}),
    (503, -18012, {"retry_after": SOON}),
    (503, 18013, {}),
    (504, -18015, {}),
]
REFUSED: dict[str, tuple[int, object, type[ApiError]]] = {
    "bad key": (400, envelope(-120001), CredentialsRejectedError),
    "key refused by the exchange": (401, envelope(-18005), CredentialsRejectedError),
    "token": (401, envelope(-100000), AuthenticationError),
    "token, as HTML": (401, HTML, AuthenticationError),
    "rights": (403, envelope(-22018), PermissionDeniedError),
    "missing": (404, envelope(-22016), NotFoundError),
    "conflict": (409, envelope(-22017), ConflictError),
    "invalid": (400, envelope(-19004), InvalidRequestError),
    "no, with 200": (200, envelope(-120001), CredentialsRejectedError),
    "no, without a number": (200, {"success": False, "error": "no"}, InvalidRequestError),
    "400 as HTML": (400, HTML, UnreadableAnswerError),
    "404 as HTML": (404, HTML, UnreadableAnswerError),
    "413 without a body": (413, b"", UnreadableAnswerError),
    "JSON of another service": (400, {"message": "no"}, UnreadableAnswerError),
    "JSON, but no object": (400, [1], UnreadableAnswerError),
}


async def refused(server: RawServer, kind: str, act: Act, **options: Any) -> tuple[ApiError, str]:
    """What the only attempt at a call ends in; the server must have read it once."""
    server.play(act)
    async with line_to(server, **options) as line:
        error = await failure(line.call(kind))
    check_told(line, server)
    assert isinstance(error, ApiError)
    (verdict,) = line.verdicts
    return error, verdict


@pytest.mark.parametrize("kind", CALLS)
@pytest.mark.parametrize("row", THROTTLED)
async def test_come_back_later(server: RawServer, kind: str, row: str) -> None:
    """What was refused before any work is throttled, whatever the body looks like."""
    status, content, headers = THROTTLED[row]
    act = answers(status, content, **headers)
    error, verdict = await refused(server, kind, act, retries=0)
    assert (type(error), verdict) == (RateLimitedError, "throttled")
    assert error.retry_after == (0.01 if headers else None)


@pytest.mark.parametrize("kind", CALLS)
@pytest.mark.parametrize(("status", "errno", "headers"), VENUE)
async def test_the_exchange_failed(
    plain: RawServer, kind: str, status: int, errno: int, headers: dict[str, str]
) -> None:
    """The exchange's own trouble, its rate limit included, is told as such and not repeated."""
    error, verdict = await refused(plain, kind, answers(status, envelope(errno), **headers))
    assert (type(error), verdict) == (VenueError, "venue failed")
    assert error.errno == errno


@pytest.mark.parametrize("kind", CALLS)
@pytest.mark.parametrize("row", REFUSED)
async def test_the_answer_is_no(server: RawServer, kind: str, row: str) -> None:
    """A refusal is final, is not repeated, and says who must act."""
    status, content, expected = REFUSED[row]
    error, verdict = await refused(server, kind, answers(status, content))
    assert (type(error), verdict) == (expected, "refused")
    assert error.status == status


@pytest.mark.parametrize("kind", CALLS)
@pytest.mark.parametrize("row", [row for row in THROTTLED if THROTTLED[row][2]])
async def test_the_wait_asked_for_is_waited(server: RawServer, kind: str, row: str) -> None:
    """After a wait that the server named the call is sent again, on the same connection."""
    status, content, headers = THROTTLED[row]
    server.play(answers(status, content, **headers))
    async with line_to(server) as line:
        await line.call(kind)
    assert line.verdicts == ["throttled", "done"]
    assert server.connections == 1
    check_told(line, server)


@pytest.mark.parametrize("dated", [False, True], ids=["no Date", "Date"])
async def test_a_wait_may_be_a_date(plain: RawServer, *, dated: bool) -> None:
    """`Retry-After` as a date counts on the server's clock, which may be an hour ahead."""
    now = datetime.now(UTC) + timedelta(hours=dated)
    dates = {"retry_after": format_datetime(now + timedelta(seconds=60), usegmt=True)}
    dates |= {"date": format_datetime(now, usegmt=True)} if dated else {}
    error, _ = await refused(plain, "connect", answers(503, envelope(-19006), **dates), retries=0)
    assert error.retry_after is not None
    assert 40 < error.retry_after <= 60


async def test_nobody_is_waited_for_too_long(plain: RawServer) -> None:
    """A server that asks for more than two minutes gets no second attempt."""
    plain.play(answers(429, envelope(-19000), retry_after="121"))
    async with line_to(plain, timeout=300) as line:
        error = await failure(line.connect())
    assert isinstance(error, RateLimitedError)
    assert error.retry_after == 121
    check_told(line, plain)


@pytest.mark.parametrize("kind", CALLS)
@pytest.mark.parametrize("wait", ["60", None], ids=["named", "not named"])
async def test_a_429_is_remembered_when_the_time_runs_out(
    plain: RawServer, kind: str, wait: str | None
) -> None:
    """When a 429 caused a wait that would cross the deadline, the 429 is what is raised."""
    named = {} if wait is None else {"retry_after": wait}
    plain.play(answers(429, envelope(-19000), **named))
    async with line_to(plain, timeout=0.8) as line:
        error = await failure(line.call(kind))
    assert type(error) is RateLimitedError
    assert line.verdicts == ["throttled"]
    check_told(line, plain)


@pytest.mark.parametrize("kind", CALLS)
@pytest.mark.parametrize("status", [300, 301, 302, 303, 304, 307, 308])
@pytest.mark.parametrize("pooled", [False, True], ids=["fresh", "pooled"])
async def test_nobody_is_led_away(
    server: RawServer, kind: str, status: int, *, pooled: bool
) -> None:
    """A redirect is not followed; the error tells its target's origin, nothing more of it."""
    async with RawServer() as target, line_to(server, retries=0) as line:
        if pooled:
            await line.call(kind)
        where = f"{target.url}/elsewhere?echo=secret"
        server.play(answers(status, b"", location=where))
        error = await failure(line.call(kind))
        assert (target.connections, target.requests) == (0, [])
        assert target.url in str(error)
    assert "elsewhere" not in str(error)
    assert type(error) is (OutcomeUnknownError if kind == "connect" else UnreadableAnswerError)
    assert line.verdicts == ["done"] * pooled + ["unknown"]
    check_told(line, server)


@pytest.mark.parametrize("location", [None, "", "/login", "http://[", "http://h:99999", "//\x7f"])
async def test_an_odd_redirect_is_just_that(plain: RawServer, location: str | None) -> None:
    """A redirect to nowhere is unknown, too."""
    headers = {} if location is None else {"location": location}
    plain.play(answers(302, b"", **headers))
    async with line_to(plain) as line:
        assert type(await failure(line.connect())) is OutcomeUnknownError
    check_told(line, plain)
