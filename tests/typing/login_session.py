"""`LoginSession`, `User` and `Health`."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Any, assert_type

from cadenza_async import AsyncCadenza, HealthStatus, Secret

if TYPE_CHECKING:
    from cadenza_async import Health, LoginSession, User


def fields(session: LoginSession) -> None:
    """Tokens are secrets, and go wherever a token goes."""
    assert_type(session.access_token, Secret)
    assert_type(session.refresh_token, Secret | None)
    assert_type(session.expires_in, float)
    assert_type(session.user, "User | None")
    AsyncCadenza(session.access_token)


def people(user: User) -> None:
    """A user has an id, and perhaps more."""
    assert_type(user.user_id, str)
    assert_type(user.email, str | None)
    assert_type(user.role, str | None)


def health(health: Health) -> bool:
    """The word is open; the checks are as they came."""
    assert_type(health.status, str)
    assert_type(health.timestamp, datetime | None)
    assert_type(health.checks, Mapping[str, Any])
    return health.status == HealthStatus.HEALTHY
