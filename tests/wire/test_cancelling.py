"""Cancelling a call at every step of its way: nothing leaks, and what it may have done is told."""

from __future__ import annotations

import asyncio
import logging
import re
from contextlib import asynccontextmanager
from datetime import datetime
from typing import TYPE_CHECKING, Any

import pytest

from tests.loops import on_every_loop
from tests.raw import answers, done, envelope, later

from .line import CALLS, Line, check_told, failure, line_to, settle

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable
    from contextlib import AbstractAsyncContextManager

    from cadenza_async import Attempt
    from tests.raw import Exchange, RawServer

    Scene = Callable[[RawServer], AbstractAsyncContextManager[tuple[Line, asyncio.Event]]]

pytestmark = on_every_loop

NAME = "to be cancelled"
OPENS = 6  # steps until what the call queues for is free
CAPACITY = 2
THINKS = 8  # steps that the server takes to answer, so that some surely are in that time


async def slowly(exchange: Exchange) -> None:
    """Answer after some steps."""
    for _ in range(THINKS):
        await asyncio.sleep(0)
    await done(exchange)


@asynccontextmanager
async def fresh(server: RawServer) -> AsyncIterator[tuple[Line, asyncio.Event]]:
    """The first call of all."""
    server.default = slowly
    async with line_to(server, max_connections=CAPACITY) as line:
        yield line, asyncio.Event()


@asynccontextmanager
async def pooled(server: RawServer) -> AsyncIterator[tuple[Line, asyncio.Event]]:
    """There is a connection."""
    async with fresh(server) as (line, gate):
        await line.learn()
        yield line, gate


@asynccontextmanager
async def no_connection_free(server: RawServer) -> AsyncIterator[tuple[Line, asyncio.Event]]:
    """All connections are busy until the gate opens."""
    async with pooled(server) as (line, gate):
        before = len(server.requests)
        server.play(*[later(gate, done)] * CAPACITY)
        busy = [asyncio.create_task(line.connect(f"busy {n}")) for n in range(CAPACITY)]
        await server.until(lambda: len(server.requests) == before + CAPACITY)
        try:
            yield line, gate
        finally:
            gate.set()
            await asyncio.gather(*busy)


@asynccontextmanager
async def limit_unknown(server: RawServer) -> AsyncIterator[tuple[Line, asyncio.Event]]:
    """Another call is out to learn the rate limit until the gate opens."""
    async with fresh(server) as (line, gate):
        before = len(server.requests)
        server.play(later(gate, done))
        first = asyncio.create_task(line.connect("first"))
        await server.until(lambda: len(server.requests) == before + 1)
        try:
            yield line, gate
        finally:
            gate.set()
            await first


@asynccontextmanager
async def token_expired(server: RawServer) -> AsyncIterator[tuple[Line, asyncio.Event]]:
    """The server refuses the token once; getting another takes a moment."""
    issued = 0

    async def ask() -> str:
        nonlocal issued
        issued += 1
        for _ in range(3):
            await asyncio.sleep(0)
        return f"token.{issued}"

    async def refuse(exchange: Exchange) -> None:
        server.default = slowly
        await answers(401, envelope(-100000))(exchange)

    async with line_to(server, token=ask, max_connections=CAPACITY) as line:
        await line.learn()
        server.default = refuse
        yield line, asyncio.Event()
        server.default = slowly


SCENES: list[Scene] = [fresh, pooled, no_connection_free, limit_unknown, token_expired]


async def step_and_cancel(call: asyncio.Task[Any], steps: int, gate: asyncio.Event) -> bool:
    """Let a call take so many steps, then cancel it; tell whether that came in time."""
    for step in range(steps):
        if step == OPENS:
            gate.set()
        await asyncio.sleep(0)
    call.cancel()
    await asyncio.wait([call])
    await settle()
    return call.cancelled()


async def check_capacity(line: Line, server: RawServer) -> None:
    """Check that the pool still has all of its connections, by having all of them used."""
    await line.learn()
    gate, before = asyncio.Event(), len(server.requests)
    server.play(*[later(gate, done)] * CAPACITY)
    calls = [asyncio.create_task(line.connect(f"full {n}")) for n in range(CAPACITY)]
    await server.until(lambda: len(server.requests) == before + CAPACITY)
    gate.set()
    await asyncio.gather(*calls)


