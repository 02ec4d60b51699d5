"""The thread behind blocking clients, interrupted while it begins and ends."""

from __future__ import annotations

import gc
import signal
from functools import partial
from threading import Thread
from threading import enumerate as threads
from typing import TYPE_CHECKING

import pytest
from anyio.from_thread import BlockingPortal

from cadenza_async import Cadenza, _portal

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from cadenza_async.sandbox import Sandbox

    Handler = Callable[[], None]
    Interrupt = Callable[[Handler], None]


@pytest.fixture
def interrupt() -> Iterator[Interrupt]:
    """Give what has the handler of SIGTERM do something; in the end no thread may be left."""
    before, running = signal.getsignal(signal.SIGTERM), set(threads())

    def install(handle: Handler) -> None:
        signal.signal(signal.SIGTERM, lambda *_: handle())

    yield install
    signal.signal(signal.SIGTERM, before)
    for thread in set(threads()) - running:
        thread.join(10)
        assert not thread.is_alive()


@pytest.fixture
def interrupt_start(interrupt: Interrupt, monkeypatch: pytest.MonkeyPatch) -> Interrupt:
    """Give what raises SIGTERM, too, as soon as the next thread has been started."""
    start = Thread.start

    def pressed(self: Thread) -> None:
        monkeypatch.undo()
        start(self)
        signal.raise_signal(signal.SIGTERM)

    def install(handle: Handler) -> None:
        interrupt(handle)
        monkeypatch.setattr(Thread, "start", pressed)

    return install


def press() -> None:
    """Do what Ctrl-C does."""
    raise KeyboardInterrupt


def enter(client: Cadenza) -> None:
    """Open a client, and leave it open."""
    client.__enter__()


def test_ctrl_c_while_it_begins(interrupt_start: Interrupt) -> None:
    """It ends, and the next client has one of its own."""
    interrupt_start(press)
    client = Cadenza("token")
    with pytest.raises(KeyboardInterrupt):
        client.__enter__()
    with client:
        pass


def test_a_handler_that_calls_while_it_begins(served: Sandbox, interrupt_start: Interrupt) -> None:
    """Neither the handler nor whom it interrupted waits for the other."""
    answers: list[str] = []

    def call() -> None:
        with Cadenza(base_url=served.url) as other:
            answers.append(other.health().status)

    interrupt_start(call)
    with Cadenza(base_url=served.url) as client:
        answers.append(client.health().status)
    assert answers == ["healthy"] * 2


def test_a_handler_that_opens_while_it_begins(served: Sandbox, interrupt_start: Interrupt) -> None:
    """What the handler leaves open goes on, in the same thread as whom it interrupted."""
    other = Cadenza(base_url=served.url)
    interrupt_start(partial(enter, other))
    with Cadenza(base_url=served.url) as client:
        assert client.health().status == other.health().status
    assert other.health().status == "healthy"
    other.__exit__(None, None, None)


def test_ctrl_c_before_a_client_closes(
    served: Sandbox,
    interrupt: Interrupt,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """It is closed with the loop then: nothing warns of connections that nobody closed."""
    interrupt(press)
    client = Cadenza(base_url=served.url).__enter__()
    client.health()

    def pressed(*_: object) -> None:
        signal.raise_signal(signal.SIGTERM)

    monkeypatch.setattr(BlockingPortal, "start_task_soon", pressed)
    with pytest.raises(KeyboardInterrupt):
        client.__exit__(None, None, None)
    assert not client._async._shared.is_open
    del client
    gc.collect()
    assert caplog.records == []


@pytest.mark.usefixtures("interrupt")
def test_no_loop(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where no loop can be made, as of too many open files, whoever opens a client is told."""

    def refuse() -> None:
        raise OSError(24, "Too many open files")

    monkeypatch.setattr(_portal, "_Loop", refuse)
    with pytest.raises(OSError, match="Too many open files"):
        Cadenza("token").__enter__()
