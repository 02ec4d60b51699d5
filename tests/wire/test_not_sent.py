"""The request provably never left: the server read nothing, and the client says so."""

from __future__ import annotations

import asyncio
import socket
import ssl
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import TYPE_CHECKING, Any
from unittest.mock import Mock

import aiohttp
import pytest
import trustme
from aiohttp.abc import AbstractResolver

from cadenza_async._transport import Progress, explain
from cadenza_async.errors import (
    DeadlineExceededError,
    NotSentError,
    OutcomeUnknownError,
)
from tests.loops import on_every_loop
from tests.raw import RawServer, answers, done, envelope, hang, hang_up, later, reset, sends

from .line import CALLS, Line, check_told, failure, line_to, settle

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

    from tests.raw import Act, Exchange

pytestmark = on_every_loop

Situation = AbstractAsyncContextManager[Line]


@asynccontextmanager
async def refused_port() -> AsyncIterator[Line]:
    """Nobody listens there; the bound socket keeps it so."""
    with socket.socket() as nobody:
        nobody.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{nobody.getsockname()[1]}"
        async with line_to(base_url=url, retries=1) as line:
            yield line


class _NoNames(AbstractResolver):
    async def resolve(self, *args: Any, **kwargs: Any) -> Any:
        raise OSError(socket.EAI_NONAME, "Name or service not known")

    async def close(self) -> None:
        pass


@asynccontextmanager
async def unknown_name() -> AsyncIterator[Line]:
    """The host's name cannot be found."""
    connector = aiohttp.TCPConnector(resolver=_NoNames())
    async with (
        aiohttp.ClientSession(connector=connector) as session,
        line_to(base_url="https://cadenza.invalid", session=session, retries=1) as line,
    ):
        yield line


@asynccontextmanager
async def unknown_proxy() -> AsyncIterator[Line]:
    """The proxy's name cannot be found, which is no fault of the base URL."""
    connector = aiohttp.TCPConnector(resolver=_NoNames())
    async with (
        aiohttp.ClientSession(connector=connector, proxy="http://proxy.invalid:3128") as session,
        line_to(base_url="https://cadenza.invalid", session=session, retries=1) as line,
    ):
        yield line


@asynccontextmanager
async def unusable_address() -> AsyncIterator[Line]:
    """The host's address is taken for one, and is none that the system can use."""
    async with line_to(base_url="https://[::1%25lo]:1", retries=1) as line:
        yield line


@asynccontextmanager
async def untrusted_certificate() -> AsyncIterator[Line]:
    """The certificate is somebody else's."""
    stranger = ssl.create_default_context()
    trustme.CA().configure_trust(stranger)
    async with (
        RawServer(tls=True) as server,
        line_to(server, ssl_context=stranger, retries=1) as line,
    ):
        yield line
        assert server.requests == []


