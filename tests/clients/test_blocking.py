"""The blocking client: from many threads, beside a running loop, left early, and at its ends."""

from __future__ import annotations

import gc
import os
import subprocess
import sys
import threading
from collections.abc import Generator
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import TYPE_CHECKING, Any

import aiohttp
import pytest
from anyio.from_thread import BlockingPortal, start_blocking_portal

from cadenza_async import Cadenza, NewAccount, TradingAccount, _portal, sync
from cadenza_async.errors import (
    ClosedError,
    CredentialsRejectedError,
    OutcomeUnknownTimeoutError,
    UsageError,
)
from cadenza_async.sandbox import Sandbox

if TYPE_CHECKING:
    from collections.abc import Coroutine, Iterator
    from pathlib import Path

KEYS: dict[str, Any] = {"venue": "BINANCE", "api_key": "key", "api_secret": "secret"}
THREADS = 8
EACH = 25


@pytest.fixture
def portal() -> Iterator[BlockingPortal]:
    """Give a loop in another thread, for the sandbox."""
    with start_blocking_portal() as portal:
        yield portal


@pytest.fixture
def sandbox(portal: BlockingPortal) -> Iterator[Sandbox]:
    """Give a sandbox that runs in that loop."""
    with portal.wrap_async_context_manager(Sandbox()) as sandbox:
        yield sandbox


def client_of(sandbox: Sandbox, **options: Any) -> Cadenza:
    """Give a client of the sandbox's default user."""
    return Cadenza(sandbox.access_token, base_url=sandbox.url, **options)


def test_a_day_in_its_life(sandbox: Sandbox) -> None:
    """Connect, list and disconnect work without any asyncio in sight."""
    with client_of(sandbox) as client:
        account = client.connect_account(**KEYS, name="Desk 1")
        assert isinstance(account, TradingAccount)
        assert [each.name for each in client.list_accounts(venue="BINANCE")] == ["Desk 1"]
        assert client.disconnect_account(account.trading_account_id).status == "DISCONNECTED"
    assert sandbox.accounts == []


def test_from_eight_threads_at_once(sandbox: Sandbox) -> None:
    """Threads share a client: every account is there once, and every answer is its asker's."""

    def work(client: Cadenza, barrier: threading.Barrier, thread: int) -> list[tuple[str, Any]]:
        barrier.wait(10)
        names = [f"{thread}-{n}" for n in range(EACH)]
        return [(name, client.connect_account(**KEYS, name=name).name) for name in names]

    barrier = threading.Barrier(THREADS)
    with client_of(sandbox) as client, ThreadPoolExecutor(THREADS) as threads:
        results = threads.map(partial(work, client, barrier), range(THREADS))
        pairs = [pair for result in results for pair in result]
        assert len([*client.list_accounts()]) == THREADS * EACH
    assert all(asked == got for asked, got in pairs)
    assert sorted(name for name, _ in pairs) == sorted(each["name"] for each in sandbox.accounts)


def test_eight_clients_share_one_thread(sandbox: Sandbox) -> None:
    """Each thread may have a client of its own; one loop thread serves them, and ends with them."""
    before = threading.active_count()

    def work(number: int) -> int:
        with client_of(sandbox) as client:
            client.connect_account(**KEYS, name=f"own {number}")
            return threading.active_count()

    with ThreadPoolExecutor(THREADS) as threads:
        most = max(threads.map(work, range(THREADS)))
    assert most <= before + THREADS + 1
    assert threading.active_count() <= before  # an earlier test's may have ended
    assert len(sandbox.accounts) == THREADS


async def test_inside_a_running_loop(sandbox: Sandbox) -> None:
    """A blocking call inside a coroutine blocks, as it must, and works."""
    with client_of(sandbox) as client:
        client.connect_account(**KEYS, name="in a loop")
        assert [each.name for each in client.list_accounts()] == ["in a loop"]


def test_errors_arrive_as_they_are(sandbox: Sandbox) -> None:
    """An error of the call is raised in the calling thread, of the same class and text."""
    with client_of(sandbox) as client, pytest.raises(CredentialsRejectedError) as caught:
        client.connect_account(venue="BINANCE", api_key="invalid-1", api_secret="secret")
    assert caught.value.errno == -120001
    assert caught.value.__context__ is None


