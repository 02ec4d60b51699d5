"""Ctrl-C, SIGTERM and SIGHUP at any moment: prompt, honest, and the next run finishes the job."""

from __future__ import annotations

import asyncio
import random
import signal
from types import MappingProxyType
from typing import TYPE_CHECKING, cast

import pytest

from cadenza_async.sandbox import Sandbox
from tests.cli.process import CADENZA, Ended, cadenza, ended, environment, started, until

from .files import account, crowd, private, report, table, tokens

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

SIGNALS = [
    (signal.SIGINT, 130, "interrupted"),
    (signal.SIGTERM, 143, "terminated"),
    (signal.SIGHUP, 143, "terminated"),
]
NOHUP = """
import runpy, signal
signal.signal(signal.SIGHUP, signal.SIG_IGN)
runpy.run_module("cadenza_async", run_name="__main__", alter_sys=True)
"""
IMPATIENT = """
import os, runpy, signal
from cadenza_async.onboarding._files.reports import Reports
commit = Reports.commit
def interrupted(reports):
    os.kill(os.getpid(), signal.SIGINT)
    os.kill(os.getpid(), signal.SIGHUP)
    os.kill(os.getpid(), signal.SIGTERM)
    commit(reports)
Reports.commit = interrupted
runpy.run_module("cadenza_async", run_name="__main__", alter_sys=True)
"""


@pytest.mark.parametrize(("number", "code", "word"), SIGNALS, ids=["SIGINT", "SIGTERM", "SIGHUP"])
@pytest.mark.parametrize("seed", range(2))
async def test_a_stopped_run_is_finished_by_the_next(
    tmp_path: Path, number: signal.Signals, code: int, word: str, seed: int
) -> None:
    """At a random moment; every row is there once in the end, and told of both times."""
    file = private(tmp_path / "accounts.csv", table(crowd(40, users=2)))
    folder = tmp_path / "accounts.reports"
    async with Sandbox(seed=seed) as sandbox:
        sandbox.script("latency:20ms:100%@connect")
        given = tokens(tmp_path / "tokens.json", sandbox, users=2)
        command = ("onboard", str(file), "--tokens", given, "--concurrency", "2")
        moment = random.Random(seed).randint(2, 30)
        async with started(*CADENZA, *command, env=environment(sandbox)) as process:
            await until(lambda: len(sandbox.requests) >= moment)
            process.send_signal(number)
            async with asyncio.timeout(5):
                end = await ended(process)
        assert (end.code, end.err) == (code, f"{word}\n")
        done = len(sandbox.accounts)
        assert done < 40
        assert "The same command again goes on with what is not done." in end.out
        rows = [report(folder, name) for name in ("connected", "failed", "unfinished")]
        assert [len(each) for each in rows] == [done, 0, 40 - done]
        again = await cadenza(*command, sandbox=sandbox)
        assert (again.code, len(report(folder, "connected"))) == (0, 40)
        assert len({each["name"] for each in sandbox.accounts}) == len(sandbox.accounts) == 40


async def test_a_terminal_that_goes_stops_nobody_who_does_not_mind(
    tmp_path: Path, sandbox: Sandbox
) -> None:
    """Under nohup a run goes on to its end."""
    file = private(tmp_path / "accounts.csv", table([account(1)]))
    sandbox.script("latency:300ms@connect")
    command = ("-c", NOHUP, "onboard", str(file))
    async with started(*command, env=environment(sandbox)) as process:
        await until(lambda: len(sandbox.requests) > 1)
        process.send_signal(signal.SIGHUP)
        end = await ended(process)
    assert (end.code, end.err, len(sandbox.accounts)) == (0, "", 1)


async def terminated_in_flight(
    sandbox: Sandbox, *command: str, known: Mapping[str, str] = MappingProxyType({})
) -> Ended:
    """Run a command, and end it while a connect is being worked on."""
    async with started(*CADENZA, *command, env={**environment(sandbox), **known}) as process:
        await until(lambda: any(each["path"].endswith("/connect") for each in sandbox.requests))
        process.send_signal(signal.SIGTERM)
        return await ended(process)


async def test_what_is_in_flight_has_the_grace_period(tmp_path: Path) -> None:
    """An answer that comes within it settles the row."""
    file = private(tmp_path / "accounts.csv", table([account(1, apiKey="slow but sure")]))
    async with Sandbox(slow=0.5) as sandbox:
        end = await terminated_in_flight(sandbox, "onboard", str(file))
        assert (end.code, len(sandbox.accounts)) == (143, 1)
    (row,) = report(tmp_path / "accounts.reports", "connected")
    assert (row["state"], row["name"]) == ("DONE", "Desk 1")


async def test_what_outlasts_the_grace_period_is_in_doubt(tmp_path: Path, sandbox: Sandbox) -> None:
    """The next run finds it, and sends nothing again."""
    file = private(tmp_path / "accounts.csv", table([account(1)]))
    sandbox.script("slow-commit:500ms@connect")
    end = await terminated_in_flight(sandbox, "onboard", str(file), "--grace", "0")
    assert (end.code, "1 in doubt (1 row)" in end.out) == (143, True)
    (row,) = report(tmp_path / "accounts.reports", "unfinished")
    assert (row["state"], row["name"]) == ("UNKNOWN", "Desk 1")
    assert row["remedy"].endswith("it finds out what became of this row.")
    again = await cadenza("onboard", str(file), "--quarantine", "1", sandbox=sandbox)
    assert (again.code, len(sandbox.accounts)) == (0, 1)
    assert sum(each["path"].endswith("/connect") for each in sandbox.requests) == 1


