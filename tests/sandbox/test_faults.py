"""Faults: what each does to the caller, and whether the account is there afterwards."""

from __future__ import annotations

import asyncio
import gzip
import json
from typing import TYPE_CHECKING, Any

import pytest
from aiohttp import (
    ClientOSError,
    ClientPayloadError,
    ClientResponseError,
    ClientTimeout,
    ServerDisconnectedError,
)

from cadenza_async.sandbox import Fault

from .api import new_account, raw_answer, serving, until

if TYPE_CHECKING:
    from .api import Api

GATEWAYS = ("500", "502", "503", "504")
REDIRECTS = ("301", "302", "307", "308")
SOON = ClientTimeout(total=0.2)


@pytest.mark.parametrize(
    ("fault", "verdict", "retry_after"),
    [
        ("429", (429, -19000), "1"),
        ("429:7s", (429, -19000), "7"),
        ("429-bare", (429, -19000), None),
        ("429-venue", (429, -18011), None),
        ("503-retry", (503, -19006), "1"),
        ("503-lock", (503, -22014), None),
        ("500", (500, -22000), None),
        ("502", (502, -19000), None),
        ("503", (503, -19000), None),
        ("504", (504, -19000), None),
        ("expired-token", (401, -100000), None),
    ],
)
async def test_refusing_faults_answer_in_an_envelope_and_connect_nothing(
    api: Api, fault: str, verdict: tuple[int, int], retry_after: str | None
) -> None:
    """The request has no effect; the next one meets a proper server again."""
    api.sandbox.script(fault)
    answer = await api.connect()
    assert answer.verdict == verdict
    assert answer.headers.get("Retry-After") == retry_after
    assert api.sandbox.accounts == []
    assert (await api.connect()).status == 200


@pytest.mark.parametrize("fault", [*(f"{each}-html" for each in ("429", *GATEWAYS)), "html-200"])
async def test_gateways_answer_with_pages(api: Api, fault: str) -> None:
    """A page is no envelope, whatever its status."""
    api.sandbox.script(fault)
    answer = await api.connect()
    assert answer.status == int(fault.replace("html", "").strip("-"))
    assert answer.headers["Content-Type"] == "text/html"
    assert answer.raw.startswith(b"<html>")


@pytest.mark.parametrize("kind", [*GATEWAYS, *(f"{each}-html" for each in GATEWAYS), "html-200"])
async def test_gateway_faults_happen_before_or_after_the_commit(api: Api, kind: str) -> None:
    """The answer is the same; the account is there or not."""
    answers = []
    for moment, there in (("before", 0), ("after", 1)):
        api.sandbox.script(f"{kind}-{moment}-commit")
        answers.append(await api.connect())
        assert len(api.sandbox.accounts) == there
        assert api.sandbox.requests[-1]["status"] == answers[-1].status
    assert answers[0].raw == answers[1].raw


@pytest.mark.parametrize(
    ("fault", "error", "there"),
    [
        ("drop-before-commit", ServerDisconnectedError, 0),
        ("drop-after-commit", ServerDisconnectedError, 1),
        ("reset-before-commit", ClientOSError, 0),
        ("reset-after-commit", ClientOSError, 1),
        ("truncated", ClientPayloadError, 1),
        ("garbage", ClientResponseError, 1),
    ],
)
async def test_broken_answers(api: Api, fault: str, error: type[Exception], there: int) -> None:
    """The caller gets an error of its HTTP library; only the sandbox knows what happened."""
    api.sandbox.script(fault)
    with pytest.raises(error) as caught:
        await api.connect()
    assert isinstance(caught.value, ServerDisconnectedError) == fault.startswith("drop")
    assert len(api.sandbox.accounts) == there
    assert api.sandbox.requests[-1]["fault"] == fault
    assert api.sandbox.requests[-1]["status"] == (200 if fault == "truncated" else None)
    assert (await api.connect()).status == 200


async def test_a_reset_is_a_reset_and_a_drop_is_an_orderly_end(api: Api) -> None:
    """On the raw socket a reset is ECONNRESET, a drop the end of the stream."""
    assert await raw_answer(api, "drop") == b""
    with pytest.raises(ConnectionResetError):
        await raw_answer(api, "reset")


async def test_a_wrong_length_leaves_the_rest_of_the_body_behind(api: Api) -> None:
    """The header counts half of what comes."""
    head, _, body = (await raw_answer(api, "wrong-length")).partition(b"\r\n\r\n")
    assert json.loads(body)["data"] == api.sandbox.accounts[0]
    assert f"Content-Length: {len(body) // 2}\r\n".encode() in head + b"\r\n"


