"""What goes to Cadenza and what comes back, as frozen values."""

from __future__ import annotations

from cadenza_async.models._accounts import NewAccount, Operation, ReachableAccount, TradingAccount
from cadenza_async.models._attempt import Attempt
from cadenza_async.models._credentials import Credential
from cadenza_async.models._identity import Health, LoginSession, User
from cadenza_async.models._words import (
    AccountStatus,
    AccountType,
    CredentialStatus,
    CredentialType,
    HealthStatus,
    OperationStatus,
    OperationType,
    Reach,
    Venue,
)

__all__ = [
    "AccountStatus",
    "AccountType",
    "Attempt",
    "Credential",
    "CredentialStatus",
    "CredentialType",
    "Health",
    "HealthStatus",
    "LoginSession",
    "NewAccount",
    "Operation",
    "OperationStatus",
    "OperationType",
    "Reach",
    "ReachableAccount",
    "TradingAccount",
    "User",
    "Venue",
]
