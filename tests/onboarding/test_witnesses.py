"""What an account or a credential in a list says of a row in doubt. No I/O."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from cadenza_async.models import Credential, TradingAccount
from cadenza_async.onboarding._credentials import Held
from cadenza_async.onboarding._row import Row
from cadenza_async.onboarding._states import RowState
from cadenza_async.onboarding._witnesses import AccountWitness, CredentialWitness
from tests.unit.samples import NOW, new_account

ACCOUNTS, CREDENTIALS = AccountWitness(), CredentialWitness()
EARLIER, LATER = NOW - timedelta(seconds=1), NOW + timedelta(seconds=1)
HELD = Held(credential_id="k-1", external_id="spot")


def row(held: Held | None = None, venue: str = "BINANCE") -> Row:
    """A row in doubt."""
    return Row(account=new_account(venue=venue), key="1", name="Desk 1", held=held)


def account(**given: Any) -> TradingAccount:
    """An account of another name, as it was made after the row was sent."""
    told = {"trading_account_id": "a-1", "venue": "BINANCE", "status": "ACTIVE", "name": "X"}
    return TradingAccount(**{**told, "created_at": NOW, "updated_at": NOW, **given})


def credential(**given: Any) -> Credential:
    """A credential of another name."""
    told = {"credential_id": "k-1", "venue": "BINANCE", "status": "ACTIVE", "name": "X"}
    return Credential(**{**told, **given})


@pytest.mark.parametrize(
    ("held", "told", "found"),
    [
        (None, {"name": "Desk 1"}, True),
        (HELD, {"credential_ids": ("k-1",)}, True),
        (HELD, {"credential_ids": ("k-2", "k-1")}, True),
        (HELD, {"credential_ids": ("k-2",)}, False),
        (HELD, {"credential_ids": ("k-2",), "external_trading_account_id": "spot"}, False),
        (HELD, {"external_trading_account_id": "spot"}, True),
        (HELD, {"external_trading_account_id": "margin"}, False),
        (HELD, {"name": "Desk 1"}, True),
        (HELD, {"name": "Desk 1", "external_trading_account_id": "margin"}, False),
        (HELD, {"name": "Desk 1", "credential_ids": ("k-2",)}, False),
    ],
)
@pytest.mark.parametrize("venue", ["BINANCE", "binance"])
def test_by_what_an_account_is_known(
    held: Held | None, told: dict[str, Any], venue: str, *, found: bool
) -> None:
    """By the best that it tells: its credential, the exchange's account, or its name."""
    signs = {*ACCOUNTS.signs(account(**told, venue=venue))}
    assert signs.isdisjoint(ACCOUNTS.marks(row(held))) is not found
    elsewhere = ACCOUNTS.signs(account(**told, venue="BYBIT"))
    by_keys = held is not None and "credential_ids" in told and found
    assert {*elsewhere}.isdisjoint(ACCOUNTS.marks(row(held, venue))) is not by_keys


def test_by_what_a_credential_is_known() -> None:
    """By venue and name, in whatever case the venue is written."""
    mine = {*CREDENTIALS.marks(row())}
    assert mine == {*CREDENTIALS.marks(row(venue="binance"))}
    assert mine == {*CREDENTIALS.signs(credential(name="Desk 1", venue="Binance"))}
    assert mine.isdisjoint(CREDENTIALS.signs(credential(name="Desk 1", venue="BYBIT")))
    assert mine.isdisjoint(CREDENTIALS.signs(credential(name="Desk 2")))


