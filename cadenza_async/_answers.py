"""What an answer holds: values of ours, out of Cadenza's envelope."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final, Generic, TypeVar, cast

from attrs import frozen

from cadenza_async._wire import as_object, read_model
from cadenza_async.auth import check_token
from cadenza_async.errors import ConfigError, CredentialsRejectedError, ServerError
from cadenza_async.models import (
    Credential,
    CredentialStatus,
    Health,
    LoginSession,
    Operation,
    ReachableAccount,
    TradingAccount,
    User,
)
from cadenza_async.secret import Secret

if TYPE_CHECKING:
    from collections.abc import Callable

T = TypeVar("T")

UNNAMED: Final = "UNKNOWN"
"""Stands for a venue or status that an answer should name and does not."""


def read_account(envelope: Mapping[str, Any], *, venue: str = UNNAMED) -> TradingAccount:
    """Read the account out of an answer.

    Args:
        envelope: The whole answer.
        venue: What to say when the answer names no venue.

    Raises:
        ValueError: If there is no account with an id in it.
    """
    return _account(envelope.get("data"), venue)


def read_credential(envelope: Mapping[str, Any], *, venue: str = UNNAMED) -> Credential:
    """Read the credential out of an answer; see `read_account`.

    Raises:
        ValueError: If there is no credential with an id in it.
    """
    return _credential(envelope.get("data"), venue)


@frozen(kw_only=True)
class Page(Generic[T]):
    """One page of a list.

    Attributes:
        rows: What is on it, in the server's order, by id.
        received: How many rows it has; some may have the same id.
        total: How many rows there are in all, if the server says.
        has_next: Whether there is another page, if the server says.
    """

    rows: Mapping[str, T]
    received: int
    total: int | None = None
    has_next: bool | None = None


def read_accounts(envelope: Mapping[str, Any]) -> Page[TradingAccount]:
    """Read one page of accounts out of an answer.

    Raises:
        ValueError: If it holds no list, or a row that is no account.
    """
    return _page(envelope, _account, lambda account: account.trading_account_id)


def read_operations(envelope: Mapping[str, Any]) -> Page[Operation]:
    """Read one page of operations out of an answer; see `read_accounts`."""
    return _page(envelope, _operation, lambda operation: operation.operation_id)


def read_credentials(envelope: Mapping[str, Any]) -> Page[Credential]:
    """Read credentials out of an answer; see `read_accounts`.

    The endpoint is not known to have pages: an answer that names no others is all there is.
    """
    about = as_object(envelope.get("pagination")) or {}
    if about.get("total") is None and about.get("hasNext") is None:
        envelope = {**envelope, "pagination": {"hasNext": False}}
    return _page(envelope, _credential, lambda credential: credential.credential_id)


def _page(
    envelope: Mapping[str, Any], read: Callable[[object], T], identify: Callable[[T], str]
) -> Page[T]:
    rows = envelope.get("data")
    if not isinstance(rows, list):
        raise ValueError("no list")  # noqa: TRY004  # the answer is wrong, not a type
    values = [read(row) for row in cast("list[object]", rows)]
    about = as_object(envelope.get("pagination")) or {}
    total, has_next = about.get("total"), about.get("hasNext")
    return Page(
        rows={identify(value): value for value in values},
        received=len(values),
        total=total if type(total) is int else None,
        has_next=has_next if isinstance(has_next, bool) else None,
    )


def read_reachable(envelope: Mapping[str, Any]) -> tuple[ReachableAccount, ...]:
    """Read what a credential reaches: a list of accounts, or an object with ``identities``.

    Raises:
        ValueError: If it holds neither, or a row without the exchange's id.
        CredentialsRejectedError: If it says that the credential failed.
        ServerError: If it says that the credential is still being verified.
    """
    data = envelope.get("data")
    about = as_object(data) or {}
    rows, status = about.get("identities", data), about.get("status")
    if status == CredentialStatus.FAILED:
        raise CredentialsRejectedError("the credential failed its verification", status=200)
    if status == CredentialStatus.PENDING:
        raise ServerError("the credential is still being verified", status=200)
    if not isinstance(rows, list):
        raise ValueError("no list of reachable accounts")  # noqa: TRY004  # as above
    return tuple(_reachable(row, about) for row in cast("list[object]", rows))


_LIFETIME = 3600.0  # seconds, as published
_ETERNITY = 10**9  # seconds


def read_session(envelope: Mapping[str, Any]) -> LoginSession:
    """Read the tokens out of an answer.

    Raises:
        ValueError: If there is no access token in it.
    """
    data = as_object(envelope.get("data")) or {}
    access, refresh, lasts = (data.get(k) for k in ("accessToken", "refreshToken", "expiresIn"))
    try:
        token = check_token(Secret(cast("str", access)))
    except ConfigError:
        token = None
    if token is None:
        raise ValueError("no accessToken that can be used")
    try:
        user = _user(data.get("user"))
    except ValueError:
        user = None
    return LoginSession(
        access_token=token,
        refresh_token=Secret(refresh) if isinstance(refresh, str) and refresh else None,
        expires_in=float(lasts) if type(lasts) is int and 0 < lasts < _ETERNITY else _LIFETIME,
        user=user,
    )


def read_user(envelope: Mapping[str, Any]) -> User:
    """Read the user out of an answer.

    Raises:
        ValueError: If there is no user with an id in it.
    """
    return _user(envelope.get("data"))


def read_health(answer: Mapping[str, Any]) -> Health:
    """Read how Cadenza is, out of an answer without an envelope.

    Raises:
        ValueError: If it tells nothing of it.
    """
    answer = as_object(answer.get("data")) or answer
    if not isinstance(answer.get("status"), str) or not answer.keys() & {"timestamp", "version"}:
        raise ValueError("no word on its health")
    return read_model(Health, answer)


def nothing(_: Mapping[str, Any]) -> None:
    """Read nothing: that Cadenza accepted says it all."""


def _account(data: object, venue: str = UNNAMED) -> TradingAccount:
    given = _identified(data, "tradingAccountId", "account")
    return read_model(
        TradingAccount, given, venue=venue, status=UNNAMED, credential_ids=_credential_ids(given)
    )


def _credential_ids(account: Mapping[str, Any]) -> tuple[str, ...]:
    rows = account.get("credentials")
    if not isinstance(rows, list):
        return ()
    found = [as_object(row) or {} for row in cast("list[object]", rows)]
    return tuple(row["credentialId"] for row in found if isinstance(row.get("credentialId"), str))


def _reachable(data: object, about: Mapping[str, Any]) -> ReachableAccount:
    given = _identified(data, "externalTradingAccountId", "reachable account")
    venue = about.get("venue")
    return read_model(
        ReachableAccount,
        given,
        venue=venue if isinstance(venue, str) else UNNAMED,
        status=UNNAMED,
    )


def _operation(data: object) -> Operation:
    given = _identified(data, "operationId", "operation")
    return read_model(Operation, given, operation_type=UNNAMED, status=UNNAMED)


def _credential(data: object, venue: str = UNNAMED) -> Credential:
    given = _identified(data, "credentialId", "credential")
    return read_model(Credential, given, venue=venue, status=UNNAMED)


def _user(data: object) -> User:
    given = {**_identified(data, "id", "user")}
    user_id = given.pop("id")
    return read_model(User, {**given, "userId": user_id})


def _identified(data: object, wire: str, what: str) -> Mapping[str, Any]:
    """Return the JSON object, if it is known by an id.

    Raises:
        ValueError: If it is not.
    """
    given = as_object(data) or {}
    if not isinstance(given.get(wire), str) or not given[wire]:
        raise ValueError(f"no {what} with an id")
    return given
