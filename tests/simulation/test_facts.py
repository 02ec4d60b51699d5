"""What the server knows against what a job says: what does not fit is found."""

from __future__ import annotations

from collections import Counter, defaultdict
from typing import TYPE_CHECKING, Any

import pytest
from attrs import evolve

from cadenza_async import JournalRow, RowOutcome, RowState
from cadenza_async.errors import AmbiguousOutcomeError
from cadenza_async.models import TradingAccount

from .facts import Facts

if TYPE_CHECKING:
    from collections.abc import Sequence

_PLACE = ("u-0", "BINANCE")
_A = TradingAccount(trading_account_id="a", venue="BINANCE", status="ACTIVE")


def _row(
    state: RowState,
    id_: str | None = None,
    credential: str | None = None,
    named: Sequence[TradingAccount] = (),
) -> JournalRow:
    account = None if id_ is None else evolve(_A, trading_account_id=id_)
    return JournalRow(
        key="No0001",
        user="u-0",
        venue="BINANCE",
        name="No0001 desk",
        state=state,
        account=account,
        error=AmbiguousOutcomeError("", accounts=named) if named else None,
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
    facts = _facts([], stored=["c"])
    outcome = RowOutcome(key="No0001", state=RowState.STORED, credential_id="c")
    assert facts.belie(outcome) is None
    assert facts.belie(evolve(outcome, credential_id=None)) is not None
    assert facts.belie(evolve(outcome, state=RowState.UNKNOWN, credential_id=None)) is None


def test_what_is_too_much_is_found() -> None:
    """The audit names accounts that are there twice, and sendings that nobody wrote down."""
    complaints = " ".join(_audit(_row(RowState.DONE, "a"), ["a", "b"], read=Counter(No0001=2)))
    assert "connected 2 times" in complaints
    assert "read 2 times" in complaints


@pytest.mark.parametrize(
    ("row", "about"),
    [
        (_row(RowState.DONE, "a"), {}),
        (_row(RowState.CONFLICT), {"lenient": True}),
        (_row(RowState.CONFLICT), {"touched": [_PLACE]}),
        (_row(RowState.CONFLICT, named=[_A]), {"touched": [_PLACE], "changed": ["a"]}),
        (_row(RowState.DONE, "a", "c"), {"stored": ["b", "c"], "revoked": ["b"]}),
        (_row(RowState.DONE, "b", "c"), {"there": [], "stored": ["c"], "others": ["b"]}),
        (_row(RowState.DONE, "b", "d"), {"namesakes": True}),
    ],
    ids=["done", "trimmed", "touched", "changed", "revoked", "connected by hand", "a namesake"],
)
def test_a_journal_that_fits_is_found_to_fit(row: JournalRow, about: dict[str, Any]) -> None:
    """The audit has nothing to say about what is as it should be, or somebody else's doing."""
    assert _audit(row, **({"there": ["a"]} | about)) == []


@pytest.mark.parametrize(
    ("row", "about"),
    [
        (_row(RowState.CONFLICT), {"touched": [("u-0", "BYBIT"), ("u-1", "BINANCE")]}),
        (_row(RowState.CONFLICT, named=[_A]), {"touched": [_PLACE], "changed": ["b"]}),
        (_row(RowState.DONE, "b"), {"others": ["b"]}),
        (_row(RowState.DONE, "b"), {"there": [], "others": ["c"]}),
        (_row(RowState.FAILED), {"stored": ["b", "c"], "revoked": ["b"], "there": []}),
        (_row(RowState.FAILED), {"namesakes": True}),
        (_row(RowState.DONE, "a"), {"there": ["a", "b"], "namesakes": True}),
    ],
    ids=[
        "touched elsewhere",
        "not changed",
        "both",
        "another",
        "not revoked",
        "failed",
        "too many",
    ],
)
def test_somebody_else_is_no_excuse_for_everything(row: JournalRow, about: dict[str, Any]) -> None:
    """What the job has made itself has to fit."""
    assert len(_audit(row, **({"there": ["a"]} | about))) == 1


def test_an_account_of_two_rows_is_found() -> None:
    """Whoever made it, it is the account of one row."""
    rows = [_row(RowState.DONE, "b"), evolve(_row(RowState.DONE, "b"), key="No0002")]
    assert "of 2 rows" in " ".join(_facts(["a"], namesakes=True).audit(["No0001"], rows))


def _audit(row: JournalRow | None, there: list[str], **about: Any) -> list[str]:
    return _facts(there, **about).audit(["No0001"], [row] if row else [])


def _facts(
    there: list[str], *, stored: Sequence[str] = (), others: Sequence[str] = (), **about: Any
) -> Facts:
    facts: dict[str, Any] = {
        "there": defaultdict(list, {"No0001": there}),
        "others": defaultdict(list, {"No0001": [*others]}),
        "stored": defaultdict(list, {"No0001": [*stored]}),
        "revoked": (),
        "read": Counter({"No0001": 1}),
        "touched": (),
        "changed": (),
        "lenient": False,
        "namesakes": False,
    }
    return Facts(**(facts | about))
