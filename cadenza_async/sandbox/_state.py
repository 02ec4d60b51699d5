"""The trading accounts that exist, in the order in which they were connected."""

from __future__ import annotations

from typing import Any

from attrs import define, evolve, field, frozen

ACTIVE = "ACTIVE"
DISABLED = "DISABLED"
DISCONNECTED = "DISCONNECTED"


@frozen(kw_only=True)
class Account:
    """A trading account; times are in milliseconds since the epoch."""

    trading_account_id: str
    user_id: str
    venue: str
    name: str
    account_type: str
    status: str = ACTIVE
    created_at: int
    updated_at: int
    disconnected_at: int | None = None

    def wire(self) -> dict[str, Any]:
        """The account as the API spells it."""
        spelled: dict[str, Any] = {
            "tradingAccountId": self.trading_account_id,
            "userId": self.user_id,
            "venue": self.venue,
            "name": self.name,
            "accountType": self.account_type,
            "status": self.status,
            "createdAt": self.created_at,
            "updatedAt": self.updated_at,
        }
        if self.disconnected_at is not None:
            spelled["disconnectedAt"] = self.disconnected_at
        return spelled


@define
class Accounts:
    """All accounts of all users; nothing is ever deleted, only archived."""

    _all: dict[str, Account] = field(factory=dict[str, Account], init=False)
    _ids: dict[str, list[str]] = field(factory=dict[str, list[str]], init=False)

    def add(self, account: Account) -> None:
        """Keep a new account, whatever others there are."""
        self._all[account.trading_account_id] = account
        self._ids.setdefault(account.user_id, []).append(account.trading_account_id)

    def find(self, trading_account_id: str) -> Account | None:
        """One account, archived or not."""
        return self._all.get(trading_account_id)

    def owned_by(self, user: str) -> list[Account]:
        """A user's accounts, archived ones included."""
        return [self._all[each] for each in self._ids.get(user, ())]

    def everything(self) -> list[Account]:
        """Every account of every user, archived ones included."""
        return list(self._all.values())

    def archive(self, account: Account, now: int) -> Account:
        """Disconnect an account for good."""
        archived = evolve(account, status=DISCONNECTED, updated_at=now, disconnected_at=now)
        self._all[account.trading_account_id] = archived
        return archived
