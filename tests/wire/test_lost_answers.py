"""The server read the request and no answer of Cadenza's came back: nobody knows what it did."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING
from unittest.mock import AsyncMock, Mock

import aiohttp
import pytest

from cadenza_async._calls import Evidence
from cadenza_async._transport import Progress, _Body, explain
from cadenza_async.errors import (
    CadenzaError,
    OutcomeUnknownError,
    OutcomeUnknownTimeoutError,
    ServerError,
    UnreadableAnswerError,
)
from tests.loops import on_every_loop
from tests.raw import answers, drip, envelope, hang, hang_up, packed, reset, sends, sends_last

from .line import CALLS, check_told, failure, line_to, settle

if TYPE_CHECKING:
    from tests.raw import Act, RawServer

GOOD = packed(200, envelope(data={"tradingAccountId": "ta-1"}))
HTML = b"<html><title>Welcome</title></html>"

# What the server does, and what a read raises; a write raises an OutcomeUnknownError.
ROWS: dict[str, tuple[Act, type[CadenzaError]]] = {
    "hangs up": (hang_up, OutcomeUnknownError),
    "resets": (reset, OutcomeUnknownError),
    "stops in the headers": (sends_last(GOOD[:20]), OutcomeUnknownError),
    "stops in the body": (sends_last(GOOD[:-9]), OutcomeUnknownError),
    "stops in a chunk": (
        sends_last(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n20\r\n{"),
        OutcomeUnknownError,
    ),
    "garbage": (sends(b"SSH-2.0-OpenSSH_9.2\r\n\r\n"), OutcomeUnknownError),
    "too short a length": (sends_last(packed(200, envelope(data=[]), 9)), OutcomeUnknownError),
    "a negative length": (
        sends(b"HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n"),
        OutcomeUnknownError,
    ),
    "a bad chunk": (
        sends(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n"),
        OutcomeUnknownError,
    ),
    "broken gzip": (
        answers(200, b"no gzip at all", content_encoding="gzip"),
        OutcomeUnknownError,
    ),
    "an endless header": (
        sends(b"HTTP/1.1 200 OK\r\nX-Long: " + b"x" * 100_000),
        OutcomeUnknownError,
    ),
    "HTML 200": (answers(200, HTML), UnreadableAnswerError),
    "empty 200": (answers(200), UnreadableAnswerError),
    "empty 204": (answers(204), UnreadableAnswerError),
    "JSON of another service": (answers(200, {"ok": True}), UnreadableAnswerError),
    "done, but what": (answers(200, envelope(data=None)), UnreadableAnswerError),
    "500 in an envelope": (answers(500, envelope(-19000)), ServerError),
    "database failed": (answers(500, envelope(-22021)), ServerError),
    "database failed, politely": (answers(200, envelope(-22021)), ServerError),
    "a gateway's 502": (answers(502, HTML), ServerError),
    "a gateway's 503": (answers(503, HTML, retry_after="1"), ServerError),
    "an empty 504": (answers(504), ServerError),
}


@on_every_loop
@pytest.mark.parametrize("pooled", [False, True], ids=["fresh", "pooled"])
@pytest.mark.parametrize("row", ROWS)
async def test_a_write_is_read_once_and_unknown(
    server: RawServer, row: str, *, pooled: bool
) -> None:
    """A connect whose answer is lost is reported as unknown, and never sent again."""
    act, _ = ROWS[row]
    async with line_to(server) as line:
        if pooled:
            await line.listing()
        server.play(act)
        error = await failure(line.connect())
        await settle()
    assert type(error) is OutcomeUnknownError
    assert (error.venue, error.name) == ("BINANCE", "Desk 1")
    assert line.verdicts == ["done"] * pooled + ["unknown"]
    check_told(line, server)
    assert len({request.connection for request in server.requests}) == 1


@pytest.mark.parametrize("pooled", [False, True], ids=["fresh", "pooled"])
@pytest.mark.parametrize("row", ROWS)
async def test_a_read_is_repeated_as_often_as_told(
    server: RawServer, row: str, *, pooled: bool
) -> None:
    """A list whose answer is lost is sent again by us alone, and ends in a read's own error."""
    act, kind = ROWS[row]
    async with line_to(server, retries=2) as line:
        if pooled:
            await line.connect()
        server.play(act, act, act)
        error = await failure(line.listing())
        await settle()
    assert type(error) is kind
    assert line.verdicts == ["done"] * pooled + ["unknown"] * 3
    check_told(line, server)


@pytest.mark.parametrize("row", ROWS)
async def test_a_read_recovers(plain: RawServer, row: str) -> None:
    """One lost answer costs a list one more attempt, and its caller nothing."""
    async with line_to(plain) as line:
        plain.play(ROWS[row][0])
        assert await line.listing() == []
    assert line.verdicts == ["unknown", "done"]
    check_told(line, plain)


@pytest.mark.parametrize("pooled", [False, True], ids=["fresh", "pooled"])
@pytest.mark.parametrize("act", [hang, drip])
@pytest.mark.parametrize("kind", CALLS)
async def test_the_deadline_ends_the_wait(
    server: RawServer, kind: str, act: Act, *, pooled: bool
) -> None:
    """No answer in time, or one that never ends, is unknown, and there is no time to ask again."""
    async with line_to(server) as line:
        if pooled:
            await line.call(kind)
        server.play(act)
        error = await failure(line.call(kind, timeout=0.3 if pooled else 1.5))  # TLS takes its time
        await settle()
    assert type(error) is OutcomeUnknownTimeoutError
    assert line.verdicts == ["done"] * pooled + ["unknown"]
    check_told(line, server)


@pytest.mark.parametrize(
    ("size", "evidence"), [(32, Evidence.STALE), (33, Evidence.UNKNOWN)], ids=["small", "large"]
)
async def test_a_large_body_that_is_broken_off_may_have_been_read(
    size: int, evidence: Evidence
) -> None:
    """It may leave in pieces, so that a connection which closes may have taken some of them."""
    progress = Progress(Mock(), math.inf)
    progress.entered = True
    closing = Mock(write=AsyncMock(side_effect=aiohttp.ClientConnectionResetError))
    with pytest.raises(aiohttp.ClientConnectionResetError) as broken:
        await _Body(b"x" * size * 1024, progress).write_with_length(closing, None)
    assert explain(broken.value, progress).evidence is evidence
