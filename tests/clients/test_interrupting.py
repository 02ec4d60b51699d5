"""Ctrl-C, pressed on a real process in the middle of a call."""

from __future__ import annotations

import asyncio
import signal
import sys
from typing import TYPE_CHECKING

import pytest

from cadenza_async import Cadenza
from tests.raw import RawServer, done, hang

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Iterator
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
import queue, sys, threading
from cadenza_async import Cadenza

def call(client):
    try:
        client.connect_account(venue="BINANCE", api_key="k", api_secret="s", timeout=60)
    except Exception as error:
        ended.put(type(error).__name__)

ended = queue.SimpleQueue()
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
    told = [ended.get(timeout=5) for _ in threads]  # to join a thread again may not wait for it
    assert told == ["OutcomeUnknownTimeoutError"] * 4, told
    print("interrupted", flush=True)
"""

PRESSING = """
import os, signal, sys, time
from threading import Event, Thread, main_thread
from cadenza_async import Cadenza
from cadenza_async.errors import OutcomeUnknownTimeoutError

def call(client):
    try:
        client.connect_account(venue="BINANCE", api_key="k", api_secret="s", timeout=60)
    except OutcomeUnknownTimeoutError as error:
        print(error.venue, flush=True)

def press():
    calling.wait(10)
    while (code := sys._current_frames()[main_thread().ident].f_code).co_name != "wait" or (
        "threading" not in code.co_filename
    ):
        time.sleep(0.01)
    os.kill(os.getpid(), signal.SIGINT)
    pressed.set()

def begin(*threads):
    for thread in threads:
        thread.start()
    return threads

def end(threads):
    for thread in threads:
        thread.join()

_, url, journal, what = sys.argv
calling, pressed, left, busy = Event(), Event(), Event(), Event()
"""

BUSY = f"""{PRESSING}
def rows():
    busy.set()
    (pressed if what == "open" else left).wait(10)  # a client is closed before it is left
    yield from ()

def iterate():
    with client.onboard(rows(), journal=journal) as run:
        list(run)

with Cadenza("token", base_url=url, grace=0.2) as client:
    list(client.list_accounts())
    other = Cadenza("token", base_url=url, grace=60)
    threads = ()
    if what == "close":
        threads = begin(Thread(target=call, args=[other.__enter__()]))
    sys.stdin.readline()
    threads += begin(Thread(target=iterate), Thread(target=press))
    busy.wait(10)
    try:
        calling.set()
        if what == "connect":
            client.connect_account(venue="BINANCE", api_key="k", api_secret="s", name="n")
        elif what == "open":
            other.__enter__()
        else:
            other.__exit__(None, None, None)
    except KeyboardInterrupt:
        left.set()
    end(threads)
print("left", flush=True)
"""

CLOSING = f"""{PRESSING}
client = Cadenza("token", base_url=url, grace=60).__enter__()
threads = begin(Thread(target=call, args=[client]), Thread(target=press))
sys.stdin.readline()
try:
    calling.set()
    client.__exit__(None, None, None)
except KeyboardInterrupt:
    end(threads)
    print("left", flush=True)
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
    server.play(done, done)
    out, _ = await interrupted(server, THREADS, "", 6)
    assert out.split("\n")[:2] == ["left the call", "interrupted"]


async def pressed(server: RawServer, script: str, journal: Path, kind: str, reads: int) -> bytes:
    """What a process prints that presses Ctrl-C itself once so many requests have been read."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-W", "error", "-c", script, server.url, str(journal), kind),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    await server.until(lambda: len(server.requests) == reads)
    out, err = await asyncio.wait_for(process.communicate(b"go on\n"), 20)
    assert (err, process.returncode) == (b"", 0)
    assert len(server.requests) == reads
    return out


@pytest.mark.parametrize("kind", ["connect", "open"])
async def test_ctrl_c_before_a_busy_loop_begins(
    server: RawServer, tmp_path: Path, kind: str
) -> None:
    """What was interrupted while rows kept the loop busy is not done afterwards."""
    server.play(done)  # its connection could be used again at once
    assert await pressed(server, BUSY, tmp_path / "journal", kind, 1) == b"left\n"


async def test_ctrl_c_before_a_busy_loop_begins_to_close(server: RawServer, tmp_path: Path) -> None:
    """But a client is closed, and what other threads wait for ends."""
    server.play(done)
    assert await pressed(server, BUSY, tmp_path / "journal", "close", 2) == b"BINANCE\nleft\n"


async def test_ctrl_c_while_closing(server: RawServer, tmp_path: Path) -> None:
    """What other threads wait for ends at once, as an outcome that can be resolved."""
    assert await pressed(server, CLOSING, tmp_path / "journal", "", 1) == b"BINANCE\nleft\n"


class AlarmError(Exception):
    """What the handler of a signal may raise."""


@pytest.fixture
def raising() -> Iterator[Callable[[type[BaseException]], None]]:
    """Give what has the handler of SIGTERM raise something."""
    before = signal.getsignal(signal.SIGTERM)

    def install(kind: type[BaseException]) -> None:
        def handle(*_: object) -> None:
            raise kind

        signal.signal(signal.SIGTERM, handle)

    yield install
    signal.signal(signal.SIGTERM, before)


@pytest.mark.parametrize("kind", [KeyboardInterrupt, SystemExit, AlarmError])
def test_an_interruption_that_wakes_nobody(
    raising: Callable[[type[BaseException]], None], kind: type[BaseException]
) -> None:
    """It is noticed all the same: on Windows Ctrl-C does not wake a thread that waits."""
    raising(kind)

    async def token() -> str:
        signal.raise_signal(signal.SIGTERM)  # in this thread, while the main thread waits
        await asyncio.Event().wait()
        raise AssertionError

    with Cadenza(token) as client, pytest.raises(kind):
        client.user()
