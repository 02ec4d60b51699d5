"""Closing: it waits for what is in flight, it is final, and it says so to whoever comes later."""

from __future__ import annotations

import asyncio
import contextlib
import subprocess
import sys
from functools import partial
from itertools import count
from typing import TYPE_CHECKING, Any

import aiohttp
import anyio
import pytest

from cadenza_async import AsyncCadenza, SessionPool
from cadenza_async.errors import (
    CadenzaError,
    ClosedError,
    ConfigError,
    DeadlineExceededError,
    OutcomeUnknownTimeoutError,
    UsageError,
)
from tests.raw import answers, done, envelope, hang, later

from .line import CALLS, TOKEN, Line, check_told, failure, line_to, settle

if TYPE_CHECKING:
    from collections.abc import Awaitable

    from tests.raw import RawServer


async def test_it_waits_for_what_is_in_flight(server: RawServer) -> None:
    """A connect that is under way when closing begins is done; nothing new is begun."""
    gate = asyncio.Event()
    server.play(later(gate, done))
    async with line_to(server) as line:
        call = asyncio.create_task(line.connect())
        await server.until(lambda: len(server.requests) == 1)
        closing = asyncio.create_task(line.client.aclose())
        await settle()
        assert not closing.done()
        late = await failure(line.connect("late"))
        assert isinstance(late, ClosedError)
        assert "nothing was done" in str(late)
        gate.set()
        assert (await call).name == "Desk 1"
        await closing
    assert line.verdicts == ["done"]
    check_told(line, server)


async def test_it_does_not_wait_for_ever(server: RawServer) -> None:
    """What takes longer than the grace period ends unknown, well before its own deadline."""
    server.play(hang)
    async with line_to(server, grace=0.05, timeout=30) as line:
        call = asyncio.create_task(failure(line.connect()))
        await server.until(lambda: len(server.requests) == 1)
        async with asyncio.timeout(5):
            await line.client.aclose()
        error = await call
        await server.until(lambda: server.open == 0)
    assert type(error) is OutcomeUnknownTimeoutError
    assert line.verdicts == ["unknown"]


async def test_whoever_has_not_begun_is_told_at_once(plain: RawServer) -> None:
    """Calls that still wait for their turn, or to try again, are refused when closing begins."""
    gate = asyncio.Event()
    async with line_to(plain, grace=5) as line:
        plain.play(answers(503, envelope(-19006), retry_after="20"), later(gate, done))
        sleeping = asyncio.create_task(failure(line.connect("sleeping")))
        await plain.until(lambda: len(plain.requests) == 1)
        await settle()
        working = asyncio.create_task(line.listing())  # to learn whether reads have a limit
        await plain.until(lambda: len(plain.requests) == 2)
        queueing = asyncio.create_task(failure(line.listing()))
        await settle()
        closing = asyncio.create_task(line.client.aclose())
        for told in await asyncio.gather(sleeping, queueing):
            assert isinstance(told, ClosedError)
            assert "nothing was done" in str(told)  # but something was sent, and throttled
        assert not closing.done()
        gate.set()
        await working
        await closing
    check_told(line, plain)


@pytest.mark.parametrize("issued", [0, 1], ids=["the first", "another"])
async def test_a_token_that_is_waited_for_holds_nobody_up(plain: RawServer, issued: int) -> None:
    """Closing ends a refresh and whoever waits for it."""
    tokens, asked_in_vain = ["the.first"][:issued], asyncio.Event()

    async def ask() -> str:
        if tokens:
            return tokens.pop()
        asked_in_vain.set()
        await asyncio.Event().wait()
        raise AssertionError

    plain.play(answers(401, envelope(-100000)))
    async with line_to(plain, token=ask, grace=5) as line:
        call = asyncio.create_task(failure(line.connect()))
        await asked_in_vain.wait()
        async with asyncio.timeout(2):
            await line.client.aclose()
        assert isinstance(await call, ClosedError)
    assert line.verdicts == ["refused"] * issued


@pytest.mark.parametrize("kind", CALLS)
async def test_it_is_final(plain: RawServer, kind: str) -> None:
    """After closing, calls and a second opening are refused, and closing again does nothing."""
    async with line_to(plain) as line:
        await line.call(kind)
    for _ in range(2):
        await line.client.aclose()
    error = await failure(line.call(kind))
    assert isinstance(error, ClosedError)
    assert "closed" in str(error)
    with pytest.raises(ClosedError, match="stays closed"):
        async with line.client:
            pass
    assert len(plain.requests) == 1


