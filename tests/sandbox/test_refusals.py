"""Everything a strict server refuses, with the contract's statuses and numbers."""

from __future__ import annotations

import io
import json
from typing import TYPE_CHECKING, Any

import pytest

from .api import golden, new_account, serving

if TYPE_CHECKING:
    from .api import Api

JSON = {"Content-Type": "application/json"}


@pytest.mark.parametrize(
    ("fields", "named"),
    [
        ({"venue": None}, "venue"),
        ({"apiKey": None}, "apiKey"),
        ({"apiSecret": None}, "apiSecret"),
        ({"venue": ""}, "venue"),
        ({"apiKey": "  "}, "apiKey"),
        ({"name": ""}, "name"),
        ({"venue": 7}, "venue"),
        ({"apiSecret": ["s"]}, "apiSecret"),
        ({"accountType": "SAVINGS"}, "accountType"),
        ({"accountType": "spot"}, "accountType"),
        ({"venue": "COINBASE"}, "apiPassphrase"),
        ({"venue": "okx_uat"}, "apiPassphrase"),
        ({"api_key": "k"}, "api_key"),
        ({"nickname": "n"}, "nickname"),
    ],
)
async def test_connect_refuses_fields_that_are_wrong(
    api: Api, fields: dict[str, Any], named: str
) -> None:
    """Missing, empty, mistyped and unknown fields are -19004, and the text names the field."""
    answer = await api.connect(**fields)
    assert answer.verdict == (400, -19004)
    assert named in answer.body["error"]
    assert api.sandbox.accounts == []


@pytest.mark.parametrize("name", ["apiPassphrase", "name", "accountType"])
async def test_null_is_no_way_to_leave_out_an_optional_field(api: Api, name: str) -> None:
    """An optional field is a string or not there."""
    body = {**new_account(), name: None}
    answer = await api.post("tradingAccount/connect", body, token=api.sandbox.access_token)
    assert answer.verdict == (400, -19004)


@pytest.mark.parametrize("venue", ["KRAKEN", "BINANCE_DEV", "_UAT"])
async def test_a_venue_nobody_listed_is_unsupported(api: Api, venue: str) -> None:
    """An unknown exchange is refused by a number of its own."""
    assert (await api.connect(venue=venue)).verdict == (400, -22020)


@pytest.mark.parametrize(
    ("data", "headers", "verdict"),
    [
        (b"", JSON, (400, -19005)),
        (b"{", JSON, (400, -19005)),
        (b'{"venue": NaN}', JSON, (400, -19005)),
        (b"[" * 100_000, JSON, (400, -19005)),
        (b"\xff\xfe", JSON, (400, -19005)),
        (b"[]", JSON, (400, -19004)),
        (b'"text"', JSON, (400, -19004)),
        (json.dumps(new_account()).encode(), {"Content-Type": "text/plain"}, (400, -19001)),
    ],
    ids=["empty", "cut", "NaN", "deep", "not-text", "array", "string", "no-json"],
)
async def test_bodies_that_are_no_json_object(
    api: Api, data: bytes, headers: dict[str, str], verdict: tuple[int, int]
) -> None:
    """A body is a JSON object, and says that it is JSON."""
    answer = await api.call("POST", "tradingAccount/connect", data=data, headers=headers)
    assert answer.verdict == verdict


async def test_bodies_over_a_mebibyte_are_too_large(api: Api) -> None:
    """One byte more than 1 MiB is not even looked at."""
    for size, verdict in ((1024**2, (400, -19004)), (1024**2 + 1, (413, -19001))):
        data = io.BytesIO(b"[]".ljust(size))
        answer = await api.call("POST", "tradingAccount/connect", data=data, headers=JSON)
        assert answer.verdict == verdict


async def test_a_broken_body_is_refused(api: Api) -> None:
    """Chunks that are none, and a gzip that is none, are the caller's mistake."""
    headers = {**JSON, "Content-Encoding": "gzip"}
    answer = await api.call("POST", "tradingAccount/connect", data=b"no gzip", headers=headers)
    assert answer.verdict == (400, -19001)


async def test_json_with_a_charset_is_json(api: Api) -> None:
    """A parameter of the media type does not matter."""
    data = json.dumps(new_account())
    headers = {"Content-Type": "application/json; charset=utf-8"}
    answer = await api.call("POST", "tradingAccount/connect", data=data, headers=headers)
    assert answer.status == 200


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("POST", "tradingAccount/Connect", 404),
        ("POST", "tradingAccount/connect/", 404),
        ("GET", "", 404),
        ("GET", "../health", 404),
        ("GET", "tradingAccount/connect", 405),
        ("POST", "tradingAccount/list", 405),
        ("DELETE", "tradingAccount/disconnect", 405),
        ("PUT", "auth/login", 405),
    ],
)
async def test_paths_and_methods_that_do_not_exist(
    api: Api, method: str, path: str, status: int
) -> None:
    """Anything but the endpoints themselves is -19003."""
    answer = await api.call(method, path)
    assert answer.verdict == (status, -19003)
    assert ("Allow" in answer.headers) == (status == 405)


