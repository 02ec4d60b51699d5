"""What the sandbox remembers and logs of requests, without their secrets."""

from __future__ import annotations

import asyncio
import logging
import re
import secrets
from typing import TYPE_CHECKING

import pytest
from aiohttp import ServerDisconnectedError

from .api import new_account, serving, until

if TYPE_CHECKING:
    from collections.abc import Callable

    from .api import Api


async def test_requests_are_recorded_in_order_with_their_end() -> None:
    """Method, path, query, user, masked body, arrival and status of everything received."""
    async with serving(clock=lambda: 1_750_000_000.5) as api:
        await api.connect(name="Desk", apiPassphrase="", token=api.sandbox.token("u-3"))
        await api.list(venue="OKX", limit="5", odd="1")
        await api.call("GET", "health", token=None)
        connect, listed, health = api.sandbox.requests
    assert connect == {
        "method": "POST",
        "path": "/api/v3/tradingAccount/connect",
        "query": {},
        "user": "u-3",
        "body": {
            "venue": "BINANCE",
            "apiKey": "***",
            "apiSecret": "***",
            "name": "Desk",
            "apiPassphrase": "***",
        },
        "receivedAt": 1_750_000_000_500,
        "status": 200,
        "fault": None,
    }
    assert listed["query"] == {"venue": "OKX", "limit": "5", "odd": "***"}
    assert (listed["status"], listed["body"]) == (400, None)
    assert (health["path"], health["user"]) == ("/api/v3/health", None)


async def test_records_are_copies(api: Api) -> None:
    """Nobody changes the sandbox's memory by accident."""
    await api.list()
    api.sandbox.requests[0]["status"] = 0
    assert api.sandbox.requests[0]["status"] == 200


@pytest.mark.parametrize(
    "wrap",
    [
        lambda marker: new_account(apiKey=marker, apiSecret=marker, apiPassphrase=marker),
        lambda marker: new_account(api_secret=marker),
        lambda marker: new_account(name=[marker], venue={"v": marker}),
        lambda marker: [marker],
        lambda marker: {"email": "a@example.test", "password": marker},
        lambda marker: {"refreshToken": marker},
    ],
    ids=["right-fields", "wrong-field", "nested", "array", "password", "refresh"],
)
@pytest.mark.parametrize("path", ["tradingAccount/connect", "auth/login", "auth/token/refresh"])
async def test_no_secret_is_kept_or_logged(
    api: Api, caplog: pytest.LogCaptureFixture, path: str, wrap: Callable[[str], object]
) -> None:
    """Wherever in a request a secret stands, records and logs at DEBUG do not show it."""
    marker = secrets.token_hex(8)
    caplog.set_level(logging.DEBUG)
    for token in (marker, api.sandbox.access_token):
        await api.post(path, wrap(marker), token=token)
    await api.call("POST", path, data=f'{{"apiSecret": "{marker}"')
    assert marker not in repr(api.sandbox.requests)
    assert api.sandbox.access_token not in repr(api.sandbox.requests)
    assert marker not in caplog.text
    assert marker not in repr(vars(api.sandbox))


async def test_one_line_is_logged_for_each_request(
    api: Api, caplog: pytest.LogCaptureFixture
) -> None:
    """Method, path, user, status, time and fault; a request that nobody answered says so."""
    caplog.set_level(logging.INFO, "cadenza_async.sandbox")
    api.sandbox.script("500", "drop")
    await api.call("GET", "health", token=None)
    with pytest.raises(ServerDisconnectedError):
        await api.connect()
    await api.list()
    lines = [re.sub(r"\d+ ms", "N ms", record.getMessage()) for record in caplog.records]
    assert lines == [
        "GET /api/v3/health user=- 500 N ms fault=500-before-commit",
        "POST /api/v3/tradingAccount/connect user=u-1 no answer N ms fault=drop-after-commit",
        "GET /api/v3/tradingAccount/list user=u-1 200 N ms",
    ]


async def test_a_line_is_logged_for_what_is_never_answered(
    caplog: pytest.LogCaptureFixture,
) -> None:
    """A request that hangs is told of at once, one that is being worked on when it all ends."""
    caplog.set_level(logging.INFO, "cadenza_async.sandbox")
    async with serving(slow=60.0) as api:
        api.sandbox.script("hang-after-commit")
        waiting = [asyncio.create_task(api.connect())]
        await until(lambda: len(caplog.records) == 1)
        waiting.append(asyncio.create_task(api.connect(apiKey="slow")))
        await until(lambda: len(api.sandbox.requests) == 2)
        assert len(caplog.records) == 1
    await asyncio.gather(*waiting, return_exceptions=True)
    lines = [re.sub(r"\d+ ms", "N ms", record.getMessage()) for record in caplog.records]
    told = "POST /api/v3/tradingAccount/connect user=u-1 no answer N ms"
    assert lines == [f"{told} fault=hang-after-commit", told]


async def test_a_request_line_that_is_no_http_is_not_quoted_in_logs(
    api: Api, caplog: pytest.LogCaptureFixture
) -> None:
    """What cannot be read is answered 400, without a word on what it was."""
    marker = secrets.token_hex(8)
    host, port = api.sandbox.url.removeprefix("http://").split(":")
    reader, writer = await asyncio.open_connection(host, int(port))
    writer.write(f"GET / HTTP/1.1\r\nAuthorization: Bearer \x00{marker}\r\n\r\n".encode())
    assert (await reader.readline()).startswith(b"HTTP/1.0 400")
    writer.close()
    await writer.wait_closed()
    assert marker not in caplog.text


async def test_a_mistake_of_its_own_is_a_500_that_is_logged(
    caplog: pytest.LogCaptureFixture,
) -> None:
    """When the sandbox itself fails, its caller gets an envelope and its developer a traceback."""
    async with serving(slow="soon") as api:
        assert (await api.connect(apiKey="slow")).verdict == (500, -19000)
    assert "connect failed" in caplog.text
    assert "Traceback" in caplog.text
