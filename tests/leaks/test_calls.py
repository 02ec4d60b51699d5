"""Calls that work, calls that fail in every way there is, and calls that are cancelled."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

import aiohttp
import pytest

from cadenza_async import AsyncCadenza, Secret
from cadenza_async.errors import CadenzaError
from tests.raw import (
    RawServer,
    answers,
    done,
    drip,
    envelope,
    hang,
    hang_up,
    later,
    packed,
    reset,
    sends,
    sends_last,
)

from .hunt import Hunt

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable

    from tests.raw import Act, Exchange

CALLS = ("connect", "list", "disconnect", "create", "rotate", "login")


async def failing(job: Awaitable[object]) -> BaseException:
    """Await what has to fail, and return how it did."""
    try:
        await job
    except BaseException as error:  # noqa: BLE001 - a cancellation is looked for as well
        return error
    raise AssertionError("it did not fail")


async def call(client: AsyncCadenza, hunt: Hunt, kind: str, **options: Any) -> None:
    """Make a call whose every secret is the marker."""
    if kind == "connect":
        await client.connect_account(**hunt.marker.account(**options))
    elif kind == "list":
        async for _ in client.list_accounts(**options):
            pass
    elif kind == "create":
        await client.create_credential(**hunt.marker.account(**options))
    elif kind == "rotate":
        await client.rotate_credential("k-1", api_secret=hunt.marker("{0}\n{0}"), **options)
    elif kind == "login":
        await client.login("ops@example.test", hunt.marker(), **options)
    else:
        await client.disconnect_account("ta-1", **options)


@asynccontextmanager
async def hunting(
    caplog: pytest.LogCaptureFixture,
    capfd: pytest.CaptureFixture[str],
    recwarn: pytest.WarningsRecorder,
) -> AsyncIterator[Hunt]:
    """Hunt while the loop is as talkative as it can be, and search all that was said at the end."""
    hunt, loop = Hunt(), asyncio.get_running_loop()
    loop.set_debug(True)
    loop.slow_callback_duration = 0  # every step is worth a line that describes it
    with caplog.at_level(logging.DEBUG):
        for name in ("asyncio", "aiohttp.client", "cadenza_async"):
            logging.getLogger(name).setLevel(logging.NOTSET)
        yield hunt
    loop.set_debug(False)
    hunt.search_memory()
    said = caplog.get_records("call")
    hunt.search_records(said)
    assert any(record.name == "asyncio" for record in said)
    for text in capfd.readouterr():
        hunt.search("output", text)
    for warning in recwarn:
        hunt.search("warning", str(warning))
    hunt.finish()


@pytest.fixture
async def hunt(
    caplog: pytest.LogCaptureFixture,
    capfd: pytest.CaptureFixture[str],
    recwarn: pytest.WarningsRecorder,
) -> AsyncIterator[Hunt]:
    """Give a hunt that ends with the test."""
    async with hunting(caplog, capfd, recwarn) as hunt:
        yield hunt


def client_of(hunt: Hunt, server: RawServer | None = None, **options: Any) -> AsyncCadenza:
    """Give a client whose token is the marker, and which tells the hunt of its attempts."""
    reach = server.options if server else {}
    client = AsyncCadenza(hunt.marker(), on_attempt=hunt.attempts.append, **reach | options)
    client._shared.jitter = lambda: 0.0
    return client


async def search_failure(hunt: Hunt, client: AsyncCadenza, kind: str, **options: Any) -> None:
    """Make a call that has to fail, and search its error."""
    failure = await failing(call(client, hunt, kind, **options))
    assert isinstance(failure, CadenzaError)
    assert failure.__context__ is None
    assert failure.__cause__ is None
    hunt.search_error(failure)


async def echo(exchange: Exchange) -> None:
    """Refuse, and repeat everything that was received, wherever there is room for it."""
    request = exchange.request
    heard = f"{request.header('Authorization')} {request.body.decode()}"
    content = envelope(-120001) | {
        "error": f"refused: {heard}",
        "details": {"request_id": heard, "code": heard, "metadata": {"body": heard}},
        "data": {"echo": heard},
    }
    await answers(400, content, x_echo=heard, set_cookie=f"echo={heard}")(exchange)


def echo_with(status: int, errno: int | None = None) -> Act:
    """Repeat what was received, with a status (and number) that leads elsewhere."""

    async def answer(exchange: Exchange) -> None:
        request = exchange.request
        heard = f"{request.header('Authorization')} {request.body.decode()}"
        content: Any = heard.encode()
        if errno is not None:
            content = envelope(errno) | {"error": heard, "details": {"request_id": heard}}
        headers = {"location": f"https://elsewhere.invalid/?{heard}", "www_authenticate": heard}
        headers["retry_after"] = "0.01"
        await answers(status, content, **headers)(exchange)

    return answer


async def echo_garbage(exchange: Exchange) -> None:
    """Repeat what was received instead of a status line."""
    heard = exchange.request.head.replace(b"\r\n", b" ") + exchange.request.body
    await sends_last(heard + b"\r\n\r\n")(exchange)


FAULTS: dict[str, Act] = {
    "echoes in a refusal": echo,
    "echoes in a 200": echo_with(200),
    "echoes in a 302": echo_with(302),
    "echoes in a 401": echo_with(401, -100000),
    "echoes in a 401 about the key": echo_with(401, -18005),
    "echoes in a 403": echo_with(403, -22018),
    "echoes in a 429": echo_with(429, -19000),
    "echoes in a 500": echo_with(500, -19000),
    "echoes in a 502 page": echo_with(502),
    "echoes in a 503 of the exchange": echo_with(503, -18012),
    "echoes in garbage": echo_garbage,
    "hangs up": hang_up,
    "resets": reset,
    "hangs": hang,
    "drips": drip,
    "garbage": sends(b"SSH-2.0\r\n\r\n"),
    "cut short": sends_last(packed(200, envelope())[:-5]),
    "bad chunk": sends(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n"),
    "broken gzip": answers(200, b"no gzip", content_encoding="gzip"),
    "no account": answers(200, envelope(data={"name": "?"})),
}


@pytest.mark.parametrize("kind", CALLS)
@pytest.mark.parametrize("tls", [False, True], ids=["http", "tls"])
async def test_calls_that_work(hunt: Hunt, kind: str, *, tls: bool) -> None:
    """A call that works leaves nothing behind, and shows nothing while it runs."""
    gate = asyncio.Event()
    async with RawServer(tls=tls) as server, client_of(hunt, server) as client:
        await call(client, hunt, kind)
        server.play(later(gate, done))
        task = asyncio.create_task(call(client, hunt, kind))
        await server.until(lambda: len(server.requests) == 2)
        hunt.search_memory()
        gate.set()
        await task
        assert hunt.marker.is_in(server.requests[0].head) == (kind != "login")
        without = kind in {"list", "disconnect"}
        assert hunt.marker.is_in(server.requests[0].body) != without
        server.requests.clear()


@pytest.mark.parametrize("kind", CALLS)
@pytest.mark.parametrize("fault", FAULTS)
async def test_calls_that_fail(hunt: Hunt, kind: str, fault: str) -> None:
    """Whatever the server does, no error and no line of a log shows what was sent."""
    patience = {"timeout": 0.1} if fault in {"hangs", "drips"} else {}
    async with RawServer() as server, client_of(hunt, server, retries=1) as client:
        server.play(*[FAULTS[fault]] * 2)
        await search_failure(hunt, client, kind, **patience)
        server.requests.clear()


@pytest.mark.parametrize("kind", CALLS)
@pytest.mark.parametrize("fault", ["hangs up", "echoes in a refusal", "echoes in garbage"])
async def test_calls_that_fail_over_a_lent_session(hunt: Hunt, kind: str, fault: str) -> None:
    """A session that was lent shows no more than ours."""
    async with (
        RawServer() as server,
        aiohttp.ClientSession() as session,
        client_of(hunt, server, session=session, retries=0) as client,
    ):
        server.play(FAULTS[fault])
        await search_failure(hunt, client, kind)
        server.requests.clear()


@pytest.mark.parametrize("kind", CALLS)
async def test_calls_that_never_leave(hunt: Hunt, kind: str) -> None:
    """A refused port, a proxy that refuses, and a certificate of a stranger."""
    asyncio.get_running_loop().set_debug(False)  # it complains of broken handshakes
    async with RawServer(default=echo_with(502)) as proxy, RawServer(tls=True) as stranger:
        situations: list[dict[str, Any]] = [
            {"base_url": "http://127.0.0.1:9"},
            {"base_url": "https://cadenza.invalid", "proxy": proxy.url},
            {"base_url": stranger.url},
        ]
        for options in situations:
            async with client_of(hunt, retries=1, **options) as client:
                await search_failure(hunt, client, kind)


@pytest.mark.parametrize("kind", CALLS)
@pytest.mark.parametrize("steps", [1, 3, 12])
async def test_calls_that_are_cancelled(hunt: Hunt, kind: str, steps: int) -> None:
    """A cancelled call's traceback leads through aiohttp's frames, and shows nothing."""
    async with RawServer(default=hang) as server, client_of(hunt, server) as client:
        task = asyncio.create_task(call(client, hunt, kind))
        for _ in range(steps):
            await asyncio.sleep(0)
        task.cancel()
        cancelled = await failing(task)
        assert isinstance(cancelled, asyncio.CancelledError)
        hunt.search_error(cancelled)
        server.requests.clear()


async def test_a_middleware_that_fails(hunt: Hunt) -> None:
    """A failing middleware's error, with the request in it, does not come along."""

    async def broken(
        request: aiohttp.ClientRequest, handler: aiohttp.ClientHandlerType
    ) -> aiohttp.ClientResponse:
        response = await handler(request)
        raise LookupError(response.request_info, request.headers, dict(request.headers))

    async with RawServer() as server, client_of(hunt, server, middlewares=[broken]) as client:
        for kind in CALLS:
            await search_failure(hunt, client, kind)
        server.requests.clear()


