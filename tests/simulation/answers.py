"""A server that answers every request with something that was an answer once, and was mutated."""

from __future__ import annotations

import asyncio
import gzip
import json
import re
from random import Random
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Callable

_ACCOUNT: Final[dict[str, Any]] = {
    "tradingAccountId": "b2c7d9b0-2f3c-4f7a-9a51-3f1a58f7d001",
    "userId": "u-1",
    "venue": "BINANCE",
    "name": "Desk 1",
    "accountType": "SPOT",
    "status": "ACTIVE",
    "createdAt": 1_700_000_000_000,
    "updatedAt": 1_700_000_000_000,
}
_PAGING: Final[dict[str, Any]] = {"offset": 0, "limit": 100, "total": 2, "hasNext": False}
_ODD: Final[tuple[Any, ...]] = (
    None,
    True,
    "",
    "\ud800\r\n\x00",
    "x" * 5_000,
    "-18004",
    "-19000",
    0,
    -1,
    -18_012,
    -22_014,
    -100_000,
    10**40,
    1e308,
    float("nan"),
    float("inf"),
    [],
    {},
    [[[]]],
    {"data": {"data": []}},
)
_STATUSES: Final = (
    *(200, 200, 200, 201, 204, 206, 100, 101, 102, 199, 300, 301, 304, 307, 400, 401, 403, 404),
    *(407, 408, 409, 413, 421, 425, 429, 451, 499, 500, 502, 503, 504, 511, 599, 600, 999),
)
_LINES: Final = (
    b"HTTP/1.0 200 OK",
    b"HTTP/2 200",
    b"HTTP/1.1 -1 No",
    b"HTTP/1.1 2000 Much",
    b"HTTP/1.1 abc",
    b"HTTP/1.1",
    b"ICY 200 OK",
    b"",
    b"\x16\x03\x01\x02\x00",
    b"HTTP/1.1 200 " + b"O" * 9_000,
)
_TEXTS: Final = (
    *("", " ", "0", "-1", "1", "60", "3601", "1e9", "1e400", "nan", "inf", "0x10", "9" * 400),
    *("1700000060", "1700000060000", "Tue, 14 Nov 2023 22:13:20 GMT", "Tue, 99 Foo 2023"),
    *("Fri, 31 Dec 9999 23:59:59 GMT", "Mon, 01 Jan 0001 00:00:00 +2359", "\x80\xff", "a\tb"),
    *("http://[", "//host/path", "gzip", "br", "deflate", "identity, gzip", "chunked", "close"),
    *("text/html; charset=nothing", "application/json; charset=utf-7", "keep-alive", "\x7f"),
)
_NAMES: Final = (
    *("Content-Length", "Transfer-Encoding", "Content-Encoding", "Content-Type", "Connection"),
    *("Retry-After", "X-RateLimit-Limit", "X-RateLimit-Remaining", "X-RateLimit-Reset", "Date"),
    *("Location", "Set-Cookie", "Upgrade", "WWW-Authenticate", "X Bad", "", "Trailer", "Link"),
)


class Mutator:
    """Draws answers.

    Args:
        seed: The same one draws the same answers.
    """

    def __init__(self, seed: object) -> None:
        self._dice = Random(f"answers {seed}")

    def draw(self, *, listing: bool) -> bytes:
        """Return the bytes of an answer to a list, or to a connect."""
        dice = self._dice
        body = self._body(self._envelope(listing=listing))
        head = [f"HTTP/1.1 {dice.choice(_STATUSES) if self._hits() else 200} OK".encode()]
        if self._hits():
            head = [dice.choice(_LINES)]
        head += [b"Content-Type: application/json", b"Content-Length: %d" % self._length(body)]
        head += [self._header() for _ in range(dice.choice((0, 0, 0, 0, 1, 3)))]
        answer = b"\r\n".join([*head, b"", b""]) + body
        return self._noise(answer) if self._hits() else answer

    def _hits(self) -> bool:
        return self._dice.random() < 0.12

    def _envelope(self, *, listing: bool) -> Any:
        envelope: dict[str, Any] = {"success": True, "errno": 0, "error": None}
        envelope["data"] = dict(_ACCOUNT)
        if listing:
            envelope["data"] = [dict(_ACCOUNT), {**_ACCOUNT, "tradingAccountId": "2"}]
            envelope["pagination"] = dict(_PAGING)
        for _ in range(self._dice.choice((0, 0, 1, 2, 4))):
            self._spoil(envelope)
        return envelope

    def _spoil(self, part: Any) -> None:
        """Replace, remove or add one value, somewhere."""
        dice = self._dice
        keys: list[Any] = list(part) if isinstance(part, dict) else list(range(len(part)))
        key = dice.choice(keys) if keys else None
        if key is not None and isinstance(part[key], dict | list) and dice.random() < 0.7:
            self._spoil(part[key])
        elif key is not None and dice.random() < 0.3:
            del part[key]
        elif key is not None:
            part[key] = dice.choice(_ODD)

    def _body(self, envelope: Any) -> bytes:
        body = json.dumps(envelope).encode()
        if not self._hits():
            return body
        changes: tuple[Callable[[], bytes], ...] = (
            lambda: b"",
            lambda: b"[" * 100_000,
            lambda: b"\xff\xfe" + body,
            lambda: body[: self._dice.randrange(len(body))],
            lambda: gzip.compress(body),
            lambda: b"%x\r\n%s\r\n0\r\n\r\n" % (len(body), body),
            lambda: b"<html>" + body,
            lambda: body * 2,
            lambda: re.sub(rb"\d", b"9" * 40, body),
            lambda: b" " * 1_100_000 + body,
        )
        return self._dice.choice(changes)()

    def _length(self, body: bytes) -> int:
        others = (0, len(body) - 1, len(body) + 1, len(body) // 2, 10**12, -1)
        return self._dice.choice(others) if self._dice.random() < 0.15 else len(body)

    def _header(self) -> bytes:
        return f"{self._dice.choice(_NAMES)}: {self._dice.choice(_TEXTS)}".encode("latin-1")

    def _noise(self, answer: bytes) -> bytes:
        """Change some bytes, and perhaps lose the end."""
        dice, noisy = self._dice, bytearray(answer)
        for _ in range(dice.choice((1, 3, 20))):
            noisy[dice.randrange(min(len(noisy), 600))] = dice.randrange(256)
        return bytes(noisy[: dice.choice((len(noisy), dice.randrange(len(noisy)) + 1))])


class Liar:
    """Listens, reads requests, and gives the answers that it is told to.

    Attributes:
        answer: What it gives to the next request; afterwards it says nothing.
        closes: Whether it hangs up then.
    """

    def __init__(self) -> None:
        self.answer = b""
        self.closes = False

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Talk to one connection."""
        try:
            while not writer.is_closing():
                head = await reader.readuntil(b"\r\n\r\n")
                length = re.search(rb"(?i)content-length: (\d+)", head)
                await reader.readexactly(int(length[1]) if length else 0)
                writer.write(self.answer)
                if self.closes:
                    break
        except (ConnectionError, asyncio.IncompleteReadError):
            pass  # the client had enough
        finally:
            writer.close()
