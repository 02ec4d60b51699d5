"""What a journal tells of a job, while that runs, and whatever ended it."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, cast

import pytest

from cadenza_async import JournalReader, RowState
from tests.cli.process import CADENZA, Ended, cadenza, environment, started, until

from .files import account, private, table, tokens

if TYPE_CHECKING:
    from pathlib import Path

    from cadenza_async.sandbox import Sandbox


async def test_a_journal_tells_how_far_a_job_is(tmp_path: Path, sandbox: Sandbox) -> None:
    """Without sending anything; with the exit code that a run would have."""
    rows = [account(1), account(2, apiKey="invalid"), account(3, user="u-7")]
    file = private(tmp_path / "accounts.csv", table(rows))
    given = tokens(tmp_path / "tokens.json", sandbox, users=1)
    await cadenza("onboard", str(file), "--tokens", given, sandbox=sandbox)
    sent = len(sandbox.requests)
    journal = str(tmp_path / "accounts.journal")
    end = await cadenza("onboard", "--status", journal)
    assert (end.code, end.err) == (3, "")
    assert end.out.startswith(f"{journal} for {sandbox.url}\n1 connected, 1 failed, 1 not done")
    script = await cadenza("onboard", "--status", journal, "--json")
    counts = script.json[0]["summary"]["counts"]
    assert (counts["DONE"], counts["FAILED"], counts["PENDING"]) == (1, 1, 1)
    assert len(sandbox.requests) == sent
    private(file, table(rows[:1]))
    end = await cadenza("onboard", str(file), "--tokens", given, sandbox=sandbox)
    assert (end.code, "Not among the rows: 2 rows of the journal." in end.out) == (0, True)


def done(journal: Path) -> int:
    """How many rows are known to be connected."""
    with JournalReader(journal) as reader:
        return reader.counts()[RowState.DONE]


async def test_a_job_that_has_not_met_all_of_its_rows_is_not_done(
    tmp_path: Path, sandbox: Sandbox
) -> None:
    """All that the journal knows are connected, but there are others that it does not know."""
    journal = tmp_path / "a.journal"
    text = table(account(number) for number in range(400)).encode()
    command = ("onboard", "-", "--journal", str(journal))
    async with started(*CADENZA, *command, env=environment(sandbox)) as process:
        cast("asyncio.StreamWriter", process.stdin).write(text)
        await until(lambda: len(sandbox.accounts) == 400)
        while await asyncio.to_thread(done, journal) < 400:
            await asyncio.sleep(0.01)
        ends = [await cadenza("onboard", "--status", str(journal))]
        process.kill()
        await process.wait()
    ends.append(await cadenza("onboard", "--status", str(journal)))
    assert [end.code for end in ends] == [3, 3]
    for end in ends:
        assert end.out.splitlines()[1:] == [
            "400 connected (400 rows)",
            "The newest run has not met all of its rows.",
            "The same command again goes on with what is not done.",
        ]
    assert not complete(await cadenza("onboard", "--status", str(journal), "--json"))
    again = await cadenza(*command, sandbox=sandbox, typed=text.decode())
    after = await cadenza("onboard", "--status", str(journal), "--json")
    assert (again.code, after.code, complete(after)) == (0, 0, True)


async def test_a_job_with_rows_that_were_refused_is_not_done(
    tmp_path: Path, sandbox: Sandbox
) -> None:
    """What could not be taken in is not forgotten, until a run takes it in."""
    rows = [account(1), account(2), account(3)]
    bad = [{**rows[0], "name": "Another"}, {**rows[1], "apiSecret": ""}, rows[2], rows[2]]
    file, journal = tmp_path / "accounts.csv", str(tmp_path / "accounts.journal")
    for given, code in ((rows, 0), (bad, 1), (rows, 0)):
        private(file, table(given))
        run = await cadenza("onboard", str(file), sandbox=sandbox)
        end = await cadenza("onboard", "--status", journal)
        assert (run.code, end.code) == (code, code)
        said = "Refused in the newest run: 3 rows; see its reports." in end.out
        assert said == (code == 1)
        script = await cadenza("onboard", "--status", journal, "--json")
        assert script.json[-1]["summary"].get("refused", 0) == 3 * code


def complete(end: Ended) -> bool:
    """Whether a script is told that there are no other rows."""
    return cast("bool", end.json[-1]["summary"]["complete"])


@pytest.mark.parametrize("asked", [("--status", "JOURNAL"), ("FILE",), ("FILE", "--dry-run")])
async def test_a_damaged_journal_is_told_of(
    tmp_path: Path, sandbox: Sandbox, asked: tuple[str, ...]
) -> None:
    """In a line, as somebody has to fetch a copy of it."""
    file, journal = tmp_path / "accounts.csv", tmp_path / "accounts.journal"
    private(file, table(account(number) for number in range(300)))
    assert (await cadenza("onboard", str(file), sandbox=sandbox)).code == 0
    content = journal.read_bytes()
    journal.write_bytes(content[:8192] + b"\x55" * (len(content) - 8192))
    arguments = [{"FILE": str(file), "JOURNAL": str(journal)}.get(each, each) for each in asked]
    end = await cadenza("onboard", *arguments, sandbox=sandbox)
    assert end.code == 2
    assert end.err.startswith(f"the journal {journal} cannot be ")
    assert "DatabaseError" not in end.err