@pytest.mark.parametrize("kind", CALLS)
async def test_before_it_is_opened(kind: str) -> None:
    """Outside its `async with` block a client says where it belongs."""
    error = await failure(Line(AsyncCadenza(TOKEN)).call(kind))
    assert isinstance(error, ClosedError)
    assert "with" in str(error)
    await AsyncCadenza(TOKEN).aclose()


async def test_a_pool_and_its_clients(plain: RawServer) -> None:
    """A pool's client closes nothing; the pool closes for all of them."""
    pool = SessionPool(**plain.options)
    with pytest.raises(ClosedError, match="the pool or client is not open"):
        pool.client(access_token=TOKEN)
    async with pool:
        client = pool.client(access_token=TOKEN)
        async with client:
            await Line(client).connect()
        await Line(client).connect()
    assert isinstance(await failure(Line(client).connect()), ClosedError)
    with pytest.raises(ClosedError):
        pool.client(access_token=TOKEN)
    await plain.until(lambda: plain.open == 0)


def test_another_loop() -> None:
    """A client that is taken to another loop says so, and does not hang."""
    client = AsyncCadenza(TOKEN, base_url="http://127.0.0.1:9")

    async def use() -> Exception:
        return await failure(Line(client).connect())

    async def main() -> None:
        async with client:
            error = await asyncio.to_thread(asyncio.run, use())
            assert isinstance(error, ClosedError)
            assert "loop" in str(error)

    asyncio.run(main())


async def test_closing_it_in_another_loop(plain: RawServer) -> None:
    """That is refused, and leaves the client as it is for the loop that opened it."""
    async with line_to(plain) as line:
        await line.connect()
        error = await asyncio.to_thread(asyncio.run, failure(line.client.aclose()))
        assert isinstance(error, ClosedError)
        assert "another event loop" in str(error)
        await line.connect()
    await asyncio.wait_for(plain.until(lambda: plain.open == 0), 3)


FORKED = """
import asyncio, os, sys
from cadenza_async import AsyncCadenza
from cadenza_async.errors import ClosedError

client = AsyncCadenza("token", base_url="http://127.0.0.1:9")

async def connect():
    try:
        await client.connect_account(venue="BINANCE", api_key="k", api_secret="s")
    except ClosedError as error:
        return str(error)

async def main():
    await client.__aenter__()

loop = asyncio.new_event_loop()
loop.run_until_complete(main())
if os.fork() == 0:
    told = loop.run_until_complete(connect())
    os._exit(0 if told and "fork" in told else 1)
_, status = os.wait()
loop.run_until_complete(client.aclose())
loop.close()
sys.exit(os.waitstatus_to_exitcode(status))
"""


def test_after_a_fork() -> None:
    """A client that was opened before a fork says so in the child."""
    finished = subprocess.run(
        [sys.executable, "-W", "error", "-c", FORKED], timeout=20, capture_output=True, check=False
    )
    assert (finished.returncode, finished.stderr) == (0, b"")


async def _ignoring(call: Awaitable[object]) -> None:
    with contextlib.suppress(CadenzaError):
        await call


def _read_more(server: RawServer, than: int) -> bool:
    return len(server.requests) > than


async def slow_to_stop() -> str:
    """A token source that takes its time when it is cancelled."""
    try:
        await asyncio.Event().wait()
    finally:
        for _ in range(4):
            await asyncio.sleep(0)
    raise AssertionError


async def test_cancelled_at_every_step(server: RawServer) -> None:
    """Wherever closing is cancelled, every connection is closed all the same."""
    steps = 0
    for steps in count(1):
        gate = asyncio.Event()
        pool = await SessionPool(grace=5, **server.options).__aenter__()
        line = Line(pool.client(access_token=TOKEN))
        await line.connect("pooled")
        before = len(server.requests)
        server.play(later(gate, done))
        other = Line(pool.client(access_token=slow_to_stop))
        calls = [line.connect("in flight"), other.connect("without a token")]
        tasks = [asyncio.create_task(_ignoring(call)) for call in calls]
        await server.until(partial(_read_more, server, before))
        closing = asyncio.create_task(pool.aclose())
        for step in range(steps):
            if step == 4:
                gate.set()
            await asyncio.sleep(0)
        closing.cancel()
        await asyncio.wait([closing, *tasks])
        gate.set()
        await asyncio.wait_for(server.until(lambda: server.open == 0), 3)
        assert isinstance(await failure(line.connect()), ClosedError)
        if not closing.cancelled():
            break
    assert steps > 6


