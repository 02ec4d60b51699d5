"""Connect exchange trading accounts to Cadenza, from asyncio and from blocking code."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from cadenza_async import errors as errors
    from cadenza_async.auth import PasswordLogin, TokenSource
    from cadenza_async.client import AsyncCadenza
    from cadenza_async.models import (
        AccountStatus,
        AccountType,
        Attempt,
        Credential,
        CredentialStatus,
        CredentialType,
        Health,
        HealthStatus,
        LoginSession,
        NewAccount,
        Operation,
        OperationStatus,
        OperationType,
        Reach,
        ReachableAccount,
        TradingAccount,
        User,
        Venue,
    )
    from cadenza_async.onboarding import (
        JournalReader,
        JournalRow,
        Onboarding,
        RowOutcome,
        RowState,
        onboard,
    )
    from cadenza_async.pool import SessionPool
    from cadenza_async.secret import Secret
    from cadenza_async.sync import Cadenza

__version__ = "0.1.0.dev0"

__all__ = [
    "AccountStatus",
    "AccountType",
    "AsyncCadenza",
    "Attempt",
    "Cadenza",
    "Credential",
    "CredentialStatus",
    "CredentialType",
    "Health",
    "HealthStatus",
    "JournalReader",
    "JournalRow",
    "LoginSession",
    "NewAccount",
    "Onboarding",
    "Operation",
    "OperationStatus",
    "OperationType",
    "PasswordLogin",
    "Reach",
    "ReachableAccount",
    "RowOutcome",
    "RowState",
    "Secret",
    "SessionPool",
    "TokenSource",
    "TradingAccount",
    "User",
    "Venue",
    "errors",
    "onboard",
]

_HOMES = {
    "AccountStatus": "models",
    "AccountType": "models",
    "AsyncCadenza": "client",
    "Attempt": "models",
    "Cadenza": "sync",
    "Credential": "models",
    "CredentialStatus": "models",
    "CredentialType": "models",
    "Health": "models",
    "HealthStatus": "models",
    "JournalReader": "onboarding",
    "JournalRow": "onboarding",
    "LoginSession": "models",
    "NewAccount": "models",
    "Onboarding": "onboarding",
    "Operation": "models",
    "OperationStatus": "models",
    "OperationType": "models",
    "PasswordLogin": "auth",
    "Reach": "models",
    "ReachableAccount": "models",
    "RowOutcome": "onboarding",
    "RowState": "onboarding",
    "Secret": "secret",
    "SessionPool": "pool",
    "TokenSource": "auth",
    "TradingAccount": "models",
    "User": "models",
    "Venue": "models",
    "onboard": "onboarding",
}


if not TYPE_CHECKING:  # who would take every name, misspelt ones too, for one that is there

    def __getattr__(name: str) -> object:
        """Load a public name on its first use, so that importing the package costs nothing."""
        if name == "errors":
            return import_module("cadenza_async.errors")
        if name not in _HOMES:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        value: object = getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
        globals()[name] = value
        return value


def __dir__() -> list[str]:
    return [*__all__, "__version__"]
