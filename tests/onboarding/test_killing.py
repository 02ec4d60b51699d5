"""A process that is killed at any moment loses nothing and does nothing twice."""

from __future__ import annotations

import asyncio
import random
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from cadenza_async import RowState

from .jobs import row

if TYPE_CHECKING:
    from .jobs import Job

ROWS, KILLS, QUARANTINE = 60, 5, 0.6
WEATHER = ("drop-after-commit:10%@connect", "drop-before-commit:5%@connect", "503-lock:5%@connect")


# The checkout comes last on the path: what is installed is what is tested.
WORK = """
import runpy, sys
sys.path.append(sys.argv.pop(1))
runpy.run_module("tests.onboarding.worker", run_name="__main__")
"""


async def work(job: Job, lines: int | None, *way: str) -> None:
    """Run the job in a process of its own; kill it after so many outcomes, and a moment."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-c", WORK, str(Path(__file__).parents[2])),
        *(job.sandbox.url, str(job.journal), str(ROWS), str(QUARANTINE), *way),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
    )
    assert process.stdin is not None
    assert process.stdout is not None
    process.stdin.write("".join(f"{u} {t}\n" for u, t in job.tokens.items()).encode())
    process.stdin.close()
    if lines is not None:
        for _ in range(lines):
            await process.stdout.readline()
        process.kill()
    await process.stdout.read()
    assert (await process.wait() == 0) == (lines is None)


@pytest.mark.timeout(120)
@pytest.mark.parametrize("seed", [1, 2])
async def test_killed_again_and_again(job: Job, seed: int) -> None:
    """At the end every row is connected exactly once, and the journal agrees row by row."""
    chance = random.Random(seed)
    job.sandbox.script(*WEATHER, "slow-commit:100ms:30%@connect", "latency:30ms:50%@connect")
    for _ in range(KILLS):
        await work(job, chance.randrange(1, 30), "direct", "pages")
    assert len(job.sandbox.accounts) < ROWS
    await work(job, None, "direct", "pages")
    there = {(a["userId"], a["name"]): a["tradingAccountId"] for a in job.sandbox.accounts}
    assert len(there) == len(job.sandbox.accounts) == ROWS
    journaled = (await job.journaled(RowState.DONE)).values()
    assert {r.key for r in journaled} == {row(n).key for n in range(ROWS)}
    assert {
        (r.user, r.name): r.account and r.account.trading_account_id for r in journaled
    } == there


@pytest.mark.timeout(120)
async def test_killed_while_keys_are_stored(references: Job) -> None:
    """At the end every row has one credential and one account, and the journal knows which."""
    chance, way = random.Random(3), ("credential", "openapi")
    weather = [line.replace("connect", "credential-create") for line in WEATHER]
    references.sandbox.script(*WEATHER, *weather, "slow-commit:100ms:30%@credential-create")
    for _ in range(KILLS):
        await work(references, chance.randrange(1, 20), *way)
    await work(references, None, *way)
    journaled = (await references.journaled(RowState.DONE)).values()
    assert len(journaled) == len(references.sandbox.accounts) == ROWS
    stored = {c["credentialId"] for c in references.sandbox.credentials}
    assert {r.credential_id for r in journaled} == stored
    assert len(stored) == len(references.sandbox.credentials) == ROWS
