"""The endpoints of credentials: create, list, verify, rotate, revoke."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from attrs import evolve

from cadenza_async.sandbox import _exchange as exchange
from cadenza_async.sandbox._checks import Body, Field, Param, Query
from cadenza_async.sandbox._dialects import spell_credential, spell_reachable
from cadenza_async.sandbox._keys import ask_exchange, check_venue, holder_of, read_keys
from cadenza_async.sandbox._replies import Refusal, Reply, success
from cadenza_async.sandbox._state import (
    ACTIVE,
    CREATED,
    EXPIRED,
    FAILED,
    REVOKED,
    SUCCESS,
    Credential,
    Keys,
)

if TYPE_CHECKING:
    from collections.abc import Iterable

    from cadenza_async.sandbox._platform import Call, Platform
    from cadenza_async.sandbox._sessions import Grant

TYPES = ("API_KEY", "TOKEN", "HMAC", "OAUTH", "RSA", "ED25519")
_DEFAULT_TYPE = "EXCHANGE"
TYPES_OF_PAGES = (_DEFAULT_TYPE, *TYPES)
STATUSES = (CREATED, ACTIVE, EXPIRED, REVOKED)

_KEYS = (
    Field("apiKey", required=False),
    Field("apiSecret", required=False),
    Field("apiPassphrase", required=False, blank=True),
)
CREATE_PAGES = Body(
    Field("venue"),
    Field("type", required=False, words=TYPES_OF_PAGES),
    Field("name", required=False),
    *_KEYS,
)
CREATE_OPENAPI = Body(
    Field("venue"),
    Field("credentialType", words=TYPES),
    Field("nickname", required=False),
    *_KEYS,
)
LIST_PAGES = Query(
    Param("type", words=TYPES_OF_PAGES),
    Param("status", words=STATUSES),
    Param("credentialIds", many="joined"),
)
LIST_OPENAPI = Query(
    Param("credentialType", words=TYPES),
    Param("credentialStatus", words=STATUSES),
    Param("credentialIds", many="repeated"),
)
ONE = Body(Field("credentialId"))
SEVERAL = Body(Field("credentialIds", many=True))
ROTATE = Body(Field("credentialId"), *_KEYS, least=2)

_REFUSED_KEYS = (-120001, -22006)


async def create(platform: Platform, call: Call, caller: Grant, given: dict[str, Any]) -> Reply:
    """`POST credential/create`: store keys; the exchange is asked when they are verified."""
    keys = read_keys(given)
    check_venue(given["venue"], keys)
    now = platform.now_ms()
    name = given.get("name", given.get("nickname"))
    credential = Credential(
        credential_id=platform.new_id(),
        user_id=caller.user,
        venue=given["venue"],
        credential_type=given.get("type", given.get("credentialType", _DEFAULT_TYPE)),
        name=None if name is None else call.kept_name(name),
        keys=keys,
        masked_key=_mask(keys.api_key),
        holder=holder_of(platform, caller.user, keys.api_key or ""),
        known=_know((), keys),
        status=CREATED if platform.dialect.name == "openapi" else ACTIVE,
        created_at=now,
        updated_at=now,
    )
    platform.credentials.put(credential)
    return _answer(platform, credential)


async def list_all(platform: Platform, _call: Call, caller: Grant, given: dict[str, Any]) -> Reply:
    """`GET credential/list`: the caller's credentials, oldest first, all at once."""
    kind = given.get("type", given.get("credentialType"))
    status = given.get("status", given.get("credentialStatus"))
    rows = [
        spell_credential(platform.dialect, each)
        for each in platform.credentials.owned_by(caller.user)
        if kind in (None, each.credential_type)
        and status in (None, each.status)
        and each.credential_id in given.get("credentialIds", (each.credential_id,))
    ]
    return success(rows)


async def verify(platform: Platform, _call: Call, caller: Grant, given: dict[str, Any]) -> Reply:
    """`POST credential/verify`: ask the exchange which accounts the keys reach.

    In OpenAPI keys that the exchange refuses are a refusal; in the guide's words they are a
    credential that FAILED, and only an exchange that did not answer is a refusal.
    """
    if platform.dialect.name == "openapi":
        return success(await _rows(platform, caller, given["credentialIds"]))
    status, rows = "VERIFIED", list[dict[str, Any]]()
    try:
        rows = await _rows(platform, caller, [given["credentialId"]])
    except Refusal as refusal:
        if refusal.errno not in _REFUSED_KEYS:
            raise
        status = "FAILED"
    return success({"credentialId": given["credentialId"], "status": status, "identities": rows})


