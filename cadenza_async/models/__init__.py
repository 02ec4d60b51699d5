"""What goes to Cadenza and what comes back, as frozen values."""

from __future__ import annotations

from cadenza_async.models._accounts import (
    NewAccount,
    Operation,
    ReachableAccount,
    TradingAccount,
    check_field,
)
from cadenza_async.models._attempt import Attempt
from cadenza_async.models._checks import (
    SAYING_NONE,
    UNSENDABLE_IN_KEYS,
    check_passphrase,
    check_text,
    wants_passphrase,
)
from cadenza_async.models._credentials import Credential
from cadenza_async.models._sessions import Health, LoginSession, User
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
    "SAYING_NONE",
    "UNSENDABLE_IN_KEYS",
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
    "check_field",
    "check_passphrase",
    "check_text",
    "wants_passphrase",
]
