"""`Cadenza.onboard`: the same, in blocking code."""

from __future__ import annotations

import inspect
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest
from anyio.from_thread import start_blocking_portal

from cadenza_async import Cadenza, NewAccount, RowState, onboard
from cadenza_async.errors import ClosedError, ConfigError
from cadenza_async.sandbox import Sandbox

from .jobs import QUARANTINE, row

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture
def served() -> Iterator[Sandbox]:
    """Give a sandbox that runs in a thread."""
    with start_blocking_portal() as portal, portal.wrap_async_context_manager(Sandbox()) as sandbox:
        yield sandbox


def test_the_clients_own_rows(served: Sandbox, tmp_path: Path) -> None:
    """One outcome for each row, within and without a ``with`` block."""
    rows = [row(n, user=None) for n in range(20)]
    with Cadenza(served.access_token, base_url=served.url) as cadenza:
        with cadenza.onboard(rows, journal=tmp_path / "journal", quarantine=QUARANTINE) as run:
            first = {outcome.key: outcome.state for outcome in run}
            assert run.counts[RowState.DONE] == 20
            assert run.missing == 0
        again = [
            outcome.attempts
            for outcome in cadenza.onboard(
                rows, journal=tmp_path / "journal", quarantine=QUARANTINE
            )
        ]
    assert set(first.values()) == {RowState.DONE}
    assert again == [0] * 20
    assert len(served.accounts) == 20


def test_rows_of_users(served: Sandbox, tmp_path: Path) -> None:
    """With tokens it connects for others."""
    rows = [row(n, user=f"u-{n}") for n in range(3)]
    tokens = {f"u-{n}": served.token(f"u-{n}") for n in range(3)}
    with Cadenza(served.access_token, base_url=served.url) as cadenza:
        run = cadenza.onboard(rows, tokens=tokens, journal=tmp_path / "journal")
        assert {outcome.state for outcome in run} == {RowState.DONE}
    assert {a["userId"] for a in served.accounts} == {*tokens}


def test_leaving_stops(served: Sandbox, tmp_path: Path) -> None:
    """Leaving the block in the middle stops sending; the journal is free at once."""
    rows = [row(n, user=None) for n in range(400)]
    with Cadenza(served.access_token, base_url=served.url) as cadenza:
        with cadenza.onboard(rows, journal=tmp_path / "journal", quarantine=QUARANTINE) as run:
            assert next(run).state is RowState.DONE
        assert len(served.accounts) < 390
        with cadenza.onboard(rows, journal=tmp_path / "journal", quarantine=QUARANTINE) as run:
            assert {outcome.state for outcome in run} == {RowState.DONE}
    assert len(served.accounts) == 400


def test_errors_come_through(served: Sandbox, tmp_path: Path) -> None:
    """What is wrong with the journal is raised on entering; a closed client says so."""
    path = tmp_path / "journal"
    path.write_text("key,venue\n")
    with Cadenza(served.access_token, base_url=served.url) as cadenza:
        run = cadenza.onboard([], journal=path)
        with pytest.raises(ConfigError, match="no database"):
            run.__enter__()
    with pytest.raises(ClosedError):
        cadenza.onboard([], journal=path)


def test_a_run_ends_with_its_client(served: Sandbox, tmp_path: Path) -> None:
    """A run whose client was closed says so, closing it does no harm, and its journal is free."""
    rows = [row(n, user=None) for n in range(400)]
    with Cadenza(served.access_token, base_url=served.url) as cadenza:
        run = cadenza.onboard(rows, journal=tmp_path / "journal", quarantine=QUARANTINE)
        assert next(run).state is RowState.DONE
    with pytest.raises(ClosedError, match="is closed"):
        next(run)
    run.close()
    with Cadenza(served.access_token, base_url=served.url) as cadenza:
        again = cadenza.onboard(rows, journal=tmp_path / "journal", quarantine=QUARANTINE)
        assert {outcome.state for outcome in again} == {RowState.DONE}
    assert len(served.accounts) == 400


LEFT_TO_THE_END = """
import atexit, sys
from cadenza_async import Cadenza, NewAccount
from cadenza_async.errors import ClosedError

url, token, journal = sys.argv[1:]
keys = {"venue": "BINANCE", "api_key": "k", "api_secret": "s"}
client = Cadenza(token, base_url=url).__enter__()
run = client.onboard([NewAccount(key=str(n), **keys) for n in range(400)], journal=journal)
next(run)

def close():
    try:
        list(run)
    except ClosedError as error:
        print(error)
    run.close()
    client.__exit__(None, None, None)

atexit.register(close)
"""


def test_a_run_that_is_left_to_the_end_of_the_program(served: Sandbox, tmp_path: Path) -> None:
    """Python lets no journal be written then: the run says so, and the next one goes on."""
    path = tmp_path / "journal"
    finished = subprocess.run(
        [sys.executable, "-c", LEFT_TO_THE_END, served.url, served.access_token, str(path)],
        timeout=30,
        capture_output=True,
        check=False,
    )
    assert (finished.returncode, finished.stderr) == (0, b"")
    assert b"nothing can be written to the journal any more" in finished.stdout
    keys = {"venue": "BINANCE", "api_key": "k", "api_secret": "s"}
    rows = [NewAccount(key=str(n), **keys) for n in range(400)]
    with Cadenza(served.access_token, base_url=served.url) as cadenza:
        again = cadenza.onboard(rows, journal=path, quarantine=QUARANTINE)
        assert {outcome.state for outcome in again} == {RowState.DONE}
    assert len(served.accounts) == 400


def test_it_is_the_same_function() -> None:
    """Parameters and docstring are those of `onboard`."""
    blocking, original = inspect.signature(Cadenza.onboard), inspect.signature(onboard)
    assert [*blocking.parameters][1:] == [*original.parameters][1:]
    assert Cadenza.onboard.__doc__ == onboard.__doc__
