"""A hundred rows in bad weather, a client that crashes, and meddlers: each connected once."""

from __future__ import annotations

from collections import Counter
from itertools import chain

import pytest

from cadenza_async import RowState

from .facts import SETTLED
from .meddling import DEEDS, DEEDS_WITH_CREDENTIALS
from .network import Process
from .onboarding import QUARANTINE, ROWS, Flavour, play


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
    assert _goes_wrong("credential", "stored 2 times", "orphaned", quarantine=1.0)


def test_too_short_a_quarantine_connects_twice() -> None:
    """The simulation can fail: who does not wait for late requests connects accounts twice."""
    assert _goes_wrong("direct", "connected 2 times", quarantine=1.0)


@pytest.mark.parametrize("question", ["was_changed", "is_older"])
def test_who_does_not_mind_renamed_accounts_connects_twice(
    monkeypatch: pytest.MonkeyPatch, question: str
) -> None:
    """Nor what clocks that are wrong, or set, may make of them."""
    wrong = {"was_changed": False, "is_older": True}[question]
    monkeypatch.setattr(f"cadenza_async.onboarding._witnesses.{question}", lambda *_: wrong)
    assert _goes_wrong("direct", "connected 2 times")


def _goes_wrong(flavour: Flavour, *complaints: str, quarantine: float = QUARANTINE) -> bool:
    """Tell whether one of twenty jobs draws all of these complaints."""
    return any(
        all(any(each in told for told in wrong) for each in complaints)
        for wrong in (
            play(seed, flavour=flavour, quarantine=quarantine).wrong for seed in range(20)
        )
    )


def test_everything_occurs() -> None:
    """On a few seeds already jobs end in all ways, and somebody else does everything."""
    results = [play(seed, rows=20) for seed in range(8)]
    stored = [play(seed, rows=20, flavour="credential") for seed in range(8)]
    endings = {*chain.from_iterable(result.endings for result in results)}
    assert endings == {"killed", "cancelled", "left", "closed", "ended"}
    assert {*chain.from_iterable(result.deeds for result in results)} == {*DEEDS}
    deeds = {*chain.from_iterable(result.deeds for result in stored)}
    assert deeds == {*DEEDS, *DEEDS_WITH_CREDENTIALS}
    assert any(result.steps for result in results)
    assert any(result.trims for result in results)


def test_a_machine_that_falls_asleep_loses_its_connections(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Those of the process that is running then."""
    lost: list[bool] = []
    cut_off = Process.cut_off

    def watched(process: Process) -> None:
        lost.append(not process.killed and not all(end._closed for end in process._ends))
        cut_off(process)

    monkeypatch.setattr(Process, "cut_off", watched)
    for seed in range(8):  # each may find it at rest; the interpreter has a say in their course
        play(seed, rows=20, flavour="credential")
    assert any(lost)


def test_conflicts_are_rare() -> None:
    """It is not by leaving everything to people that no account is connected twice."""
    states = sum((play(seed).states for seed in range(4)), Counter[RowState]())
    assert 0 < states[RowState.CONFLICT] < states.total() / 10