async def test_a_slow_drip_comes_byte_by_byte(api: Api) -> None:
    """No read waits long, and yet the answer takes as long as it has bytes."""
    began = asyncio.get_running_loop().time()
    answer = await raw_answer(api, "slow-drip:1ms")
    assert json.loads(answer.partition(b"\r\n\r\n")[2])["success"]
    assert asyncio.get_running_loop().time() - began >= len(answer) / 1000


async def test_a_caller_may_leave_a_drip_or_a_bomb(api: Api) -> None:
    """The sandbox stops sending to somebody who has left, and goes on."""
    for fault in ("slow-drip:100ms", "gzip-bomb:65536"):
        api.sandbox.script(fault)
        with pytest.raises(TimeoutError):
            await api.call("GET", "health", timeout=SOON)
        await until(lambda: not api.sandbox._working)
    assert (await api.call("GET", "health")).status == 200


async def test_a_gzip_bomb_is_small_on_the_wire(api: Api) -> None:
    """So many MiB come out of a thousandth of them; the file is whole."""
    head, _, body = (await raw_answer(api, "gzip-bomb:8MiB")).partition(b"\r\n\r\n")
    assert b"Content-Encoding: gzip" in head
    assert b"Content-Length" not in head
    assert len(body) < 16 * 1024
    assert gzip.decompress(body) == b" " * 8 * 1024**2


async def test_close_idle_answers_and_is_gone(api: Api) -> None:
    """The answer is whole and announces nothing; the connection ends behind it."""
    head, _, body = (await raw_answer(api, "close-idle", keep=True)).partition(b"\r\n\r\n")
    assert json.loads(body)["success"]
    assert b"Connection:" not in head


@pytest.mark.parametrize("status", REDIRECTS)
async def test_redirects_point_where_they_are_told_to(api: Api, status: str) -> None:
    """With a target there, without one back to the same place; the effect is as asked."""
    elsewhere = "http://127.0.0.1:9/?x=1"
    api.sandbox.script(f"{status}={elsewhere}", f"{status}-after-commit")
    away, back = await api.connect(), await api.connect()
    assert (away.status, away.headers["Location"]) == (int(status), elsewhere)
    assert back.headers["Location"] == f"{api.sandbox.url}/api/v3/tradingAccount/connect"
    assert len(api.sandbox.accounts) == 1


@pytest.mark.parametrize(("moment", "there"), [("before", 0), ("after", 1)])
async def test_hang_never_answers(api: Api, moment: str, there: int) -> None:
    """The caller's patience ends it, before or after the commit."""
    api.sandbox.script(f"hang-{moment}-commit")
    with pytest.raises(TimeoutError):
        await api.call("POST", "tradingAccount/connect", json=new_account(), timeout=SOON)
    assert len(api.sandbox.accounts) == there


async def test_latency_is_done_at_once_and_answered_late(api: Api) -> None:
    """The account exists while its caller still waits."""
    api.sandbox.script("latency:10s", "ok")
    call = asyncio.create_task(api.connect(name="late"))
    await until(lambda: len(api.sandbox.accounts) == 1)
    assert (await api.connect(name="quick")).status == 200
    assert not call.done()
    call.cancel()


async def test_a_slow_commit_outlives_its_caller(api: Api) -> None:
    """The caller has left before the account is made, and it is made nevertheless."""
    api.sandbox.script("slow-commit:400ms")
    with pytest.raises(TimeoutError):
        await api.call("POST", "tradingAccount/connect", json=new_account(), timeout=SOON)
    assert api.sandbox.accounts == []
    await until(lambda: len(api.sandbox.accounts) == 1)
    await until(lambda: api.sandbox.requests[0]["status"] == 200)


async def test_a_text_may_echo_the_secret(api: Api) -> None:
    """For leak hunts: the refusal repeats what was sent."""
    body = new_account()
    api.sandbox.script("echo-secret")
    answer = await api.post("tradingAccount/connect", body, token=api.sandbox.access_token)
    assert answer.verdict == (400, -120001)
    assert body["apiSecret"] in answer.body["error"]
    assert body["apiKey"] in answer.body["error"]


