"""kill -9 at random moments, and the same command again: exactly once, whatever happens."""

from __future__ import annotations

import asyncio
import os
import random
import signal
from typing import TYPE_CHECKING

import pytest

from cadenza_async import JournalReader, RowState
from cadenza_async.sandbox import Sandbox
from tests.cli.process import CADENZA, cadenza, environment, started, until

from .files import crowd, private, report, table, tokens

if TYPE_CHECKING:
    from pathlib import Path

KILLS = int(os.environ.get("KILLS", "5"))
ROWS = int(os.environ.get("KILLS_ROWS", "80"))
SEED = int(os.environ.get("KILLS_SEED", "1"))
USERS = 5
FAULTS = (
    "latency:50ms:100%@connect",
    "drop-after-commit:3%@connect",
    "drop-before-commit:3%@connect",
    "reset:2%@connect",
    "503:1%",
    "429:2%",
)


async def kill_at_work(seconds: float, *command: str, sandbox: Sandbox) -> int | None:
    """Kill a command some time after it has begun to send; return its exit code."""
    sent = len(sandbox.requests)
    async with started(*CADENZA, *command, env=environment(sandbox)) as process:
        talk = asyncio.create_task(process.communicate())
        await until(lambda: len(sandbox.requests) > sent or talk.done())
        await asyncio.wait([talk], timeout=seconds)
        if process.returncode is None:
            process.kill()
        await talk
    return process.returncode


@pytest.mark.timeout(60 + 10 * KILLS)
async def test_every_row_is_connected_exactly_once(tmp_path: Path) -> None:
    """However often it dies: none is lost, none is there twice, and the journal knows each."""
    rows = crowd(ROWS, USERS)
    file = private(tmp_path / "accounts.csv", table(rows))
    chance = random.Random(SEED)
    async with Sandbox(rate_limit=2, rate_period=1, seed=SEED) as sandbox:
        sandbox.script(*FAULTS)
        given = tokens(tmp_path / "tokens.json", sandbox, USERS)
        command = ("onboard", str(file), "--tokens", given, "--quarantine", "1")
        for _ in range(KILLS):
            moment = chance.uniform(0, 0.8)
            assert await kill_at_work(moment, *command, sandbox=sandbox) == -signal.SIGKILL
        end = await cadenza(*command, sandbox=sandbox)
        assert (end.code, end.err) == (0, "")
        there = {(each["userId"], each["name"]): each for each in sandbox.accounts}
        assert len(there) == len(sandbox.accounts) == ROWS
    assert there.keys() == {(row["user"], row["name"]) for row in rows}
    told = {row["key"]: row for row in report(tmp_path / "accounts.reports", "connected")}
    for key, account in (await asyncio.to_thread(read, tmp_path / "accounts.journal")).items():
        assert there[account]["tradingAccountId"] == told.pop(key)["tradingAccountId"]
    assert not told


def read(journal: Path) -> dict[str, tuple[str | None, str | None]]:
    """What a journal says is done: user and name of each key."""
    with JournalReader(journal) as reader:
        assert reader.counts()[RowState.DONE] == ROWS
        return {row.key: (row.user, row.name) for row in reader.rows()}