@pytest.mark.parametrize("fault", ["works", "no account", "hangs up", "garbage"])
async def test_a_middleware_that_looks_back(hunt: Hunt, fault: str) -> None:
    """What a user's middleware has in hand after a call, or its failure, holds no token."""

    async def look(
        request: aiohttp.ClientRequest, handler: aiohttp.ClientHandlerType
    ) -> aiohttp.ClientResponse:
        try:
            response = await handler(request)
        except aiohttp.ClientError as error:
            hunt.search("failure", repr((error, error.args)))
            raise
        finally:
            hunt.search("request", repr(request.headers))
        hunt.search("answer", repr(response.request_info))
        return response

    async with RawServer(default=FAULTS.get(fault, done)) as server:
        async with client_of(hunt, server, middlewares=[look], retries=0) as client:
            for kind in CALLS:
                with contextlib.suppress(CadenzaError):
                    await call(client, hunt, kind)
        server.requests.clear()


async def test_a_hook_that_fails(hunt: Hunt, caplog: pytest.LogCaptureFixture) -> None:
    """An `on_attempt` that raises with a secret in its text gets its class logged, no more."""

    def fail(_: object) -> None:
        raise LookupError(hunt.marker())

    async with RawServer() as server, client_of(hunt, server) as client:
        object.__setattr__(client._shared.config, "on_attempt", fail)
        await call(client, hunt, "connect")
        server.requests.clear()
    assert "on_attempt failed with LookupError; the call goes on" in caplog.text


