"""The endpoints of accounts that are connected: list, enable, disable, update, disconnect."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from attrs import evolve

from cadenza_async.sandbox._checks import Body, Field, Param, Query
from cadenza_async.sandbox._dialects import DIALECTS
from cadenza_async.sandbox._paging import cut, page_params
from cadenza_async.sandbox._replies import Refusal, Reply, success
from cadenza_async.sandbox._state import ACTIVE, DISABLED, DISCONNECTED, FAILED, Account

if TYPE_CHECKING:
    from cadenza_async.sandbox._platform import Call, Platform
    from cadenza_async.sandbox._sessions import Grant

STATUSES = (ACTIVE, DISABLED, DISCONNECTED)
_ELSEWHERE = ("NEW", "CREATED", "INACTIVE", "LOCKED", "UNAVAILABLE")  # no account here is in these
_ASKED_FOR = {"pages": STATUSES, "openapi": (*STATUSES, *_ELSEWHERE)}
ONE = Body(Field("tradingAccountId"))
UPDATE = Body(Field("tradingAccountId"), Field("nickname", required=False))
LIST = {
    name: Query(
        Param("tradingAccountId"),
        Param("venue"),
        Param(dialect.status, words=_ASKED_FOR[name]),
        *page_params(dialect),
    )
    for name, dialect in DIALECTS.items()
}
_DRIFTER = "d81f7e12-0000-4000-8000-000000000000"


async def list_accounts(
    platform: Platform, call: Call, caller: Grant, given: dict[str, Any]
) -> Reply:
    """`GET tradingAccount/list`: the caller's accounts, oldest first, a page of them."""
    status = given.get(platform.dialect.status)
    rows = [
        each
        for each in _rows(platform, call, caller.user)
        if given.get("tradingAccountId") in (None, each.trading_account_id)
        and given.get("venue", each.venue).upper() == each.venue.upper()
        and status in (None, each.status)
    ]
    page, pagination = cut(rows, call, given)
    return success([platform.spell(each) for each in page], pagination=pagination)


async def enable(platform: Platform, _call: Call, caller: Grant, given: dict[str, Any]) -> Reply:
    """`POST tradingAccount/enable`: let a disabled account trade again."""
    account = _changeable(platform, caller, given, "ENABLE")
    return _change(platform, account, "ENABLE", status=ACTIVE)


async def disable(platform: Platform, _call: Call, caller: Grant, given: dict[str, Any]) -> Reply:
    """`POST tradingAccount/disable`: let an account trade no more until it is enabled."""
    account = _changeable(platform, caller, given, "DISABLE")
    return _change(platform, account, "DISABLE", status=DISABLED)


async def update(platform: Platform, _call: Call, caller: Grant, given: dict[str, Any]) -> Reply:
    """`POST tradingAccount/update`: another name for an account."""
    account = _changeable(platform, caller, given, "UPDATE")
    return _change(platform, account, "UPDATE", name=given.get("nickname", account.name))


async def disconnect(
    platform: Platform, _call: Call, caller: Grant, given: dict[str, Any]
) -> Reply:
    """`POST tradingAccount/disconnect`: archive an account for good; a second time is a 404."""
    account = platform.accounts.find(given["tradingAccountId"])
    if account is None or not account.is_connected:
        raise _not_found()
    if account.user_id != caller.user:
        raise platform.forbid("delete", provided="write")
    now = platform.now_ms()
    return _change(
        platform, account, "DISCONNECT", status=DISCONNECTED, disconnected_at=now, keys=None
    )


def _changeable(
    platform: Platform, caller: Grant, given: dict[str, Any], operation: str
) -> Account:
    """One of the caller's accounts; it failed if that was disconnected.

    Raises:
        Refusal: 404, -22016; 403, 22018; 400, -22019.
    """
    account = platform.accounts.find(given["tradingAccountId"])
    if account is None:
        raise _not_found()
    if account.user_id != caller.user:
        raise platform.forbid("update", provided="write")
    if not account.is_connected:
        platform.record(account, operation, FAILED)
        raise Refusal(400, -22019, "Trading account is disconnected")
    return account


def _change(platform: Platform, account: Account, operation: str, **changes: Any) -> Reply:
    """Change an account; one that is so already is left alone."""
    changed = evolve(account, **changes)
    if changed != account:
        changed = platform.accounts.put(evolve(changed, updated_at=platform.now_ms()))
        platform.record(changed, operation)
    return success(platform.spell(changed))


def _not_found() -> Refusal:
    return Refusal(404, -22016, "Trading account not found")


def _rows(platform: Platform, call: Call, user: str) -> list[Account]:
    rows = platform.accounts.owned_by(user)
    if rows and call.fault("drifting-list"):
        platform.drifted = not platform.drifted
        if platform.drifted:
            stranger = evolve(
                rows[0],
                trading_account_id=_DRIFTER,
                name="drifter",
                external_id="drifter",
                credential_ids=(),
            )
            return [stranger, *rows]
    return rows
