"""Credentials: stored, verified, rotated and revoked, in the words of either dialect."""

from __future__ import annotations

import asyncio
import secrets
from typing import TYPE_CHECKING, Any

import pytest

from cadenza_async.sandbox import _exchange

from .api import new_account, serving

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from .api import Api

DIALECTS = ("pages", "openapi")
OPENAPI = {"credentialType": "API_KEY"}


@pytest.fixture(params=DIALECTS)
async def api(request: pytest.FixtureRequest) -> AsyncIterator[Api]:
    """Give a caller with a sandbox of its own, in either dialect."""
    async with serving(dialect=request.param) as api:
        yield api


async def reach(api: Api, *ids: str) -> list[dict[str, Any]]:
    """The accounts that credentials reach, out of either answer shape."""
    data = (await api.verify(*ids)).data
    rows: list[dict[str, Any]] = data["identities"] if api.sandbox.dialect == "pages" else data
    return rows


async def listed(api: Api, **query: Any) -> list[str]:
    """The ids that the list shows."""
    answer = await api.call("GET", "credential/list", params=query)
    assert answer.status == 200, answer.body
    return [each["credentialId"] for each in answer.data]


async def test_a_credential_of_the_pages_has_their_fields() -> None:
    """It belongs to a user, is active at once, and shows its key but for the middle."""
    now = 1_750_000_000.0
    async with serving(clock=lambda: now) as api:
        key = secrets.token_hex(8)
        stored = await api.store(key, venue="OKX", apiPassphrase="", name="Desk 7")
        assert stored.pop("credentialId")
        assert stored == {
            "userId": "u-1",
            "venue": "OKX",
            "name": "Desk 7",
            "type": "EXCHANGE",
            "apiKey": f"{key[:4]}****{key[-2:]}",
            "status": "ACTIVE",
            "createdAt": 1_750_000_000_000,
            "updatedAt": 1_750_000_000_000,
        }
        assert (await api.store("short-key", type="RSA"))["apiKey"] == "****"


async def test_a_credential_of_openapi_has_its_fields() -> None:
    """It has a nickname only if it was given one, and is not active before it was verified."""
    now = 1_750_000_000.0
    async with serving(dialect="openapi", clock=lambda: now) as api:
        stored = await api.store(credentialType="ED25519", nickname="Desk 7")
        facts = {
            "credentialId": stored["credentialId"],
            "venue": "BINANCE",
            "credentialType": "ED25519",
            "nickname": "Desk 7",
            "createdAt": 1_750_000_000_000,
        }
        assert stored == {**facts, "status": "CREATED", "updatedAt": 1_750_000_000_000}
        assert "nickname" not in await api.store()
        now += 1
        await api.verify(stored["credentialId"])
        active = {**facts, "status": "ACTIVE", "updatedAt": 1_750_000_001_000}
        assert api.sandbox.credentials[0] == active


async def test_no_answer_has_a_secret(api: Api) -> None:
    """Whatever is asked of a credential, its keys do not come back."""
    marker = secrets.token_hex(16)
    keys = {"apiKey": f"k{marker}", "apiSecret": f"s{marker}", "apiPassphrase": f"p{marker}"}
    words = OPENAPI if api.sandbox.dialect == "openapi" else {}
    answers = [await api.credential("create", venue="OKX", **keys, **words)]
    credential_id = answers[0].data["credentialId"]
    answers += [
        await api.verify(credential_id),
        await api.credential("rotate", credentialId=credential_id, **keys),
        await api.call("GET", "credential/list"),
        await api.credential("revoke", credentialId=credential_id),
    ]
    assert [each.status for each in answers] == [200] * 5
    assert not [each for each in answers if marker in each.raw.decode()]
    assert marker not in repr(api.sandbox.requests)
    assert marker not in repr(vars(api.sandbox))


@pytest.mark.parametrize(
    ("dialect", "fields", "verdict"),
    [
        ("pages", {"venue": None}, (400, -19004)),
        ("pages", {"venue": "KRAKEN"}, (400, -22020)),
        ("pages", {"venue": "COINBASE"}, (400, -19004)),
        ("pages", {"type": "PASSPORT"}, (400, -19004)),
        ("pages", {"credentialType": "API_KEY"}, (400, -19004)),
        ("pages", {"nickname": "n"}, (400, -19004)),
        ("pages", {"name": ""}, (400, -19004)),
        ("openapi", {"credentialType": None}, (400, -19004)),
        ("openapi", {"credentialType": "EXCHANGE"}, (400, -19004)),
        ("openapi", {"type": "API_KEY"}, (400, -19004)),
        ("openapi", {"name": "n"}, (400, -19004)),
        ("openapi", {"apiKey": 7}, (400, -19004)),
    ],
)
async def test_create_is_strict_in_its_dialect(
    dialect: str, fields: dict[str, Any], verdict: tuple[int, int]
) -> None:
    """What a dialect does not know, it refuses, the other's words first of all."""
    words = OPENAPI if dialect == "openapi" else {}
    async with serving(dialect=dialect) as api:
        body = new_account(**{**words, **fields})
        assert (await api.credential("create", **body)).verdict == verdict
        assert api.sandbox.credentials == []


