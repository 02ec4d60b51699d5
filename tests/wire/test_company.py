"""What users bring along: middlewares, tracing, canned answers."""

from __future__ import annotations

import asyncio
import gzip
import json
from typing import TYPE_CHECKING, Any

import aiohttp
import pytest

from cadenza_async import AsyncCadenza
from cadenza_async._calls import MIB
from cadenza_async.errors import (
    NotSentError,
    OutcomeUnknownError,
    OutcomeUnknownTimeoutError,
    PermissionDeniedError,
)
from tests.canned import CannedResponse
from tests.raw import answers, done, envelope, hang_up, later

from .line import CALLS, TOKEN, Line, check_told, failure, line_to, settle

if TYPE_CHECKING:
    from aioresponses import CallbackResult

    from tests.canned import Canned
    from tests.raw import Act, RawServer

BASE = "https://cadenza.invalid"
URL = f"{BASE}/api/v3/tradingAccount"
LISTING = f"{URL}/list?limit=100&offset=0"
CONNECTED = envelope(data={"tradingAccountId": "ta-1", "name": "Desk 1", "status": "ACTIVE"})
LISTED = envelope(data=[], pagination={"hasNext": False})


class Witness:
    """A middleware that sees requests and answers, and no token."""

    def __init__(self) -> None:
        self.seen: list[tuple[str, str | None, int]] = []

    async def __call__(
        self, request: aiohttp.ClientRequest, handler: aiohttp.ClientHandlerType
    ) -> aiohttp.ClientResponse:
        token = request.headers.get("Authorization")
        request.headers["X-Seen"] = "yes"
        response = await handler(request)
        self.seen.append((request.method, token, response.status))
        return response


async def stubborn(
    request: aiohttp.ClientRequest, handler: aiohttp.ClientHandlerType
) -> aiohttp.ClientResponse:
    """Retry whatever fails, as retrying middlewares of others do."""
    for _ in range(3):
        try:
            response = await handler(request)
        except aiohttp.ClientError:
            continue
        if response.status < 500:
            return response
    return await handler(request)


@pytest.mark.parametrize("kind", CALLS)
async def test_middlewares_are_run_outside_ours(server: RawServer, kind: str) -> None:
    """A user's middlewares see every attempt, in their order, before the token is added."""
    first, second = Witness(), Witness()
    async with line_to(server, middlewares=[first, second]) as line:
        server.play(answers(503, envelope(-19006), retry_after="0.01"))
        await line.call(kind)
    (method,) = {request.method for request in server.requests}
    assert first.seen == second.seen == [(method, None, 503), (method, None, 200)]
    assert {request.header("X-Seen") for request in server.requests} == {"yes"}
    assert server.requests[0].header("Authorization") == f"Bearer {TOKEN}"
    check_told(line, server)


async def rewrite(
    request: aiohttp.ClientRequest, handler: aiohttp.ClientHandlerType
) -> aiohttp.ClientResponse:
    """Send a body of its own."""
    await request.update_body(b'{"venue": "BINANCE", "name": "rewritten"}')
    return await handler(request)


async def test_a_middleware_that_writes_a_body_of_its_own(server: RawServer) -> None:
    """Its body is answered as ours is, and once it may have been read, nothing is repeated."""
    async with line_to(server, middlewares=[rewrite]) as line:
        account = await line.connect()
        server.play(hang_up)
        error = await failure(line.connect())
    assert account.name == "rewritten"
    assert type(error) is OutcomeUnknownError
    assert line.verdicts == ["done", "unknown"]
    check_told(line, server)


@pytest.mark.parametrize("act", [hang_up, answers(500, envelope(-19000))])
@pytest.mark.parametrize("pooled", [False, True], ids=["fresh", "pooled"])
async def test_a_stubborn_middleware_sends_nothing_twice(
    server: RawServer, act: Act, *, pooled: bool
) -> None:
    """A retrying middleware cannot send a connect again; its outcome stays unknown."""
    async with line_to(server, middlewares=[stubborn]) as line:
        if pooled:
            await line.listing()
        server.play(*[act] * 5)
        error = await failure(line.connect())
        await settle()
    assert isinstance(error, OutcomeUnknownError)
    assert line.verdicts[-1] == "unknown"
    check_told(line, server)