async def test_a_capped_list_gives_fewer_rows_than_asked_for(api: Api) -> None:
    """The page is shorter than the limit, and more is to come."""
    for _ in range(3):
        await api.connect()
    api.sandbox.script("capped-list:2")
    answer = await api.list(limit="100")
    assert len(answer.data) == 2
    assert answer.body["pagination"] == {"offset": 0, "limit": 2, "total": 3, "hasNext": True}


async def test_a_drifting_list_moves_between_pages(api: Api) -> None:
    """A row appears first and pushes the others, then it is gone and one of them is missed."""
    assert (await api.list()).data == []
    for name in "abcd":
        await api.connect(name=name)
    api.sandbox.script(Fault("drifting-list", rate=1))
    pages = [(await api.list(limit="2", offset=offset)).data for offset in ("0", "2")]
    names = [each["name"] for page in pages for each in page]
    assert names == ["drifter", "a", "c", "d"]
    assert len(api.sandbox.accounts) == 4


async def test_an_empty_list_does_not_drift(api: Api) -> None:
    """There is nothing that could move."""
    api.sandbox.script("drifting-list")
    assert (await api.list()).data == []


async def test_names_may_be_trimmed(api: Api) -> None:
    """The account is kept, and echoed, under the beginning of its name."""
    api.sandbox.script("trimmed-names:5")
    assert (await api.connect(name="Desk number 7")).data["name"] == "Desk"
    assert (await api.connect(name="Desk number 7")).data["name"] == "Desk number 7"


async def test_a_script_is_met_in_order_by_those_it_is_for(api: Api) -> None:
    """A fault for one endpoint waits for it, and `ok` lets a request pass."""
    api.sandbox.script("429@connect", "ok", Fault("503-lock", endpoint="list"), "500")
    assert [(await api.list()).status for _ in range(3)] == [200, 503, 500]
    assert (await api.connect()).status == 429
    assert (await api.connect()).status == 200
    faults = [each["fault"] for each in api.sandbox.requests]
    assert faults == ["ok", "503-lock", "500-before-commit", "429", None]


@pytest.mark.parametrize(
    ("endpoint", "method", "path"),
    [
        ("connect", "POST", "tradingAccount/connect"),
        ("list", "GET", "tradingAccount/list"),
        ("disconnect", "POST", "tradingAccount/disconnect"),
        ("login", "POST", "auth/login"),
        ("refresh", "POST", "auth/token/refresh"),
        ("logout", "POST", "auth/logout"),
        ("health", "GET", "health"),
    ],
)
async def test_faults_know_endpoints_by_name(
    api: Api, endpoint: str, method: str, path: str
) -> None:
    """A fault for an endpoint is met there and nowhere else."""
    api.sandbox.script(Fault("503-lock", endpoint=endpoint))
    assert (await api.call("GET", "elsewhere")).status == 404
    assert (await api.call(method, path)).verdict == (503, -22014)


async def test_rules_hit_their_share_of_requests_repeatably() -> None:
    """About the rate, never another endpoint, the same for the same seed, until it behaves."""

    async def run(seed: int) -> list[int]:
        async with serving(seed=seed) as api:
            api.sandbox.script("429:30%@list")
            statuses = [(await api.list()).status for _ in range(100)]
            assert (await api.connect()).status == 200
            api.sandbox.behave()
            assert {(await api.list()).status for _ in range(20)} == {200}
            return statuses

    first = await run(1)
    assert 15 <= first.count(429) <= 45
    assert await run(1) == first
    assert await run(2) != first


async def test_faults_fall_together(api: Api) -> None:
    """A delay, a replaced answer and a broken wire can meet one request."""
    api.sandbox.script("trimmed-names:4:100%", "latency:1ms:100%", "truncated")
    with pytest.raises(ClientPayloadError):
        await api.connect(name="Desk 7")
    assert api.sandbox.accounts[0]["name"] == "Desk"
    assert api.sandbox.requests[0]["fault"] == "truncated+trimmed-names+latency"


async def test_a_line_that_is_wrong_adds_nothing(api: Api) -> None:
    """A script is taken whole or not at all."""
    with pytest.raises(ValueError, match="unknown fault"):
        api.sandbox.script("500", "nonsense")
    assert (await api.connect()).status == 200


@pytest.mark.parametrize("odd", [429, ["429"], None], ids=repr)
async def test_what_is_no_line_adds_nothing(api: Api, odd: Any) -> None:
    """A bare number or a list, as is easily written, is told what is expected."""
    with pytest.raises(TypeError, match="a fault is a Fault or a line of text"):
        api.sandbox.script("500", odd)
    assert (await api.connect()).status == 200
