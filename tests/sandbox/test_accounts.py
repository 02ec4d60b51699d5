"""Connect, list and disconnect, as the contract promises them."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import pytest

from .api import golden, serving

if TYPE_CHECKING:
    from .api import Api


@pytest.mark.parametrize("name", ["connect_binance", "connect_coinbase"])
async def test_golden_request_is_answered_as_the_golden_answer(api: Api, name: str) -> None:
    """The contract's requests connect, and the answers have the contract's fields and types."""
    answer = await api.post(
        "tradingAccount/connect", golden(f"{name}.request.json"), token=api.sandbox.access_token
    )
    expected = golden("connect_binance.200.json")
    assert answer.status == 200
    assert list(answer.body) == list(expected)
    assert {k: type(v) for k, v in answer.data.items()} == {
        k: type(v) for k, v in expected["data"].items()
    }


async def test_connect_makes_an_active_account_of_the_caller(api: Api) -> None:
    """What was sent is kept as sent; the server adds id, user, status and times in ms."""
    before = round(time.time() * 1000)
    token = api.sandbox.token("u-7")
    fields = {"venue": "okx_uat", "name": "Desk 7", "accountType": "MARGIN"}
    account = (await api.connect(token=token, apiPassphrase="", **fields)).data
    assert before <= account["createdAt"] == account["updatedAt"] <= before + 60_000
    assert account["tradingAccountId"]
    chosen = {"userId": "u-7", "status": "ACTIVE", **fields}
    assert {name: account[name] for name in chosen} == chosen
    assert api.sandbox.accounts == [account]


@pytest.mark.parametrize(
    "venue",
    [
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
    ],
)
async def test_every_listed_venue_is_accepted_and_kept_as_sent(api: Api, venue: str) -> None:
    """Neither case nor a trailing `_UAT` matters, and both are kept."""
    passphrase = "" if venue in {"COINBASE", "OKX"} else None  # no other is known to need one
    for spelling in (venue, f"{venue}_UAT", venue.lower()):
        answer = await api.connect(venue=spelling, apiPassphrase=passphrase)
        assert (answer.status, answer.data["venue"]) == (200, spelling)


async def test_server_chooses_what_is_not_given(api: Api) -> None:
    """Without a type an account is SPOT; without a name it gets one of its own."""
    first, second = (await api.connect()).data, (await api.connect()).data
    assert first["accountType"] == "SPOT"
    assert first["name"]
    assert first["name"] != second["name"]


async def test_connect_is_never_deduplicated(api: Api) -> None:
    """The same request twice makes two accounts."""
    same = {"apiKey": "k", "apiSecret": "s", "name": "twin"}
    ids = {(await api.connect(**same)).data["tradingAccountId"] for _ in range(2)}
    assert len(ids) == 2
    assert [each["name"] for each in api.sandbox.accounts] == ["twin", "twin"]


async def test_list_has_the_golden_shape_and_the_order_of_creation(api: Api) -> None:
    """A list is an array of accounts, oldest first, with pagination beside it."""
    for name in ("a", "b", "c"):
        await api.connect(name=name)
    answer = await api.list()
    expected = golden("constructed/list.200.json")
    assert list(answer.body) == list(expected)
    assert answer.body["pagination"] == {"offset": 0, "limit": 10, "total": 3, "hasNext": False}
    assert answer.body["pagination"].keys() == expected["pagination"].keys()
    assert answer.data == api.sandbox.accounts
    assert [each["name"] for each in answer.data] == ["a", "b", "c"]


@pytest.mark.parametrize(
    ("query", "names", "paging"),
    [
        ({"limit": "2"}, "01", (0, 2, 5, True)),
        ({"limit": "2", "offset": "2"}, "23", (2, 2, 5, True)),
        ({"limit": "2", "offset": "3"}, "34", (3, 2, 5, False)),
        ({"offset": "5"}, "", (5, 10, 5, False)),
        ({"offset": "7"}, "", (7, 10, 5, False)),
        ({"limit": "100"}, "01234", (0, 100, 5, False)),
        ({"venue": "bybit", "limit": "1"}, "1", (0, 1, 2, True)),
    ],
    ids=str,
)
async def test_list_pages(
    api: Api, query: dict[str, str], names: str, paging: tuple[int, int, int, bool]
) -> None:
    """Limit and offset cut the filtered list; the total counts all of it."""
    for number in range(5):
        await api.connect(name=str(number), venue="BYBIT" if number % 2 else "BINANCE")
    answer = await api.list(**query)
    assert "".join(each["name"] for each in answer.data) == names
    offset, limit, total, more = paging
    pagination = {"offset": offset, "limit": limit, "total": total, "hasNext": more}
    assert answer.body["pagination"] == pagination


async def test_an_unfiltered_list_shows_what_was_disconnected(api: Api) -> None:
    """Every status is listed unless one is asked for; other users' accounts never are."""
    first = (await api.connect(name="gone")).data
    await api.connect(name="here")
    await api.connect(name="other", token=api.sandbox.token("u-2"))
    await api.disconnect(first["tradingAccountId"])

    async def names(**query: str) -> list[str]:
        return [each["name"] for each in (await api.list(**query)).data]

    assert await names() == ["gone", "here"]
    assert await names(status="ACTIVE") == ["here"]
    assert await names(status="DISCONNECTED") == ["gone"]
    assert await names(status="DISABLED") == []
    assert await names(tradingAccountId=first["tradingAccountId"]) == ["gone"]