@pytest.mark.parametrize("middleware", [stubborn, rewrite])
async def test_a_middleware_and_nobody_there(middleware: aiohttp.ClientMiddlewareType) -> None:
    """What never left may have been changed or tried again by anybody, it is still not sent."""
    async with line_to(base_url="http://127.0.0.1:9", middlewares=[middleware], retries=0) as line:
        error = await failure(line.connect())
    assert isinstance(error, NotSentError)
    assert line.verdicts == ["not sent"]


@pytest.mark.parametrize("own", [LookupError, asyncio.CancelledError])
@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
async def test_a_middleware_that_fails(
    server: RawServer, own: type[BaseException], *, after: bool
) -> None:
    """A middleware's own failure ends in our tree, and proves nothing once the call was sent."""

    async def broken(
        request: aiohttp.ClientRequest, handler: aiohttp.ClientHandlerType
    ) -> aiohttp.ClientResponse:
        if after:
            await handler(request)
        raise own

    async with line_to(server, middlewares=[broken]) as line:
        error = await failure(line.connect())
        await settle()
    assert isinstance(error, OutcomeUnknownError)
    assert len(server.requests) == after


@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
async def test_a_middleware_whose_own_call_fails(server: RawServer, *, after: bool) -> None:
    """That it reaches nobody elsewhere does not prove that ours did not leave before."""

    async def reporting(
        request: aiohttp.ClientRequest, handler: aiohttp.ClientHandlerType
    ) -> aiohttp.ClientResponse:
        if after:
            await handler(request)
        async with aiohttp.ClientSession() as elsewhere:
            return await elsewhere.post("http://127.0.0.1:9")

    async with line_to(server, middlewares=[reporting], retries=1) as line:
        error = await failure(line.connect())
    assert type(error) is (OutcomeUnknownError if after else NotSentError)
    check_told(line, server)


async def test_a_middleware_that_hangs(server: RawServer) -> None:
    """The deadline ends a middleware, too."""

    async def hanging(
        request: aiohttp.ClientRequest, handler: aiohttp.ClientHandlerType
    ) -> aiohttp.ClientResponse:
        await asyncio.Event().wait()
        return await handler(request)

    async with line_to(server, middlewares=[hanging]) as line:
        error = await failure(line.connect(timeout=0.1))
    assert type(error) is OutcomeUnknownTimeoutError
    assert server.requests == []


async def log_of_a_tracer(_: aiohttp.ClientSession, __: object, params: Any) -> None:
    """Read an answer at the end of a request."""
    await params.response.read()


async def log_of_a_middleware(
    request: aiohttp.ClientRequest, handler: aiohttp.ClientHandlerType
) -> aiohttp.ClientResponse:
    """Read an answer before it is handed on."""
    response = await handler(request)
    await response.read()
    return response


@pytest.mark.parametrize("kind", CALLS)
@pytest.mark.parametrize("traced", [False, True], ids=["middleware", "tracer"])
async def test_who_reads_the_answer_first(server: RawServer, kind: str, *, traced: bool) -> None:
    """What somebody has read, to log it, is the answer all the same."""
    trace = aiohttp.TraceConfig()
    trace.on_request_end.append(log_of_a_tracer)
    connector = aiohttp.TCPConnector(ssl=server.options.get("ssl_context", True))
    async with aiohttp.ClientSession(
        connector=connector, trace_configs=[trace] if traced else []
    ) as session:
        middlewares = [] if traced else [log_of_a_middleware]
        async with line_to(base_url=server.url, session=session, middlewares=middlewares) as line:
            await line.call(kind)
            server.play(answers(200), answers(200, b"x" * (MIB + 1)))
            assert "an empty answer" in str(await failure(line.connect()))
            assert "longer than any" in str(await failure(line.connect()))
    assert line.verdicts == ["done", "unknown", "unknown"]
    check_told(line, server)


