"""Which accounts may be what a connect made. No I/O."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from cadenza_async._clock import ServerClock
from cadenza_async._reconcile import Question, candidates_for, choose, is_older, lead_of
from cadenza_async.errors import AmbiguousOutcomeError, OutcomeUnknownError, UsageError
from cadenza_async.models import TradingAccount

from .samples import NOW


def question(**given: Any) -> Question:
    """A connect to Binance."""
    return Question(**{"venue": "BINANCE", "name": "Desk", "since": NOW, **given})


def referring(**given: Any) -> Question:
    """A connect by reference, without a name."""
    return question(
        **{"venue": None, "name": None, "external_id": "spot", "credential_id": "k-1", **given}
    )


def account(**given: Any) -> TradingAccount:
    """An account at Binance."""
    told = {"trading_account_id": "a-1", "venue": "BINANCE", "status": "ACTIVE", "name": "Desk"}
    return TradingAccount(**{**told, **given})


@pytest.mark.parametrize(
    ("asked", "told", "allowed"),
    [
        (question(), {}, True),
        (question(), {"venue": "binance"}, True),
        (question(), {"venue": "BYBIT"}, False),
        (question(), {"credential_ids": ("k-1",)}, True),
        (question(), {"external_trading_account_id": "spot"}, True),
        (referring(), {"venue": "BYBIT"}, True),
        (referring(), {"external_trading_account_id": "spot"}, True),
        (referring(), {"external_trading_account_id": "margin"}, False),
        (referring(), {"credential_ids": ("k-1", "k-2")}, True),
        (referring(), {"credential_ids": ("k-2",)}, False),
        (referring(credential_id=None), {"credential_ids": ("k-2",)}, True),
    ],
)
def test_what_an_account_may_be(asked: Question, told: dict[str, Any], *, allowed: bool) -> None:
    """All that it does not contradict; what either leaves open contradicts nothing."""
    assert asked.allows(account(**told)) is allowed


@pytest.mark.parametrize(
    ("asked", "told", "is_it"),
    [
        (referring(), {"external_trading_account_id": "spot", "credential_ids": ("k-1",)}, True),
        (referring(), {"external_trading_account_id": "spot"}, False),
        (referring(), {"credential_ids": ("k-1",)}, False),
        (referring(external_id=None), {"credential_ids": ("k-1",)}, False),
    ],
)
def test_what_a_connect_refers_to(asked: Question, told: dict[str, Any], *, is_it: bool) -> None:
    """It takes both: keys open several accounts, and an account has several keys."""
    assert asked.refers_to(account(**told)) is is_it
    assert asked.fits(account(**told)) is is_it


@pytest.mark.parametrize(
    ("created", "older"),
    [
        (None, False),
        (datetime(1970, 1, 21, tzinfo=UTC), False),
        (datetime(1999, 12, 31, tzinfo=UTC), False),
        (datetime(2000, 1, 1, tzinfo=UTC), True),
        (NOW - timedelta(seconds=3, milliseconds=1), True),
        (NOW - timedelta(seconds=3), False),
        (NOW, False),
    ],
)
def test_what_was_there_before(created: datetime | None, *, older: bool) -> None:
    """What is surely dated before the connect; no date, or one that cannot be, is not."""
    lead = timedelta(seconds=-3)
    assert is_older(created, NOW, lead) is older
    found = candidates_for(question(), [account(created_at=created)], lead)
    assert bool(found) is not older


def test_how_far_clocks_are_trusted() -> None:
    """To minutes as long as the server has told nothing, to seconds from then on."""
    clock = ServerClock(lambda: 1000.0, lambda: 0.0)
    assert lead_of(clock) == timedelta(minutes=-5)
    clock.observe(1030.0, sent=0.0, received=0.0)
    assert lead_of(clock) == timedelta(seconds=30 - 5)


@pytest.mark.parametrize(
    ("name", "given", "alike"),
    [
        ("Desk 12", {"name": " desk  12"}, True),
        ("Desk 12", {"name": "Desk 1"}, False),
        ("Desk 12", {"name": None}, False),
        ("0123456789abcdef-tail", {"name": "0123456789abcdef"}, True),
        ("0123456789abcdef-tail", {"name": "0123456789abcde"}, False),
        ("0123456789abcdef", {"name": "0123456789abcdef-tail"}, False),
        ("Desk 12", {"name": "X", "created_at": NOW, "updated_at": NOW}, False),
        ("Desk 12", {"name": "X", "created_at": NOW, "updated_at": None}, False),
        ("Desk 12", {"name": "X", "created_at": None, "updated_at": NOW}, False),
        ("Desk 12", {"name": "X", "created_at": NOW, "updated_at": NOW + timedelta(1)}, True),
        ("Desk 12", {"name": "X", "created_at": NOW, "updated_at": NOW - timedelta(1)}, True),
    ],
)
def test_whose_name_may_have_been_another(name: str, given: dict[str, Any], *, alike: bool) -> None:
    """Trimmed, cut to no less than sixteen characters, or changed since: a person decides."""
    asked, there = question(name=name), [account(**given)]
    if alike:
        with pytest.raises(AmbiguousOutcomeError) as doubt:
            choose(asked, there, renames=False)
        assert list(doubt.value.accounts) == there
    else:
        assert choose(asked, there, renames=False) is None
    with pytest.raises(AmbiguousOutcomeError):
        choose(asked, there, renames=True)


def test_two_of_one_name_are_too_many() -> None:
    """One alone is the answer, however many of other names there are."""
    one, two = account(), account(trading_account_id="a-2")
    other = account(trading_account_id="a-3", name="Other", created_at=NOW, updated_at=NOW)
    assert choose(question(), [one, other], renames=True) is one
    with pytest.raises(AmbiguousOutcomeError, match=r"^2 accounts of BINANCE") as doubt:
        choose(question(), [one, other, two], renames=True)
    assert list(doubt.value.accounts) == [one, two]
    with pytest.raises(AmbiguousOutcomeError):
        choose(question(name=None), [other], renames=False)


@pytest.mark.parametrize("path", [None, "/api/v2/tradingAccount/disable"])
def test_only_a_connect_can_be_asked_about(path: str | None) -> None:
    """Or what may be one."""
    error = OutcomeUnknownError("lost", venue="BINANCE", sent_at=NOW, path=path)
    given: dict[str, Any] = {"venue": None, "name": None, "since": None}
    if path is None:
        assert Question.about(error, **given).unanswered
    else:
        with pytest.raises(UsageError, match="connects nothing"):
            Question.about(error, **given)


@pytest.mark.parametrize("name", ["", "Desk"])
def test_an_empty_name_is_a_name(name: str) -> None:
    """As it is where accounts are connected."""
    asked = Question.about(None, venue="BINANCE", name=name, since=NOW)
    assert asked.name == name
    assert not asked.unanswered