@pytest.mark.parametrize(
    ("dialect", "kind", "status"),
    [("pages", "type", "status"), ("openapi", "credentialType", "credentialStatus")],
)
async def test_list_filters_in_the_words_of_its_dialect(
    dialect: str, kind: str, status: str
) -> None:
    """By type, by status and by ids; those of others are never shown, revoked ones are."""
    async with serving(dialect=dialect) as api:
        ids = [(await api.store(**{kind: each}))["credentialId"] for each in ("RSA", "HMAC")]
        await api.store(token=api.sandbox.token("u-2"))
        await api.credential("revoke", credentialId=ids[1])
        assert await listed(api) == ids
        assert await listed(api, **{kind: "RSA"}) == ids[:1]
        assert await listed(api, **{status: "REVOKED"}) == ids[1:]
        assert await listed(api, **{kind: "OAUTH"}) == []
        assert await listed(api, credentialIds=ids[0]) == ids[:1]
        both = ",".join(ids) if dialect == "pages" else ids
        assert await listed(api, credentialIds=both) == ids


@pytest.mark.parametrize(
    ("dialect", "query"),
    [
        ("pages", [("credentialIds", "a"), ("credentialIds", "b")]),
        ("pages", [("credentialStatus", "ACTIVE")]),
        ("pages", [("type", "PASSPORT")]),
        ("pages", [("limit", "10")]),
        ("openapi", [("credentialIds", "a,b")]),
        ("openapi", [("status", "ACTIVE")]),
        ("openapi", [("credentialStatus", "VERIFIED")]),
    ],
    ids=str,
)
async def test_list_refuses_the_other_dialect(dialect: str, query: list[tuple[str, str]]) -> None:
    """Ids are joined in one and repeated in the other, and never both."""
    async with serving(dialect=dialect) as api:
        answer = await api.call("GET", "credential/list", params=query)
        assert answer.verdict == (400, -19004)


async def test_the_guides_verify_answers_identities() -> None:
    """An object with an array in it: new, then ours, and what the exchange calls them."""
    async with serving() as api:
        stored = await api.store("key-7")
        answer = await api.verify(stored["credentialId"])
        (new,) = answer.data["identities"]
        verified = {"credentialId": stored["credentialId"], "status": "VERIFIED"}
        assert answer.data == {**verified, "identities": [new]}
        assert (new["venue"], new["accountType"], new["status"]) == ("BINANCE", "SPOT", "NEW")
        account = (await api.connect(apiKey="key-7", name="Desk 7")).data
        (ours,) = await reach(api, stored["credentialId"])
        told = {"status": "CONNECTED", "name": "Desk 7"}
        assert ours == {**new, **told, "tradingAccountId": account["tradingAccountId"]}


async def test_openapis_verify_answers_accounts() -> None:
    """An array of accounts: without id while they are new, as they are once they are ours."""
    async with serving(dialect="openapi") as api:
        stored = await api.store()
        (new,) = await reach(api, stored["credentialId"])
        assert (new["status"], new["externalAccountType"]) == ("NEW", "SPOT")
        assert "tradingAccountId" not in new
        assert [each["credentialId"] for each in new["credentials"]] == [stored["credentialId"]]
        account = (await api.refer(stored["credentialId"])).data
        assert await reach(api, stored["credentialId"]) == [account]
        await api.disconnect(account["tradingAccountId"])
        assert await reach(api, stored["credentialId"]) == [new]


async def test_what_several_credentials_reach_is_told_once() -> None:
    """An account that two of them reach names both; the venue matters."""
    async with serving(dialect="openapi") as api:
        ids = [(await api.store("key-7"))["credentialId"] for _ in range(2)]
        ids.append((await api.store("key-7", venue="BYBIT"))["credentialId"])
        binance, bybit = await reach(api, *ids, *ids)
        assert [each["credentialId"] for each in binance["credentials"]] == ids[:2]
        assert bybit["venue"] == "BYBIT"


