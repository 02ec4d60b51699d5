"""The deadline covers everything; no write begins when there is hardly time for an answer."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import aiohttp
import pytest

from cadenza_async.errors import (
    DeadlineExceededError,
    NotSentError,
    OutcomeUnknownTimeoutError,
    RateLimitedError,
    UsageError,
)
from tests.raw import RawServer, answers, done, envelope, hang, later

from .line import CALLS, check_told, failure, line_to

if TYPE_CHECKING:
    from tests.raw import Act, Exchange


async def test_waits_count(plain: RawServer) -> None:
    """A wait that the server asks for and that does not fit in is not begun."""
    plain.play(answers(503, envelope(-19006), retry_after="2"))
    async with line_to(plain) as line:
        started = asyncio.get_running_loop().time()
        error = await failure(line.connect(timeout=3))
        lasted = asyncio.get_running_loop().time() - started
    assert isinstance(error, RateLimitedError)
    assert lasted < 1, "it slept before it gave up"
    check_told(line, plain)


async def test_all_attempts_share_one_deadline(plain: RawServer) -> None:
    """Attempts that each take a while end together when the time is up, not each in its own."""

    async def slow_refusal(exchange: Exchange) -> None:
        await asyncio.sleep(0.08)
        await answers(503, envelope(-19006), retry_after="0")(exchange)

    plain.play(*[slow_refusal] * 50)
    async with line_to(plain, retries=50) as line:
        started = asyncio.get_running_loop().time()
        error = await failure(line.listing(timeout=0.6))
        lasted = asyncio.get_running_loop().time() - started
    assert isinstance(error, RateLimitedError | OutcomeUnknownTimeoutError)
    assert 2 <= len(line.attempts) <= 8
    assert lasted < 2
    check_told(line, plain)


async def test_a_write_does_not_begin_late(plain: RawServer) -> None:
    """A connect whose turn at the pool comes with less than half of its time left is not sent."""
    gate = asyncio.Event()
    plain.play(done, later(gate, done))
    async with line_to(plain, max_connections=1) as line:
        await line.connect("first")
        slow = asyncio.create_task(line.connect("slow"))
        await plain.until(lambda: len(plain.requests) == 2)
        asyncio.get_running_loop().call_later(0.3, gate.set)
        error = await failure(line.connect("late", timeout=0.4))
        await slow
    assert type(error) is DeadlineExceededError
    assert "no connection could be had in time" in str(error)
    assert [request.sent["name"] for request in plain.requests] == ["first", "slow"]
    check_told(line, plain)


async def test_a_read_may_begin_late(plain: RawServer) -> None:
    """A list does no harm when its answer is lost, so it may begin as long as there is time."""
    gate = asyncio.Event()
    plain.play(done, later(gate, done))
    async with line_to(plain, max_connections=1) as line:
        await line.listing()
        slow = asyncio.create_task(line.listing())
        await plain.until(lambda: len(plain.requests) == 2)
        asyncio.get_running_loop().call_later(0.35, gate.set)
        assert await line.listing(timeout=0.6) == []
        await slow
    check_told(line, plain)


async def test_a_write_that_began_has_all_of_its_time(plain: RawServer) -> None:
    """What was handed over in time may wait for its answer until the deadline itself."""
    gate = asyncio.Event()
    plain.play(later(gate, done))
    async with line_to(plain) as line:
        asyncio.get_running_loop().call_later(0.35, gate.set)
        await line.connect(timeout=0.6)
    assert line.verdicts == ["done"]


@pytest.mark.parametrize("kind", CALLS)
async def test_a_token_that_never_comes(plain: RawServer, kind: str) -> None:
    """A token source that hangs is given up at the deadline; nothing was sent."""

    async def ask() -> str:
        await asyncio.Event().wait()
        raise AssertionError

    async with line_to(plain, token=ask) as line:
        error = await failure(line.call(kind, timeout=0.2))
    assert type(error) is DeadlineExceededError
    assert plain.requests == []
    assert line.attempts == []


@pytest.mark.parametrize("kind", CALLS)
async def test_the_clients_own_default(plain: RawServer, kind: str) -> None:
    """Without a timeout of the call's own, the client's holds."""
    plain.play(hang)
    async with line_to(plain, timeout=0.2) as line:
        error = await failure(line.call(kind))
    assert type(error) is OutcomeUnknownTimeoutError
    assert isinstance(error, TimeoutError)


@pytest.mark.parametrize("timeout", [0, -1, float("nan"), float("inf"), "5", True])
async def test_a_timeout_that_is_none(plain: RawServer, timeout: float) -> None:
    """A timeout that makes no sense is refused before anything is sent."""
    async with line_to(plain) as line:
        error = await failure(line.connect(timeout=timeout))
    assert isinstance(error, UsageError)
    assert "timeout" in str(error)
    assert plain.requests == []


def limited(limit: int, *, left: int) -> Act:
    """Connect, half a minute before the end of a window."""
    return answers(
        200,
        envelope(data={"tradingAccountId": "ta-1"}),
        x_ratelimit_limit=str(limit),
        x_ratelimit_remaining=str(left),
        x_ratelimit_reset="1000030",
        date="Mon, 12 Jan 1970 13:46:40 GMT",
    )


async def test_a_queue_for_the_rate_limit(plain: RawServer) -> None:
    """Who would have to wait for the next window beyond the deadline is told at once, and when."""
    plain.play(limited(1, left=0))
    async with line_to(plain) as line:
        await line.connect("first")
        started = asyncio.get_running_loop().time()
        error = await failure(line.connect("second", timeout=5))
        assert asyncio.get_running_loop().time() - started < 1
    assert isinstance(error, DeadlineExceededError)
    assert error.retry_after is not None
    assert 28 < error.retry_after < 32
    check_told(line, plain)


async def test_the_clock_of_a_gateway_is_not_cadenzas(plain: RawServer) -> None:
    """A page of its own, hours behind, does not put off the end of the window."""
    plain.play(
        limited(30, left=29),
        answers(429, b"<html>slow down", date="Mon, 12 Jan 1970 05:46:40 GMT"),
    )
    async with line_to(plain, retries=0) as line:
        await line.connect("first")
        assert type(await failure(line.connect("second"))) is RateLimitedError
        error = await failure(line.connect("third", timeout=5))
    assert isinstance(error, DeadlineExceededError)
    assert error.retry_after is not None
    assert error.retry_after < 32
    check_told(line, plain)


async def test_what_never_left_takes_nothing_of_the_limit(plain: RawServer) -> None:
    """The last call of a window is there for the next one that does leave."""
    failures = [None, aiohttp.InvalidURL("elsewhere"), None]

    async def unreliable(
        request: aiohttp.ClientRequest, handler: aiohttp.ClientHandlerType
    ) -> aiohttp.ClientResponse:
        if (unreachable := failures.pop(0)) is not None:
            raise unreachable
        return await handler(request)

    plain.play(limited(30, left=1), done)
    async with line_to(plain, middlewares=[unreliable], retries=0) as line:
        await line.connect("first")
        assert type(await failure(line.connect("second"))) is NotSentError
        await line.connect("third", timeout=5)
    check_told(line, plain)


async def test_who_waits_for_the_one_that_learns(plain: RawServer) -> None:
    """Until the limit is known one call goes at a time; the others' deadlines hold all the same."""
    gate = asyncio.Event()
    plain.play(later(gate, done))
    async with line_to(plain) as line:
        first = asyncio.create_task(line.connect("first"))
        await plain.until(lambda: len(plain.requests) == 1)
        error = await failure(line.connect("second", timeout=0.2))
        gate.set()
        await first
    assert type(error) is DeadlineExceededError
    assert not isinstance(error, NotSentError)
    check_told(line, plain)
