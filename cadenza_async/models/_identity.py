"""Who is logged in and with which tokens, and how Cadenza is."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from attrs import field, frozen

from cadenza_async.secret import Secret


@frozen(kw_only=True)
class User:
    """A user of Cadenza.

    Attributes:
        user_id: The unique identifier.
        email: The e-mail address.
        role: As it came.
        created_at: Since when there is this user (aware, UTC).
        extra: As for `TradingAccount`.
    """

    user_id: str
    email: str | None = None
    role: str | None = None
    created_at: datetime | None = None
    extra: Mapping[str, Any] = field(factory=dict[str, Any], eq=False, repr=False)


@frozen(kw_only=True)
class LoginSession:
    """What logging in gives.

    Attributes:
        access_token: What a client is opened with.
        refresh_token: Good for one new session, if there is one.
        expires_in: Seconds that the access token lives, from when it was given.
        user: Who is logged in, if the answer tells.
    """

    access_token: Secret
    refresh_token: Secret | None = None
    expires_in: float = 3600.0
    user: User | None = None


@frozen(kw_only=True)
class Health:
    """How Cadenza says it is.

    Attributes:
        status: ``healthy``, ``degraded``, ``unhealthy`` or another word, as it came.
        version: The server's version.
        timestamp: When it looked (aware, UTC, to the millisecond).
        checks: What it looked at, as it came.
        extra: As for `TradingAccount`.
    """

    status: str
    version: str | None = None
    timestamp: datetime | None = None
    checks: Mapping[str, Any] = field(factory=dict[str, Any], eq=False, repr=False)
    extra: Mapping[str, Any] = field(factory=dict[str, Any], eq=False, repr=False)