@pytest.mark.parametrize(
    ("key", "reached"),
    [
        ("many-7", [("SPOT", "NEW"), ("MARGIN", "NEW"), ("FUTURES", "NEW")]),
        ("taken-7", [("SPOT", "UNAVAILABLE")]),
        ("empty-7", []),
    ],
)
async def test_some_keys_always_reach_the_same(
    api: Api, key: str, reached: list[tuple[str, str]]
) -> None:
    """The beginning of the key decides how many accounts there are, and whose."""
    stored = await api.store(key)
    rows = await reach(api, stored["credentialId"])
    assert [(each["accountType"], each["status"]) for each in rows] == reached
    assert len({each["externalTradingAccountId"] for each in rows}) == len(reached)


async def test_what_another_user_has_connected_is_unavailable(api: Api) -> None:
    """The same key reaches the same account, whoever brings it."""
    other = api.sandbox.token("u-2")
    if api.sandbox.dialect == "pages":
        await api.connect(apiKey="key-7", token=other)
    else:
        theirs = await api.store("key-7", token=other)
        await api.refer(theirs["credentialId"], token=other)
    stored = await api.store("key-7")
    assert [each["status"] for each in await reach(api, stored["credentialId"])] == ["UNAVAILABLE"]


@pytest.mark.parametrize(
    ("key", "verdict"),
    [("invalid", (400, -120001)), ("noperm", (400, -22006)), ("busy", (429, -18011))],
)
async def test_verify_in_openapi_refuses_bad_keys(key: str, verdict: tuple[int, int]) -> None:
    """Storing does not ask the exchange, verifying does; the credential stays as it was."""
    async with serving(dialect="openapi") as api:
        stored = await api.store(key)
        assert (await api.verify(stored["credentialId"])).verdict == verdict
        assert api.sandbox.credentials == [stored]


async def test_verify_in_the_guide_tells_of_bad_keys() -> None:
    """Keys that the exchange refuses have failed; an exchange that is down has not said so."""
    async with serving() as api:
        for key in ("invalid", "noperm"):
            answer = await api.verify((await api.store(key))["credentialId"])
            assert (answer.status, answer.data["status"]) == (200, "FAILED")
            assert answer.data["identities"] == []
        answer = await api.verify((await api.store("down"))["credentialId"])
        assert answer.verdict == (503, -18012)


async def test_a_credential_without_a_key_reaches_nothing() -> None:
    """Both keys are optional to store, and the exchange wants one."""
    async with serving(dialect="openapi") as api:
        answer = await api.credential("create", venue="BINANCE", credentialType="OAUTH")
        assert answer.status == 200
        assert (await api.verify(answer.data["credentialId"])).verdict == (400, -120001)


async def test_rotating_stops_the_old_key_at_once(api: Api) -> None:
    """The new key reaches what the old one did; the old one the exchange knows no longer."""
    stored = await api.store("key-7")
    before = await reach(api, stored["credentialId"])
    body = {"credentialId": stored["credentialId"], "apiKey": "key-8"}
    answer = await api.credential("rotate", **body)
    assert (answer.status, answer.data["credentialId"]) == (200, stored["credentialId"])
    places = [each["externalTradingAccountId"] for each in before]
    for row in (stored, await api.store("key-8")):
        after = await reach(api, row["credentialId"])
        assert [each["externalTradingAccountId"] for each in after] == places
    old = await api.verify((await api.store("key-7"))["credentialId"])
    failed = (200, 0) if api.sandbox.dialect == "pages" else (400, -120001)
    assert old.verdict == failed
    assert old.data is None or old.data["status"] == "FAILED"


async def test_a_rotated_key_stays_its_holders() -> None:
    """Even when the credential that brought it was revoked."""
    async with serving(dialect="openapi") as api:
        stored = await api.store("key-7")
        account = (await api.refer(stored["credentialId"])).data
        await api.credential("rotate", credentialId=stored["credentialId"], apiKey="key-8")
        await api.credential("revoke", credentialId=stored["credentialId"])
        (ours,) = await reach(api, (await api.store("key-8"))["credentialId"])
        assert ours["tradingAccountId"] == account["tradingAccountId"]


async def test_rotating_leaves_what_is_not_given() -> None:
    """A new secret alone is no new key, so the key goes on."""
    async with serving() as api:
        stored = await api.store("key-7")
        rotated = await api.credential(
            "rotate", credentialId=stored["credentialId"], apiSecret="new"
        )
        assert rotated.status == 200
        assert (await api.connect(apiKey="key-7")).status == 200
        await api.credential("rotate", credentialId=stored["credentialId"], apiKey="key-8")
        assert (await api.connect(apiKey="key-7")).verdict == (400, -120001)
        assert (await api.connect(apiKey="key-8")).status == 200


async def test_rotating_to_a_bad_key_changes_nothing(api: Api) -> None:
    """The exchange refuses the new key, and the old one goes on."""
    stored = await api.store("key-7")
    before = await reach(api, stored["credentialId"])
    body = {"credentialId": stored["credentialId"], "apiKey": "invalid"}
    assert (await api.credential("rotate", **body)).verdict == (400, -120001)
    assert await reach(api, stored["credentialId"]) == before


