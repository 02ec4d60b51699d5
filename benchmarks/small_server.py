"""A server that answers every request with the same account, for where there is no nginx."""

from __future__ import annotations

import asyncio
import json
import re
import ssl
import sys
from typing import TYPE_CHECKING, Any, cast

from job import ANSWER

if TYPE_CHECKING:
    from collections.abc import Iterator

_LENGTH = re.compile(rb"\r\ncontent-length: *(\d+)", re.IGNORECASE)


class Answering(asyncio.Protocol):
    """One connection.

    Args:
        answer: What is sent for a request.
        turns: An item for every request that is answered; silence follows.
    """

    def __init__(self, answer: bytes, turns: Iterator[object]) -> None:
        self._answer = answer
        self._turns = turns
        self._unread = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)

    def data_received(self, data: bytes) -> None:
        self._unread += data
        while (end := self._end()) and len(self._unread) >= end:
            self._unread = self._unread[end:]
            if next(self._turns, None) is not None:
                self._transport.write(self._answer)

    def _end(self) -> int:
        """Return where the first request ends; 0 when its head is not there yet."""
        head, found, _ = self._unread.partition(b"\r\n\r\n")
        length = _LENGTH.search(head)
        return len(head) + 4 + (int(length[1]) if length else 0) if found else 0


def whole(headers: dict[str, str]) -> bytes:
    """Write the answer."""
    body = json.dumps(ANSWER).encode()
    lines = {"Content-Type": "application/json", "Content-Length": str(len(body)), **headers}
    head = "".join(f"{name}: {value}\r\n" for name, value in lines.items())
    return f"HTTP/1.1 200 OK\r\n{head}\r\n".encode() + body


async def serve(order: dict[str, Any]) -> None:
    """Serve for good, plain and with TLS, and tell the ports."""
    loop = asyncio.get_running_loop()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(order["certificate"], order["key"])
    answer, turns = whole(order["headers"]), iter(range(order["answers"]))
    servers = [
        await loop.create_server(
            lambda: Answering(answer, turns), "127.0.0.1", 0, ssl=encryption, backlog=4096
        )
        for encryption in (None, context)
    ]
    print(json.dumps([each.sockets[0].getsockname()[1] for each in servers]), flush=True)
    await loop.create_future()


if __name__ == "__main__":
    asyncio.run(serve(json.loads(sys.argv[1])))