async def test_in_a_scope_that_cancels_every_wait(server: RawServer) -> None:
    """A scope of anyio is left once everything is closed, not before."""
    server.play(hang)
    pool = await SessionPool(grace=30, **server.options).__aenter__()
    line = Line(pool.client(access_token=TOKEN))
    call = asyncio.create_task(failure(line.connect()))
    await server.until(lambda: len(server.requests) == 1)
    with anyio.CancelScope() as scope:
        scope.cancel()
        await pool.aclose()
    assert call.done()
    assert type(await call) is OutcomeUnknownTimeoutError
    assert "stays closed" in str(await failure(line.connect()))
    await asyncio.wait_for(server.until(lambda: server.open == 0), 3)


async def test_a_lent_session_stays_open(plain: RawServer) -> None:
    """A user's own session is used and left as it was."""
    async with aiohttp.ClientSession() as session:
        async with line_to(plain, session=session) as line:
            await line.connect()
        assert not session.closed
        async with session.get(f"{plain.url}/again") as response:
            assert response.status == 200
    assert plain.connections == 1


async def test_a_lent_session_that_is_closed(plain: RawServer) -> None:
    """When the user closes the session, every call says so, not only the first."""
    async with aiohttp.ClientSession() as session, line_to(plain, session=session) as line:
        await session.close()
        for _ in range(3):
            error = await failure(line.connect(timeout=0.4))
            assert isinstance(error, ClosedError)
            assert not isinstance(error, DeadlineExceededError)
    assert line.attempts == []


@pytest.mark.parametrize("kind", [AsyncCadenza, SessionPool])
async def test_a_session_of_another_loop(kind: type[AsyncCadenza | SessionPool]) -> None:
    """It is refused when it should be used, and not sent through; nothing was opened."""

    async def enter(opened: AsyncCadenza | SessionPool) -> None:
        async with opened:
            raise AssertionError

    async with aiohttp.ClientSession() as session:
        lent = kind(session=session)
        error = await asyncio.to_thread(asyncio.run, failure(enter(lent)))
        assert type(error) is UsageError
        assert "another event loop" in str(error)
        async with lent:
            pass


@pytest.mark.parametrize(
    "option", [{"max_connections": 5}, {"proxy": "http://127.0.0.1:9"}, {"ssl_context": None}]
)
async def test_what_a_lent_session_decides(option: dict[str, Any]) -> None:
    """Options of the connector cannot be given beside a session that has one."""
    async with aiohttp.ClientSession() as session:
        with pytest.raises(UsageError, match=next(iter(option))):
            AsyncCadenza(TOKEN, session=session, **option)


async def test_a_lent_session_that_trusts_the_environment() -> None:
    """A session that would read a .netrc is refused: it would replace the token."""
    async with aiohttp.ClientSession(trust_env=True) as session:
        with pytest.raises(UsageError, match="trust_env"):
            AsyncCadenza(TOKEN, session=session)


@pytest.mark.parametrize("kind", [AsyncCadenza, SessionPool])
@pytest.mark.parametrize("odd", [5, False, "session", aiohttp.ClientSession], ids=repr)
async def test_what_is_no_session(odd: Any, kind: type[AsyncCadenza | SessionPool]) -> None:
    """What cannot be lent is a setting to correct."""
    with pytest.raises(ConfigError, match=r"^session must be an aiohttp.ClientSession$"):
        kind(session=odd)


@pytest.mark.parametrize("odd", [5, None, print, [5], ["log"], "log"], ids=repr)
async def test_what_are_no_middlewares(odd: Any) -> None:
    """One alone, or what cannot be called, is a setting to correct."""
    with pytest.raises(ConfigError, match=r"^middlewares must be a list of aiohttp middlewares"):
        AsyncCadenza(TOKEN, middlewares=odd)
