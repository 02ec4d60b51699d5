"""The endpoints of stored credentials."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Final
from urllib.parse import urlencode

from cadenza_async._answers import Page, read_credential, read_credentials, read_reachable
from cadenza_async._calls import Call, RateClass
from cadenza_async._checks import (
    UNSENDABLE_IN_KEYS,
    check_given,
    check_passphrase,
    check_text,
    without_stage,
)
from cadenza_async._endpoints._parts import LONGEST_LIST, given
from cadenza_async.errors import UsageError
from cadenza_async.models import CredentialType

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from cadenza_async.config import Dialect
    from cadenza_async.models import Credential, ReachableAccount
    from cadenza_async.secret import Secret

_LOOK_AT_CREDENTIALS = (
    "Look with client.list_credentials whether it was done, before you repeat the call."
)

_LONGEST_QUERY: Final = 8000  # characters; a whole URL may have 8,192


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
    check_given(credential_type=credential_type)
    check_given(name=name, required=False)
    keys = _keys(api_key, api_secret, api_passphrase)
    _check_complete(venue, credential_type, keys)
    if dialect == "pages":
        named = given(type=credential_type, name=name)
    else:
        named = given(credentialType=credential_type or CredentialType.API_KEY, nickname=name)
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
    check_given(credential_type=credential_type, status=status)
    ids = credential_ids
    if ids is not None:
        _check_ids(ids)
    if dialect == "pages":
        query = given(type=credential_type, status=status, credentialIds=ids and ",".join(ids))
    else:
        query = given(credentialType=credential_type, credentialStatus=status, credentialIds=ids)
    if len(urlencode(query, doseq=True)) > _LONGEST_QUERY:
        raise UsageError("credential_ids are too many for one URL: ask for fewer at a time")
    return Call(
        method="GET",
        path="credential/list",
        query=query | ({"offset": str(offset)} if offset else {}),
        read=read_credentials,
        write=False,
        rate_class=RateClass.READS,
        longest=LONGEST_LIST,
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
        longest=LONGEST_LIST,
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


def _keys(
    api_key: Secret | None, api_secret: Secret | None, api_passphrase: Secret | None
) -> dict[str, Secret]:
    """Return the fields of a key that were given, checked."""
    check_given(api_key=api_key)
    if api_secret is not None:
        check_text("api_secret", api_secret, unsendable=UNSENDABLE_IN_KEYS)
    check_given(api_passphrase=api_passphrase, required=False)
    return given(apiKey=api_key, apiSecret=api_secret, apiPassphrase=api_passphrase)


_KEYLESS: Final = frozenset({"FERMATA", "MOCK", "PAPER"})  # it needs none, they may need none
_PAIRS: Final = frozenset({None, "EXCHANGE", "API_KEY", "HMAC", "RSA", "ED25519"})


def _check_complete(venue: str, credential_type: str | None, keys: Mapping[str, Secret]) -> None:
    """Refuse a credential that is known to lack a part.

    Raises:
        UsageError: If it does.
    """
    if without_stage(venue) in _KEYLESS or credential_type not in _PAIRS:
        return
    for argument, field in (("api_key", "apiKey"), ("api_secret", "apiSecret")):
        if field not in keys:
            raise UsageError(f"{argument} is missing: a plain key at {venue} has one")
    check_passphrase(venue, keys.get("apiPassphrase"))


def _check_ids(ids: Sequence[str]) -> None:
    if not ids:
        raise UsageError("credential_ids is empty: leave it out to list all")
    for each in ids:
        check_text("each of credential_ids", each)
