"""However much a server sends, an answer costs a bounded amount of memory."""

from __future__ import annotations

import asyncio
import json
import sys
import zlib
from typing import TYPE_CHECKING

import pytest

from cadenza_async.errors import OutcomeUnknownError, UnreadableAnswerError
from tests.raw import answers, envelope

from .line import CALLS, check_told, failure, line_to, settle

if TYPE_CHECKING:
    from tests.raw import Act, Exchange, RawServer

MIB = 1024 * 1024
BOMB = 512 * MIB
COST = 8 * MIB
LIMITS = {"connect": MIB, "list": 16 * MIB}


def padded(size: int, data: object) -> bytes:
    """An envelope of exactly that size."""
    content = json.dumps(envelope(data=data, pagination={"hasNext": False})).encode()
    return content[:-1] + b" " * (size - len(content)) + b"}"


def bomb(encoding: str) -> Act:
    """Half a gigabyte of blanks, packed."""

    async def explode(exchange: Exchange) -> None:
        bits = {"gzip": 16 + zlib.MAX_WBITS, "deflate": zlib.MAX_WBITS}[encoding]
        packer = zlib.compressobj(9, zlib.DEFLATED, bits)
        head = f"HTTP/1.1 200 OK\r\nContent-Encoding: {encoding}\r\nConnection: close\r\n\r\n"
        exchange.writer.write(head.encode())
        blanks = b" " * MIB
        for _ in range(BOMB // MIB):
            exchange.writer.write(packer.compress(blanks))
            await exchange.writer.drain()
        exchange.writer.write(packer.flush())
        exchange.writer.close()

    return explode


async def flood(exchange: Exchange) -> None:
    """Half a gigabyte of blanks, as they are."""
    exchange.writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % BOMB)
    blanks = b" " * MIB
    for _ in range(BOMB // MIB):
        exchange.writer.write(blanks)
        await exchange.writer.drain()


# Connects twice in a process of its own, and tells by how much its memory peaked the second time.
VICTIM = """
import asyncio, resource, sys
from cadenza_async import AsyncCadenza
from cadenza_async.errors import CadenzaError

def peak():
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024

async def main(url, kind):
    async with AsyncCadenza("token", base_url=url, retries=0) as client:
        async def call():
            if kind == "list":
                return [account async for account in client.list_accounts()]
            return await client.connect_account(venue="BINANCE", api_key="k", api_secret="s")

        await call()
        before = peak()
        try:
            await call()
        except CadenzaError as error:
            print(peak() - before, type(error).__name__)

asyncio.run(main(*sys.argv[1:]))
"""


@pytest.mark.parametrize("act", [bomb("gzip"), bomb("deflate"), flood], ids=["gzip", "deflate", ""])
async def test_half_a_gigabyte(plain: RawServer, act: Act) -> None:
    """An answer of 512 MiB, packed or not, costs a connect less than 8 MiB."""
    cost, name = await _suffer(plain, "connect", act)
    assert name == "OutcomeUnknownError"
    assert cost < COST


async def test_a_list_is_bounded_as_well(plain: RawServer) -> None:
    """A list may be 16 MiB long, and no longer."""
    cost, name = await _suffer(plain, "list", bomb("gzip"))
    assert name == "UnreadableAnswerError"
    assert cost < 6 * LIMITS["list"]


async def _suffer(server: RawServer, kind: str, act: Act) -> tuple[int, str]:
    from tests.raw import done

    server.play(done, act)
    victim = await asyncio.create_subprocess_exec(
        sys.executable, "-c", VICTIM, server.url, kind, stdout=asyncio.subprocess.PIPE
    )
    told, _ = await victim.communicate()
    cost, name = told.decode().split()
    return int(cost), name


@pytest.mark.parametrize("kind", CALLS)
async def test_as_long_as_allowed(plain: RawServer, kind: str) -> None:
    """The longest answer allowed is read, one byte more is not."""
    limit, data = LIMITS[kind], [] if kind == "list" else {"tradingAccountId": "ta-1"}
    async with line_to(plain, retries=0) as line:
        plain.play(answers(200, padded(limit, data)))
        await line.call(kind)
        plain.play(answers(200, padded(limit + 1, data)))
        error = await failure(line.call(kind))
        await settle()
        await line.call(kind)
    assert isinstance(error, OutcomeUnknownError | UnreadableAnswerError)
    assert "longer" in str(error)
    assert line.verdicts == ["done", "unknown", "done"]
    check_told(line, plain)


async def test_a_refusal_may_be_packed(plain: RawServer) -> None:
    """A server that packs its answer unasked is understood."""
    content = json.dumps(envelope(data={"tradingAccountId": "ta-1"})).encode()
    packer = zlib.compressobj(wbits=16 + zlib.MAX_WBITS)
    packed = packer.compress(content) + packer.flush()
    plain.play(answers(200, packed, content_encoding="gzip"))
    async with line_to(plain) as line:
        assert (await line.connect()).trading_account_id == "ta-1"
