"""The test credentials: what an api key begins with decides what the exchange says."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest

from cadenza_async.sandbox import TEST_KEYS

from .api import golden, serving

if TYPE_CHECKING:
    from .api import Api


@pytest.mark.parametrize(
    ("key", "verdict"),
    [
        ("invalid", (400, -120001)),
        ("invalid-7", (400, -120001)),
        ("noperm-7", (400, -22006)),
        ("down-7", (503, -18012)),
        ("busy-7", (429, -18011)),
        ("not-invalid", (200, 0)),
        ("taken-7", (200, 0)),
        ("empty-7", (200, 0)),
        ("INVALID", (200, 0)),
    ],
)
async def test_keys_always_meet_the_same_end(api: Api, key: str, verdict: tuple[int, int]) -> None:
    """The beginning of the key decides, and a refused key connects nothing."""
    answer = await api.connect(apiKey=key)
    assert answer.verdict == verdict
    assert len(api.sandbox.accounts) == (verdict[1] == 0)


async def test_refused_credentials_are_told_as_in_the_contract(api: Api) -> None:
    """The answer is the contract's own example."""
    answer = await api.connect(apiKey="invalid")
    assert answer.body == golden("connect_invalid_credentials.400.json")


async def test_slow_keys_are_good_but_take_their_time() -> None:
    """The account is there only when the exchange has answered."""
    async with serving(slow=0.2) as api:
        call = asyncio.create_task(api.connect(apiKey="slow-1"))
        await api.connect(name="quick")
        assert [each["name"] for each in api.sandbox.accounts] == ["quick"]
        assert (await call).status == 200
        assert len(api.sandbox.accounts) == 2


def test_the_table_has_a_meaning_for_every_key() -> None:
    """The public table holds the beginnings, each explained."""
    beginnings = ["invalid", "noperm", "slow", "down", "busy", "many", "taken", "empty"]
    assert list(TEST_KEYS) == beginnings
    assert all(card.meaning for card in TEST_KEYS.values())
