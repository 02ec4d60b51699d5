"""Wire examples of the contract, read as the session reads them."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from cadenza_async import TradingAccount
from cadenza_async._outcomes import Outcome, Verdict
from cadenza_async.errors import (
    ApiError,
    AuthenticationError,
    ConflictError,
    CredentialsRejectedError,
    InvalidRequestError,
    PermissionDeniedError,
    RateLimitedError,
)

from .samples import CONNECT, GOLDEN, LIST, answer, golden, judged


def outcome(name: str, kind: str = CONNECT) -> Outcome[Any]:
    """Judge an example; its file's name tells the status."""
    return judged(kind, answer(int(name.split(".")[-2]), golden(name)))


def test_an_account() -> None:
    """What the contract's own example answers is read to the millisecond."""
    result = outcome("connect_binance.200.json")
    when = datetime(2023, 12, 20, 6, 10, 35, 110_000, UTC)
    account = TradingAccount(
        trading_account_id="550e8400-e29b-41d4-a716-446655440000",
        user_id="user-uuid-here",
        venue="BINANCE",
        name="My Binance Account",
        account_type="SPOT",
        status="ACTIVE",
        created_at=when,
        updated_at=when,
    )
    assert (result.verdict, result.error, result.value) == (Verdict.DONE, None, account)


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


@pytest.mark.parametrize("name", ["health.200.json", "login.200.json"])
def test_what_is_no_account_is_not_taken_for_one(name: str) -> None:
    """Answers of other endpoints leave the outcome of a connect unknown."""
    assert outcome(f"constructed/{name}").verdict is Verdict.UNKNOWN


def test_every_example_is_read_somewhere() -> None:
    """A new wire example needs a test of its own."""
    readers = (Path(__file__), Path(__file__).parent.parent / "clients" / "test_methods.py")
    read = "".join(path.read_text("utf-8") for path in readers)
    answers = [path for path in GOLDEN.rglob("*.json") if ".request." not in path.name]
    assert not [path.name for path in answers if path.name not in read]
