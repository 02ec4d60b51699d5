"""The exchange behind the sandbox: test credentials that always behave the same way."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
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
    """What an api key with a certain beginning meets at the exchange."""

    meaning: str
    status: int = 200
    errno: int = 0
    text: Callable[[str], str] = str


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
    }
)
"""Beginnings of api keys that always meet the same end; any other key is good."""


def is_known(venue: str) -> bool:
    """Whether the platform trades there; neither case nor a trailing `_UAT` matters."""
    return _plain(venue) in _VENUES


def needs_passphrase(venue: str) -> bool:
    """Whether the venue's keys come with a passphrase."""
    return _plain(venue) in _NEED_PASSPHRASE


async def validate(venue: str, api_key: str, *, slow: float) -> None:
    """Ask the exchange about a key; one that begins with `slow` takes that many seconds.

    Raises:
        Refusal: with the status and number of the test key's row.
    """
    for beginning, card in TEST_KEYS.items():
        if api_key.startswith(beginning):
            await asyncio.sleep(slow if beginning == "slow" else 0)
            if card.errno:
                raise Refusal(card.status, card.errno, card.text(venue))


def _plain(venue: str) -> str:
    return venue.upper().removesuffix("_UAT")
