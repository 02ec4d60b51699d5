"""`Credential`, `ReachableAccount` and `Operation`: words as they came, the rest perhaps."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, assert_type

from cadenza_async import CredentialStatus, OperationType, Reach

if TYPE_CHECKING:
    from cadenza_async import Credential, Operation, ReachableAccount


def fields(credential: Credential) -> None:
    """What may be missing has to be looked at before it is used."""
    assert_type(credential.credential_id, str)
    assert_type(credential.status, str)
    assert_type(credential.credential_type, str | None)
    assert_type(credential.name, str | None)
    assert_type(credential.api_key, str | None)
    assert_type(credential.revoked_at, datetime | None)
    print(credential.api_secret)  # type: ignore[attr-defined]  # noqa: T201  # pyright: ignore[reportAttributeAccessIssue, reportUnknownMemberType, reportUnknownArgumentType]


def reaching(found: ReachableAccount) -> bool:
    """Whose it is may not be told."""
    assert_type(found.external_trading_account_id, str)
    assert_type(found.trading_account_id, str | None)
    assert_type(found.reach, Reach | None)
    return found.reach is Reach.NEW


def operating(operation: Operation, credential: Credential) -> bool:
    """Words may be compared with those that are known."""
    assert_type(operation.operation_type, str)
    assert_type(operation.created_at, datetime | None)
    revoked = credential.status == CredentialStatus.REVOKED
    return revoked and operation.operation_type == OperationType.CONNECT