def end(rows: Iterator[TradingAccount]) -> None:
    """Close what is a generator, as `contextlib.closing` does."""
    assert isinstance(rows, Generator)
    rows.close()


def test_a_list_left_early(sandbox: Sandbox) -> None:
    """Leaving a loop over a list ends it: no request more, no thread, no warning."""
    with client_of(sandbox) as client:
        for number in range(3):
            client.connect_account(**KEYS, name=f"Desk {number}")
        sandbox.script("capped-list:1:100%")
        asked = len(sandbox.requests)
        for account in client.list_accounts():
            assert account.name is not None
            break
        gc.collect()
        rows = client.list_accounts()
        assert next(rows)
        end(rows)
        with pytest.raises(StopIteration):
            next(rows)
    assert len(sandbox.requests) == asked + 2


@pytest.mark.parametrize("ending", ["close", "next", "del"])
def test_a_list_that_outlives_its_client(sandbox: Sandbox, ending: str) -> None:
    """A list that is still open when its client closes ends quietly, or says that it is closed."""
    with client_of(sandbox) as client:
        for number in range(2):
            client.connect_account(**KEYS, name=f"Desk {number}")
        rows = client.list_accounts()
        next(rows)
    if ending == "close":
        end(rows)
    elif ending == "next":
        with pytest.raises(ClosedError):
            next(rows)
    del rows
    gc.collect()


def test_a_list_that_is_collected_in_the_loop(sandbox: Sandbox) -> None:
    """A list left early may be collected in any thread: the loop's own cannot wait for its end."""

    async def token() -> str:
        gc.collect()
        return sandbox.access_token

    with client_of(sandbox) as client, Cadenza(token, base_url=sandbox.url) as other:
        client.connect_account(**KEYS)
        left: dict[str, Any] = {"list": client.list_accounts()}
        assert next(left["list"]).venue == "BINANCE"
        left["itself"] = left
        del left
        assert other.user().user_id == "u-1"


def test_closed_in_the_moment_of_a_call(sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch) -> None:
    """Another thread may close the client when a call has just begun: the call says so."""
    client = client_of(sandbox).__enter__()
    wait = _portal.wait

    def late(job: Coroutine[Any, Any, Any]) -> object:
        monkeypatch.undo()
        client.__exit__(None, None, None)
        return wait(job)

    monkeypatch.setattr(sync, "wait", late)
    with pytest.raises(ClosedError):
        client.connect_account(**KEYS)
    assert sandbox.requests == []


def _calls(client: Cadenza) -> list[Any]:
    return [
        partial(client.connect_account, **KEYS),
        partial(client.disconnect_account, "ta-1"),
        lambda: [*client.list_accounts()],
    ]


@pytest.mark.parametrize("call", range(3))
def test_before_and_after_its_block(sandbox: Sandbox, call: int) -> None:
    """Outside its `with` block every method says where it belongs, and nothing is sent."""
    client = client_of(sandbox)
    for _ in range(2):
        with pytest.raises(ClosedError, match="with"):
            _calls(client)[call]()
        gc.collect()
    with client:
        pass
    with pytest.raises(ClosedError):
        _calls(client)[call]()
    gc.collect()
    assert sandbox.requests == []


def test_it_is_closed_for_good(sandbox: Sandbox) -> None:
    """A client cannot be opened again, and a failed opening leaves no thread behind."""
    before = threading.active_count()
    client = client_of(sandbox)
    with client:
        pass
    with pytest.raises(ClosedError, match="stays closed"), client:
        pass
    with pytest.raises(ClosedError, match="stays closed"):
        client.user()
    assert threading.active_count() <= before  # an earlier test's may have ended


def test_no_session_of_a_loop() -> None:
    """A session that belongs to somebody's loop is refused."""

    async def make() -> aiohttp.ClientSession:
        return aiohttp.ClientSession()

    with start_blocking_portal() as portal:
        session = portal.call(make)
        with pytest.raises(UsageError, match="session"):
            Cadenza("token", session=session)
        portal.call(session.close)


def test_entered_twice(sandbox: Sandbox) -> None:
    """The second time is refused as such, and the client stays open."""
    with client_of(sandbox) as client:
        with pytest.raises(ClosedError, match="is open already"):
            client.__enter__()
        assert client.health().status == "healthy"


def test_left_without_having_been_entered(sandbox: Sandbox) -> None:
    """There is nothing to close."""
    client_of(sandbox).__exit__(None, None, None)