async def test_what_was_disconnected_stays_so() -> None:
    """The answer is the account with its new state; a second disconnect finds nothing."""
    now = 1_750_000_000.123
    async with serving(clock=lambda: now) as api:
        account = (await api.connect()).data
        now += 600
        answer = await api.disconnect(account["tradingAccountId"])
        expected = golden("constructed/disconnect.200.json")
        later = {"updatedAt": 1_750_000_600_123, "disconnectedAt": 1_750_000_600_123}
        assert answer.data == {**account, "status": "DISCONNECTED", **later}
        assert list(answer.body) == list(expected)
        assert answer.data.keys() == expected["data"].keys()
        assert (await api.disconnect(account["tradingAccountId"])).verdict == (404, -22016)
        assert api.sandbox.accounts == []
        assert api.sandbox.archive == [answer.data]


async def test_a_disconnected_account_has_no_keys(api: Api) -> None:
    """They are forgotten, in memory as in a state file."""
    id_ = (await api.connect()).data["tradingAccountId"]
    accounts = api.sandbox._platform.accounts
    before = accounts.find(id_)
    await api.disconnect(id_)
    after = accounts.find(id_)
    assert before is not None
    assert after is not None
    assert (before.keys is None, after.keys) == (False, None)


async def test_the_same_seed_and_clock_give_the_same_answers() -> None:
    """Ids, tokens, times and headers repeat, byte for byte."""

    async def run() -> tuple[str, list[bytes], list[str]]:
        async with serving(seed=7, clock=lambda: 1_750_000_000.0) as api:
            answers = [await api.connect(apiKey="k", apiSecret="s") for _ in range(3)]
            dates = [answer.headers["Date"] for answer in answers]
            return api.sandbox.token(), [answer.raw for answer in answers], dates

    assert await run() == await run()
    assert (await run())[2] == ["Sun, 15 Jun 2025 15:06:40 GMT"] * 3


async def test_health_has_no_envelope_and_needs_no_token() -> None:
    """Health is a document of its own, dated by the sandbox's clock."""
    async with serving(clock=lambda: 1_750_000_000.0) as api:
        answer = await api.call("GET", "health", token=None)
    assert answer.status == 200
    assert answer.body == golden("constructed/health.200.json")


@pytest.mark.parametrize(("status", "code"), [("degraded", 200), ("unhealthy", 503)])
async def test_health_can_be_made_bad(api: Api, status: str, code: int) -> None:
    """The body is the same document; only what is unhealthy answers 503."""
    api.sandbox.script(status)
    answer = await api.call("GET", "health", token=None)
    assert (answer.status, answer.body["status"]) == (code, status)
    assert answer.body.keys() == golden("constructed/health.200.json").keys()
    assert (await api.call("GET", "health", token=None)).body["status"] == "healthy"
