"""The two vocabularies: how each spells the same account, credential, operation and envelope."""

from __future__ import annotations

from datetime import UTC, datetime
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Literal

from attrs import frozen

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from cadenza_async.sandbox._exchange import External
    from cadenza_async.sandbox._state import Account, Credential, Operation

DialectName = Literal["pages", "openapi"]
Wire = dict[str, Any]


@frozen(kw_only=True)
class Dialect:
    """What a vocabulary expects of lists; how it spells is in the functions below.

    A page has so many rows if nothing is asked for, and at most; `status` is what the filter by
    status is called.
    """

    name: DialectName
    page: int
    largest_page: int
    status: str


DIALECTS: Mapping[str, Dialect] = MappingProxyType(
    {
        "pages": Dialect(name="pages", page=10, largest_page=100, status="status"),
        "openapi": Dialect(name="openapi", page=50, largest_page=1000, status="accountStatus"),
    }
)


def iso(moment: int) -> str:
    """A time in ms since the epoch as RFC 3339 writes it, with milliseconds."""
    seconds = datetime.fromtimestamp(moment // 1000, UTC).strftime("%Y-%m-%dT%H:%M:%S")
    return f"{seconds}.{moment % 1000:03d}Z"


def spell_envelope(dialect: Dialect, envelope: Mapping[str, object]) -> Wire:
    """An envelope; in OpenAPI there is no `success`, and an `error` only where there is one."""
    if dialect.name == "pages":
        return dict(envelope)
    return {
        name: value
        for name, value in envelope.items()
        if name != "success" and not (name == "error" and value is None)
    }


def spell_account(dialect: Dialect, account: Account, credentials: Iterable[Credential]) -> Wire:
    """An account, with the credentials that it was connected by."""
    if dialect.name == "pages":
        return _account_of_pages(account)
    shown = [_credential_of_openapi(each) for each in credentials]
    return {
        "tradingAccountId": account.trading_account_id,
        **_place(account.external_id, account.venue, account.name, account.account_type, shown),
        "status": account.status,
        "createdAt": account.created_at,
        "updatedAt": account.updated_at,
        "createdAtDateTime": iso(account.created_at),
        "updatedAtDateTime": iso(account.updated_at),
    }


def spell_credential(dialect: Dialect, credential: Credential) -> Wire:
    """A credential, never with its secret."""
    if dialect.name == "pages":
        return _credential_of_pages(credential)
    return _credential_of_openapi(credential)


def spell_operation(operation: Operation) -> Wire:
    """An operation, of which there is one spelling."""
    return {
        "operationId": operation.operation_id,
        "tradingAccountId": operation.trading_account_id,
        "operationType": operation.operation_type,
        "status": operation.status,
        "createdAt": operation.created_at,
    }


def spell_reachable(
    dialect: Dialect,
    venue: str,
    place: External,
    credentials: Iterable[Credential],
    *,
    ours: Account | None,
    status: str,
) -> Wire:
    """An exchange account that credentials reach.

    In OpenAPI it is a trading account without an id, in the guide an identity, which has an id
    if it is one of ours.
    """
    if dialect.name == "openapi":
        shown = [_credential_of_openapi(each) for each in credentials]
        place_of = _place(place.external_id, venue, place.external_id, place.kind, shown)
        return {**place_of, "status": status}
    own = {"tradingAccountId": ours.trading_account_id} if ours else {}
    return {
        "externalTradingAccountId": place.external_id,
        "venue": venue,
        "name": ours.name if ours else place.external_id,
        "accountType": place.kind,
        "status": "CONNECTED" if ours else status,
        **own,
    }


def _account_of_pages(account: Account) -> Wire:
    spelled: Wire = {
        "tradingAccountId": account.trading_account_id,
        "userId": account.user_id,
        "venue": account.venue,
        "name": account.name,
        "accountType": account.account_type,
        "status": account.status,
        "createdAt": account.created_at,
        "updatedAt": account.updated_at,
    }
    if account.disconnected_at is not None:
        spelled["disconnectedAt"] = account.disconnected_at
    return spelled


def _place(external_id: str, venue: str, name: str, kind: str, credentials: list[Wire]) -> Wire:
    return {
        "externalTradingAccountId": external_id,
        "venue": venue,
        "nickname": name,
        "accountType": kind,
        "externalAccountType": kind,
        "credentials": credentials,
    }


def _credential_of_pages(credential: Credential) -> Wire:
    spelled: Wire = {
        "credentialId": credential.credential_id,
        "userId": credential.user_id,
        "venue": credential.venue,
        "name": credential.name,
        "type": credential.credential_type,
        "apiKey": credential.masked_key,
        "status": credential.status,
    }
    return {**spelled, **_times(credential)}


def _credential_of_openapi(credential: Credential) -> Wire:
    spelled: Wire = {
        "credentialId": credential.credential_id,
        "venue": credential.venue,
        "credentialType": credential.credential_type,
        "status": credential.status,
    }
    if credential.name is not None:
        spelled["nickname"] = credential.name
    return {**spelled, **_times(credential)}


def _times(credential: Credential) -> Wire:
    times = {"createdAt": credential.created_at, "updatedAt": credential.updated_at}
    if credential.revoked_at is not None:
        times["revokedAt"] = credential.revoked_at
    return times
