"""A raw HTTP server that counts what it reads, and answers as badly as it is told to.

An *act* is what the server does with one request that it has read in full: answer, hang, hang up.
Acts are played in order, one per request, on whatever connection it arrives.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import re
import socket
import struct
from collections import deque
from collections.abc import Awaitable, Callable
from functools import partial
from hashlib import sha256
from typing import Any, Self

from attrs import field, frozen

from tests.certificates import certified, trusting


@frozen(kw_only=True)
class Request:
    """A request that was read to its end, on the connection of that number (from 0)."""

    head: bytes = field(repr=False)
    body: bytes = field(repr=False)
    connection: int

    @property
    def method(self) -> str:
        return self.head.split(b" ", 1)[0].decode()

    @property
    def target(self) -> str:
        return self.head.split(b" ", 2)[1].decode()

    @property
    def digest(self) -> str:
        return sha256(self.body).hexdigest()

    @property
    def sent(self) -> Any:
        return json.loads(self.body)

    def header(self, name: str) -> str | None:
        """The value of a header that occurs once, None when it is not there."""
        found = re.search(rb"(?im)^%s: *(.*?)\r$" % name.encode(), self.head)
        return found[1].decode() if found else None


@frozen
class Exchange:
    """A request and the connection to answer it on."""

    request: Request
    reader: asyncio.StreamReader = field(repr=False)
    writer: asyncio.StreamWriter = field(repr=False)


Act = Callable[[Exchange], Awaitable[None]]


def packed(
    status: int = 200, content: object = b"", length: int | None = None, /, **headers: str
) -> bytes:
    """An answer as bytes; content that is not bytes becomes JSON, `retry_after` `Retry-After`."""
    body = content if isinstance(content, bytes) else json.dumps(content).encode()
    lines = [f"HTTP/1.1 {status} Whatever"]
    lines += [f"{name.replace('_', '-').title()}: {value}" for name, value in headers.items()]
    lines += [f"Content-Length: {len(body) if length is None else length}", "", ""]
    return "\r\n".join(lines).encode() + body


def envelope(errno: int = 0, *, data: object = None, **fields: Any) -> dict[str, Any]:
    """What Cadenza wraps its answers in."""
    text = f"refused with {errno}" if errno else None
    return {"data": data, "success": errno == 0, "errno": errno, "error": text, **fields}


async def hang(exchange: Exchange) -> None:
    """Answer nothing, and go on listening."""


async def hang_up(exchange: Exchange) -> None:
    """End the connection properly (FIN), without an answer."""
    exchange.writer.close()


async def reset(exchange: Exchange) -> None:
    """Break the connection off (RST)."""
    _abort(exchange.writer)


async def _send(data: bytes, exchange: Exchange, *, last: bool = False) -> None:
    exchange.writer.write(data)
    with contextlib.suppress(ConnectionError):
        await exchange.writer.drain()
    if last:
        exchange.writer.close()


def sends(data: bytes) -> Act:
    """Send bytes, whatever they are, and keep the connection."""
    return partial(_send, data)


def sends_last(data: bytes) -> Act:
    """Send bytes, then close the connection without having announced it."""
    return partial(_send, data, last=True)


def answers(status: int = 200, content: object = b"", **headers: str) -> Act:
    """Answer properly."""
    return sends(packed(status, content, None, **headers))


async def drip(exchange: Exchange) -> None:
    """Send a header that never ends, byte by byte."""
    exchange.writer.write(b"HTTP/1.1 200 OK\r\nX-Slow: ")
    while not exchange.writer.is_closing():
        exchange.writer.write(b".")
        await exchange.writer.drain()
        await asyncio.sleep(0.01)


def later(gate: asyncio.Event, act: Act) -> Act:
    """Do it when the gate opens."""

    async def wait(exchange: Exchange) -> None:
        await gate.wait()
        await act(exchange)

    return wait


_MADE = {"tradingAccount": "tradingAccountId", "credential": "credentialId", "auth": "accessToken"}


async def done(exchange: Exchange) -> None:
    """Do what is asked: make an account, a credential or a session, or list none."""
    request = exchange.request
    data: Any = []
    if request.method == "POST":
        sent = request.sent
        made = _MADE[request.target.split("/")[3]]
        data = {made: request.digest, "status": "ACTIVE", "venue": "BINANCE"}
        data |= {name: sent[name] for name in ("venue", "name") if name in sent}
    await _send(packed(200, envelope(data=data, pagination={"hasNext": False})), exchange)


class RawServer:
    """Listens on a free loopback port, reads requests, and plays acts.

    Args:
        tls: Whether it speaks TLS, with a certificate for 127.0.0.1 and localhost.
        default: What it does when there is no act left to play.
        sock: Listens on this bound socket instead of a port of its own choice.

    Attributes:
        default: May be changed at any time.
        requests: What was read, in order; a request that was cut short is not in it.
        connections: How many were accepted.
    """

    def __init__(
        self, *, tls: bool = False, default: Act = done, sock: socket.socket | None = None
    ) -> None:
        self.requests: list[Request] = []
        self.connections = 0
        self._tls = tls
        self.default = default
        self._acts: deque[Act] = deque()
        self._sock = sock or socket.create_server(("127.0.0.1", 0))
        self._sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.port: int = self._sock.getsockname()[1]
        self._news = asyncio.Event()
        self._serving: dict[asyncio.Task[None], asyncio.StreamWriter] = {}

    @property
    def url(self) -> str:
        return f"{'https' if self._tls else 'http'}://127.0.0.1:{self.port}"

    @property
    def options(self) -> dict[str, Any]:
        """What a client needs to reach it."""
        return {"base_url": self.url} | ({"ssl_context": trusting()} if self._tls else {})

    @property
    def open(self) -> int:
        """How many connections are open now."""
        return len(self._serving)

    def play(self, *acts: Act) -> None:
        """Do this with the next requests."""
        self._acts.extend(acts)

    async def until(self, condition: Callable[[], bool]) -> None:
        """Wait until something about this server is so."""
        async with asyncio.timeout(10):
            while not condition():
                self._news.clear()
                await self._news.wait()

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(
            self._accept, sock=self._sock, ssl=certified() if self._tls else None, backlog=1024
        )
        return self

    async def __aexit__(self, *_: object) -> None:
        self._server.close()
        serving = dict(self._serving)
        for task, writer in serving.items():
            _abort(writer)
            task.cancel()
        await asyncio.gather(*serving, return_exceptions=True)

    def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.get_running_loop().create_task(self._serve(self.connections, reader, writer))
        self.connections += 1
        self._serving[task] = writer
        task.add_done_callback(self._end)
        self._news.set()

    def _end(self, task: asyncio.Task[None]) -> None:
        self._serving.pop(task)
        self._news.set()

    async def _serve(
        self, number: int, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        # A caller that breaks off is what many tests are about.
        with contextlib.suppress(ConnectionError, asyncio.IncompleteReadError):
            while not writer.is_closing():
                request = await _read(reader, number)
                self.requests.append(request)
                self._news.set()
                act = self._acts.popleft() if self._acts else self.default
                await act(Exchange(request, reader, writer))
        writer.close()
        with contextlib.suppress(OSError):
            await writer.wait_closed()


async def _read(reader: asyncio.StreamReader, connection: int) -> Request:
    head = await reader.readuntil(b"\r\n\r\n")
    request = Request(head=head, body=b"", connection=connection)
    length = int(request.header("Content-Length") or 0)
    body = await reader.readexactly(length)
    return Request(head=head, body=body, connection=connection)


def shut(writer: asyncio.StreamWriter) -> None:
    """Send the end of a connection (FIN) this very moment, behind the loop's back."""
    with socket.socket(fileno=os.dup(writer.get_extra_info("socket").fileno())) as endpoint:
        endpoint.shutdown(socket.SHUT_WR)


def _abort(writer: asyncio.StreamWriter) -> None:
    if not writer.is_closing():
        endpoint = writer.get_extra_info("socket")
        endpoint.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    writer.transport.abort()
