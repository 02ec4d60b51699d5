"""Every endpoint as a value: what to send and how to read the answer. No I/O."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any, Final

from cadenza_async._answers import (
    Page,
    nothing,
    read_account,
    read_accounts,
    read_credential,
    read_credentials,
    read_health,
    read_operations,
    read_reachable,
    read_session,
    read_user,
)
from cadenza_async._calls import CONNECT, MIB, Call, RateClass
from cadenza_async._wire import milliseconds
from cadenza_async.errors import UsageError
from cadenza_async.models import (
    UNSENDABLE_IN_KEYS,
    CredentialType,
    check_passphrase,
    check_text,
)

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

    from cadenza_async.auth import PasswordLogin
    from cadenza_async.config import Dialect
    from cadenza_async.models import (
        Credential,
        Health,
        LoginSession,
        NewAccount,
        Operation,
        ReachableAccount,
        TradingAccount,
        User,
    )
    from cadenza_async.secret import Secret

_PAGE_LIMIT = 100  # the highest that every description of the lists allows
_LONGEST_LIST = 16 * MIB

_LOOK_AT_ACCOUNT = (
    "Look with client.get_account what state the account is in, before you repeat the call."
)
_LOOK_AT_CREDENTIALS = (
    "Look with client.list_credentials whether it was done, before you repeat the call."
)


def connect_account(account: NewAccount) -> Call[TradingAccount]:
    """``POST /api/v3/tradingAccount/connect``."""
    return Call(
        method="POST",
        path=CONNECT,
        body=account,
        read=partial(read_account, venue=account.venue),
        write=True,
        rate_class=RateClass.ACCOUNTS,
        venue=account.venue,
        name=account.name,
    )


def connect_with_credential(
    credential_id: str, external_trading_account_id: str, *, name: str | None = None
) -> Call[TradingAccount]:
    """``POST /api/v3/tradingAccount/connect``, by reference to a stored credential."""
    check_text("credential_id", credential_id)
    check_text("external_trading_account_id", external_trading_account_id)
    if name is not None:
        check_text("name", name, required=False)
    return Call(
        method="POST",
        path=CONNECT,
        body=_given(
            credentialIds=[credential_id],
            externalTradingAccountId=external_trading_account_id,
            nickname=name,
        ),
        read=read_account,
        write=True,
        rate_class=RateClass.ACCOUNTS,
        name=name,
        external_id=external_trading_account_id,
        credential_id=credential_id,
    )


def disconnect_account(trading_account_id: str) -> Call[TradingAccount]:
    """``POST /api/v3/tradingAccount/disconnect``."""
    return _account_write("disconnect", trading_account_id)


def enable_account(trading_account_id: str) -> Call[TradingAccount]:
    """``POST /api/v3/tradingAccount/enable``."""
    return _account_write("enable", trading_account_id)


def disable_account(trading_account_id: str) -> Call[TradingAccount]:
    """``POST /api/v3/tradingAccount/disable``."""
    return _account_write("disable", trading_account_id)


def rename_account(trading_account_id: str, name: str) -> Call[TradingAccount]:
    """``POST /api/v3/tradingAccount/update``."""
    check_text("name", name)
    return _account_write("update", trading_account_id, nickname=name)


def _account_write(verb: str, trading_account_id: str, **more: str) -> Call[TradingAccount]:
    check_text("trading_account_id", trading_account_id)
    return Call(
        method="POST",
        path=f"tradingAccount/{verb}",
        body={"tradingAccountId": trading_account_id, **more},
        read=read_account,
        write=True,
        rate_class=RateClass.ACCOUNTS,
        remedy=_LOOK_AT_ACCOUNT,
    )


def list_accounts(
    *,
    venue: str | None = None,
    status: str | None = None,
    trading_account_id: str | None = None,
    offset: int = 0,
    dialect: Dialect = "pages",
) -> Call[Page[TradingAccount]]:
    """``GET /api/v3/tradingAccount/list``, one page of it."""
    _check_filters(venue=venue, status=status, trading_account_id=trading_account_id)
    spelling = "status" if dialect == "pages" else "accountStatus"
    return Call(
        method="GET",
        path="tradingAccount/list",
        query=_given(tradingAccountId=trading_account_id, venue=venue, **{spelling: status})
        | {"limit": str(_PAGE_LIMIT), "offset": str(offset)},
        read=read_accounts,
        write=False,
        rate_class=RateClass.READS,
        longest=_LONGEST_LIST,
    )


def list_operations(
    *,
    trading_account_id: str | None = None,
    operation_type: str | None = None,
    since: datetime | None = None,
    until: datetime | None = None,
    offset: int = 0,
) -> Call[Page[Operation]]:
    """``GET /api/v3/tradingAccount/operation/list``, one page of it."""
    _check_filters(trading_account_id=trading_account_id, operation_type=operation_type)
    start, end = _time("since", since), _time("until", until)
    if since and until and since > until:
        raise UsageError("since is later than until")
    return Call(
        method="GET",
        path="tradingAccount/operation/list",
        query=_given(
            tradingAccountId=trading_account_id,
            operationType=operation_type,
            startTime=start,
            endTime=end,
        )
        | {"limit": str(_PAGE_LIMIT), "offset": str(offset)},
        read=read_operations,
        write=False,
        rate_class=RateClass.READS,
        longest=_LONGEST_LIST,
    )


def create_credential(
    *,
    venue: str,
    api_key: Secret | None = None,
    api_secret: Secret | None = None,
    api_passphrase: Secret | None = None,
    credential_type: str | None = None,
    name: str | None = None,
    dialect: Dialect = "pages",
) -> Call[Credential]:
    """``POST /api/v3/credential/create``."""
    check_text("venue", venue)
    _check_filters(credential_type=credential_type)
    if name is not None:
        check_text("name", name, required=False)
    keys = _keys(api_key, api_secret, api_passphrase)
    _check_complete(venue, credential_type, keys)
    if dialect == "pages":
        named = _given(type=credential_type, name=name)
    else:
        named = _given(credentialType=credential_type or CredentialType.API_KEY, nickname=name)
    return Call(
        method="POST",
        path="credential/create",
        body={"venue": venue, **keys, **named},
        read=partial(read_credential, venue=venue),
        write=True,
        rate_class=RateClass.ACCOUNTS,
        venue=venue,
        name=name,
        remedy=_LOOK_AT_CREDENTIALS,
    )


def list_credentials(
    *,
    credential_type: str | None = None,
    status: str | None = None,
    credential_ids: Sequence[str] | None = None,
    offset: int = 0,
    dialect: Dialect = "pages",
) -> Call[Page[Credential]]:
    """``GET /api/v3/credential/list``."""
    _check_filters(credential_type=credential_type, status=status)
    ids = credential_ids
    if ids is not None:
        _check_ids(ids)
    if dialect == "pages":
        query = _given(type=credential_type, status=status, credentialIds=ids and ",".join(ids))
    else:
        query = _given(credentialType=credential_type, credentialStatus=status, credentialIds=ids)
    return Call(
        method="GET",
        path="credential/list",
        query=query | ({"offset": str(offset)} if offset else {}),
        read=read_credentials,
        write=False,
        rate_class=RateClass.READS,
        longest=_LONGEST_LIST,
    )


def verify_credential(
    credential_id: str, *, dialect: Dialect = "pages"
) -> Call[tuple[ReachableAccount, ...]]:
    """``POST /api/v3/credential/verify``; asking twice does no harm.

    Besides the OpenAPI document only the guide describes it, with a field for one id.
    """
    check_text("credential_id", credential_id)
    one = dialect == "pages"
    return Call(
        method="POST",
        path="credential/verify",
        body={"credentialId": credential_id} if one else {"credentialIds": [credential_id]},
        read=read_reachable,
        write=False,
        rate_class=RateClass.ACCOUNTS,
        longest=_LONGEST_LIST,
    )


def rotate_credential(
    credential_id: str,
    *,
    api_key: Secret | None = None,
    api_secret: Secret | None = None,
    api_passphrase: Secret | None = None,
) -> Call[Credential]:
    """``POST /api/v3/credential/rotate``."""
    check_text("credential_id", credential_id)
    keys = _keys(api_key, api_secret, api_passphrase)
    if not keys:
        raise UsageError("give api_key, api_secret or api_passphrase: nothing would change")
    return Call(
        method="POST",
        path="credential/rotate",
        body={"credentialId": credential_id, **keys},
        read=read_credential,
        write=True,
        rate_class=RateClass.ACCOUNTS,
        remedy="Rotate again with the same keys: if it was done, that changes nothing.",
    )


def revoke_credential(credential_id: str) -> Call[Credential]:
    """``POST /api/v3/credential/revoke``."""
    check_text("credential_id", credential_id)
    return Call(
        method="POST",
        path="credential/revoke",
        body={"credentialId": credential_id},
        read=read_credential,
        write=True,
        rate_class=RateClass.ACCOUNTS,
        remedy=_LOOK_AT_CREDENTIALS,
    )


def login(login: PasswordLogin) -> Call[LoginSession]:
    """``POST /api/v3/auth/login``; logging in twice does no harm."""
    return Call(
        method="POST",
        path="auth/login",
        body={"email": login.email, "password": login.password},
        read=read_session,
        write=False,
        rate_class=RateClass.AUTHENTICATION,
        authenticated=False,
    )


def refresh(refresh_token: Secret) -> Call[LoginSession]:
    """``POST /api/v3/auth/token/refresh``; it spends the refresh token."""
    check_text("refresh_token", refresh_token)
    return Call(
        method="POST",
        path="auth/token/refresh",
        body={"refreshToken": refresh_token},
        read=read_session,
        write=True,
        rate_class=RateClass.AUTHENTICATION,
        authenticated=False,
        remedy="Log in again: the refresh token may be spent.",
    )


def logout() -> Call[None]:
    """``POST /api/v3/auth/logout``; it ends the access and the refresh token."""
    return Call(
        method="POST",
        path="auth/logout",
        body={},
        read=nothing,
        write=True,
        rate_class=RateClass.SESSION,
        remedy="Log out again: an AuthenticationError then means that it was done.",
    )


def user() -> Call[User]:
    """``GET /api/v3/auth/user``."""
    return Call(
        method="GET",
        path="auth/user",
        read=read_user,
        write=False,
        rate_class=RateClass.SESSION,
    )


def health() -> Call[Health]:
    """``GET /api/v3/health``: for everybody, and without an envelope."""
    return Call(
        method="GET",
        path="health",
        read=read_health,
        write=False,
        rate_class=None,
        authenticated=False,
        enveloped=False,
    )


def _given(**fields: Any) -> dict[str, Any]:
    """Return the fields that were given."""
    return {name: value for name, value in fields.items() if value is not None}


def _check_filters(**filters: str | None) -> None:
    for argument, value in filters.items():
        if value is not None:
            check_text(argument, value)


def _check_ids(ids: Sequence[str]) -> None:
    if not ids:
        raise UsageError("credential_ids is empty: leave it out to list all")
    for each in ids:
        check_text("credential_ids", each)


def _time(argument: str, moment: datetime | None) -> str | None:
    """Return a time as a query names it.

    Raises:
        UsageError: If it has no time zone.
    """
    if moment is None:
        return None
    if moment.tzinfo is None:
        raise UsageError(f"{argument} has no time zone: use datetime.now(timezone.utc)")
    return str(milliseconds(moment))


def _keys(
    api_key: Secret | None, api_secret: Secret | None, api_passphrase: Secret | None
) -> dict[str, Secret]:
    """Return the fields of a key that were given, checked."""
    if api_key is not None:
        check_text("api_key", api_key, required=False)
    if api_secret is not None:
        check_text("api_secret", api_secret, required=False, unsendable=UNSENDABLE_IN_KEYS)
    if api_passphrase is not None:
        check_text("api_passphrase", api_passphrase, required=False)
    return _given(apiKey=api_key, apiSecret=api_secret, apiPassphrase=api_passphrase)


_KEYLESS: Final = frozenset({"FERMATA"})
_PAIRS: Final = frozenset({None, "EXCHANGE", "API_KEY", "HMAC", "RSA", "ED25519"})


def _check_complete(venue: str, credential_type: str | None, keys: Mapping[str, Secret]) -> None:
    """Refuse a credential that is known to lack a part.

    Raises:
        UsageError: If it does.
    """
    if venue.upper().removesuffix("_UAT") in _KEYLESS or credential_type not in _PAIRS:
        return
    for argument, field in (("api_key", "apiKey"), ("api_secret", "apiSecret")):
        if field not in keys:
            raise UsageError(
                f'{argument} is missing (give {argument}="" if this credential really has none)'
            )
    check_passphrase(venue, keys.get("apiPassphrase"))
