"""A server in a process of its own that connects any account at once, and knows of none before."""

from __future__ import annotations

import asyncio
import json
import multiprocessing
import re
from contextlib import contextmanager
from itertools import count
from typing import TYPE_CHECKING, Any, cast

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from multiprocessing.connection import Connection

_LENGTH = re.compile(rb"\r\ncontent-length: *(\d+)", re.IGNORECASE)
_HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n"
_NOBODY = {"data": [], "errno": 0, "pagination": {"total": 0, "hasNext": False}}
_numbers = count(1)


class Answering(asyncio.Protocol):
    """One connection.

    Args:
        answer: Returns what is sent for a request, given its body; nothing is silence.
    """

    def __init__(self, answer: Callable[[bytes], bytes]) -> None:
        self._answer = answer
        self._unread = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)

    def data_received(self, data: bytes) -> None:
        self._unread += data
        while (begun := self._unread.find(b"\r\n\r\n") + 4) > 3:
            length = _LENGTH.search(self._unread, 0, begun)
            end = begun + (int(length[1]) if length else 0)
            if len(self._unread) < end:
                return
            body, self._unread = self._unread[begun:end], self._unread[end:]
            self._transport.write(self._answer(body))


def _answer(body: bytes) -> bytes:
    answer = json.dumps(_connect(json.loads(body)) if body else _NOBODY).encode()
    return _HEAD % len(answer) + answer


def _connect(asked: dict[str, str]) -> dict[str, Any]:
    account = {
        "tradingAccountId": f"account-{next(_numbers)}",
        "userId": "user",
        "venue": asked["venue"],
        "name": asked["name"],
        "accountType": "SPOT",
        "status": "ACTIVE",
        "createdAt": 1_700_000_000_000,
        "updatedAt": 1_700_000_000_000,
    }
    return {"data": account, "success": True, "errno": 0, "error": None}


async def _serve(pipe: Connection) -> None:
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: Answering(_answer), "127.0.0.1", 0, backlog=1024)
    pipe.send(f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}")
    await asyncio.to_thread(pipe.recv)


def _run(pipe: Connection) -> None:
    asyncio.run(_serve(pipe))


@contextmanager
def serving() -> Iterator[str]:
    """Run the server until the block is left; give its URL."""
    pipe, far_end = multiprocessing.Pipe()
    server = multiprocessing.get_context("spawn").Process(target=_run, args=(far_end,))
    server.start()
    far_end.close()
    try:
        yield pipe.recv()
    finally:
        pipe.send("stop")
        server.join()
