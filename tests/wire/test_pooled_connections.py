"""Connections that are kept: nothing is sent twice over them, and old ones do no harm."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import aiohttp
import pytest

from cadenza_async._retry import RetryBudget
from cadenza_async.errors import OutcomeUnknownError
from tests.loops import on_every_loop
from tests.raw import (
    answers,
    done,
    envelope,
    hang_up,
    later,
    packed,
    reset,
    sends,
    sends_last,
    shut,
)

from .line import CALLS, check_told, failure, line_to, settle

if TYPE_CHECKING:
    from tests.raw import Act, Exchange, RawServer

pytestmark = on_every_loop

CONNECTED = packed(200, envelope(data={"tradingAccountId": "ta-1"}))
LISTED = packed(200, envelope(data=[], pagination={"hasNext": False}))


async def test_a_connection_is_kept(server: RawServer) -> None:
    """Calls one after the other take one connection."""
    async with line_to(server) as line:
        for _ in range(5):
            await line.connect()
            await line.listing()
    assert server.connections == 1


@pytest.mark.parametrize("kind", CALLS)
async def test_closed_while_idle(server: RawServer, kind: str) -> None:
    """A kept connection that the server has closed is not used: nobody notices."""
    async with line_to(server) as line:
        for _ in range(20):
            server.play(sends_last(CONNECTED if kind == "connect" else LISTED))
            await line.call(kind)
            await server.until(lambda: server.open == 0)
            await settle()
    assert line.verdicts == ["done"] * 20
    assert server.connections == 20
    check_told(line, server)


async def test_connects_back_to_back_while_the_server_hangs_up(plain: RawServer) -> None:
    """When the connection at hand turns out to be closing, a connect is done on another, once."""
    names = [f"Desk {number}" for number in range(200)]
    plain.play(*[sends_last(CONNECTED)] * 200)
    async with line_to(plain) as line:
        for name in names:
            await line.connect(name)
    assert [request.sent["name"] for request in plain.requests] == names
    assert line.verdicts.count("done") == 200
    assert "not sent" in line.verdicts
    check_told(line, plain)


async def test_one_closing_connection_costs_no_retry(plain: RawServer) -> None:
    """The way around a closing connection is free, even where only one retry is allowed."""
    async with line_to(plain, retries=1) as line:
        budget = line.client._shared.retry_budget
        spent = budget._tokens
        plain.play(*[sends_last(CONNECTED)] * 50)
        for _ in range(50):
            await line.connect()
        assert "not sent" in line.verdicts
        assert budget._tokens == spent
    check_told(line, plain)


@pytest.mark.parametrize("steps", range(5))
@pytest.mark.parametrize("kind", CALLS)
async def test_a_close_that_has_come_is_seen(server: RawServer, kind: str, steps: int) -> None:
    """A close that was there before a call began is noticed, however busy the loop was."""
    kept: list[asyncio.StreamWriter] = []

    async def keep(exchange: Exchange) -> None:
        kept.append(exchange.writer)
        await done(exchange)

    server.default = keep
    async with line_to(server, retries=1) as line:
        budget = line.client._shared.retry_budget
        await line.call(kind)
        shut(kept[0])
        for _ in range(steps):
            await asyncio.sleep(0)
        await line.call(kind)
        assert budget._tokens == RetryBudget()._tokens
    assert [verdict for verdict in line.verdicts if verdict != "not sent"] == ["done"] * 2
    check_told(line, server)


@pytest.mark.parametrize("act", [hang_up, reset])
@pytest.mark.parametrize("retries", [0, 1, 3])
async def test_aiohttp_resends_no_read(server: RawServer, act: Act, retries: int) -> None:
    """A lost list on a kept connection is sent again as often as we say, not once more."""
    async with line_to(server, retries=retries) as line:
        await line.listing()
        server.play(*[act] * 9)
        error = await failure(line.listing())
        await settle()
    assert isinstance(error, OutcomeUnknownError)
    assert len(server.requests) == 1 + 1 + retries
    check_told(line, server)


@pytest.mark.parametrize("kind", CALLS)
async def test_no_other_answer_is_taken_for_ours(server: RawServer, kind: str) -> None:
    """What the server says unasked on a kept connection is not taken for the next call's answer."""
    forged = packed(200, envelope(data={"tradingAccountId": "forged"}))
    server.play(sends(CONNECTED + forged))
    async with line_to(server) as line:
        await line.connect("first")
        await settle()
        result = await line.call(kind)
    assert "forged" not in repr(result)
    check_told(line, server)


@pytest.mark.parametrize("kind", CALLS)
async def test_nor_is_one_that_comes_while_the_connection_is_idle(
    server: RawServer, kind: str
) -> None:
    """What is there before a call has left is no answer to it; the call goes by another way."""
    idle = asyncio.Event()
    forged = packed(200, envelope(data={"tradingAccountId": "forged"}))

    async def say_more(exchange: Exchange) -> None:
        await answers(200, envelope(data={"tradingAccountId": "ta-1"}))(exchange)
        await later(idle, sends(forged))(exchange)

    server.play(say_more)
    async with line_to(server, retries=1) as line:
        await line.connect("first")
        idle.set()
        await settle()
        result = await line.call(kind)
    assert "forged" not in repr(result)
    assert line.verdicts == ["done", "not sent", "done"]
    check_told(line, server)


async def test_a_cancelled_connection_is_not_reused(server: RawServer) -> None:
    """The late answer to a cancelled call does not reach the next one."""
    gate = asyncio.Event()

    async with line_to(server, max_connections=1) as line:
        await line.connect("zero")
        late = answers(200, envelope(data={"tradingAccountId": "late"}))
        server.play(later(gate, late))
        lost = asyncio.create_task(line.connect("lost"))
        await server.until(lambda: len(server.requests) == 2)
        lost.cancel()
        assert isinstance((await asyncio.gather(lost, return_exceptions=True))[0], BaseException)
        gate.set()
        account = await line.connect("next")
    assert account.trading_account_id == server.requests[-1].digest
    assert line.verdicts == ["done", "unknown", "done"]
    check_told(line, server)


@pytest.mark.parametrize("kind", CALLS)
async def test_a_lent_session_is_guarded_as_well(server: RawServer, kind: str) -> None:
    """Over a user's own session nothing is sent twice either."""
    context = server.options.get("ssl_context", True)
    connector = aiohttp.TCPConnector(ssl=context)
    async with (
        aiohttp.ClientSession(connector=connector) as session,
        line_to(session=session, base_url=server.url, retries=0) as line,
    ):
        await line.call(kind)
        server.play(hang_up, hang_up)
        await failure(line.call(kind))
        await settle()
    assert line.verdicts == ["done", "unknown"]
    check_told(line, server)
