"""Ctrl-C, pressed on a real process in the middle of a call."""

from __future__ import annotations

import _thread
import asyncio
import signal
import sys
from typing import TYPE_CHECKING

import pytest

from cadenza_async import Cadenza
from tests.raw import RawServer, hang

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

BLOCKING = """
import sys, time
from cadenza_async import Cadenza

try:
    with Cadenza("token", base_url=sys.argv[1], timeout=60, grace=30) as client:
        try:
            if sys.argv[2] == "connect":
                client.connect_account(venue="BINANCE", api_key="k", api_secret="s", name="n")
            else:
                list(client.list_accounts())
        finally:
            print("left the call", flush=True)
except KeyboardInterrupt:
    print("interrupted", flush=True)
"""

ASYNC = """
import asyncio, sys
from cadenza_async import AsyncCadenza

async def main():
    async with AsyncCadenza("token", base_url=sys.argv[1], timeout=60, grace=30) as client:
        try:
            if sys.argv[2] == "connect":
                await client.connect_account(
                    venue="BINANCE", api_key="k", api_secret="s", name="n"
                )
            else:
                [account async for account in client.list_accounts()]
        except asyncio.CancelledError:
            print("left the call", flush=True)
            raise

try:
    asyncio.run(main())
except KeyboardInterrupt:
    print("interrupted", flush=True)
"""

THREADS = """
import sys, threading
from cadenza_async import Cadenza

def call(client):
    try:
        client.connect_account(venue="BINANCE", api_key="k", api_secret="s", timeout=60)
    except Exception as error:
        ended.append(type(error).__name__)

ended = []
try:
    with Cadenza("token", base_url=sys.argv[1], grace=0.2) as client:
        list(client.list_accounts())
        client.disconnect_account("x")
        threads = [threading.Thread(target=call, args=[client]) for _ in range(4)]
        for thread in threads:
            thread.start()
        try:
            for thread in threads:
                thread.join()
        finally:
            print("left the call", flush=True)
except KeyboardInterrupt:
    for thread in threads:
        thread.join()
    assert ended == ["OutcomeUnknownTimeoutError"] * 4, ended
    print("interrupted", flush=True)
"""

BUSY = """
import os, signal, sys, time
from threading import Event, Thread, main_thread
from cadenza_async import Cadenza

def rows():
    busy.set()
    interrupted.wait(10)
    yield from ()

def iterate():
    with client.onboard(rows(), journal=sys.argv[2]) as run:
        list(run)

def press():
    calling.wait(10)
    while (code := sys._current_frames()[main_thread().ident].f_code).co_name != "wait" or (
        "threading" not in code.co_filename
    ):
        time.sleep(0.01)
    os.kill(os.getpid(), signal.SIGINT)
    if sys.argv[3] == "open":  # it is closed before the interruption goes on
        interrupted.set()

busy, calling, interrupted = Event(), Event(), Event()
with Cadenza("token", base_url=sys.argv[1], grace=0.2) as client:
    threads = [Thread(target=iterate), Thread(target=press)]
    for thread in threads:
        thread.start()
    busy.wait(10)
    try:
        calling.set()
        if sys.argv[3] == "open":
            Cadenza("token", base_url=sys.argv[1]).__enter__()
        else:
            client.connect_account(venue="BINANCE", api_key="k", api_secret="s", name="n")
    except KeyboardInterrupt:
        interrupted.set()
        print("left the call", flush=True)
    for thread in threads:
        thread.join()
"""


@pytest.fixture
async def server() -> AsyncIterator[RawServer]:
    """Give a server that answers nothing."""
    async with RawServer(default=hang) as server:
        yield server


async def interrupted(server: RawServer, script: str, kind: str, reads: int) -> tuple[str, str]:
    """What a process prints when Ctrl-C is pressed once the server has read so many requests."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-W", "error", "-X", "dev", "-c", script, server.url, kind),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    await server.until(lambda: len(server.requests) == reads)
    process.send_signal(signal.SIGINT)
    out, err = await asyncio.wait_for(process.communicate(), 5)
    assert process.returncode == 0, err.decode()
    return out.decode(), err.decode()


@pytest.mark.parametrize("kind", ["connect", "list"])
@pytest.mark.parametrize("script", [BLOCKING, ASYNC], ids=["blocking", "async"])
async def test_ctrl_c_in_mid_call(server: RawServer, script: str, kind: str) -> None:
    """The call is cancelled at once, and the client closes without waiting for its grace."""
    out, err = await interrupted(server, script, kind, 1)
    assert out.split("\n")[:2] == ["left the call", "interrupted"]
    warnings = [line for line in err.splitlines() if line]
    assert len(warnings) == (kind == "connect")
    assert all("was cancelled after it was sent" in line for line in warnings)
    assert len(server.requests) == 1


async def test_ctrl_c_while_other_threads_call(server: RawServer) -> None:
    """Other threads' calls end with the client that they share."""
    from tests.raw import done

    server.play(done, done)
    out, _ = await interrupted(server, THREADS, "", 6)
    assert out.split("\n")[:2] == ["left the call", "interrupted"]


@pytest.mark.parametrize("kind", ["connect", "open"])
async def test_ctrl_c_before_a_busy_loop_begins(
    server: RawServer, tmp_path: Path, kind: str
) -> None:
    """What was interrupted while rows kept the loop busy is not done afterwards."""
    given = ["-W", "error", "-c", BUSY, server.url, str(tmp_path / "journal"), kind]
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, *given), stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE
    )
    out, err = await asyncio.wait_for(process.communicate(), 20)
    assert (out, err, process.returncode) == (b"left the call\n", b"", 0)
    assert server.requests == []


def test_an_interruption_that_wakes_nobody() -> None:
    """It is noticed all the same: on Windows Ctrl-C does not wake a thread that waits."""

    async def token() -> str:
        _thread.interrupt_main()
        await asyncio.Event().wait()
        raise AssertionError

    with Cadenza(token) as client, pytest.raises(KeyboardInterrupt):
        client.user()
