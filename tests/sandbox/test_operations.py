"""The history of accounts: what was done, what failed, and how to page through it."""

from __future__ import annotations

import pytest

from .api import Api, serving


async def test_every_change_is_an_operation() -> None:
    """In the order in which it was done, each with the moment."""
    now = 1_750_000_000.0
    async with serving(clock=lambda: now) as api:
        account_id = (await api.connect()).data["tradingAccountId"]
        for path in ("disable", "enable", "update", "disconnect"):
            now += 1
            fields = {"nickname": "n"} if path == "update" else {}
            await api.account(path, account_id, **fields)
        answer = await api.operations()
        assert list(answer.body) == ["data", "pagination", "success", "errno", "error"]
        assert [each["operationType"] for each in answer.data] == [
            "CONNECT",
            "DISABLE",
            "ENABLE",
            "UPDATE",
            "DISCONNECT",
        ]
        assert answer.data == api.sandbox.operations
        last = answer.data[-1]
        assert last.pop("operationId")
        assert last == {
            "tradingAccountId": account_id,
            "operationType": "DISCONNECT",
            "status": "SUCCESS",
            "createdAt": 1_750_000_004_000,
        }


async def test_credentials_are_operations_of_the_accounts_they_connected() -> None:
    """Rotating and revoking are noted for each of them, a refused rotation as failed."""
    async with serving(dialect="openapi") as api:
        stored = await api.store("many-7")
        credential = {"credentialId": stored["credentialId"]}
        places = [each["externalTradingAccountId"] for each in (await reach(api, stored))]
        first, second, gone = [
            (await api.refer(stored["credentialId"], each)).data["tradingAccountId"]
            for each in places
        ]
        await api.disconnect(gone)
        await api.refer((await api.store())["credentialId"])
        for path, key in (("rotate", "down"), ("rotate", "new"), ("revoke", None)):
            await api.credential(path, **credential, **({"apiKey": key} if key else {}))
        expected = [
            ("CONNECT", "SUCCESS"),
            ("CREDENTIAL_ROTATE", "FAILED"),
            ("CREDENTIAL_ROTATE", "SUCCESS"),
            ("CREDENTIAL_REVOKE", "SUCCESS"),
        ]
        for account_id in (first, second):
            assert await api.history(tradingAccountId=account_id) == expected
        assert len(await api.history(operationType="CREDENTIAL_REVOKE")) == 2


async def reach(api: Api, stored: dict[str, str]) -> list[dict[str, str]]:
    """What a credential reaches."""
    rows: list[dict[str, str]] = (await api.verify(stored["credentialId"])).data
    return rows


async def test_the_history_can_be_filtered() -> None:
    """By account, by type and by time, both ends included; others' is never shown."""
    now = 1_750_000_000.0
    async with serving(clock=lambda: now) as api:
        first = (await api.connect()).data["tradingAccountId"]
        await api.connect(token=api.sandbox.token("u-2"))
        now += 1
        await api.connect()
        now += 1
        await api.disconnect(first)

        async def types(**query: str) -> str:
            return "".join(kind[0] for kind, _ in await api.history(**query))

        assert await types() == "CCD"
        assert await types(tradingAccountId=first) == "CD"
        assert await types(tradingAccountId="nothing") == ""
        assert await types(operationType="CONNECT") == "CC"
        assert await types(startTime="1750000001000") == "CD"
        assert await types(endTime="1750000001000") == "CC"
        assert await types(startTime="1750000001000", endTime="1750000001000") == "C"
        assert await types(startTime="1750000000001", endTime="1750000000999") == ""


@pytest.mark.parametrize(("dialect", "most"), [("pages", 100), ("openapi", 1000)])
async def test_the_history_has_the_limits_of_its_dialect(dialect: str, most: int) -> None:
    """As the list of accounts has them."""
    async with serving(dialect=dialect) as api:
        assert (await api.operations(limit=str(most))).status == 200
        assert (await api.operations(limit=str(most + 1))).verdict == (400, -19004)


@pytest.mark.parametrize("by", ["offset", "cursor"])
async def test_the_history_pages_by_offset_and_by_cursor(api: Api, by: str) -> None:
    """Every page but the last has a cursor; either way leads through all of it, once."""
    for _ in range(5):
        await api.connect()
    seen: list[str] = []
    query: dict[str, str] = {"limit": "2"}
    for _ in range(3):
        answer = await api.operations(**query)
        seen += [each["operationId"] for each in answer.data]
        paging = answer.body["pagination"]
        assert (paging["offset"], paging["total"]) == (len(seen) - len(answer.data), 5)
        assert paging["hasNext"] == ("cursor" in paging) == (len(seen) < 5)
        step = {"offset": str(len(seen)), "cursor": paging.get("cursor", "")}
        query[by] = step[by]
    assert seen == [each["operationId"] for each in api.sandbox.operations]


async def test_what_lies_behind_the_end_is_empty(api: Api) -> None:
    """It is no mistake to ask for it, and there is nothing to go on with."""
    await api.connect()
    answer = await api.operations(offset="7")
    assert (answer.data, answer.body["pagination"]["hasNext"]) == ([], False)


@pytest.mark.parametrize(
    "query",
    [
        {"operationType": "ODD"},
        {"startTime": "2025-06-15"},
        {"startTime": "2", "endTime": "1"},
        {"endTime": "-1"},
        {"cursor": "nothing"},
        {"cursor": "nothing", "offset": "0"},
        {"status": "SUCCESS"},
    ],
    ids=str,
)
async def test_the_history_refuses_queries_it_does_not_know(
    api: Api, query: dict[str, str]
) -> None:
    """Types are known words, times are whole milliseconds in order, cursors came from here."""
    await api.connect()
    assert (await api.operations(**query)).verdict == (400, -19004)


async def test_a_page_may_be_capped(api: Api) -> None:
    """The fault of lists is one of this list too, when told so."""
    for _ in range(3):
        await api.connect()
    api.sandbox.script("capped-list:2@operations")
    assert len((await api.list()).data) == 3
    capped = await api.operations()
    assert (len(capped.data), capped.body["pagination"]["limit"]) == (2, 2)