async def test_rotating_nothing_is_a_mistake(api: Api) -> None:
    """One of the keys at least has to be new."""
    stored = await api.store()
    answer = await api.credential("rotate", credentialId=stored["credentialId"])
    assert answer.verdict == (400, -19004)


async def test_revoking_is_for_good() -> None:
    """The second revoke says so, and so does whatever else is asked of the credential."""
    now = 1_750_000_000.0
    async with serving(dialect="openapi", clock=lambda: now) as api:
        stored = await api.store()
        now += 1
        answer = await api.credential("revoke", credentialId=stored["credentialId"])
        times = {"updatedAt": 1_750_000_001_000, "revokedAt": 1_750_000_001_000}
        assert answer.data == {**stored, "status": "REVOKED", **times}
        for path in ("revoke", "rotate"):
            body = {"apiKey": "k"} if path == "rotate" else {}
            again = await api.credential(path, credentialId=stored["credentialId"], **body)
            assert again.verdict == (400, -130001)
        assert (await api.verify(stored["credentialId"])).verdict == (400, -130001)
        assert (await api.refer(stored["credentialId"], "any")).verdict == (400, -130001)


async def test_a_rotation_revives_nothing(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    """A credential that is revoked while the exchange is asked stays revoked, without keys."""
    asked, answered = asyncio.Event(), asyncio.Event()

    async def validate(*_: object, slow: float) -> None:
        asked.set()
        await answered.wait()

    monkeypatch.setattr(_exchange, "validate", validate)
    id_ = (await api.store())["credentialId"]
    rotating = asyncio.create_task(api.credential("rotate", credentialId=id_, apiKey="another"))
    await asked.wait()
    await api.credential("revoke", credentialId=id_)
    answered.set()
    assert (await rotating).verdict == (400, -130001)
    found = api.sandbox._platform.credentials.find(id_)
    assert found is not None
    assert (found.status, found.keys) == ("REVOKED", None)


@pytest.mark.parametrize("path", ["verify", "rotate", "revoke"])
async def test_only_ones_own_credentials_can_be_used(api: Api, path: str) -> None:
    """An unknown id is 404, somebody else's credential 403, a missing id 400."""
    stored, other = await api.store(), api.sandbox.token("u-2")
    several = path == "verify" and api.sandbox.dialect == "openapi"
    body = {"apiKey": "k"} if path == "rotate" else {}

    def naming(credential_id: str) -> dict[str, Any]:
        one = {"credentialIds": [credential_id]} if several else {"credentialId": credential_id}
        return {**one, **body}

    theirs = await api.credential(path, token=other, **naming(stored["credentialId"]))
    assert theirs.verdict == (403, 22018)
    assert theirs.body["details"]["resource"] == "/api/v3/credential"
    assert (await api.credential(path, **naming("nothing"))).verdict == (404, -22016)
    assert (await api.credential(path, **body)).verdict == (400, -19004)
    assert api.sandbox.credentials == [stored]


@pytest.mark.parametrize("ids", [[], "text", [7], [""], None])
async def test_several_ids_are_an_array_of_strings(ids: object) -> None:
    """Anything else is refused, and the text names the field."""
    async with serving(dialect="openapi") as api:
        answer = await api.credential("verify", credentialIds=ids)
        assert answer.verdict == (400, -19004)
        assert "credentialIds" in answer.body["error"]


async def test_changing_credentials_needs_rights(api: Api) -> None:
    """A token that may only read lists and verifies, and does nothing else."""
    stored, token = await api.store(), api.sandbox.token(rights=False)
    for path in ("create", "rotate", "revoke"):
        assert (await api.credential(path, token=token)).verdict == (403, 22018)
    listed = await api.call("GET", "credential/list", token=token)
    assert listed.data == [stored]


async def test_a_name_may_be_kept_shorter_than_it_was_sent(api: Api) -> None:
    """The fault that trims names of accounts trims those of credentials when told to."""
    api.sandbox.script("trimmed-names:4@credential-create")
    word = {"pages": "name", "openapi": "nickname"}[api.sandbox.dialect]
    assert (await api.store(**{word: "Desk 7"}))[word] == "Desk"


async def test_a_lost_answer_is_a_credential_that_was_stored(api: Api) -> None:
    """Faults have names for these endpoints too; nothing else meets them."""
    api.sandbox.script("502-after-commit@credential-create")
    await api.call("GET", "credential/list")
    words = OPENAPI if api.sandbox.dialect == "openapi" else {}
    assert (await api.credential("create", **new_account(**words))).status == 502
    assert len(api.sandbox.credentials) == 1