def _greeted_with(greeting: bytes) -> Callable[[], Situation]:
    @asynccontextmanager
    async def no_tls_there() -> AsyncIterator[Line]:
        def greet(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            writer.write(greeting)
            writer.close()

        listener = await asyncio.start_server(greet, "127.0.0.1", 0)
        port = listener.sockets[0].getsockname()[1]
        async with listener, line_to(base_url=f"https://127.0.0.1:{port}", retries=1) as line:
            yield line

    return no_tls_there


@asynccontextmanager
async def proxy_down() -> AsyncIterator[Line]:
    """Nobody listens where the proxy should be."""
    with socket.socket() as nobody:
        nobody.bind(("127.0.0.1", 0))
        proxy = f"http://127.0.0.1:{nobody.getsockname()[1]}"
        async with line_to(base_url="https://cadenza.invalid", proxy=proxy, retries=1) as line:
            yield line


def _proxy_that(act: Act) -> Callable[[], Situation]:
    @asynccontextmanager
    async def refusing_proxy() -> AsyncIterator[Line]:
        async with (
            RawServer(default=act) as proxy,
            line_to(base_url="https://cadenza.invalid", proxy=proxy.url, retries=1) as line,
        ):
            yield line
            assert {request.method for request in proxy.requests} == {"CONNECT"}
            assert not any(request.header("Authorization") for request in proxy.requests)

    return refusing_proxy


SITUATIONS: dict[str, Callable[[], Situation]] = {
    "refused port": refused_port,
    "unknown name": unknown_name,
    "unknown proxy": unknown_proxy,
    "unusable address": unusable_address,
    "untrusted certificate": untrusted_certificate,
    "no TLS": _greeted_with(b"220 mail ready\r\n"),
    "slammed handshake": _greeted_with(b""),
    "proxy down": proxy_down,
    "proxy says 403": _proxy_that(answers(403)),
    "proxy says 407": _proxy_that(answers(407)),
    "proxy says 502": _proxy_that(answers(502, b"<html>")),
    "proxy says 302": _proxy_that(answers(302, location="https://elsewhere.invalid")),
    "proxy hangs up": _proxy_that(hang_up),
    "proxy resets": _proxy_that(reset),
    "proxy talks garbage": _proxy_that(sends(b"220 mail ready\r\n\r\n")),
}


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        ("refused port", "no connection could be made (Connection refused)"),
        ("unknown name", "the host's name is not known (cadenza.invalid)"),
        ("unknown proxy", "the host's name is not known (proxy.invalid)"),
        ("unusable address", "no connection could be made"),
        ("no TLS", "no TLS connection could be made"),
    ],
)
async def test_what_is_said_of_it(row: str, reason: str) -> None:
    """Numbers are put into words only where the system has them; a name that is unknown is said."""
    async with SITUATIONS[row]() as line:
        error = await failure(line.connect())
    assert str(error) == f"POST tradingAccount/connect: {reason}; nothing was done"


async def test_a_number_of_the_resolver_is_none_of_the_system() -> None:
    """On macOS that of an unknown name is 8, which the system calls an exec format error."""
    error = aiohttp.ClientConnectorError(Mock(), socket.gaierror(8, "nodename nor servname"))
    assert explain(error, Progress(Mock(), 0.0)).reason == "no connection could be made"


@pytest.mark.parametrize("kind", CALLS)
@pytest.mark.parametrize("row", SITUATIONS)
async def test_nothing_left(kind: str, row: str) -> None:
    """Where no connection can be had, the error and every attempt say that nothing was sent."""
    async with SITUATIONS[row]() as line:
        error = await failure(line.call(kind))
        await settle()
    assert type(error) is NotSentError
    assert isinstance(error, ConnectionError)
    assert str(error).endswith("nothing was done")
    assert set(line.verdicts) == {"not sent"}
    assert [attempt.number for attempt in line.attempts] == [1, 2]


async def test_it_is_told_which_certificate_problem() -> None:
    """A wrong certificate is named as the cause, with what is wrong with it."""
    async with untrusted_certificate() as line:
        error = await failure(line.connect())
    assert "certificate" in str(error)


async def test_what_was_turned_away_before() -> None:
    """The server has read, and refused, one attempt: nobody says that nothing was sent."""
    server = RawServer()
    await server.__aenter__()

    async def token() -> str:
        if server.requests:
            await server.__aexit__(None, None, None)
        return f"token.{len(server.requests)}"

    server.play(answers(401, envelope(-100000)))
    async with line_to(server, token=token, retries=0) as line:
        error = await failure(line.connect())
    assert type(error) is NotSentError
    assert line.verdicts == ["refused", "not sent"]
    assert str(error).endswith("nothing was done")
    assert error.remedy.endswith("nothing was done.")


async def test_a_refused_call_is_repeated_until_it_works() -> None:
    """A connect that never left is sent again, once only, when somebody listens."""
    endpoint = socket.socket()
    endpoint.bind(("127.0.0.1", 0))
    server = RawServer(sock=endpoint)
    async with line_to(server) as line:

        async def come_up(attempts: int) -> None:
            while len(line.attempts) < attempts:
                await asyncio.sleep(0)
            await server.__aenter__()

        async with asyncio.timeout(10), asyncio.TaskGroup() as group:
            group.create_task(come_up(2))
            group.create_task(line.connect())
        await server.__aexit__(None, None, None)
    assert line.verdicts[-1] == "done"
    check_told(line, server)


