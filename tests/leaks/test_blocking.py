"""The blocking client: its frames, and those of its background thread, show nothing either."""

from __future__ import annotations

import logging
import signal
import threading
from typing import TYPE_CHECKING, Any

import pytest
from anyio.from_thread import BlockingPortal, start_blocking_portal

from cadenza_async import Cadenza
from cadenza_async.errors import CadenzaError
from tests.raw import RawServer

from .hunt import Hunt
from .test_calls import FAULTS

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.raw import Exchange

CALLS = ("connect", "list", "disconnect")


@pytest.fixture(scope="module")
def portal() -> Iterator[BlockingPortal]:
    """Give a loop in another thread, for the server."""
    with start_blocking_portal() as portal:
        yield portal


@pytest.fixture
def server(portal: BlockingPortal) -> Iterator[RawServer]:
    """Give a raw server that runs in that loop."""
    with portal.wrap_async_context_manager(RawServer()) as server:
        yield server
        server.requests.clear()


@pytest.fixture
def hunt(
    caplog: pytest.LogCaptureFixture,
    capfd: pytest.CaptureFixture[str],
    recwarn: pytest.WarningsRecorder,
) -> Iterator[Hunt]:
    """Give a hunt that ends with the test."""
    hunt = Hunt()
    with caplog.at_level(logging.DEBUG):
        yield hunt
    hunt.search_records(caplog.get_records("call"))
    for text in capfd.readouterr():
        hunt.search("output", text)
    for warning in recwarn:
        hunt.search("warning", str(warning))
    hunt.finish()


def call(client: Cadenza, hunt: Hunt, kind: str, **options: Any) -> None:
    """Make a call whose every secret is the marker."""
    if kind == "connect":
        client.connect_account(**hunt.marker.account(**options))
    elif kind == "list":
        list(client.list_accounts(**options))
    else:
        client.disconnect_account("ta-1", **options)


def client_of(hunt: Hunt, server: RawServer, **options: Any) -> Cadenza:
    """Give a client whose token is the marker, and which tells the hunt of its attempts."""
    options = {"retries": 0, **server.options, **options}
    return Cadenza(hunt.marker(), on_attempt=hunt.attempts.append, **options)


@pytest.mark.parametrize("kind", CALLS)
def test_calls_that_work(hunt: Hunt, server: RawServer, kind: str) -> None:
    """A blocking call that works shows nothing."""
    with client_of(hunt, server) as client:
        call(client, hunt, kind)
        hunt.search_memory()
    assert hunt.marker.is_in(server.requests[0].head)


@pytest.mark.parametrize("kind", CALLS)
@pytest.mark.parametrize(
    "fault", ["echoes in a refusal", "echoes in a 502 page", "hangs up", "hangs", "no account"]
)
def test_calls_that_fail(hunt: Hunt, server: RawServer, kind: str, fault: str) -> None:
    """A blocking call that fails shows nothing, in either thread's frames."""
    patience = {"timeout": 0.1} if fault == "hangs" else {}
    server.play(FAULTS[fault])
    with client_of(hunt, server) as client:
        with pytest.raises(CadenzaError) as caught:
            call(client, hunt, kind, **patience)
        hunt.search_error(caught.value)
        hunt.search_memory()


async def press_ctrl_c(exchange: Exchange) -> None:
    """Interrupt the main thread, which waits for an answer."""
    signal.pthread_kill(threading.main_thread().ident or 0, signal.SIGINT)


@pytest.mark.parametrize("kind", CALLS)
def test_calls_that_are_interrupted(hunt: Hunt, server: RawServer, kind: str) -> None:
    """What Ctrl-C in mid-call shows holds nothing of the call."""
    server.play(press_ctrl_c)
    with client_of(hunt, server) as client:
        with pytest.raises(KeyboardInterrupt) as caught:
            call(client, hunt, kind)
        hunt.search_error(caught.value)
