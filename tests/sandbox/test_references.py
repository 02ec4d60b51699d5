"""Connecting by reference: the flavour of OpenAPI, to accounts that stored credentials reach."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import pytest

from .api import golden, new_account, serving

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from .api import Api


@pytest.fixture
async def api() -> AsyncIterator[Api]:
    """Give a caller with a sandbox of its own that speaks OpenAPI."""
    async with serving(dialect="openapi") as api:
        yield api


async def place(api: Api, credential_id: str) -> str:
    """What a credential reaches first."""
    name: str = (await api.verify(credential_id)).data[0]["externalTradingAccountId"]
    return name


async def test_the_account_has_the_golden_shape(api: Api) -> None:
    """Every member of the example is there, of its type; beside them only the datetimes."""
    stored = await api.store(nickname="Desk 7")
    answer = await api.refer(stored["credentialId"], nickname="desk-7")
    expected = golden("constructed/connect_openapi.200.json")
    assert list(answer.body) == list(expected)
    kinds = {name: type(value) for name, value in expected["data"].items()}
    account = answer.data
    dates = {name: account.pop(name) for name in ("createdAtDateTime", "updatedAtDateTime")}
    assert {name: type(value) for name, value in account.items()} == kinds
    assert all(each.endswith("Z") for each in dates.values())
    (credential,) = account["credentials"]
    assert credential.keys() - {"nickname"} == expected["data"]["credentials"][0].keys()
    assert (credential["status"], account["nickname"]) == ("ACTIVE", "desk-7")


async def test_datetimes_tell_the_time_in_milliseconds() -> None:
    """They are the same moments as the numbers, as RFC 3339 writes them."""
    async with serving(dialect="openapi", clock=lambda: 1_750_000_000.007) as api:
        account = (await api.refer((await api.store())["credentialId"])).data
        assert account["createdAt"] == 1_750_000_000_007
        assert account["createdAtDateTime"] == "2025-06-15T15:06:40.007Z"


async def test_lists_have_the_envelope_and_the_limits_of_openapi(api: Api) -> None:
    """Fifty rows unless told, a thousand at most, and no `success` anywhere."""
    await api.refer((await api.store())["credentialId"])
    listed = await api.list()
    assert list(listed.body) == ["data", "pagination", "errno"]
    assert listed.body["pagination"]["limit"] == 50
    assert (await api.list(limit="1000", accountStatus="ACTIVE")).data == listed.data
    for query in ({"limit": "1001"}, {"status": "ACTIVE"}, {"accountStatus": "ODD"}):
        refused = await api.list(**query)
        assert refused.verdict == (400, -19004)
        assert list(refused.body) == ["data", "errno", "error"]


async def test_without_a_nickname_the_server_chooses_one(api: Api) -> None:
    """Two accounts do not get the same."""
    names = [(await api.refer((await api.store())["credentialId"])).data["nickname"] for _ in "12"]
    assert len({*names}) == 2


async def test_an_account_is_connected_once(api: Api) -> None:
    """A second time is a conflict with oneself, until it was disconnected."""
    stored = await api.store("many-7")
    spot, margin, _ = (await api.verify(stored["credentialId"])).data
    where = spot["externalTradingAccountId"]
    first = (await api.refer(stored["credentialId"], where)).data
    assert (await api.refer(stored["credentialId"], where)).verdict == (409, -22010)
    other = await api.refer(stored["credentialId"], margin["externalTradingAccountId"])
    assert (other.status, other.data["accountType"]) == (200, "MARGIN")
    await api.disconnect(first["tradingAccountId"])
    again = (await api.refer(stored["credentialId"], where)).data
    assert again["tradingAccountId"] != first["tradingAccountId"]


async def test_connecting_at_once_connects_once() -> None:
    """However slow the exchange is, only one of many gets the account."""
    async with serving(dialect="openapi", slow=0.05) as api:
        stored = await api.store("slow-7")
        where = await place(api, stored["credentialId"])
        calls = [api.refer(stored["credentialId"], where) for _ in range(5)]
        answers = await asyncio.gather(*calls)
        assert sorted(each.status for each in answers) == [200, 409, 409, 409, 409]
        assert len(api.sandbox.accounts) == 1


async def test_what_another_user_has_connected_is_a_conflict(api: Api) -> None:
    """By the number that says so, for a test key as well as for a real other user."""
    other = api.sandbox.token("u-2")
    theirs = await api.store("key-7", token=other)
    assert (await api.refer(theirs["credentialId"], token=other)).status == 200
    for key in ("key-7", "taken-7"):
        stored = await api.store(key)
        assert (await api.refer(stored["credentialId"])).verdict == (409, -22017)


async def test_connecting_is_as_good_as_verifying(api: Api) -> None:
    """The exchange has found the credential good, so it is active."""
    where = await place(api, (await api.store("key-7"))["credentialId"])
    account = (await api.refer((await api.store("key-7"))["credentialId"], where)).data
    assert [each["status"] for each in account["credentials"]] == ["ACTIVE"]


async def test_an_account_must_be_reached(api: Api) -> None:
    """Of all credentials together, which must be of one venue."""
    one, two = [(await api.store())["credentialId"] for _ in range(2)]
    bybit = (await api.store(venue="BYBIT"))["credentialId"]
    where = await place(api, two)
    assert (await api.refer(one, where)).verdict == (400, -22015)
    both = await api.refer(one, where, credentialIds=[one, two, one])
    assert [each["credentialId"] for each in both.data["credentials"]] == [one, two]
    mixed = await api.refer(one, await place(api, one), credentialIds=[one, bybit])
    assert mixed.verdict == (400, -22015)


@pytest.mark.parametrize(("key", "verdict"), [("invalid", (400, -120001)), ("down", (503, -18012))])
async def test_the_exchange_is_asked_again(api: Api, key: str, verdict: tuple[int, int]) -> None:
    """A credential that was good when it was stored may be good no longer."""
    stored = await api.store(key)
    assert (await api.refer(stored["credentialId"], "any")).verdict == verdict
    assert api.sandbox.accounts == []


@pytest.mark.parametrize(
    ("fields", "named"),
    [
        ({"credentialIds": ["a"]}, "externalTradingAccountId"),
        ({"externalTradingAccountId": "spot"}, "credentialIds"),
        ({"credentialIds": "a", "externalTradingAccountId": "spot"}, "credentialIds"),
        ({"venue": "BINANCE"}, "venue"),
        ({"venue": "FERMATA", "credentialIds": ["a"]}, "venue"),
        (new_account(), "apiKey"),
        ({"name": "n"}, "name"),
        ({}, "credentialIds"),
    ],
)
async def test_connect_refuses_what_is_no_reference(
    api: Api, fields: dict[str, Any], named: str
) -> None:
    """The body of the pages above all: keys have no business in this flavour."""
    answer = await api.call("POST", "tradingAccount/connect", json=fields)
    assert answer.verdict == (400, -19004)
    assert named in answer.body["error"]


async def test_the_pages_refuse_references() -> None:
    """There an account is connected by its keys, and by nothing else."""
    async with serving() as api:
        stored = await api.store()
        answer = await api.refer(stored["credentialId"], "spot")
        assert answer.verdict == (400, -19004)


async def test_one_venue_is_connected_by_its_name_alone(api: Api) -> None:
    """It needs no credentials, and each user has one account there."""
    answer = await api.call("POST", "tradingAccount/connect", json={"venue": "FERMATA"})
    assert (answer.status, answer.data["credentials"]) == (200, [])
    again = {"venue": "fermata", "nickname": "n"}
    refused = await api.call("POST", "tradingAccount/connect", json=again)
    assert refused.verdict == (409, -22010)
    other = await api.post("tradingAccount/connect", again, token=api.sandbox.token("u-2"))
    assert (other.status, other.data["nickname"]) == (200, "n")


async def test_somebody_elses_credential_is_forbidden(api: Api) -> None:
    """An id that one happens to know connects nothing."""
    theirs = await api.store(token=api.sandbox.token("u-2"))
    assert (await api.refer(theirs["credentialId"], "any")).verdict == (403, 22018)
    assert (await api.refer("nothing", "any")).verdict == (404, -22016)


def test_a_dialect_nobody_speaks_is_refused() -> None:
    """There are two."""
    with pytest.raises(ValueError, match="pages, openapi"):
        serving(dialect="swagger").__aenter__().send(None)