def check_warnings(caplog: pytest.LogCaptureFixture, *, doubtful: bool) -> None:
    """Check that a doubtful write is warned of once: which, and when."""
    warnings = [r.getMessage() for r in caplog.records if r.levelno >= logging.WARNING]
    assert len(warnings) == doubtful
    for warning in warnings:
        assert "BINANCE" in warning
        assert NAME in warning
        when = re.search(r"\d{4}-\d\d-\d\dT[\d:.]+\+00:00", warning)
        assert when is not None
        age = datetime.now().astimezone() - datetime.fromisoformat(when[0])
        assert 0 <= age.total_seconds() < 30


@pytest.mark.parametrize("kind", CALLS)
@pytest.mark.parametrize("scene", SCENES, ids=lambda scene: scene.__name__)
async def test_at_every_step(
    server: RawServer, kind: str, scene: Scene, caplog: pytest.LogCaptureFixture
) -> None:
    """Wherever a call is cancelled, it ends cancelled, is told of rightly, and frees its place."""
    ends: set[str] = set()
    steps = most = 0
    while True:  # a busy machine may take a hundred steps for what a quiet one does in twenty
        server.requests.clear()
        caplog.clear()
        async with scene(server) as (line, gate):
            del line.attempts[:]
            before = len(server.requests)
            options = {"name": NAME} if kind == "connect" else {"venue": NAME}
            call = asyncio.create_task(line.call(kind, **options))
            if not await step_and_cancel(call, steps, gate):
                await call
                most, steps = max(most, steps), 0
                if "unknown" in ends:
                    break
                continue  # it took fewer steps than the time before
            mine = [attempt for attempt in line.attempts if _is_of(attempt, kind)]
            sent = [attempt for attempt in mine if attempt.verdict != "not sent"]
            assert _read(server, kind, before) == len(sent)
            doubtful = bool(sent) and sent[-1].verdict == "unknown"
            check_warnings(caplog, doubtful=doubtful and kind == "connect")
            ends.update(attempt.verdict for attempt in mine[-1:])
            gate.set()
            await check_capacity(line, server)
        await server.until(lambda: server.open == 0)
        steps += 1
    assert most > 5
    assert "unknown" in ends


def _is_of(attempt: Attempt, kind: str) -> bool:
    return attempt.name == NAME if kind == "connect" else attempt.method == "GET"


def _read(server: RawServer, kind: str, since: int) -> int:
    name = NAME.replace(" ", "+")
    requests = server.requests[since:]
    if kind == "connect":
        return sum(r.method == "POST" and r.sent["name"] == NAME for r in requests)
    return sum(name in r.target or "%20".join(NAME.split()) in r.target for r in requests)


@pytest.mark.parametrize("kind", CALLS)
async def test_while_it_waits_to_try_again(plain: RawServer, kind: str) -> None:
    """A call that sleeps before its next attempt wakes up cancelled, and sends nothing more."""
    plain.play(answers(503, envelope(-19006), retry_after="20"))
    async with line_to(plain) as line:
        call = asyncio.create_task(line.call(kind))
        await plain.until(lambda: len(plain.requests) == 1)
        await settle()
        call.cancel()
        await asyncio.wait([call])
        assert call.cancelled()
        await line.call(kind)
    assert line.verdicts == ["throttled", "done"]
    check_told(line, plain)


async def test_a_callers_own_timeout(plain: RawServer, caplog: pytest.LogCaptureFixture) -> None:
    """`asyncio.timeout` around a connect is a cancellation like any other."""
    gate = asyncio.Event()
    plain.play(later(gate, done))
    async with line_to(plain) as line:
        with pytest.raises(TimeoutError) as caught:
            async with asyncio.timeout(0.4):
                await line.connect(NAME)
        gate.set()
    assert type(caught.value) is TimeoutError
    assert line.verdicts == ["unknown"]
    check_warnings(caplog, doubtful=True)


async def test_one_of_a_group(plain: RawServer) -> None:
    """A task group that fails takes its connects down, and shows its own failure."""
    gate = asyncio.Event()
    plain.play(later(gate, done))

    async def fail() -> None:
        await plain.until(lambda: len(plain.requests) == 1)
        raise LookupError("of the caller's own")

    async with line_to(plain) as line:

        async def work() -> None:
            async with asyncio.TaskGroup() as group:
                group.create_task(line.connect(NAME))
                group.create_task(fail())

        error = await failure(work())
        gate.set()
    assert isinstance(error, ExceptionGroup)
    assert [type(each) for each in error.exceptions] == [LookupError]
    assert line.verdicts == ["unknown"]
