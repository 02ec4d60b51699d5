"""Enable, disable and update: what may be done to an account once it is connected."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from .api import serving

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from .api import Api

NOTHING = {"enable": {}, "disable": {}, "update": {"nickname": "Desk 8"}}
CHANGES = pytest.mark.parametrize(("path", "fields"), NOTHING.items(), ids=list(NOTHING))


@pytest.fixture(params=["pages", "openapi"])
async def api(request: pytest.FixtureRequest) -> AsyncIterator[Api]:
    """Give a caller with a sandbox of its own, in either dialect."""
    async with serving(dialect=request.param) as api:
        yield api


async def connected(api: Api) -> dict[str, Any]:
    """Connect an account in the flavour of the dialect."""
    if api.sandbox.dialect == "pages":
        answer = await api.connect(name="Desk 7")
    else:
        answer = await api.refer((await api.store())["credentialId"], nickname="Desk 7")
    account: dict[str, Any] = answer.data
    return account


async def test_disabling_is_undone_by_enabling(api: Api) -> None:
    """The answer is the account in its new state, and so is what the list shows then."""
    account = await connected(api)
    for path, status in (("disable", "DISABLED"), ("enable", "ACTIVE")):
        answer = await api.account(path, account["tradingAccountId"])
        assert (answer.status, answer.data["status"]) == (200, status)
        assert answer.data.keys() == account.keys()
        assert api.sandbox.accounts == (await api.list()).data == [answer.data]
    word = {"pages": "status", "openapi": "accountStatus"}[api.sandbox.dialect]
    assert len((await api.list(**{word: "ACTIVE"})).data) == 1
    assert (await api.list(**{word: "DISABLED"})).data == []


async def test_update_gives_another_name() -> None:
    """The nickname becomes the name; only the time of the update changes with it."""
    now = 1_750_000_000.0
    async with serving(clock=lambda: now) as api:
        account = await connected(api)
        now += 1
        answer = await api.account("update", account["tradingAccountId"], nickname="Desk 8")
        later = {"name": "Desk 8", "updatedAt": 1_750_000_001_000}
        assert answer.data == {**account, **later}


async def test_update_in_openapi_answers_the_nickname() -> None:
    """What was sent as a nickname is answered as one."""
    async with serving(dialect="openapi") as api:
        account = await connected(api)
        answer = await api.account("update", account["tradingAccountId"], nickname="Desk 8")
        assert answer.data["nickname"] == "Desk 8"


async def test_what_is_so_already_changes_nothing() -> None:
    """Enabling an active account or an update without a name succeed, and leave no trace."""
    now = 1_750_000_000.0
    async with serving(clock=lambda: now) as api:
        account = await connected(api)
        now += 1
        for path in ("enable", "update"):
            assert (await api.account(path, account["tradingAccountId"])).data == account
        assert await api.history() == [("CONNECT", "SUCCESS")]


@CHANGES
async def test_only_ones_own_accounts_can_be_changed(
    api: Api, path: str, fields: dict[str, str]
) -> None:
    """An unknown id is 404, somebody else's account 403, a missing id 400."""
    account = await connected(api)
    body = {"tradingAccountId": account["tradingAccountId"], **fields}
    url, other = f"tradingAccount/{path}", api.sandbox.token("u-2")
    assert (await api.post(url, body, token=other)).verdict == (403, 22018)
    assert (await api.account(path, "nothing", **fields)).verdict == (404, -22016)
    assert (await api.post(url, fields, token=other)).verdict == (400, -19004)
    assert api.sandbox.accounts == [account]


@CHANGES
async def test_a_disconnected_account_stays_as_it_is(
    api: Api, path: str, fields: dict[str, str]
) -> None:
    """It is archived for good: the operation is unsupported, and failed."""
    account = await connected(api)
    gone = (await api.disconnect(account["tradingAccountId"])).data
    answer = await api.account(path, account["tradingAccountId"], **fields)
    assert answer.verdict == (400, -22019)
    assert api.sandbox.archive == [gone]
    assert (await api.history())[-1] == (path.upper(), "FAILED")


@CHANGES
async def test_changing_needs_rights(api: Api, path: str, fields: dict[str, str]) -> None:
    """A token that may only read changes nothing."""
    account = await connected(api)
    body = {"tradingAccountId": account["tradingAccountId"], **fields}
    token = api.sandbox.token(rights=False)
    answer = await api.post(f"tradingAccount/{path}", body, token=token)
    assert answer.verdict == (403, 22018)
    assert answer.body["details"]["action"] == "update"
    assert api.sandbox.accounts == [account]


async def test_a_disabled_account_can_be_renamed_and_disconnected(api: Api) -> None:
    """Disabled means that it does not trade, nothing else."""
    account_id = (await connected(api))["tradingAccountId"]
    await api.account("disable", account_id)
    renamed = (await api.account("update", account_id, nickname="Desk 8")).data
    assert renamed["status"] == "DISABLED"
    assert (await api.disconnect(account_id)).data["status"] == "DISCONNECTED"


@CHANGES
async def test_a_lost_answer_is_a_change_that_was_made(
    api: Api, path: str, fields: dict[str, str]
) -> None:
    """Faults have names for these endpoints too; nothing else meets them."""
    account_id = (await connected(api))["tradingAccountId"]
    if path == "enable":
        await api.account("disable", account_id)
    api.sandbox.script(f"502-after-commit@{path}")
    assert (await api.list()).status == 200
    assert (await api.account(path, account_id, **fields)).status == 502
    assert (await api.history())[-1] == (path.upper(), "SUCCESS")
