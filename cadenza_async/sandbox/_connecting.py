"""The endpoint that connects: by the keys themselves on the pages, by reference in OpenAPI."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from cadenza_async.sandbox import _exchange as exchange
from cadenza_async.sandbox._checks import Body, Field, invalid
from cadenza_async.sandbox._credentials import find_usable, reach
from cadenza_async.sandbox._keys import ask_exchange, check_venue, holder_of, read_keys
from cadenza_async.sandbox._replies import Refusal, Reply, success
from cadenza_async.sandbox._state import Account

if TYPE_CHECKING:
    from cadenza_async.sandbox._platform import Call, Platform
    from cadenza_async.sandbox._sessions import Grant
    from cadenza_async.sandbox._state import Keys

ACCOUNT_TYPES = ("SPOT", "MARGIN", "FUTURES", "CREDIT", "OPTIONS")

BY_KEYS = Body(
    Field("venue"),
    Field("apiKey"),
    Field("apiSecret"),
    Field("apiPassphrase", required=False, blank=True),
    Field("name", required=False),
    Field("accountType", required=False, words=ACCOUNT_TYPES),
)
BY_REFERENCE = Body(
    Field("credentialIds", required=False, many=True),
    Field("externalTradingAccountId", required=False),
    Field("venue", required=False),
    Field("nickname", required=False),
    either=(("credentialIds", "externalTradingAccountId"), ("venue",)),
)
_NO_KEYS = "FERMATA"


async def connect(platform: Platform, call: Call, caller: Grant, given: dict[str, Any]) -> Reply:
    """`POST tradingAccount/connect`: connect an account, in the flavour of the dialect."""
    if platform.dialect.name == "pages":
        account = await _by_keys(platform, call, caller, given)
    elif "venue" in given:
        account = _by_venue(platform, call, caller, given)
    else:
        account = await _by_reference(platform, call, caller, given)
    platform.accounts.put(account)
    platform.record(account, "CONNECT")
    return success(platform.spell(account))


async def _by_keys(platform: Platform, call: Call, caller: Grant, given: dict[str, Any]) -> Account:
    """Validate the keys at the exchange, then make an account.

    The venue may be written in any case, with or without `_UAT`, and is kept as sent; one that
    no list names is refused with -22020. Nothing is ever deduplicated.
    """
    venue, kind = given["venue"], given.get("accountType", "SPOT")
    keys = read_keys(given)
    check_venue(venue, keys)
    await ask_exchange(platform, caller.user, venue, keys)
    holder = holder_of(platform, caller.user, given["apiKey"])
    place = exchange.account_of(holder, kind)
    name = _named(platform, call, caller.user, venue, given.get("name"))
    return _new_account(platform, caller.user, venue, name, place, keys=keys)


async def _by_reference(
    platform: Platform, call: Call, caller: Grant, given: dict[str, Any]
) -> Account:
    """Let stored credentials reach an exchange account that nobody has connected yet.

    Refused are credentials that are unknown, somebody else's or revoked, those of several
    venues, an account that they do not reach (-22015), one that another user has connected
    (409, -22017) and one that the caller has (409, -22010).
    """
    ids = tuple(dict.fromkeys(given["credentialIds"]))
    found = [find_usable(platform, caller, each) for each in ids]
    if len({exchange.plain(each.venue) for each in found}) > 1:
        raise Refusal(400, -22015, "credentialIds are of several venues")
    reached = {place.external_id: place for _, place in await reach(platform, caller, ids)}
    place = reached.get(given["externalTradingAccountId"])
    if place is None:
        raise Refusal(400, -22015, "externalTradingAccountId is not reached by these credentials")
    venue = found[0].venue
    _refuse_connected(platform, caller.user, venue, place)
    name = _named(platform, call, caller.user, venue, given.get("nickname"))
    return _new_account(platform, caller.user, venue, name, place, credential_ids=ids)


def _by_venue(platform: Platform, call: Call, caller: Grant, given: dict[str, Any]) -> Account:
    """Connect to the one venue that needs no credentials, by its name alone."""
    venue = given["venue"]
    if exchange.plain(venue) != _NO_KEYS:
        invalid(f"venue alone connects {_NO_KEYS}, anything else needs credentialIds")
    name = _named(platform, call, caller.user, venue, given.get("nickname"))
    place = exchange.account_of(exchange.digest(caller.user), "SPOT")
    _refuse_connected(platform, caller.user, venue, place)
    return _new_account(platform, caller.user, venue, name, place)


def _refuse_connected(platform: Platform, user: str, venue: str, place: exchange.External) -> None:
    connected = platform.accounts.connected_to(place.external_id, venue)
    if place.taken or any(each.user_id != user for each in connected):
        raise Refusal(409, -22017, "Trading account is connected by another user")
    if connected:
        raise Refusal(409, -22010, "Trading account is connected already")


def _named(platform: Platform, call: Call, user: str, venue: str, chosen: str | None) -> str:
    return call.kept_name(chosen or f"{venue} {len(platform.accounts.owned_by(user)) + 1}")


def _new_account(
    platform: Platform,
    user: str,
    venue: str,
    name: str,
    place: exchange.External,
    *,
    keys: Keys | None = None,
    credential_ids: tuple[str, ...] = (),
) -> Account:
    now = platform.now_ms()
    return Account(
        trading_account_id=platform.new_id(),
        user_id=user,
        venue=venue,
        name=name,
        account_type=place.kind,
        external_id=place.external_id,
        keys=keys,
        credential_ids=credential_ids,
        created_at=now,
        updated_at=now,
    )