@pytest.mark.parametrize(
    ("held", "told", "renames", "doubtful"),
    [
        (None, {}, False, False),
        (None, {}, True, True),
        (None, {"name": "DESK"}, False, True),
        (None, {"name": "Desk 12"}, False, False),
        (None, {"name": "Desk", "venue": "BYBIT"}, False, False),
        (None, {"name": "Desk", "venue": "binance"}, False, True),
        (None, {"updated_at": LATER}, False, True),
        (None, {"updated_at": LATER, "created_at": EARLIER}, False, False),
        (None, {"updated_at": LATER, "venue": "BYBIT"}, False, False),
        (None, {"external_trading_account_id": "spot", "name": "Desk"}, False, True),
        (HELD, {}, True, True),
        (HELD, {"name": "Desk"}, False, True),
        (HELD, {"credential_ids": ("k-2",), "name": "Desk"}, True, False),
        (HELD, {"external_trading_account_id": "margin", "name": "Desk"}, True, False),
    ],
)
def test_whose_absence_proves_nothing(
    held: Held | None, told: dict[str, Any], *, renames: bool, doubtful: bool
) -> None:
    """A stranger that may be it under another name keeps a row from being sent again."""
    stranger = account(**told)
    doubt = ACCOUNTS.doubt(row(held), {"a-1"}, [stranger], since=NOW, renames=renames)
    assert (doubt is not None) is doubtful
    if doubt is not None:
        assert list(doubt.accounts) == [stranger]
        assert "1 account may be it" in str(doubt)


def test_an_unknown_beginning_makes_every_changed_account_doubtful() -> None:
    """It may have been made since."""
    changed = account(created_at=EARLIER, updated_at=LATER)
    assert ACCOUNTS.doubt(row(), {"a-1"}, [changed], since=None, renames=False) is not None


def test_names_that_are_changed_leave_doubt_without_strangers() -> None:
    """Unless accounts tell by what they were connected: then nobody needs their names."""
    facts: dict[str, Any] = {"since": NOW, "renames": True}
    doubt = ACCOUNTS.doubt(row(), set(), [], **facts)
    assert doubt is not None
    assert "Cadenza changes names" in str(doubt)
    assert ACCOUNTS.doubt(row(HELD), set(), [], **facts) is None
    doubt = CREDENTIALS.doubt(row(), set(), [], **facts)
    assert doubt is not None
    assert "Cadenza changes names" in str(doubt)


def test_what_the_exchange_is_said_to_be_connected_as() -> None:
    """No list shows it, or a stranger is it: a person decides. A row's own account is no doubt."""
    told = row(Held(credential_id="k-1", external_id="spot", told="a-1"))
    facts: dict[str, Any] = {"since": NOW, "renames": False}
    doubt = ACCOUNTS.doubt(told, {"a-2"}, [], **facts)
    assert doubt is not None
    assert "no list shows" in str(doubt)
    doubt = ACCOUNTS.doubt(told, {"a-1"}, [account(), account(trading_account_id="a-2")], **facts)
    assert doubt is not None
    assert [each.trading_account_id for each in doubt.accounts] == ["a-1"]
    assert ACCOUNTS.doubt(told, {"a-1"}, [], **facts) is None


@pytest.mark.parametrize(
    ("told", "renames", "doubtful"),
    [
        ({}, False, False),
        ({}, True, True),
        ({"name": "desk"}, False, True),
        ({"name": "Desk 12"}, False, False),
        ({"name": "Desk", "venue": "BYBIT"}, False, False),
    ],
)
def test_which_credential_may_hold_the_keys(
    told: dict[str, Any], *, renames: bool, doubtful: bool
) -> None:
    """The error names it, and says what to do about it."""
    given = [credential(**told)]
    doubt = CREDENTIALS.doubt(row(), {"k-1"}, given, since=NOW, renames=renames)
    assert (doubt is not None) is doubtful
    if doubt is not None:
        assert "k-1" in str(doubt)
        assert "revoke" in (doubt.remedy or "")


def test_what_a_row_comes_to() -> None:
    """An account makes it DONE with its keys; a credential is one more step."""
    assert ACCOUNTS.adopt(row(HELD), account()) == (RowState.DONE, account(), HELD)
    assert CREDENTIALS.adopt(row(), credential()) == (
        RowState.STORED,
        None,
        Held(credential_id="k-1"),
    )
    assert [CREDENTIALS.concern(row(held)) for held in (None, HELD)] == [True, False]
