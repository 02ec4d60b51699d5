"""Every wire example of the contract, read as the session reads it."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from cadenza_async import TradingAccount
from cadenza_async._calls import Call, RateClass
from cadenza_async._outcomes import Outcome, Verdict, judge
from cadenza_async.errors import (
    ApiError,
    AuthenticationError,
    ConflictError,
    CredentialsRejectedError,
    InvalidRequestError,
    PermissionDeniedError,
    RateLimitedError,
)

from .samples import CONNECT, GOLDEN, LIST, NOW, answer, call, golden, judged


def moment(milliseconds: int) -> datetime:
    """Make the time that a wire example means."""
    return datetime.fromtimestamp(milliseconds // 1000, UTC).replace(
        microsecond=milliseconds % 1000 * 1000
    )


def outcome(name: str, kind: str = CONNECT) -> Outcome[Any]:
    """Judge an example; its file's name tells the status."""
    return judged(kind, answer(int(name.split(".")[-2]), golden(name)))


TESTS = Path(__file__).parent.parent
DESK = "0b6c1c52-7a1d-4f4e-9a53-2f7f0d6f1a11"
USER = "b7d3d0f4-0000-4000-8000-5a3b6a1f0001"
BINANCE = TradingAccount(
    trading_account_id="550e8400-e29b-41d4-a716-446655440000",
    user_id="user-uuid-here",
    venue="BINANCE",
    name="My Binance Account",
    account_type="SPOT",
    status="ACTIVE",
    created_at=moment(1703052635110),
    updated_at=moment(1703052635110),
)
OPENAPI = TradingAccount(
    trading_account_id=DESK,
    venue="BINANCE",
    name="desk-7",
    account_type="SPOT",
    status="ACTIVE",
    created_at=moment(1750000000123),
    updated_at=moment(1750000000123),
    external_trading_account_id="spot",
    external_account_type="SPOT",
    credential_ids=("5f1d3a60-1111-4222-8333-944455566677",),
)
DISCONNECTED = TradingAccount(
    trading_account_id=DESK,
    user_id=USER,
    venue="COINBASE",
    name="desk-7",
    account_type="SPOT",
    status="DISCONNECTED",
    created_at=moment(1750000000123),
    updated_at=moment(1750000600000),
)


@pytest.mark.parametrize(
    ("name", "account", "extra"),
    [
        ("connect_binance.200.json", BINANCE, set()),
        (
            "constructed/connect_openapi.200.json",
            OPENAPI,
            {"credentials"},
        ),
        ("constructed/disconnect.200.json", DISCONNECTED, {"disconnectedAt"}),
    ],
)
def test_accounts(name: str, account: TradingAccount, extra: set[str]) -> None:
    """An account is read to the millisecond, and what is not described is kept."""
    result = outcome(name)
    assert (result.verdict, result.error, result.value) == (Verdict.DONE, None, account)
    assert result.value is not None
    assert result.value.extra.keys() == extra
    data = json.loads(golden(name))["data"]
    assert {wire: data[wire] for wire in extra} == result.value.extra


def test_a_list() -> None:
    """A page has its accounts and what the server says about further ones."""
    page = outcome("constructed/list.200.json", LIST).value
    assert page is not None
    assert [account.trading_account_id for account in page.rows.values()] == [DESK]
    assert page.rows[DESK].user_id == USER
    assert (page.total, page.has_next) == (1, False)


@pytest.mark.parametrize("kind", [CONNECT, LIST])
@pytest.mark.parametrize(
    ("name", "error", "text"),
    [
        (
            "connect_invalid_credentials.400.json",
            CredentialsRejectedError,
            "Invalid API credentials for BINANCE (HTTP 400, errno -120001)",
        ),
        (
            "constructed/forbidden.403.json",
            PermissionDeniedError,
            "Forbidden (HTTP 403, errno 22018, request req-456-789)",
        ),
        (
            "constructed/throttled.429.json",
            RateLimitedError,
            "Too many requests (HTTP 429, errno -19000)",
        ),
        (
            "constructed/unauthorized.401.json",
            AuthenticationError,
            "Unauthorized (HTTP 401, errno -100000)",
        ),
        (
            "constructed/refresh_invalid.401.json",
            AuthenticationError,
            "Invalid refresh token (HTTP 401, errno -100003)",
        ),
        (
            "constructed/revoked_already.400.json",
            InvalidRequestError,
            "Credential is already revoked (HTTP 400, errno -130001)",
        ),
        (
            "constructed/taken.409.json",
            ConflictError,
            "Already connected by another user (HTTP 409, errno 22017)",
        ),
    ],
)
def test_refusals(kind: str, name: str, error: type[ApiError], text: str) -> None:
    """A refusal has the class that says who must act, the raw number and the server's text."""
    result = outcome(name, kind)
    throttled = error is RateLimitedError
    assert result.verdict is (Verdict.THROTTLED if throttled else Verdict.REFUSED)
    assert (type(result.error), str(result.error)) == (error, text)


def test_a_request_id() -> None:
    """The id that the details carry is in the error, next to the number and the text."""
    error = outcome("constructed/forbidden.403.json").error
    assert isinstance(error, ApiError)
    assert (error.request_id, error.errno) == ("req-456-789", 22018)
    assert (error.message, error.status) == ("Forbidden", 403)


@pytest.mark.parametrize("name", ["health.200.json", "login.200.json"])
def test_what_is_no_account_is_not_taken_for_one(name: str) -> None:
    """Answers of other endpoints leave the outcome of a connect unknown."""
    assert outcome(f"constructed/{name}").verdict is Verdict.UNKNOWN


def test_a_value_is_what_the_call_reads() -> None:
    """Another endpoint reads its own answer out of the same envelope."""
    login: Call[str] = Call(
        method="POST",
        path="auth/login",
        read=lambda envelope: envelope["data"]["accessToken"],
        write=True,
        rate_class=RateClass.AUTHENTICATION,
    )
    reply = answer(200, golden("constructed/login.200.json"))
    assert judge(login, reply, sent_at=NOW.timestamp()).value == "access-1"
    assert call(CONNECT).rate_class is not login.rate_class


def test_every_example_is_read_somewhere() -> None:
    """A new wire example needs a test of its own."""
    readers = (Path(__file__), TESTS / "clients" / "test_methods.py")
    read = "".join(path.read_text("utf-8") for path in readers)
    answers = [path for path in GOLDEN.rglob("*.json") if ".request." not in path.name]
    assert not [path.name for path in answers if path.name not in read]
