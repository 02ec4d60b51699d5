"""What the core is fed with."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from multidict import CIMultiDict

from cadenza_async import _endpoints
from cadenza_async._calls import Answer, Call
from cadenza_async._outcomes import Outcome, judge
from cadenza_async.models import NewAccount, TradingAccount
from cadenza_async.secret import Secret

if TYPE_CHECKING:
    from collections.abc import Mapping

GOLDEN = Path(__file__).parent.parent / "golden"
NOW = datetime(2026, 1, 2, 3, 4, 5, 678_000, tzinfo=UTC)
CONNECT, LIST = "connect", "list"


def golden(name: str) -> bytes:
    """Read a wire example."""
    return (GOLDEN / name).read_bytes()


def marker(role: str = "") -> str:
    """Build a secret of its own kind while the test runs, so that no source line holds it."""
    return "".join(reversed(f"91f7{role}b0c4terces"))


def new_account(**changes: Any) -> NewAccount:
    """Make what a connect is asked with; every secret of it is a marker."""
    given = {
        "venue": "BINANCE",
        "api_key": Secret(marker("key")),
        "api_secret": Secret(marker("secret")),
        "name": "desk-7",
    }
    return NewAccount(**{**given, **changes})


def call(kind: str, **changes: Any) -> Call[Any]:
    """Make the write or the read that a test judges."""
    return _endpoints.list_accounts() if kind == LIST else connect(**changes)


def connect(**changes: Any) -> Call[TradingAccount]:
    """Make a connect."""
    return _endpoints.connect_account(new_account(**changes))


def answer(
    status: int, body: object = b"", headers: Mapping[str, str] | None = None, /, **fields: str
) -> Answer:
    """Make an answer; a body that is no bytes becomes JSON, `x_y` a header named `x-y`."""
    raw = body if body is None or isinstance(body, bytes) else json.dumps(body).encode()
    named = {name.replace("_", "-"): value for name, value in fields.items()}
    return Answer(status=status, headers=CIMultiDict({**(headers or {}), **named}), body=raw)


def refusal(errno: object, text: object = "no", **more: Any) -> dict[str, Any]:
    """Make the envelope of a refusal."""
    return {"data": None, "success": False, "errno": errno, "error": text, **more}


def judged(kind: str, reply: Answer, **changes: Any) -> Outcome[Any]:
    """Judge an answer as the session does."""
    token = Secret(marker("token"))
    return judge(call(kind, **changes), reply, sent_at=NOW, token=token)