async def test_scripts_are_told_that_something_is_in_doubt(
    tmp_path: Path, sandbox: Sandbox
) -> None:
    """By the row, by the counts, and by what ended the command."""
    file = private(tmp_path / "accounts.csv", table([account(1)]))
    sandbox.script("slow-commit:500ms@connect")
    end = await terminated_in_flight(sandbox, "onboard", str(file), "--grace", "0", "--json")
    row, summary, stop = end.json
    assert (row["state"], row["attempts"]) == ("UNKNOWN", 1)
    assert summary["summary"]["counts"]["UNKNOWN"] == 1
    assert stop["error"]["outcomeUnknown"] is True


async def test_who_is_told_to_end_again_tells_all(tmp_path: Path, sandbox: Sandbox) -> None:
    """What became of the rows is written down before the command ends."""
    file = private(tmp_path / "accounts.csv", table([account(1), account(2)]))
    sandbox.script("latency:100ms:100%@connect")
    command = ("-c", IMPATIENT, "onboard", str(file), "--concurrency", "1")
    async with started(*command, env=environment(sandbox)) as process:
        await until(lambda: bool(sandbox.accounts))
        process.send_signal(signal.SIGINT)
        end = await ended(process)
    assert (end.code, end.err) == (130, "interrupted\n")
    folder, done = tmp_path / "accounts.reports", len(sandbox.accounts)
    assert len(report(folder, "connected")) == done
    assert len(report(folder, "unfinished")) == 2 - done


async def test_a_row_in_doubt_that_was_changed_is_not_done(
    tmp_path: Path, sandbox: Sandbox
) -> None:
    """The exit code says so, and nobody is advised to send it under another key."""
    rows = [account(1)]
    file = private(tmp_path / "accounts.csv", table(rows))
    sandbox.script("slow-commit:500ms@connect")
    await terminated_in_flight(sandbox, "onboard", str(file), "--grace", "0")
    private(file, table([{**rows[0], "name": "Another"}]))
    end = await cadenza("onboard", str(file), sandbox=sandbox)
    assert (end.code, end.out.splitlines()[0]) == (3, "1 in doubt (1 row)")
    (row,) = report(tmp_path / "accounts.reports", "unfinished")
    assert (row["state"], row["name"]) == ("UNKNOWN", "Another")
    assert "let it be as it was" in row["reason"]
    assert row["remedy"] == "Correct the row and run again."


async def test_a_row_in_doubt_whose_secret_is_gone_is_not_done(
    tmp_path: Path, sandbox: Sandbox
) -> None:
    """It was sent, so nobody says that it was refused, with whatever shell he comes back."""
    row = account(1, apiSecret="env:SECRET_OF_DESK_1")
    file = private(tmp_path / "accounts.csv", table([row]))
    sandbox.script("slow-commit:500ms@connect")
    known = {"SECRET_OF_DESK_1": account(1)["apiSecret"]}
    await terminated_in_flight(sandbox, "onboard", str(file), "--grace", "0", known=known)
    end = await cadenza("onboard", str(file), sandbox=sandbox)
    assert (end.code, end.out.splitlines()[0]) == (3, "1 in doubt (1 row)")
    (row,) = report(tmp_path / "accounts.reports", "unfinished")
    assert (row["state"], row["remedy"]) == ("UNKNOWN", "Correct the row and run again.")
    assert "an environment variable that is not set" in row["reason"]


async def test_a_row_that_was_not_come_to_is_not_its_namesake(
    tmp_path: Path, sandbox: Sandbox
) -> None:
    """Another one with the same key is connected; of this one nobody knows anything yet."""
    rows = [*(account(number) for number in range(400)), account(0, name="Another")]
    file = private(tmp_path / "accounts.csv", table(rows))
    sandbox.script("latency:20ms:100%@connect")
    command = (*CADENZA, "onboard", str(file), "--concurrency", "1")
    async with started(*command, env=environment(sandbox)) as process:
        await until(lambda: len(sandbox.accounts) > 30)
        process.send_signal(signal.SIGTERM)
        assert (await ended(process)).code == 143
    connected, unfinished = (
        [row["line"] for row in report(tmp_path / "accounts.reports", name) if row["key"] == "k-0"]
        for name in ("connected", "unfinished")
    )
    assert (connected, unfinished) == (["2"], ["402"])


async def test_somebody_who_says_nothing_is_not_waited_for(
    tmp_path: Path, sandbox: Sandbox
) -> None:
    """Standard input that stays open keeps nobody from stopping; what was read is told."""
    command = (*CADENZA, "onboard", "-", "--journal", str(tmp_path / "a.journal"))
    text = table(account(number) for number in range(400)).encode()
    async with started(*command, env=environment(sandbox)) as process:
        cast("asyncio.StreamWriter", process.stdin).write(text)
        await until(lambda: len(sandbox.accounts) >= 400)
        process.send_signal(signal.SIGTERM)
        async with asyncio.timeout(5):
            assert await process.wait() == 143
        out = await cast("asyncio.StreamReader", process.stdout).read()
    assert b"standard input was not read to its end." in out
    assert len(report(tmp_path / "a.reports", "connected")) == 400
