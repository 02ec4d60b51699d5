"""A pytest plugin for the tests of your own code, around an embedded sandbox.

It is found by itself once the package is installed. The sandbox runs in a thread, so neither an
async plugin nor a running loop is needed, and nothing of the package is imported before one of
the fixtures is asked for.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from anyio.from_thread import BlockingPortal

    from cadenza_async.client import AsyncCadenza
    from cadenza_async.sandbox import Fault, Sandbox
    from cadenza_async.sync import Cadenza


@pytest.fixture
def _cadenza_portal() -> Iterator[BlockingPortal]:
    from anyio.from_thread import start_blocking_portal

    with start_blocking_portal() as portal:
        yield portal


@pytest.fixture
def cadenza_sandbox(_cadenza_portal: BlockingPortal) -> Iterator[Sandbox]:
    """An embedded Cadenza, as `cadenza_async.sandbox.Sandbox` describes it, for one test."""
    from cadenza_async.sandbox import Sandbox

    with _cadenza_portal.wrap_async_context_manager(Sandbox()) as sandbox:
        yield sandbox


@pytest.fixture
def cadenza_client(cadenza_sandbox: Sandbox) -> AsyncCadenza:
    """A client of that sandbox, to be opened with ``async with`` in your test."""
    from cadenza_async.client import AsyncCadenza

    return AsyncCadenza(
        cadenza_sandbox.access_token, base_url=cadenza_sandbox.url, dialect=cadenza_sandbox.dialect
    )


@pytest.fixture
def cadenza_blocking_client(cadenza_sandbox: Sandbox) -> Iterator[Cadenza]:
    """An open blocking client of that sandbox."""
    from cadenza_async.sync import Cadenza

    with Cadenza(
        cadenza_sandbox.access_token, base_url=cadenza_sandbox.url, dialect=cadenza_sandbox.dialect
    ) as client:
        yield client


@pytest.fixture
def cadenza_faults(
    cadenza_sandbox: Sandbox, _cadenza_portal: BlockingPortal
) -> Callable[..., None]:
    """A function that makes that sandbox misbehave: ``cadenza_faults("drop-after-commit")``.

    It takes what ``Sandbox.script`` takes.
    """

    def script(*faults: Fault | str) -> None:
        _cadenza_portal.call(cadenza_sandbox.script, *faults)

    return script
