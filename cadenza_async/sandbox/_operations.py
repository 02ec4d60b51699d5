"""The endpoint of what was done to accounts, and tried."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from cadenza_async.sandbox._checks import Param, Query, invalid
from cadenza_async.sandbox._dialects import DIALECTS, spell_operation
from cadenza_async.sandbox._paging import cut, page_params
from cadenza_async.sandbox._replies import Reply, success
from cadenza_async.sandbox._state import FAILED, PENDING, SUCCESS

if TYPE_CHECKING:
    from cadenza_async.sandbox._platform import Call, Platform
    from cadenza_async.sandbox._sessions import Grant
    from cadenza_async.sandbox._state import Operation

TYPES = (
    "CONNECT",
    "DISCONNECT",
    "ENABLE",
    "DISABLE",
    "UPDATE",
    "CREDENTIAL_REVOKE",
    "CREDENTIAL_ROTATE",
)
STATUSES = (PENDING, SUCCESS, FAILED)
_LATEST = 10**15

LIST = {
    name: Query(
        Param("tradingAccountId"),
        Param("operationType", words=TYPES),
        Param("startTime", bounds=(0, _LATEST)),
        Param("endTime", bounds=(0, _LATEST)),
        *page_params(dialect),
        Param("cursor"),
    )
    for name, dialect in DIALECTS.items()
}


async def list_operations(
    platform: Platform, call: Call, caller: Grant, given: dict[str, Any]
) -> Reply:
    """`GET tradingAccount/operation/list`: what was done to the caller's accounts, oldest first.

    Both times are included. A page that is not the last has a `cursor` for the next one.
    """
    if given.get("startTime", 0) > given.get("endTime", _LATEST):
        invalid("startTime must not be after endTime")
    rows = [each for each in platform.operations.owned_by(caller.user) if _fits(each, given)]
    page, pagination = cut(rows, call, given)
    if page and pagination["hasNext"]:
        pagination["cursor"] = page[-1].operation_id
    return success([spell_operation(each) for each in page], pagination=pagination)


def _fits(operation: Operation, given: dict[str, Any]) -> bool:
    return (
        given.get("tradingAccountId") in (None, operation.trading_account_id)
        and given.get("operationType") in (None, operation.operation_type)
        and given.get("startTime", 0) <= operation.created_at <= given.get("endTime", _LATEST)
    )