def test_its_deadline(sandbox: Sandbox) -> None:
    """A blocking call ends at its deadline."""
    sandbox.script("hang")
    with client_of(sandbox) as client, pytest.raises(OutcomeUnknownTimeoutError):
        client.connect_account(**KEYS, timeout=0.6)


FORKED = """
import os, signal, sys
from cadenza_async import Cadenza
from cadenza_async.errors import ClosedError, NotSentError

def told(call, *arguments):
    try:
        call(*arguments)
    except (ClosedError, NotSentError) as error:
        return type(error).__name__ + str(error)

def connect(client):
    client.connect_account(venue="BINANCE", api_key="k", api_secret="s")

options = {"base_url": "http://127.0.0.1:9", "retries": 0}
with Cadenza("token", **options) as client:
    told(connect, client)
    run = client.onboard([], journal="never opened")
    if os.fork() == 0:
        signal.alarm(5)
        old = told(connect, client), told(list, client.list_accounts()), told(next, run)
        run.close()
        with Cadenza("token", **options) as another:
            new = told(connect, another)
        client.__exit__(None, None, None)
        good = all("ClosedError" in each and "fork" in each for each in old)
        os._exit(0 if good and "NotSentError" in new else 1)
    _, status = os.wait()
sys.exit(os.waitstatus_to_exitcode(status))
"""


def test_after_a_fork() -> None:
    """In a forked child the old client, its lists and its runs say so, and a new one works."""
    warned = ["-W", "error", "-W", "ignore:This process:DeprecationWarning"]  # of any fork
    command = [sys.executable, *warned, "-c", FORKED]
    finished = subprocess.run(command, timeout=30, capture_output=True, check=False)
    assert (finished.returncode, finished.stderr) == (0, b"")


def test_a_fork_is_noticed(sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch) -> None:
    """In another process there is no loop thread: nothing is waited for, nothing is closed."""
    client = Cadenza(sandbox.access_token, base_url=sandbox.url).__enter__()
    with monkeypatch.context() as patch:
        patch.setattr(os, "getpid", lambda: -1)
        with pytest.raises(ClosedError, match="fork"):
            client.connect_account(**KEYS)
        client.__exit__(None, None, None)
    client._exits.close()


LEFT_OPEN = """
import sys
from cadenza_async import Cadenza
from cadenza_async.errors import ClosedError

def names(url, token):
    with Cadenza(token, base_url=url) as client:
        try:
            for account in client.list_accounts():
                yield account.name
        finally:
            try:
                client.user()
            except ClosedError as error:
                sys.stdout.write(str(error))
                sys.stdout.flush()  # Python 3.13 does that before generators are closed

left = names(*sys.argv[1:])
next(left)
"""


def test_left_open_at_the_end_of_a_program(sandbox: Sandbox) -> None:
    """A list that nobody read to its end, and its client, do not keep the program from ending."""
    with client_of(sandbox) as client:
        client.connect_account(**KEYS)
    finished = subprocess.run(
        [sys.executable, "-c", LEFT_OPEN, sandbox.url, sandbox.access_token],
        timeout=30,
        capture_output=True,
        check=False,
    )
    assert (finished.returncode, finished.stderr) == (0, b"")
    assert b"the program has ended" in finished.stdout


def test_the_end_of_a_program_is_noticed(sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch) -> None:
    """When threads do not run any more, nothing is waited for."""
    client = client_of(sandbox).__enter__()
    with monkeypatch.context() as patch:
        patch.setattr(sys, "is_finalizing", lambda: True)
        with pytest.raises(ClosedError, match="ended"):
            client.connect_account(**KEYS)
        client.__exit__(None, None, None)
        assert client._async._shared.is_open
    client._exits.close()


def test_rows_that_call_the_client(sandbox: Sandbox, tmp_path: Path) -> None:
    """What the client waits for cannot wait for it: that is refused, and nothing is left over."""

    def rows() -> Iterator[NewAccount]:
        client.user()
        yield NewAccount(key="1", user="u-1", name="Desk 1", **KEYS)

    with client_of(sandbox) as client:
        tokens = {"u-1": sandbox.access_token}
        run = client.onboard(rows(), tokens=tokens, journal=tmp_path / "journal")
        with pytest.raises(UsageError, match="rows cannot call a blocking client"), run:
            list(run)
        assert client.user().user_id == "u-1"