@pytest.mark.parametrize("kind", CALLS)
async def test_who_closes_the_answer_that_was_read(server: RawServer, kind: str) -> None:
    """What somebody has read to its end, and closed, is the answer as well."""

    async def log(
        request: aiohttp.ClientRequest, handler: aiohttp.ClientHandlerType
    ) -> aiohttp.ClientResponse:
        async with await handler(request) as response:
            await response.text()
        return response

    async with line_to(server, middlewares=[log]) as line:
        await line.call(kind)
    assert line.verdicts == ["done"]
    check_told(line, server)


@pytest.mark.parametrize("cancelled", [False, True])
async def test_a_middleware_that_leaves_its_handler_behind(
    server: RawServer, *, cancelled: bool
) -> None:
    """What was said to be not sent is not sent later, when a connection is free again."""
    left, gate = asyncio.Event(), asyncio.Event()
    handlers: list[asyncio.Task[aiohttp.ClientResponse]] = []

    async def impatient(
        request: aiohttp.ClientRequest, handler: aiohttp.ClientHandlerType
    ) -> aiohttp.ClientResponse:
        handlers.append(asyncio.ensure_future(handler(request)))
        left_behind = asyncio.ensure_future(left.wait())
        await asyncio.wait([handlers[-1], left_behind], return_when=asyncio.FIRST_COMPLETED)
        left_behind.cancel()
        if not handlers[-1].done():
            raise LookupError("too slow")
        return handlers[-1].result()

    async with line_to(server, middlewares=[impatient], max_connections=1, retries=0) as line:
        await line.learn()
        before = len(server.requests)
        server.play(later(gate, done))
        busy = asyncio.create_task(failure(line.connect("busy")))
        await server.until(lambda: len(server.requests) == before + 1)
        call = asyncio.create_task(line.connect())
        await settle()
        if cancelled:
            call.cancel()
        left.set()
        await asyncio.wait([call, busy])
        assert cancelled or isinstance(call.exception(), NotSentError)
        assert line.verdicts.count("not sent") == 1
        gate.set()
        await asyncio.wait(handlers)
    assert isinstance(handlers[-1].exception(), TimeoutError | aiohttp.ClientError)
    check_told(line, server)


@pytest.mark.parametrize("own", [LookupError, asyncio.CancelledError])
async def test_a_hook_that_fails(
    server: RawServer, own: type[BaseException], caplog: pytest.LogCaptureFixture
) -> None:
    """What was done stays done, whatever the hook that is told of it looks at; the log tells."""

    def hook(_: object) -> None:
        raise own

    async with AsyncCadenza(TOKEN, on_attempt=hook, **server.options) as client:
        assert (await Line(client).connect()).name == "Desk 1"
    assert f"on_attempt failed with {own.__name__}; the call goes on" in caplog.messages


@pytest.mark.parametrize("kind", CALLS)
async def test_traced(server: RawServer, kind: str) -> None:
    """A user's `TraceConfig` sees the requests of a lent session."""
    seen: list[str] = []

    async def note(session: aiohttp.ClientSession, context: object, params: object) -> None:
        seen.append(type(params).__name__)

    trace = aiohttp.TraceConfig()
    trace.on_request_start.append(note)
    trace.on_connection_create_end.append(note)
    trace.on_request_headers_sent.append(note)
    trace.on_request_chunk_sent.append(note)
    trace.on_request_end.append(note)
    connector = aiohttp.TCPConnector(ssl=server.options.get("ssl_context", True))
    async with (
        aiohttp.ClientSession(connector=connector, trace_configs=[trace]) as session,
        line_to(session=session, base_url=server.url) as line,
    ):
        await line.call(kind)
    assert [name for name in seen if "Chunk" not in name] == [
        "TraceRequestStartParams",
        "TraceConnectionCreateEndParams",
        "TraceRequestHeadersSentParams",
        "TraceRequestEndParams",
    ]
    check_told(line, server)


async def test_a_tracer_that_fails(server: RawServer) -> None:
    """A tracer's own failure ends in our tree."""

    async def fail(session: aiohttp.ClientSession, context: object, params: object) -> None:
        raise LookupError("of the tracer's own")

    trace = aiohttp.TraceConfig()
    trace.on_request_start.append(fail)
    connector = aiohttp.TCPConnector(ssl=server.options.get("ssl_context", True))
    async with (
        aiohttp.ClientSession(connector=connector, trace_configs=[trace]) as session,
        line_to(session=session, base_url=server.url) as line,
    ):
        assert isinstance(await failure(line.connect()), OutcomeUnknownError)
    assert server.requests == []


