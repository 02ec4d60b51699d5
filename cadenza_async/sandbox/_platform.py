"""The platform as a whole: what it remembers, who may call, and the call it is asked."""

from __future__ import annotations

import uuid
from collections.abc import Awaitable, Callable, Mapping
from random import Random
from typing import Any

from attrs import define, field, frozen

from cadenza_async.sandbox._dialects import Dialect, spell_account
from cadenza_async.sandbox._faults import Fault
from cadenza_async.sandbox._limits import FixedWindows
from cadenza_async.sandbox._records import nothing_to_settle
from cadenza_async.sandbox._replies import Refusal
from cadenza_async.sandbox._sessions import Grant, Sessions
from cadenza_async.sandbox._state import (
    SUCCESS,
    Account,
    Accounts,
    Credential,
    Operation,
    Shelf,
)


@frozen(kw_only=True)
class Call:
    """One request, read completely; its repr shows nothing that could be secret."""

    method: str
    path: str
    url: str = field(repr=False)
    headers: Mapping[str, str] = field(repr=False)
    query: tuple[tuple[str, str], ...] = field(repr=False)
    content_type: str
    body: bytes = field(repr=False)
    unreadable: Refusal | None = None
    faults: tuple[Fault, ...] = ()

    @property
    def token(self) -> str | None:
        """The bearer token; empty when the header is there but is no bearer token's."""
        header = self.headers.get("Authorization")
        if header is None:
            return None
        scheme, _, token = header.partition(" ")
        return token if scheme.lower() == "bearer" else ""

    def fault(self, kind: str) -> Fault | None:
        """The fault of this kind that the call meets, if any."""
        return next((each for each in self.faults if each.kind == kind), None)

    def kept_name(self, name: str) -> str:
        """A name as the platform keeps it: all of it, but for a fault."""
        trim = self.fault("trimmed-names")
        return name if trim is None else name[: trim.size].strip()


@define
class Platform:
    """Everything the endpoints work on; time and chance come from outside."""

    clock: Callable[[], float]
    ids: Random
    sessions: Sessions
    limits: Mapping[str, FixedWindows]
    slow: float
    dialect: Dialect
    accounts: Accounts = field(factory=Accounts)
    credentials: Shelf[Credential] = field(factory=Shelf[Credential])
    operations: Shelf[Operation] = field(factory=Shelf[Operation])
    drifted: bool = False
    settled: Callable[[], Awaitable[object]] = nothing_to_settle

    def now_ms(self) -> int:
        """The platform's clock, in milliseconds since the epoch."""
        return round(self.clock() * 1000)

    def new_id(self) -> str:
        """A fresh UUID."""
        return str(uuid.UUID(int=self.ids.getrandbits(128), version=4))

    def whoever_calls(self, call: Call) -> str | None:
        """The user whose token this is, good or expired."""
        grant = self.sessions.find(call.token or "")
        return grant.user if grant else None

    def admit(self, call: Call) -> Grant:
        """The caller, once their token is found good.

        Raises:
            Refusal: 401 with -19002 (no token) or -100000 (not a good one).
        """
        if call.token is None:
            raise Refusal(401, -19002, "Authentication required")
        grant = self.sessions.find(call.token)
        if grant is None or not grant.alive(self.clock()):
            raise Refusal(401, -100000, "Unauthorized")
        return grant

    def spell(self, account: Account) -> dict[str, Any]:
        """An account in wire spelling."""
        found = [self.credentials.find(each) for each in account.credential_ids]
        return spell_account(self.dialect, account, [each for each in found if each is not None])

    def record(self, account: Account, operation_type: str, status: str = SUCCESS) -> None:
        """Note what was done, or tried, to an account."""
        operation = Operation(
            operation_id=self.new_id(),
            user_id=account.user_id,
            trading_account_id=account.trading_account_id,
            operation_type=operation_type,
            status=status,
            created_at=self.now_ms(),
        )
        self.operations.put(operation)

    def forbid(
        self, action: str, *, resource: str = "tradingAccount", provided: str = "read"
    ) -> Refusal:
        """The 403 of somebody who may not do this."""
        details: dict[str, object] = {
            "code": "ACCESS_DENIED",
            "resource": f"/api/v3/{resource}",
            "action": action,
            "required": ["write"],
            "provided": [provided],
            "request_id": f"req-{self.new_id()}",
        }
        return Refusal(403, 22018, "Forbidden", details=details)
