"""How an answer reaches the wire, or fails to."""

from __future__ import annotations

import asyncio
import json
import os
import socket
import struct
import zlib
from collections.abc import Awaitable, Callable, Iterator, Mapping
from email.utils import formatdate
from http import HTTPStatus
from types import MappingProxyType
from typing import TYPE_CHECKING

from aiohttp import web
from attrs import frozen

from cadenza_async.sandbox._dialects import spell_envelope

if TYPE_CHECKING:
    from cadenza_async.sandbox._dialects import Dialect
    from cadenza_async.sandbox._faults import Fault
    from cadenza_async.sandbox._replies import Reply

_BOMB_HEADERS = {"Content-Length": "", "Content-Encoding": "gzip", "Connection": "close"}
_MIB = 1024 * 1024
_LINGER_NOT = struct.pack("hh" if os.name == "nt" else "ii", 1, 0)


@frozen(kw_only=True)
class Parcel:
    """An answer ready to be written: header lines and body."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    def head(self, instead: Mapping[str, str] = MappingProxyType({})) -> bytes:
        """Status line and headers; `instead` replaces some of them, an empty one removes it."""
        headers = {**self.headers, "Content-Length": str(len(self.body)), **instead}
        lines = [f"{name}: {value}" for name, value in headers.items() if value]
        first = f"HTTP/1.1 {self.status} {HTTPStatus(self.status).phrase}"
        return "\r\n".join([first, *lines, "", ""]).encode()


def pack(reply: Reply, dialect: Dialect, now: float) -> Parcel:
    """Spell the envelope, and add the headers that every answer has; the date is the server's."""
    body = reply.body
    if reply.envelope is not None:
        body = json.dumps(spell_envelope(dialect, reply.envelope)).encode()
    headers = {
        "Content-Type": reply.content_type,
        "Date": formatdate(now, usegmt=True),
        "Server": "cadenza-sandbox",
        **reply.headers,
    }
    return Parcel(status=reply.status, headers=headers, body=body)


async def deliver(request: web.BaseRequest, parcel: Parcel, fault: Fault | None) -> web.Response:
    """Send an answer properly, or in the way of a fault, after which the connection is gone."""
    if fault is not None and request.transport is not None:
        await _WAYS[fault.kind](request.transport, parcel, fault)
    return web.Response(status=parcel.status, headers=parcel.headers, body=parcel.body)


async def _hang(_transport: asyncio.Transport, _parcel: Parcel, _fault: Fault) -> None:
    await asyncio.Event().wait()


async def _drop(transport: asyncio.Transport, _parcel: Parcel, _fault: Fault) -> None:
    transport.close()


async def _reset(transport: asyncio.Transport, _parcel: Parcel, _fault: Fault) -> None:
    sock = transport.get_extra_info("socket")
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _LINGER_NOT)
    transport.abort()


async def _truncated(transport: asyncio.Transport, parcel: Parcel, _fault: Fault) -> None:
    transport.write(parcel.head() + parcel.body[: len(parcel.body) // 2])
    transport.close()


async def _garbage(transport: asyncio.Transport, _parcel: Parcel, _fault: Fault) -> None:
    transport.write(b"HTTQ/9.9 whatever\r\n\r\n")
    transport.close()


async def _wrong_length(transport: asyncio.Transport, parcel: Parcel, _fault: Fault) -> None:
    half = str(len(parcel.body) // 2)
    transport.write(parcel.head({"Content-Length": half}) + parcel.body)
    transport.close()


async def _slow_drip(transport: asyncio.Transport, parcel: Parcel, fault: Fault) -> None:
    for byte in parcel.head() + parcel.body:
        if transport.is_closing():
            break
        transport.write(bytes([byte]))
        await asyncio.sleep(fault.seconds or 0)
    transport.close()


async def _gzip_bomb(transport: asyncio.Transport, parcel: Parcel, fault: Fault) -> None:
    transport.write(parcel.head(_BOMB_HEADERS))
    for piece in _bomb(fault.size or 0):
        if transport.is_closing():
            break
        transport.write(piece)
        await asyncio.sleep(0)
    transport.close()


async def _close_idle(transport: asyncio.Transport, parcel: Parcel, fault: Fault) -> None:
    transport.write(parcel.head() + parcel.body)
    await asyncio.sleep(fault.seconds or 0)
    transport.close()


def _bomb(mebibytes: int) -> Iterator[bytes]:
    """A gzip file of so many MiB of blanks; one compressed block is sent again and again."""
    blanks = b" " * _MIB
    packer = zlib.compressobj(9, zlib.DEFLATED, -zlib.MAX_WBITS)
    block = packer.compress(blanks) + packer.flush(zlib.Z_FULL_FLUSH)
    checksum = 0
    yield b"\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\xff"
    for _ in range(mebibytes):
        checksum = zlib.crc32(blanks, checksum)
        yield block
    yield packer.flush() + struct.pack("<II", checksum, mebibytes * _MIB & 0xFFFFFFFF)


_WAYS: Mapping[str, Callable[[asyncio.Transport, Parcel, Fault], Awaitable[None]]] = (
    MappingProxyType(
        {
            "hang": _hang,
            "drop": _drop,
            "reset": _reset,
            "truncated": _truncated,
            "garbage": _garbage,
            "wrong-length": _wrong_length,
            "slow-drip": _slow_drip,
            "gzip-bomb": _gzip_bomb,
            "close-idle": _close_idle,
        }
    )
)
