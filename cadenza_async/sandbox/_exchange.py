"""The exchange behind the sandbox: test credentials that always behave the same way."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from hashlib import sha256
from types import MappingProxyType

from attrs import frozen

from cadenza_async.sandbox._replies import Refusal

_NEED_PASSPHRASE = frozenset({"COINBASE", "OKX"})
_VENUES = frozenset(
    {
        "BINANCE",
        "COINBASE",
        "BYBIT",
        "OKX",
        "B2C2",
        "WINTERMUTE",
        "BLOCKFILLS",
        "STONEX",
        "CUMBERLAND",
        "IBKR",
        "DERIBIT",
        "BITFINEX",
        "HYPERLIQUID",
        "FERMATA",
        "MOCK",
        "PAPER",
    }
)


@frozen
class KeyBehaviour:
    """What an api key with a certain beginning meets at the exchange.

    Attributes:
        meaning: The same in words.
        status: The HTTP status of its refusal; 200 if the key is good.
        errno: The number of its refusal; 0 if the key is good.
        text: Makes the refusal's text, given the venue.
        reaches: The types of the accounts that a credential with it reaches.
        taken: Whether another user has connected these.
    """

    meaning: str
    status: int = 200
    errno: int = 0
    text: Callable[[str], str] = str
    reaches: tuple[str, ...] = ("SPOT",)
    taken: bool = False


@frozen(kw_only=True)
class External:
    """An account as the exchange knows it."""

    external_id: str
    kind: str
    taken: bool = False


TEST_KEYS: Mapping[str, KeyBehaviour] = MappingProxyType(
    {
        "invalid": KeyBehaviour(
            "the exchange does not know the key",
            400,
            -120001,
            "Invalid API credentials for {}".format,
        ),
        "noperm": KeyBehaviour(
            "the key may not trade", 400, -22006, "API key for {} lacks trading permission".format
        ),
        "slow": KeyBehaviour("the exchange takes some seconds to answer"),
        "down": KeyBehaviour(
            "the exchange is not available", 503, -18012, "{} is not available".format
        ),
        "busy": KeyBehaviour(
            "the exchange limits Cadenza's own calls", 429, -18011, "{} rate limit exceeded".format
        ),
        "many": KeyBehaviour(
            "the key reaches three accounts", reaches=("SPOT", "MARGIN", "FUTURES")
        ),
        "taken": KeyBehaviour("the key's account is connected by another user", taken=True),
        "empty": KeyBehaviour("the key reaches no account", reaches=()),
    }
)
"""Beginnings of api keys that always meet the same end.

Any other key is good and reaches one account, which the key alone decides: the same key reaches
the same account, whoever brings it. What a key reaches matters to those who verify a credential
or connect by one; to connect with the keys themselves every good key will do, any number of
times.
"""

_GOOD = KeyBehaviour("a good key")


def is_known(venue: str) -> bool:
    """Whether the platform trades there; neither case nor a trailing `_UAT` matters."""
    return plain(venue) in _VENUES


def needs_passphrase(venue: str) -> bool:
    """Whether the venue's keys come with a passphrase."""
    return plain(venue) in _NEED_PASSPHRASE


async def validate(venue: str, api_key: str, *, slow: float) -> None:
    """Ask the exchange about a key; one that begins with `slow` takes that many seconds.

    Raises:
        Refusal: with the status and number of the test key's row.
    """
    if api_key.startswith("slow"):
        await asyncio.sleep(slow)
    behaviour = _behaviour(api_key)
    if behaviour.errno:
        raise Refusal(behaviour.status, behaviour.errno, behaviour.text(venue))


def reached(api_key: str, holder: str) -> tuple[External, ...]:
    """The accounts that a good key reaches, all of them its holder's."""
    behaviour = _behaviour(api_key)
    return tuple(account_of(holder, kind, taken=behaviour.taken) for kind in behaviour.reaches)


def account_of(holder: str, kind: str, *, taken: bool = False) -> External:
    """The account of a kind that one of the exchange's customers has there."""
    return External(external_id=f"{holder[:12]}-{kind.lower()}", kind=kind, taken=taken)


def digest(api_key: str) -> str:
    """What tells keys apart without telling them; also the holder of a key that is new."""
    return sha256(api_key.encode(errors="surrogatepass")).hexdigest()


def _behaviour(api_key: str) -> KeyBehaviour:
    return next((each for word, each in TEST_KEYS.items() if api_key.startswith(word)), _GOOD)


def unknown_key(venue: str) -> Refusal:
    """What the exchange says to a key that it does not know, or no longer."""
    behaviour = TEST_KEYS["invalid"]
    return Refusal(behaviour.status, behaviour.errno, behaviour.text(venue))


def plain(venue: str) -> str:
    """A venue's name without case and `_UAT`."""
    return venue.upper().removesuffix("_UAT")
