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
    "AsyncCadenza": "client",
    "Cadenza": "sync",
    "JournalReader": "onboarding",
    "JournalRow": "onboarding",
    "Onboarding": "onboarding",
    "PasswordLogin": "auth",
    "RowOutcome": "onboarding",
    "RowState": "onboarding",
    "Secret": "secret",
    "SessionPool": "pool",
    "TokenSource": "auth",
    "onboard": "onboarding",
}
"""Where the public names are; what is not listed is one of the models."""


if not TYPE_CHECKING:  # who would take every name, misspelt ones too, for one that is there

    def __getattr__(name: str) -> object:
        """Load a public name on its first use, so that importing the package costs nothing."""
        if name == "errors":
            return import_module("cadenza_async.errors")
        if name not in __all__:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        home = import_module(f"{__name__}.{_HOMES.get(name, 'models')}")
        value: object = getattr(home, name)
        globals()[name] = value
        return value


def __dir__() -> list[str]:
    return [*__all__, "__version__"]
