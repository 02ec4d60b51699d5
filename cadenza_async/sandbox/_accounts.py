"""The endpoints of trading accounts: connect, list, disconnect."""

from __future__ import annotations

from typing import TYPE_CHECKING

from attrs import evolve

from cadenza_async.sandbox import _exchange as exchange
from cadenza_async.sandbox._checks import (
    VALIDATION,
    Field,
    one_of,
    read_fields,
    read_query,
    whole_number,
)
from cadenza_async.sandbox._replies import Refusal, Reply, success
from cadenza_async.sandbox._state import ACTIVE, DISABLED, DISCONNECTED, Account

if TYPE_CHECKING:
    from cadenza_async.sandbox._platform import Call, Platform
    from cadenza_async.sandbox._sessions import Grant

_CONNECT = (
    Field("venue"),
    Field("apiKey"),
    Field("apiSecret"),
    Field("apiPassphrase", required=False, blank=True),
    Field("name", required=False),
    Field("accountType", required=False),
)
_DISCONNECT = (Field("tradingAccountId"),)
_LIST = ("tradingAccountId", "venue", "status", "limit", "offset")
_ACCOUNT_TYPES = ("SPOT", "MARGIN", "FUTURES", "CREDIT", "OPTIONS")
_STATUSES = (ACTIVE, DISABLED, DISCONNECTED)
_DRIFTER = "d81f7e12-0000-4000-8000-000000000000"
_PAGE, _LARGEST_PAGE = 10, 100


async def connect(platform: Platform, call: Call, caller: Grant) -> Reply:
    """`POST tradingAccount/connect`: validate the key at the exchange, then make an account.

    The venue may be written in any case, with or without `_UAT`, and is kept as sent; one that
    no list names is refused with -22020. Nothing is ever deduplicated.
    """
    given = read_fields(call.content_type, call.body, _CONNECT)
    _check_connect(given)
    await exchange.validate(given["venue"], given["apiKey"], slow=platform.slow)
    account = _new_account(platform, call, caller.user, given)
    platform.accounts.add(account)
    return success(account.wire())


async def list_accounts(platform: Platform, call: Call, caller: Grant) -> Reply:
    """`GET tradingAccount/list`: the caller's accounts, oldest first, a page of them."""
    query = read_query(call.query, _LIST)
    limit = whole_number(query.get("limit", str(_PAGE)), "limit", low=1, high=_LARGEST_PAGE)
    offset = whole_number(query.get("offset", "0"), "offset", low=0, high=10**9)
    if "status" in query:
        one_of(query["status"], "status", _STATUSES)
    if cap := call.fault("capped-list"):
        limit = min(limit, cap.size or limit)
    rows = [each for each in _rows(platform, call, caller.user) if _fits(each, query)]
    page = [each.wire() for each in rows[offset : offset + limit]]
    more = offset + len(page) < len(rows)
    pagination = {"offset": offset, "limit": limit, "total": len(rows), "hasNext": more}
    return success(page, pagination=pagination)


async def disconnect(platform: Platform, call: Call, caller: Grant) -> Reply:
    """`POST tradingAccount/disconnect`: archive an account for good; a second time is a 404."""
    given = read_fields(call.content_type, call.body, _DISCONNECT)
    account = platform.accounts.find(given["tradingAccountId"])
    if account is None or account.status == DISCONNECTED:
        raise Refusal(404, -22016, "Trading account not found")
    if account.user_id != caller.user:
        raise platform.forbid("delete", provided="write")
    return success(platform.accounts.archive(account, platform.now_ms()).wire())


def _check_connect(given: dict[str, str]) -> None:
    venue = given["venue"]
    if not exchange.is_known(venue):
        raise Refusal(400, -22020, "Unsupported venue")
    if exchange.needs_passphrase(venue) and "apiPassphrase" not in given:
        raise Refusal(400, VALIDATION, f"apiPassphrase is required for {venue}")
    one_of(given.get("accountType", "SPOT"), "accountType", _ACCOUNT_TYPES)


def _new_account(platform: Platform, call: Call, user: str, given: dict[str, str]) -> Account:
    now = platform.now_ms()
    venue = given["venue"]
    name = given.get("name", f"{venue} {len(platform.accounts.owned_by(user)) + 1}")
    if trim := call.fault("trimmed-names"):
        name = name[: trim.size].strip()
    return Account(
        trading_account_id=platform.new_id(),
        user_id=user,
        venue=venue,
        name=name,
        account_type=given.get("accountType", "SPOT"),
        created_at=now,
        updated_at=now,
    )


def _rows(platform: Platform, call: Call, user: str) -> list[Account]:
    rows = platform.accounts.owned_by(user)
    if rows and call.fault("drifting-list"):
        platform.drifted = not platform.drifted
        if platform.drifted:
            stranger = evolve(rows[0], trading_account_id=_DRIFTER, name="drifter")
            return [stranger, *rows]
    return rows


def _fits(account: Account, query: dict[str, str]) -> bool:
    return (
        query.get("tradingAccountId") in (None, account.trading_account_id)
        and query.get("venue", account.venue).upper() == account.venue.upper()
        and query.get("status") in (None, account.status)
    )