async def rotate(platform: Platform, _call: Call, caller: Grant, given: dict[str, Any]) -> Reply:
    """`POST credential/rotate`: new keys, which must be good; a key they replace is dead at once.

    The new keys reach what the old ones did: they are of the same customer of the exchange.
    """
    credential = find_usable(platform, caller, given["credentialId"])
    keys = read_keys(given, credential.keys)
    try:
        await ask_exchange(platform, caller.user, credential.venue, keys)
    except Refusal:
        _record(platform, credential, "CREDENTIAL_ROTATE", FAILED)
        raise
    credential = find_usable(platform, caller, credential.credential_id)
    credential = platform.credentials.put(
        evolve(
            credential,
            keys=keys,
            masked_key=_mask(keys.api_key),
            known=_know(credential.known, keys),
            status=ACTIVE,
            updated_at=platform.now_ms(),
        )
    )
    _record(platform, credential, "CREDENTIAL_ROTATE", SUCCESS)
    return _answer(platform, credential)


async def revoke(platform: Platform, _call: Call, caller: Grant, given: dict[str, Any]) -> Reply:
    """`POST credential/revoke`: forget the keys for good; the accounts they connected stay."""
    credential = find_usable(platform, caller, given["credentialId"])
    now = platform.now_ms()
    credential = platform.credentials.put(
        evolve(credential, keys=None, status=REVOKED, updated_at=now, revoked_at=now)
    )
    _record(platform, credential, "CREDENTIAL_REVOKE", SUCCESS)
    return _answer(platform, credential)


def find_usable(platform: Platform, caller: Grant, credential_id: str) -> Credential:
    """One of the caller's credentials that is not revoked.

    Raises:
        Refusal: 404, -22016; 403, 22018; 400, -130001.
    """
    credential = platform.credentials.find(credential_id)
    if credential is None:
        raise Refusal(404, -22016, "Credential not found")
    if credential.user_id != caller.user:
        raise platform.forbid("use", resource="credential", provided="write")
    if credential.status == REVOKED:
        raise Refusal(400, -130001, "Credential is already revoked")
    return credential


async def reach(
    platform: Platform, caller: Grant, ids: Iterable[str]
) -> dict[tuple[str, exchange.External], list[Credential]]:
    """The accounts that credentials reach, by venue, each with those that reach it.

    The exchange is asked about every one of them; those that it finds good become active.

    Raises:
        Refusal: as `find_usable`, and what the exchange says.
    """
    ways: dict[tuple[str, exchange.External], list[Credential]] = {}
    for each in [find_usable(platform, caller, each) for each in dict.fromkeys(ids)]:
        await ask_exchange(platform, caller.user, each.venue, each.keys)
        active = _activate(platform, find_usable(platform, caller, each.credential_id))
        for place in exchange.reached(active.api_key, active.holder):
            ways.setdefault((active.venue, place), []).append(active)
    return ways


async def _rows(platform: Platform, caller: Grant, ids: Iterable[str]) -> list[dict[str, Any]]:
    ways = await reach(platform, caller, ids)
    return [_row(platform, venue, place, by) for (venue, place), by in ways.items()]


def _activate(platform: Platform, credential: Credential) -> Credential:
    if credential.status != CREATED:
        return credential
    now = platform.now_ms()
    return platform.credentials.put(evolve(credential, status=ACTIVE, updated_at=now))


def _row(
    platform: Platform, venue: str, place: exchange.External, by: list[Credential]
) -> dict[str, Any]:
    connected = platform.accounts.connected_to(place.external_id, venue)
    ours = next((each for each in connected if each.user_id == by[0].user_id), None)
    if ours is not None and platform.dialect.name == "openapi":
        return platform.spell(ours)
    status = "UNAVAILABLE" if place.taken or connected else "NEW"
    return spell_reachable(platform.dialect, venue, place, by, ours=ours, status=status)


def _answer(platform: Platform, credential: Credential) -> Reply:
    return success(spell_credential(platform.dialect, credential))


def _record(platform: Platform, credential: Credential, operation: str, status: str) -> None:
    for account in platform.accounts.owned_by(credential.user_id):
        if credential.credential_id in account.credential_ids and account.is_connected:
            platform.record(account, operation, status)


def _know(known: tuple[str, ...], keys: Keys) -> tuple[str, ...]:
    if keys.api_key is None or (digest := exchange.digest(keys.api_key)) in known:
        return known
    return (*known, digest)


def _mask(api_key: str | None) -> str | None:
    if api_key is None:
        return None
    return f"{api_key[:4]}****{api_key[-2:]}" if len(api_key) >= 12 else "****"
