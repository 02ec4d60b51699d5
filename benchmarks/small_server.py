"""A server that answers every request with the same account, for where there is no nginx."""

from __future__ import annotations

import asyncio
import json
import re
import ssl
import sys
from pathlib import Path
from typing import cast

from job import ANSWER

_LENGTH = re.compile(rb"\r\ncontent-length: *(\d+)", re.IGNORECASE)


class Answering(asyncio.Protocol):
    """One connection.

    Args:
        answer: What is sent for every request; nothing when it is empty.
    """

    def __init__(self, answer: bytes) -> None:
        self._answer = answer
        self._unread = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)

    def data_received(self, data: bytes) -> None:
        self._unread += data
        while (end := self._end()) and len(self._unread) >= end:
            self._unread = self._unread[end:]
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


async def serve(folder: Path, plain: int, tls: int, answer: bytes) -> None:
    """Serve on two ports for good."""
    loop = asyncio.get_running_loop()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(folder / "server.pem", folder / "server.key")
    here = "127.0.0.1"
    await loop.create_server(lambda: Answering(answer), here, tls, ssl=context, backlog=4096)
    server = await loop.create_server(lambda: Answering(answer), here, plain, backlog=4096)
    await server.serve_forever()


def main() -> None:
    """Serve as told on the command line."""
    folder, plain, tls, headers = sys.argv[1:]
    asyncio.run(serve(Path(folder), int(plain), int(tls), whole(json.loads(headers))))


if __name__ == "__main__":
    main()
