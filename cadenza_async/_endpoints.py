"""Every endpoint as a value: what to send and how to read the answer. No I/O."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from cadenza_async._calls import MIB, Call, RateClass
from cadenza_async._wire import Grant, Page, read_account, read_grant, read_page
from cadenza_async.models import check_text

if TYPE_CHECKING:
    from cadenza_async.auth import PasswordLogin
    from cadenza_async.models import NewAccount, TradingAccount
    from cadenza_async.secret import Secret

_PAGE_LIMIT = 100  # the highest that every description of the endpoint allows
_LONGEST_LIST = 16 * MIB


def connect_account(account: NewAccount) -> Call[TradingAccount]:
    """``POST /api/v3/tradingAccount/connect``."""
    return Call(
        method="POST",
        path="tradingAccount/connect",
        body=account,
        read=partial(read_account, venue=account.venue),
        write=True,
        rate_class=RateClass.ACCOUNTS,
        venue=account.venue,
        name=account.name,
    )


def disconnect_account(trading_account_id: str) -> Call[TradingAccount]:
    """``POST /api/v3/tradingAccount/disconnect``."""
    check_text("trading_account_id", trading_account_id)
    return Call(
        method="POST",
        path="tradingAccount/disconnect",
        body={"tradingAccountId": trading_account_id},
        read=read_account,
        write=True,
        rate_class=RateClass.ACCOUNTS,
    )


def list_accounts(
    *, venue: str | None = None, status: str | None = None, offset: int = 0
) -> Call[Page]:
    """``GET /api/v3/tradingAccount/list``, one page of it."""
    given = {"venue": venue, "status": status}
    for argument, value in given.items():
        if value is not None:
            check_text(argument, value)
    query = {argument: value for argument, value in given.items() if value is not None}
    return Call(
        method="GET",
        path="tradingAccount/list",
        query=query | {"limit": str(_PAGE_LIMIT), "offset": str(offset)},
        read=read_page,
        write=False,
        rate_class=RateClass.READS,
        longest=_LONGEST_LIST,
    )


def login(login: PasswordLogin) -> Call[Grant]:
    """``POST /api/v3/auth/login``; logging in twice does no harm."""
    return Call(
        method="POST",
        path="auth/login",
        body={"email": login.email, "password": login.password},
        read=read_grant,
        write=False,
        rate_class=RateClass.AUTHENTICATION,
        authenticated=False,
    )


def refresh(refresh_token: Secret) -> Call[Grant]:
    """``POST /api/v3/auth/token/refresh``; it spends the refresh token."""
    return Call(
        method="POST",
        path="auth/token/refresh",
        body={"refreshToken": refresh_token},
        read=read_grant,
        write=True,
        rate_class=RateClass.AUTHENTICATION,
        authenticated=False,
    )
