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
from cadenza_async.auth import PasswordLogin
from cadenza_async.models import NewAccount
from cadenza_async.secret import Secret

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from cadenza_async.models import Credential, LoginSession, TradingAccount

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
    """Make the call that a test judges."""
    return connect(**changes) if changes else EVERY[kind]()


def connect(**changes: Any) -> Call[TradingAccount]:
    """Make a connect."""
    return _endpoints.connect_account(new_account(**changes))


def create() -> Call[Credential]:
    """Make the storing of a credential; every secret of it is a marker."""
    keys: dict[str, Any] = {
        "api_key": Secret(marker("key")),
        "api_secret": Secret(marker("secret")),
    }
    return _endpoints.create_credential(venue="BINANCE", **keys)


def login() -> Call[LoginSession]:
    """Make a login, whose password is a marker."""
    return _endpoints.login(PasswordLogin(email="ops@example.test", password=marker("secret")))


EVERY: dict[str, Callable[[], Call[Any]]] = {
    CONNECT: connect,
    LIST: _endpoints.list_accounts,
    "connect by reference": lambda: _endpoints.connect_with_credential("k-1", "spot"),
    "disable": lambda: _endpoints.disable_account("a-1"),
    "operations": _endpoints.list_operations,
    "create": create,
    "credentials": _endpoints.list_credentials,
    "verify": lambda: _endpoints.verify_credential("k-1"),
    "login": login,
    "logout": _endpoints.logout,
    "user": _endpoints.user,
    "health": _endpoints.health,
}
"""A call of every kind of answer; connecting, creating and logging in send a secret."""


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
    return judge(call(kind, **changes), reply, sent_at=NOW.timestamp(), token=token)