@pytest.mark.parametrize("kind", CALLS)
async def test_the_queue_of_the_pool_counts(server: RawServer, kind: str) -> None:
    """Waiting for a free connection until the deadline is not sent, and the server read nothing."""
    gate = asyncio.Event()
    async with line_to(server, max_connections=1, retries=0) as line:
        await line.listing()  # a server without rate headers is not paced any more
        await line.connect()
        server.play(later(gate, done))
        slow = asyncio.create_task(line.connect("slow"))
        await server.until(lambda: len(server.requests) == 3)
        error = await failure(line.call(kind, timeout=0.2))
        gate.set()
        await slow
    assert type(error) is DeadlineExceededError
    assert line.verdicts == ["done", "done", "not sent", "done"]
    check_told(line, server)


@pytest.mark.parametrize("kind", CALLS)
async def test_a_proxy_that_says_nothing(kind: str) -> None:
    """Waiting for a proxy's answer until the deadline is not sent: it has only seen CONNECT."""
    async with (
        RawServer(default=hang) as proxy,
        line_to(base_url="https://cadenza.invalid", proxy=proxy.url) as line,
    ):
        error = await failure(line.call(kind, timeout=0.4))
        assert [request.method for request in proxy.requests] == ["CONNECT"]
    assert type(error) is DeadlineExceededError
    assert line.verdicts == ["not sent"]


async def tunnel(exchange: Exchange) -> None:
    """Connect through, as a proxy does for TLS."""
    _, _, port = exchange.request.target.rpartition(":")
    reader, writer = await asyncio.open_connection("127.0.0.1", int(port))

    async def pump(source: asyncio.StreamReader, sink: asyncio.StreamWriter) -> None:
        while data := await source.read(65536):
            sink.write(data)
        sink.close()

    exchange.writer.write(b"HTTP/1.1 200 Connected\r\n\r\n")
    await asyncio.gather(pump(exchange.reader, writer), pump(reader, exchange.writer))
    await writer.wait_closed()


@pytest.mark.parametrize("kind", CALLS)
async def test_a_proxy_connects_through(kind: str) -> None:
    """A proxy that does its work sees a tunnel, and neither token nor body."""
    async with (
        RawServer(tls=True) as server,
        RawServer(default=tunnel) as proxy,
        line_to(server, proxy=proxy.url) as line,
    ):
        await line.call(kind)
        (seen,) = proxy.requests
    assert (seen.method, seen.header("Authorization")) == ("CONNECT", None)
    check_told(line, server)


@pytest.mark.parametrize("act", [hang_up, reset])
async def test_behind_the_proxy_it_is_unknown_again(act: Act) -> None:
    """A tunnel that breaks after the request went through proves nothing."""
    async with (
        RawServer(tls=True) as server,
        RawServer(default=tunnel) as proxy,
        line_to(server, proxy=proxy.url) as line,
    ):
        server.play(act)
        error = await failure(line.connect())
    assert isinstance(error, OutcomeUnknownError)
    check_told(line, server)


@pytest.mark.parametrize("kind", CALLS)
async def test_a_server_that_hangs_up_on_everybody_is_not_hammered(kind: str) -> None:
    """Another connection is tried at once, but when that is closed as well, not without a wait."""
    accepted = 0

    def hang_up_at_once(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal accepted
        accepted += 1
        writer.close()

    hub = await asyncio.start_server(hang_up_at_once, "127.0.0.1", 0)
    port = hub.sockets[0].getsockname()[1]
    async with hub, line_to(base_url=f"http://127.0.0.1:{port}", timeout=0.4) as line:
        line.client._shared.jitter = lambda: 1.0  # half a second, for which there is no time
        error = await failure(line.call(kind))
    assert isinstance(error, NotSentError)
    assert line.verdicts == ["not sent", "not sent"]
    assert accepted == 2
