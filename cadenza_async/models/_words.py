"""The words that are known; any other is sent and kept as it is."""

from __future__ import annotations

from enum import StrEnum


class Venue(StrEnum):
    """Known exchange venues; any other word is sent and kept as it is."""

    BINANCE = "BINANCE"
    COINBASE = "COINBASE"
    BYBIT = "BYBIT"
    OKX = "OKX"
    B2C2 = "B2C2"
    WINTERMUTE = "WINTERMUTE"
    BLOCKFILLS = "BLOCKFILLS"
    STONEX = "STONEX"
    CUMBERLAND = "CUMBERLAND"
    IBKR = "IBKR"
    DERIBIT = "DERIBIT"
    BITFINEX = "BITFINEX"
    HYPERLIQUID = "HYPERLIQUID"
    FERMATA = "FERMATA"
    MOCK = "MOCK"
    PAPER = "PAPER"


class AccountType(StrEnum):
    """Known account types; any other word is sent and kept as it is."""

    SPOT = "SPOT"
    MARGIN = "MARGIN"
    FUTURES = "FUTURES"
    CREDIT = "CREDIT"
    OPTIONS = "OPTIONS"


class AccountStatus(StrEnum):
    """Known states of a trading account; any other word is kept as it came."""

    ACTIVE = "ACTIVE"
    DISABLED = "DISABLED"
    DISCONNECTED = "DISCONNECTED"
    CONNECTED = "CONNECTED"
    ENABLED = "ENABLED"
    NEW = "NEW"
    CREATED = "CREATED"
    INACTIVE = "INACTIVE"
    LOCKED = "LOCKED"
    UNAVAILABLE = "UNAVAILABLE"


class CredentialType(StrEnum):
    """Known kinds of credentials; any other word is sent and kept as it is."""

    API_KEY = "API_KEY"
    TOKEN = "TOKEN"  # noqa: S105  # a word, no secret
    HMAC = "HMAC"
    OAUTH = "OAUTH"
    RSA = "RSA"
    ED25519 = "ED25519"
    EXCHANGE = "EXCHANGE"


class CredentialStatus(StrEnum):
    """Known states of a credential; any other word is kept as it came."""

    CREATED = "CREATED"
    ACTIVE = "ACTIVE"
    EXPIRED = "EXPIRED"
    REVOKED = "REVOKED"
    PENDING = "PENDING"
    VERIFIED = "VERIFIED"
    FAILED = "FAILED"


class OperationType(StrEnum):
    """Known kinds of operations on an account; any other word is sent and kept as it is."""

    CONNECT = "CONNECT"
    DISCONNECT = "DISCONNECT"
    ENABLE = "ENABLE"
    DISABLE = "DISABLE"
    UPDATE = "UPDATE"
    CREDENTIAL_REVOKE = "CREDENTIAL_REVOKE"
    CREDENTIAL_ROTATE = "CREDENTIAL_ROTATE"


class OperationStatus(StrEnum):
    """Known states of an operation; any other word is kept as it came."""

    PENDING = "PENDING"
    SUCCESS = "SUCCESS"
    FAILED = "FAILED"


class HealthStatus(StrEnum):
    """Known states of Cadenza itself; any other word is kept as it came."""

    HEALTHY = "healthy"
    DEGRADED = "degraded"
    UNHEALTHY = "unhealthy"


class Reach(StrEnum):
    """Whose an account is that a credential reaches."""

    NEW = "NEW"
    """Nobody's: it can be connected."""
    OURS = "OURS"
    """Connected by this identity already."""
    TAKEN = "TAKEN"
    """Connected by somebody else."""
