"""What holds for every test: nothing blocks the loop, and nothing is left behind in it."""

from __future__ import annotations

import asyncio
import gc
import inspect
import os
import signal
from typing import TYPE_CHECKING, Any

import hypothesis
import pytest
from blockbuster import blockbuster_ctx

from cadenza_async.sandbox import Sandbox

from .canned import Canned
from .loops import LOOPS

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Iterator

# The same examples on every run and machine; a slow machine is no failure.
hypothesis.settings.register_profile("repeatable", derandomize=True, deadline=None)
hypothesis.settings.load_profile("repeatable")

_SETTINGS = {"COLUMNS", "FORCE_COLOR", "NO_COLOR", "PYTHONUNBUFFERED"}

# Nobody's own settings decide whether a test passes.
for _name in [*os.environ]:
    if _name.startswith("CADENZA_") or _name in _SETTINGS:
        del os.environ[_name]

# Nor does what started them: a shell has Ctrl-C ignored in its background, nohup a hangup.
signal.signal(signal.SIGINT, signal.default_int_handler)
if hasattr(signal, "SIGHUP"):  # not on Windows
    signal.signal(signal.SIGHUP, signal.SIG_DFL)


def pytest_asyncio_loop_factories(
    item: pytest.Item,
) -> dict[str, Callable[[], asyncio.AbstractEventLoop]]:
    """Give every loop to the tests that ask for loops by name; the others run in asyncio's own."""
    marker = item.get_closest_marker("asyncio")
    asked = marker is not None and "loop_factories" in marker.kwargs
    return LOOPS if asked else {"asyncio": LOOPS["asyncio"]}


@pytest.fixture(autouse=True, scope="session")
def _nothing_blocks_the_loop() -> Iterator[None]:
    """Turn a blocking call of ours inside a running loop into an error.

    What tests themselves do in a loop (reading a file) is theirs. The facade blocks on purpose,
    and may be called by somebody who has a loop running.
    """
    facade = ["cadenza_async._portal", "cadenza_async.sync"]
    with blockbuster_ctx("cadenza_async", excluded_modules=facade) as blockbuster:
        # Coverage takes a lock of its own when a thread meets a file for the first time.
        acquire = blockbuster.functions["threading.Lock.acquire"]
        acquire.can_block_in("coverage/collector.py", {"lock_data"})
        yield


@pytest.fixture(autouse=True)
def _loops_end_clean(request: pytest.FixtureRequest) -> None:
    """Watch the loop of async tests; the others need none."""
    if inspect.iscoroutinefunction(getattr(request.node, "obj", None)):
        request.getfixturevalue("_clean_loop")


@pytest.fixture
async def _clean_loop() -> AsyncIterator[None]:
    """Fail a test that leaves a task behind, or an error that nobody saw."""
    complaints: list[dict[str, Any]] = []
    asyncio.get_running_loop().set_exception_handler(lambda _, context: complaints.append(context))
    before = asyncio.all_tasks()
    yield
    await asyncio.sleep(0)  # what was cancelled last has not run since
    gc.collect(1)  # a task that failed often holds on to itself, and tells only when it goes
    left = asyncio.all_tasks() - before - {asyncio.current_task()}
    assert not left
    assert not complaints


@pytest.fixture
async def sandbox() -> AsyncIterator[Sandbox]:
    """Give an embedded Cadenza of the test's own."""
    async with Sandbox() as sandbox:
        yield sandbox


@pytest.fixture
def canned() -> Iterator[Canned]:
    """Answer requests with what the test says, without any network."""
    canned = Canned()
    with canned:
        yield canned
