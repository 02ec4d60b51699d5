"""The endpoints of trading accounts."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from cadenza_async._answers import Page, read_account, read_accounts, read_operations
from cadenza_async._calls import CONNECT, Call, RateClass
from cadenza_async._checks import check_given, check_moment, check_text
from cadenza_async._endpoints._parts import LONGEST_LIST, PAGE_LIMIT, given
from cadenza_async._wire import milliseconds
from cadenza_async.errors import UsageError

if TYPE_CHECKING:
    from datetime import datetime

    from cadenza_async.config import Dialect
    from cadenza_async.models import NewAccount, Operation, TradingAccount

_LOOK_AT_ACCOUNT = (
    "Look with client.get_account what state the account is in, before you repeat the call."
)


def connect_account(account: NewAccount) -> Call[TradingAccount]:
    """``POST /api/v3/tradingAccount/connect``."""
    return Call(
        method="POST",
        path=CONNECT,
        body=account,
        read=partial(read_account, venue=account.venue),
        write=True,
        rate_class=RateClass.ACCOUNTS,
        venue=account.venue,
        name=account.name,
    )


def connect_with_credential(
    credential_id: str, external_trading_account_id: str, *, name: str | None = None
) -> Call[TradingAccount]:
    """``POST /api/v3/tradingAccount/connect``, by reference to a stored credential."""
    check_text("credential_id", credential_id)
    check_text("external_trading_account_id", external_trading_account_id)
    check_given(name=name, required=False)
    return Call(
        method="POST",
        path=CONNECT,
        body=given(
            credentialIds=[credential_id],
            externalTradingAccountId=external_trading_account_id,
            nickname=name,
        ),
        read=read_account,
        write=True,
        rate_class=RateClass.ACCOUNTS,
        name=name,
        external_id=external_trading_account_id,
        credential_id=credential_id,
    )


def connect_venue(venue: str, *, name: str | None = None) -> Call[TradingAccount]:
    """``POST /api/v3/tradingAccount/connect``, of a venue that knows no credentials."""
    check_text("venue", venue)
    check_given(name=name, required=False)
    return Call(
        method="POST",
        path=CONNECT,
        body=given(venue=venue, nickname=name),
        read=partial(read_account, venue=venue),
        write=True,
        rate_class=RateClass.ACCOUNTS,
        venue=venue,
        name=name,
    )


def disconnect_account(trading_account_id: str) -> Call[TradingAccount]:
    """``POST /api/v3/tradingAccount/disconnect``."""
    return _account_write("disconnect", trading_account_id)


def enable_account(trading_account_id: str) -> Call[TradingAccount]:
    """``POST /api/v3/tradingAccount/enable``."""
    return _account_write("enable", trading_account_id)


def disable_account(trading_account_id: str) -> Call[TradingAccount]:
    """``POST /api/v3/tradingAccount/disable``."""
    return _account_write("disable", trading_account_id)


def rename_account(trading_account_id: str, name: str) -> Call[TradingAccount]:
    """``POST /api/v3/tradingAccount/update``."""
    check_text("name", name)
    return _account_write("update", trading_account_id, nickname=name)


def _account_write(verb: str, trading_account_id: str, **more: str) -> Call[TradingAccount]:
    check_text("trading_account_id", trading_account_id)
    return Call(
        method="POST",
        path=f"tradingAccount/{verb}",
        body={"tradingAccountId": trading_account_id, **more},
        read=read_account,
        write=True,
        rate_class=RateClass.ACCOUNTS,
        remedy=_LOOK_AT_ACCOUNT,
    )


def list_accounts(
    *,
    venue: str | None = None,
    status: str | None = None,
    trading_account_id: str | None = None,
    offset: int = 0,
    dialect: Dialect = "pages",
) -> Call[Page[TradingAccount]]:
    """``GET /api/v3/tradingAccount/list``, one page of it."""
    check_given(venue=venue, status=status, trading_account_id=trading_account_id)
    spelling = "status" if dialect == "pages" else "accountStatus"
    return Call(
        method="GET",
        path="tradingAccount/list",
        query=given(tradingAccountId=trading_account_id, venue=venue, **{spelling: status})
        | {"limit": str(PAGE_LIMIT), "offset": str(offset)},
        read=read_accounts,
        write=False,
        rate_class=RateClass.READS,
        longest=LONGEST_LIST,
    )


def list_operations(
    *,
    trading_account_id: str | None = None,
    operation_type: str | None = None,
    since: datetime | None = None,
    until: datetime | None = None,
    offset: int = 0,
) -> Call[Page[Operation]]:
    """``GET /api/v3/tradingAccount/operation/list``, one page of it."""
    check_given(trading_account_id=trading_account_id, operation_type=operation_type)
    start, end = _time("since", since), _time("until", until)
    if since and until and since > until:
        raise UsageError("since is later than until")
    return Call(
        method="GET",
        path="tradingAccount/operation/list",
        query=given(
            tradingAccountId=trading_account_id,
            operationType=operation_type,
            startTime=start,
            endTime=end,
        )
        | {"limit": str(PAGE_LIMIT), "offset": str(offset)},
        read=read_operations,
        write=False,
        rate_class=RateClass.READS,
        longest=LONGEST_LIST,
    )


def _time(argument: str, moment: datetime | None) -> str | None:
    """Return a time as a query names it.

    Raises:
        UsageError: If it is no time, or has no time zone.
    """
    if moment is None:
        return None
    check_moment(argument, moment)
    return str(milliseconds(moment))