@pytest.mark.parametrize(
    "path", ["tradingAccount/connect", "tradingAccount/disconnect", "auth/logout"]
)
async def test_a_good_token_is_needed(api: Api, path: str) -> None:
    """No token is -19002; an unknown, expired or oddly presented one is -100000."""
    expired = api.sandbox.token(expires_in=0)
    good = api.sandbox.access_token
    assert (await api.post(path, {})).verdict == (401, -19002)
    for header in ("Bearer nobody", f"Bearer {expired}", "Bearer", f"Basic {good}", good):
        headers = {"Authorization": header}
        answer = await api.call("POST", path, token=None, json={}, headers=headers)
        assert answer.status == 401
        assert answer.body == golden("constructed/unauthorized.401.json")


async def test_a_token_without_rights_may_only_read(api: Api) -> None:
    """Connect and disconnect are forbidden with positive 22018 and details; list works."""
    token = api.sandbox.token(rights=False)
    answer = await api.connect(token=token)
    body, expected = answer.body, golden("constructed/forbidden.403.json")
    assert answer.status == 403
    assert body["details"].pop("request_id").startswith("req-")
    assert expected["details"].pop("request_id")
    assert body == expected
    assert (await api.disconnect("any", token=token)).verdict == (403, 22018)
    assert (await api.list(token=token)).status == 200


async def test_disconnect_refuses_what_is_not_the_callers(api: Api) -> None:
    """An unknown id is 404, somebody else's account 403, a missing id 400."""
    account = (await api.connect(token=api.sandbox.token("u-2"))).data
    assert (await api.disconnect(account["tradingAccountId"])).verdict == (403, 22018)
    assert (await api.disconnect("nothing")).verdict == (404, -22016)
    answer = await api.post("tradingAccount/disconnect", {}, token=api.sandbox.access_token)
    assert answer.verdict == (400, -19004)
    assert api.sandbox.accounts == [account]


@pytest.mark.parametrize(
    "query",
    [
        {"limit": "0"},
        {"limit": "101"},
        {"limit": "ten"},
        {"limit": "-1"},
        {"limit": "1.0"},
        {"limit": "٣"},
        {"limit": "9" * 5000},
        {"offset": "-1"},
        {"offset": ""},
        {"status": "ODD"},
        {"accountStatus": "ACTIVE"},
        [("venue", "BINANCE"), ("venue", "OKX")],
    ],
    ids=str,
)
async def test_list_refuses_queries_it_does_not_know(api: Api, query: object) -> None:
    """Limits are whole numbers in range, statuses known words, parameters known and single."""
    answer = await api.call("GET", "tradingAccount/list", params=query)
    assert answer.verdict == (400, -19004)


async def test_heads_may_be_as_long_as_is_published(api: Api) -> None:
    """A URL of 8,192 characters and headers of almost 16 KB are read like any other; not more."""
    target = "/api/v3/tradingAccount/list?venue="
    answer = await api.list(venue="x" * (8192 - len(target)))
    assert (answer.status, answer.data) == (200, [])
    assert (await api.list(token="x" * 15_000)).verdict == (401, -100000)
    assert (await api.list(venue="x" * 8192)).status == 400
    assert (await api.list(token="x" * 17_000)).status == 400


@pytest.mark.parametrize("status", ["NEW", "CREATED", "INACTIVE", "LOCKED", "UNAVAILABLE"])
async def test_states_that_no_account_here_is_in(api: Api, status: str) -> None:
    """The OpenAPI document knows more states than the pages: asking for them finds nothing."""
    assert (await api.list(status=status)).verdict == (400, -19004)
    async with serving(dialect="openapi") as other:
        answer = await other.list(accountStatus=status)
        assert (answer.status, answer.data) == (200, [])
        assert (await other.list(accountStatus="ODD")).verdict == (400, -19004)


async def test_no_refusal_repeats_a_value(api: Api) -> None:
    """What was wrong is named by its field, so that a misplaced secret goes nowhere."""
    marker = "m" * 20
    for name in ("venue", "accountType", "apiPassphrase"):
        body = {**new_account(), name: marker if name != "apiPassphrase" else [marker]}
        answer = await api.post("tradingAccount/connect", body, token=api.sandbox.access_token)
        assert answer.status == 400
        assert marker not in answer.raw.decode()
