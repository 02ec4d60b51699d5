"""A hundred accounts in bad weather: none twice, none lost, and nothing said that is not so."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from cadenza_async.models import Attempt

from . import onboarding
from .books import Books
from .play import ACCOUNTS, play

if TYPE_CHECKING:
    from collections.abc import Callable

_TESTS = Path(__file__).parents[1]
_PROGRAM = """
import importlib.util, sys
spec = importlib.util.spec_from_file_location("tests", sys.argv[1])
sys.modules["tests"] = importlib.util.module_from_spec(spec)
print(importlib.import_module(sys.argv[2]).play(int(sys.argv[3])).digest)
"""


def test_every_account_is_connected_once(seed: int) -> None:
    """Whatever goes wrong, a sensible engine gets each account once, and was never told a lie."""
    result = play(seed)
    assert result.wrong == ()
    assert result.connected + result.conflicts == ACCOUNTS
    assert result.unknown


def test_too_short_a_quarantine_connects_twice() -> None:
    """The simulation can fail: who does not wait for late requests connects accounts twice."""
    wrong = [complaint for seed in range(5) for complaint in play(seed, quarantine=1.0).wrong]
    assert any("connected 2 times" in complaint for complaint in wrong)


@pytest.mark.parametrize("hash_seed", ["1", "2"])
@pytest.mark.parametrize("kind", [play, onboarding.play], ids=["engines", "a job"])
def test_the_same_seed_gives_the_same_run(kind: Callable[[int], Any], hash_seed: str) -> None:
    """Everything that happens is the same to the byte, in another process, too."""
    env = {**os.environ, "PYTHONHASHSEED": hash_seed}
    command = [sys.executable, "-c", _PROGRAM, str(_TESTS / "__init__.py"), kind.__module__, "7"]
    there = subprocess.run(command, env=env, check=True, capture_output=True, text=True)
    assert there.stdout.strip() == kind(7).digest


def test_another_seed_gives_another_run() -> None:
    """The seed decides."""
    assert play(1, accounts=5).digest != play(2, accounts=5).digest


def _books(*verdicts: str, names: list[str], **cleared: Any) -> Books:
    books = Books(lambda: names)
    books.open("No0001 desk")
    for number, verdict in enumerate(verdicts):
        books.attempted(
            Attempt(
                method="POST",
                path="",
                number=number,
                verdict=verdict,
                seconds=0,
                name="No0001 desk",
            )
        )
    if cleared:
        books.cleared("No0001 desk", **cleared)
    return books


@pytest.mark.parametrize("verdict", ["refused", "throttled", "venue failed", "not sent"])
def test_a_no_about_an_account_that_exists_is_wrong(verdict: str) -> None:
    """The books find what was done although the client says it was not."""
    assert _books(verdict, names=[]).wrong == []
    assert len(_books(verdict, names=["No0001 desk"]).wrong) == 1


def test_a_yes_about_an_account_that_does_not_exist_is_wrong() -> None:
    """The books find what was not done although the client says it was."""
    assert _books("done", names=["No0001 desk"]).wrong == []
    assert len(_books("done", names=[]).wrong) == 1
    assert len(_books("unknown", names=[], found=True).wrong) == 1


def test_sending_again_in_doubt_is_wrong() -> None:
    """The books find a connect that was repeated before its outcome was known."""
    assert _books("unknown", names=[], found=False).wrong == []
    assert len(_books("unknown", "not sent", names=[]).wrong) == 1


def test_the_last_look_finds_what_is_missing_or_too_much() -> None:
    """At the end every name is there once, and the server read no more than it was said to."""
    for names, settled, read in (
        (["No0001 desk"] * 2, "connected", 1),
        ([], "connected", 1),
        (["No0001 desk"], "connected", 2),
        (["No0001 desk"], None, 1),
    ):
        books = _books("unknown", names=names)
        if settled:
            books.settle("No0001 desk", settled)
        books.wrong.clear()
        books.close(["No0001 desk"] * read)
        assert len(books.wrong) == 1
