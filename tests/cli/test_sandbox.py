"""`cadenza sandbox`: a process for clients that know nothing of us."""

from __future__ import annotations

import json
import re
import signal
import socket
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

import pytest
from aiohttp import ClientSession

from .process import CADENZA, cadenza, ended, environment, started

if TYPE_CHECKING:
    from asyncio.subprocess import Process
    from collections.abc import AsyncIterator


@asynccontextmanager
async def serving(*arguments: str) -> AsyncIterator[tuple[Process, str]]:
    """A sandbox process, and the first line it wrote."""
    async with started(*CADENZA, "sandbox", *arguments, env=environment()) as process:
        assert process.stdout is not None
        yield process, (await process.stdout.readline()).decode()


async def test_ctrl_c_is_how_it_ends() -> None:
    """Scripts read where it is; a line tells of each request, and nothing of the token."""
    async with serving("--json") as (process, line):
        url, token = json.loads(line).values()
        headers = {"Authorization": f"Bearer {token}"}
        async with ClientSession(f"{url}/api/v3/", headers=headers) as session:
            listed = await session.get("tradingAccount/list")
        process.send_signal(signal.SIGINT)
        end = await ended(process)
    told = r"\d\d:\d\d:\d\d GET /api/v3/tradingAccount/list user=u-1 200 \d+ ms\n"
    assert re.fullmatch(told, end.err)
    assert (listed.status, end.code, token in end.err) == (200, 0, False)


async def test_its_options_do_what_they_say() -> None:
    """A user, a limit, a fault; what it prints is what a shell needs; SIGTERM ends it with 143."""
    options = ("--rate-limit", "7", "--user", "desk:desk@example.com:pass:word")
    async with serving(*options, "--fault", "503-lock@list") as (process, line):
        assert process.stdout is not None
        token = (await process.stdout.readline()).decode().strip()
        url = line.strip().removeprefix("export CADENZA_BASE_URL=")
        headers = {"Authorization": f"Bearer {token.removeprefix('export CADENZA_ACCESS_TOKEN=')}"}
        async with ClientSession(f"{url}/api/v3/", headers=headers) as session:
            user = {"email": "desk@example.com", "password": "pass:word"}
            login = await session.post("auth/login", json=user)
            first, second = [await session.get("tradingAccount/list") for _ in range(2)]
        process.send_signal(signal.SIGTERM)
        end = await ended(process)
    assert (login.status, first.status, second.status) == (200, 503, 200)
    assert second.headers["X-RateLimit-Limit"] == "7"
    assert "invalid" in end.out
    assert (end.code, end.err.splitlines()[-1]) == (143, "terminated")
    assert "pass" not in end.err


@pytest.mark.parametrize(
    ("option", "value", "complaint"),
    [
        ("--fault", "droop:5%", "--fault: unknown fault 'droop'; there are ok, latency, "),
        ("--user", "desk:hunter2", "--user must be NAME:EMAIL:PASSWORD"),
        ("--state-key", "nowhere", "state_key is given, but no state file that it is for"),
        ("--port", "", "cannot listen: "),
    ],
)
async def test_wrong_options_are_2(option: str, value: str, complaint: str) -> None:
    """A fault that does not exist, half a user, a port that is taken."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        end = await cadenza("sandbox", option, value or str(taken.getsockname()[1]))
    assert (end.code, end.out) == (2, "")
    assert end.err.startswith(complaint)
    assert "hunter2" not in end.err