async def test_what_a_lent_session_would_do_differently(server: RawServer) -> None:
    """The session's own habits (raising, headers, timeouts, base URL) do not get in the way."""
    async with (
        aiohttp.ClientSession(
            base_url="http://127.0.0.1:9",
            connector=aiohttp.TCPConnector(ssl=server.options.get("ssl_context", True)),
            raise_for_status=True,
            auto_decompress=False,
            timeout=aiohttp.ClientTimeout(total=0.000_1),
            headers={"X-Theirs": "kept", "Accept-Encoding": "gzip", "Content-Type": "text/plain"},
            skip_auto_headers=["Content-Type"],
            middlewares=(stubborn,),
        ) as session,
        line_to(session=session, base_url=server.url, retries=0) as line,
    ):
        packed = gzip.compress(json.dumps(CONNECTED).encode())
        server.play(answers(200, packed, content_encoding="gzip"))
        await line.connect()
        server.play(answers(403, envelope(-22018)))
        assert isinstance(await failure(line.listing()), PermissionDeniedError)
        server.play(answers(500, b""))
        assert isinstance(await failure(line.connect()), OutcomeUnknownError)
    assert server.requests[0].header("X-Theirs") == "kept"
    assert server.requests[0].header("Accept-Encoding") == "identity"
    kinds = [(each.method, each.header("Content-Type")) for each in server.requests]
    assert set(kinds) == {("POST", "application/json"), ("GET", None)}
    check_told(line, server)


async def test_what_every_request_says(server: RawServer) -> None:
    """Over a session of our own, too: who asks, and that plain JSON is wanted."""
    async with line_to(server, user_agent="desk/1") as line:
        await line.connect()
        await line.listing()
    for request in server.requests:
        assert request.header("User-Agent") == "desk/1"
        assert request.header("Accept") == "application/json"
        assert request.header("Accept-Encoding") == "identity"


async def test_cookies_are_not_kept(plain: RawServer) -> None:
    """What a gateway sets for one identity is not sent with the calls of the others."""
    plain.play(answers(200, LISTED, set_cookie="session=of-somebody"))
    async with line_to(base_url=f"http://localhost:{plain.port}") as line:
        await line.listing()
        await line.listing()
    assert [request.header("Cookie") for request in plain.requests] == [None, None]


@pytest.mark.parametrize("lent", [False, True], ids=["own session", "lent session"])
async def test_canned_answers(canned: Canned, *, lent: bool) -> None:
    """Whoever mocks with aioresponses gets accounts, lists and errors out of it."""
    canned.post(f"{URL}/connect", payload=CONNECTED)
    canned.get(LISTING, payload=LISTED)
    canned.post(f"{URL}/connect", status=403, payload=envelope(-22018))
    canned.post(f"{URL}/connect", exception=aiohttp.ServerDisconnectedError())
    session = aiohttp.ClientSession() if lent else None
    options: dict[str, Any] = {"session": session} if lent else {}
    async with line_to(base_url=BASE, retries=0, **options) as line:
        assert (await line.connect()).trading_account_id == "ta-1"
        assert await line.listing() == []
        assert isinstance(await failure(line.connect()), PermissionDeniedError)
        assert isinstance(await failure(line.connect()), OutcomeUnknownError)
    if session is not None:
        await session.close()


async def test_a_canned_answer_sees_the_body(canned: Canned) -> None:
    """A callback can look at what would have been sent."""
    bodies: list[Any] = []

    def answer(url: object, **kwargs: Any) -> CallbackResult:
        from aioresponses import CallbackResult

        bodies.append(json.loads(kwargs["data"].decode()))
        return CallbackResult(payload=CONNECTED, response_class=CannedResponse)

    canned.post(f"{URL}/connect", callback=answer)
    async with line_to(base_url=BASE) as line:
        await line.connect()
    assert [body["name"] for body in bodies] == ["Desk 1"]
