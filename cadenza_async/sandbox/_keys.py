"""What the platform knows of a user's keys: whose they are, and which have stopped."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from attrs import evolve

from cadenza_async.sandbox import _exchange as exchange
from cadenza_async.sandbox._checks import invalid
from cadenza_async.sandbox._replies import Refusal
from cadenza_async.sandbox._state import Keys

if TYPE_CHECKING:
    from cadenza_async.sandbox._platform import Platform

_NAMES = {"apiKey": "api_key", "apiSecret": "api_secret", "apiPassphrase": "api_passphrase"}


def read_keys(given: dict[str, Any], before: Keys | None = None) -> Keys:
    """The keys in a body; what is not there stays as it was before."""
    changed = {inner: given[name] for name, inner in _NAMES.items() if name in given}
    return evolve(before or Keys(), **changed)


def check_venue(venue: str, keys: Keys) -> None:
    """Refuse a venue that nobody listed, and keys without a passphrase where one is needed.

    Raises:
        Refusal: 400 with -22020 or -19004.
    """
    if not exchange.is_known(venue):
        raise Refusal(400, -22020, "Unsupported venue")
    if exchange.needs_passphrase(venue) and keys.api_passphrase is None:
        invalid(f"apiPassphrase is required for {venue}")


async def ask_exchange(platform: Platform, user: str, venue: str, keys: Keys | None) -> None:
    """Let the exchange judge keys; those that were rotated out it no longer knows.

    Raises:
        Refusal: what the exchange says.
    """
    if keys is None or not keys.api_key or _has_stopped(platform, user, keys.api_key):
        raise exchange.unknown_key(venue)
    await exchange.validate(venue, keys.api_key, slow=platform.slow)


def holder_of(platform: Platform, user: str, api_key: str) -> str:
    """Who a key belongs to at the exchange: it may have come by rotation, or be new."""
    digest = exchange.digest(api_key)
    mine = platform.credentials.owned_by(user)
    return next((each.holder for each in mine if digest in each.known), digest)


def _has_stopped(platform: Platform, user: str, api_key: str) -> bool:
    digest = exchange.digest(api_key)
    mine = platform.credentials.owned_by(user)
    return any(digest in each.known[:-1] for each in mine)
