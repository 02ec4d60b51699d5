"""A hundred rows in bad weather, and a client that crashes: each connected once, none lost."""

from __future__ import annotations

import os
import subprocess
import sys
from collections import Counter, defaultdict
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from attrs import evolve

from cadenza_async import JournalRow, RowOutcome, RowState
from cadenza_async.models import TradingAccount

from .facts import SETTLED, Facts
from .onboarding import ROWS, Flavour, play

if TYPE_CHECKING:
    from collections.abc import Sequence

_TESTS = Path(__file__).parents[1]
_PROGRAM = """
import importlib.util, sys
spec = importlib.util.spec_from_file_location("tests", sys.argv[1])
sys.modules["tests"] = importlib.util.module_from_spec(spec)
from tests.simulation.onboarding import play
print(play(int(sys.argv[2])).digest)
"""


def test_every_row_is_connected_once(job_seed: int) -> None:
    """However often the job dies, each account is there once, and the journal says so."""
    result = play(job_seed)
    assert result.wrong == ()
    assert sum(result.states.values()) == ROWS
    assert set(result.states) <= SETTLED


def test_every_row_is_stored_and_connected_once(reference_seed: int) -> None:
    """The same for jobs that store the keys first: one credential a row, and none untold."""
    result = play(reference_seed, flavour="credential")
    assert result.wrong == ()
    assert sum(result.states.values()) == ROWS
    assert set(result.states) <= SETTLED


def test_too_short_a_quarantine_stores_twice() -> None:
    """So does storing keys: a late request leaves a credential that nobody knows of."""
    assert _goes_wrong("credential", "stored 2 times", "orphaned")


def test_too_short_a_quarantine_connects_twice() -> None:
    """The simulation can fail: who does not wait for late requests connects accounts twice."""
    assert _goes_wrong("direct", "connected 2 times")


def _goes_wrong(flavour: Flavour, *complaints: str) -> bool:
    """Tell whether one of twenty jobs that hardly wait draws all of these complaints."""
    return any(
        all(any(each in told for told in wrong) for each in complaints)
        for wrong in (play(seed, quarantine=1.0, flavour=flavour).wrong for seed in range(20))
    )


def test_every_way_to_end_occurs() -> None:
    """Jobs are killed, cancelled, left and closed on a few seeds already."""
    endings = {how for seed in range(8) for how in play(seed, rows=20).endings}
    assert endings == {"killed", "cancelled", "left", "closed", "ended"}


@pytest.mark.parametrize("hash_seed", ["1", "2"])
def test_the_same_seed_gives_the_same_run(hash_seed: str) -> None:
    """Everything that happens is the same to the byte, in another process, too."""
    env = {**os.environ, "PYTHONHASHSEED": hash_seed}
    command = [sys.executable, "-c", _PROGRAM, str(_TESTS / "__init__.py"), "7"]
    there = subprocess.run(command, env=env, check=True, capture_output=True, text=True)
    assert there.stdout.strip() == play(7).digest


def _row(state: RowState, id_: str | None = None, credential: str | None = None) -> JournalRow:
    account = (
        None
        if id_ is None
        else TradingAccount(trading_account_id=id_, venue="BINANCE", status="ACTIVE")
    )
    return JournalRow(
        key="No0001",
        user="u-0",
        venue="BINANCE",
        name="No0001 desk",
        state=state,
        account=account,
        error=None,
        attempts=1,
        missing=False,
        credential_id=credential,
    )


@pytest.mark.parametrize(
    ("row", "there", "says"),
    [
        (None, [], "lost"),
        (_row(RowState.UNKNOWN), ["a"], "lost"),
        (_row(RowState.DONE), [], "without"),
        (_row(RowState.DONE, "a"), [], "DONE"),
        (_row(RowState.DONE, "a"), ["b"], "DONE"),
        (_row(RowState.FAILED), ["a"], "FAILED"),
        (_row(RowState.CONFLICT), ["a"], "conflict"),
    ],
)
def test_a_journal_that_does_not_fit_is_found(
    row: JournalRow | None, there: list[str], says: str
) -> None:
    """The audit names what is not as the journal says."""
    (complaint,) = _audit(row, there)
    assert says in complaint


@pytest.mark.parametrize(
    ("row", "stored", "says"),
    [
        (_row(RowState.FAILED), ["c"], "orphaned"),
        (_row(RowState.FAILED, credential="c"), ["d"], "orphaned"),
        (_row(RowState.FAILED, credential="c"), [], "says"),
        (_row(RowState.FAILED, credential="c"), ["c", "d"], "stored 2 times"),
    ],
)
def test_a_credential_that_does_not_fit_is_found(
    row: JournalRow, stored: list[str], says: str
) -> None:
    """The audit names what is stored and not told, and what is told and not stored."""
    assert says in " ".join(_audit(row, [], stored=stored))


def test_an_outcome_that_does_not_fit_is_found() -> None:
    """An outcome is held against the facts of its moment."""
    facts = _facts([], ["c"])
    outcome = RowOutcome(key="No0001", state=RowState.STORED, credential_id="c")
    assert facts.belie(outcome) is None
    assert facts.belie(evolve(outcome, credential_id=None)) is not None
    assert facts.belie(evolve(outcome, state=RowState.UNKNOWN, credential_id=None)) is None


def test_what_is_too_much_is_found() -> None:
    """The audit names accounts that are there twice, and sendings that nobody wrote down."""
    complaints = " ".join(_audit(_row(RowState.DONE, "a"), ["a", "b"], read=2))
    assert "connected 2 times" in complaints
    assert "read 2 times" in complaints


@pytest.mark.parametrize("row", [_row(RowState.DONE, "a"), _row(RowState.CONFLICT)])
def test_a_journal_that_fits_is_found_to_fit(row: JournalRow) -> None:
    """The audit has nothing to say about what is as it should be."""
    assert _audit(row, ["a"], trims=True) == []


def _audit(
    row: JournalRow | None,
    there: list[str],
    *,
    stored: Sequence[str] = (),
    read: int = 1,
    trims: bool = False,
) -> list[str]:
    facts = _facts(there, stored, read=read, trims=trims)
    return facts.audit(["No0001"], [row] if row else [])


def _facts(there: list[str], stored: Sequence[str], *, read: int = 1, trims: bool = False) -> Facts:
    return Facts(
        there=defaultdict(list, {"No0001": there}),
        stored=defaultdict(list, {"No0001": [*stored]}),
        read=Counter({"No0001": read}),
        trims=trims,
    )
