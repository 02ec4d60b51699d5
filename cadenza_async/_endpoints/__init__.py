"""Every endpoint as a value: what to send and how to read the answer. No I/O."""

from __future__ import annotations

from cadenza_async._endpoints.accounts import (
    connect_account,
    connect_venue,
    connect_with_credential,
    disable_account,
    disconnect_account,
    enable_account,
    list_accounts,
    list_operations,
    rename_account,
)
from cadenza_async._endpoints.credentials import (
    create_credential,
    list_credentials,
    revoke_credential,
    rotate_credential,
    verify_credential,
)
from cadenza_async._endpoints.identity import (
    health,
    login,
    logout,
    refresh,
    user,
)

__all__ = [
    "connect_account",
    "connect_venue",
    "connect_with_credential",
    "create_credential",
    "disable_account",
    "disconnect_account",
    "enable_account",
    "health",
    "list_accounts",
    "list_credentials",
    "list_operations",
    "login",
    "logout",
    "refresh",
    "rename_account",
    "revoke_credential",
    "rotate_credential",
    "user",
    "verify_credential",
]
