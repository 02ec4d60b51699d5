"""`TradingAccount`: three texts that are always there, the rest perhaps."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any, assert_type

from cadenza_async import AccountStatus, TradingAccount, Venue


def fields(account: TradingAccount) -> None:
    """What may be missing has to be looked at before it is used."""
    assert_type(account.trading_account_id, str)
    assert_type(account.venue, str)
    assert_type(account.status, str)
    assert_type(account.user_id, str | None)
    assert_type(account.name, str | None)
    assert_type(account.account_type, str | None)
    assert_type(account.created_at, datetime | None)
    assert_type(account.updated_at, datetime | None)
    assert_type(account.external_trading_account_id, str | None)
    assert_type(account.credential_ids, tuple[str, ...])
    assert_type(account.extra, Mapping[str, Any])
    account.name.upper()  # type: ignore[union-attr]  # pyright: ignore[reportOptionalMemberAccess]


def comparing(account: TradingAccount) -> bool:
    """Words may be compared with those that are known."""
    return account.venue == Venue.BINANCE and account.status == AccountStatus.ACTIVE


def frozen(account: TradingAccount) -> None:
    """A value is not changed."""
    account.name = "other"  # type: ignore[misc]  # pyright: ignore[reportAttributeAccessIssue]
    account.extra["x"] = 1  # type: ignore[index]  # pyright: ignore[reportIndexIssue]


def making() -> None:
    """Tests of users make accounts of their own."""
    TradingAccount(trading_account_id="id", venue="BINANCE", status="ACTIVE")
    TradingAccount(venue="BINANCE", status="ACTIVE")  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
    TradingAccount("id", "BINANCE", "ACTIVE")  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