@pytest.mark.parametrize("pattern", ["{} {}", '"{}"', "Bearer {}", "{}\n", "{}\r\nX: y", "ü{}"])
async def test_a_source_of_bad_tokens(hunt: Hunt, pattern: str) -> None:
    """A source whose token cannot be sent is told so, without the token."""

    async def ask() -> str:
        return hunt.marker(pattern.replace("{}", "{0}"))

    async with AsyncCadenza(ask, base_url="http://127.0.0.1:9") as client:
        await search_failure(hunt, client, "connect")


async def test_a_source_that_is_cancelled(hunt: Hunt) -> None:
    """What its cancellation says, or its frames hold, is no part of the error."""

    async def ask() -> str:
        marker = hunt.marker()
        raise asyncio.CancelledError(marker)

    async with AsyncCadenza(ask, base_url="http://127.0.0.1:9") as client:
        await search_failure(hunt, client, "connect")


async def test_refreshed_tokens(hunt: Hunt) -> None:
    """Neither the old token nor the new one shows when one replaces the other, or is no other."""
    asked = 0

    async def ask() -> Secret:
        nonlocal asked
        asked += 1
        return Secret(hunt.marker("{}" + "x" * min(asked, 2)))

    async with (
        RawServer() as server,
        AsyncCadenza(ask, on_attempt=hunt.attempts.append, **server.options) as client,
    ):
        server.play(*[echo_with(401, -100000)] * 3, done)
        await search_failure(hunt, client, "connect")
        await search_failure(hunt, client, "connect")
        server.requests.clear()
