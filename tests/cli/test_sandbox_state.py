"""`cadenza sandbox --state`: killed at any moment, and what it says when it cannot begin."""

from __future__ import annotations

import asyncio
import json
import os
import secrets
import signal
from contextlib import asynccontextmanager
from functools import partial
from typing import TYPE_CHECKING, Any

import pytest
from aiohttp import ClientError, ClientSession
from attrs import define, field

from tests.sandbox.files import bytes_in, names_in

from .process import CADENZA, cadenza, environment, started, until

if TYPE_CHECKING:
    from asyncio.subprocess import Process
    from collections.abc import AsyncIterator
    from pathlib import Path

KILLS = int(os.environ.get("KILLS", "3"))
CALLERS = 16


@asynccontextmanager
async def serving(
    state: Path, *options: str, **variables: str
) -> AsyncIterator[tuple[Process, ClientSession]]:
    """A sandbox process with a state file, and somebody who may call it."""
    command = (*CADENZA, "sandbox", "--json", "--state", str(state), *options)
    env, quiet = {**environment(), **variables}, asyncio.subprocess.DEVNULL
    async with started(*command, env=env, stderr=quiet) as process:
        assert process.stdout is not None
        told = json.loads(await process.stdout.readline())
        headers = {"Authorization": f"Bearer {told['accessToken']}"}
        async with ClientSession(f"{told['url']}/api/v3/", headers=headers) as session:
            yield process, session


@define
class Customers:
    """Callers who connect without pause and remember what they were told.

    All of their secrets begin with the same mark.
    """

    told: dict[str, Any] = field(factory=dict[str, Any])
    sent: int = 0
    mark: str = field(factory=partial(secrets.token_hex, 8))

    async def connect(self, session: ClientSession) -> None:
        """Connect one account."""
        self.sent += 1
        keys = {each: self.mark + secrets.token_hex(8) for each in ("apiKey", "apiSecret")}
        body = {"venue": "BINANCE", "name": f"desk {self.sent}", **keys}
        async with session.post("tradingAccount/connect", json=body) as answer:
            account = (await answer.json())["data"]
        self.told[account["tradingAccountId"]] = account

    def know(self, number: int) -> bool:
        """Whether they were told of so many accounts."""
        return len(self.told) >= number

    async def connect_until_cut_off(self, session: ClientSession) -> None:
        """Connect accounts until nobody answers any more."""
        try:
            while True:
                await self.connect(session)
        except ClientError:
            pass


async def listed(session: ClientSession) -> list[dict[str, Any]]:
    """All accounts there are."""
    found: list[dict[str, Any]] = []
    while True:
        query = {"limit": "100", "offset": str(len(found))}
        async with session.get("tradingAccount/list", params=query) as answer:
            page = await answer.json()
        found += page["data"]
        if not page["pagination"]["hasNext"]:
            return found


def leaks(folder: Path, *marks: str) -> list[str]:
    """Those of the marks that can be read in some file there."""
    found = bytes_in(folder)
    return [mark for mark in marks if any(mark.encode() in each for each in found)]


def check(customers: Customers, found: list[dict[str, Any]]) -> None:
    """All that was answered is there as it was; what was not answered, once or not at all."""
    there = {each["tradingAccountId"]: each for each in found}
    names = {each["name"] for each in found}
    assert {account: there.get(account) for account in customers.told} == customers.told
    assert len(customers.told) <= len(names) == len(found) <= customers.sent


@pytest.mark.timeout(60 + 10 * KILLS)
async def test_killed_in_the_middle_of_writing(tmp_path: Path) -> None:
    """Whatever was answered is there as it was answered, and no file tells a secret.

    KILLS in the environment says how often; a few times if it does not.
    """
    customers, tokens = Customers(), set[str]()
    for _ in range(KILLS):
        async with serving(tmp_path / "state") as (process, session):
            check(customers, await listed(session))
            tokens.add(session.headers["Authorization"].removeprefix("Bearer "))
            calls = [
                asyncio.create_task(customers.connect_until_cut_off(session))
                for _ in range(CALLERS)
            ]
            more = secrets.randbelow(100) + 1
            await until(partial(customers.know, len(customers.told) + more))
            process.kill()
            await asyncio.gather(*calls)
            assert await process.wait() == -signal.SIGKILL
        assert leaks(tmp_path, customers.mark, *tokens) == []
    async with serving(tmp_path / "state") as (_, session):
        check(customers, await listed(session))
    assert len(tokens) == 1


async def test_what_is_wrong_with_the_state_is_wrong_usage(tmp_path: Path) -> None:
    """One line that says it, another that says what to do, and no traceback."""
    async with serving(tmp_path / "state") as (process, session):
        await Customers().connect(session)
        end = await cadenza("sandbox", "--state", str(tmp_path / "state"))
        process.send_signal(signal.SIGINT)
        assert await process.wait() == 0
    assert (end.code, end.out) == (2, "")
    assert end.err.startswith(f"{tmp_path / 'state'} is in use: ")
    assert len(end.err.splitlines()) == 2


async def test_a_stopped_sandbox_leaves_one_file_and_its_key(tmp_path: Path) -> None:
    """Everything is in the state file then, and the next one takes its key from where it is."""
    keys = tmp_path / "keys"
    async with serving(tmp_path / "state", "--state-key", str(keys)) as (process, session):
        await Customers().connect(session)
        process.send_signal(signal.SIGTERM)
        assert await process.wait() == 143
    assert names_in(tmp_path) == ["keys", "state"]
    environ = {"CADENZA_SANDBOX_KEY": await asyncio.to_thread(keys.read_text)}
    async with serving(tmp_path / "state", **environ) as (_, session):
        assert len(await listed(session)) == 1
