"""Runs from beginning to end, one after another: outcomes, exit codes, going on."""

from __future__ import annotations

import asyncio
import json
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, cast

import pytest

from cadenza_async import JournalReader, RowState
from tests.cli.process import CADENZA, cadenza, ended, environment, started, until

from .files import account, crowd, lines, names, private, report, table, tokens

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from cadenza_async.sandbox import Sandbox

ROWS = 300  # more than are read at a time


def connects(sandbox: Sandbox) -> int:
    """How many accounts were asked for."""
    return sum(each["path"].endswith("/connect") for each in sandbox.requests)


def states(path: Path) -> dict[RowState, int]:
    """What a journal counts."""
    with JournalReader(path) as journal:
        return journal.counts()


async def test_all_are_connected(tmp_path: Path, sandbox: Sandbox) -> None:
    """Users side by side; the journal and the reports are beside the file."""
    file = private(tmp_path / "accounts.csv", table(crowd(12, users=3)))
    given = tokens(tmp_path / "tokens.json", sandbox, users=3)
    end = await cadenza("onboard", str(file), "--tokens", given, sandbox=sandbox)
    assert (end.code, end.err) == (0, "")
    assert end.out.splitlines() == [
        "12 connected (12 rows)",
        f"Every row: {tmp_path}/accounts.reports/{{connected,failed,unfinished}}.csv",
    ]
    there = {(each["userId"], each["name"], each["tradingAccountId"]) for each in sandbox.accounts}
    rows = report(tmp_path / "accounts.reports", "connected")
    assert {(row["user"], row["name"], row["tradingAccountId"]) for row in rows} == there
    assert sorted(int(row["line"]) for row in rows) == list(range(2, 14))
    counts = await asyncio.to_thread(states, tmp_path / "accounts.journal")
    assert counts == {state: 12 if state is RowState.DONE else 0 for state in RowState}


async def test_the_same_command_again_goes_on(tmp_path: Path, sandbox: Sandbox) -> None:
    """What is connected is not sent again, what was refused only if that is asked for."""
    rows = [account(number) for number in range(3)]
    rows[1]["apiKey"] = f"invalid-{rows[1]['apiKey']}"
    file = private(tmp_path / "accounts.csv", table(rows))
    first = await cadenza("onboard", str(file), sandbox=sandbox)
    assert (first.code, connects(sandbox)) == (1, 3)
    again = await cadenza("onboard", str(file), sandbox=sandbox)
    assert (again.code, connects(sandbox)) == (1, 3)
    assert "1 row: Invalid API credentials for BINANCE" in again.out
    assert "The account's owner must check key" in again.out
    third = await cadenza("onboard", str(file), "--retry-failed", sandbox=sandbox)
    assert (third.code, connects(sandbox)) == (1, 4)
    rows[1]["apiKey"] = "a good one"
    private(file, table(rows))
    last = await cadenza("onboard", str(file), sandbox=sandbox)
    assert (last.code, connects(sandbox)) == (0, 5)
    assert len(report(tmp_path / "accounts.reports", "connected")) == 3
    assert report(tmp_path / "accounts.reports", "failed") == []


async def test_scripts_get_a_line_for_each_outcome(tmp_path: Path, sandbox: Sandbox) -> None:
    """Bad rows are outcomes, too; the last line counts."""
    rows = [account(1), account(2, apiKey="invalid"), account(3, apiSecret="")]
    file = private(tmp_path / "accounts.jsonl", lines(rows))
    end = await cadenza("onboard", str(file), "--json", sandbox=sandbox)
    *outcomes, summary = end.json
    found = {each["key"]: (each["line"], each["state"], each.get("error")) for each in outcomes}
    assert found == {
        "k-1": (1, "DONE", None),
        "k-2": (2, "FAILED", "CredentialsRejectedError"),
        "k-3": (3, "FAILED", "InvalidRowError"),
    }
    counts = summary["summary"]["counts"]
    assert (end.code, end.err, counts["DONE"], counts["FAILED"]) == (1, "", 1, 2)


async def test_rows_without_a_key_are_told_by_their_line(tmp_path: Path, sandbox: Sandbox) -> None:
    """Their key is made of user, venue, API key and account type."""
    file = private(tmp_path / "accounts.csv", table([account(1, key=""), account(2, key="")]))
    end = await cadenza("onboard", str(file), "--json", sandbox=sandbox)
    first, second, _ = sorted(end.json, key=lambda each: each.get("line", 9))
    assert (first["name"], second["name"]) == ("Desk 1", "Desk 2")
    assert first["key"] != second["key"]


@asynccontextmanager
async def at_work(sandbox: Sandbox, *options: str) -> AsyncIterator[asyncio.subprocess.Process]:
    """A job that goes on until its standard input ends."""
    async with started(*CADENZA, "onboard", "-", *options, env=environment(sandbox)) as process:
        rows = table(account(number) for number in range(ROWS))
        cast("asyncio.StreamWriter", process.stdin).write(rows.encode())
        await until(lambda: connects(sandbox) > 0)
        yield process


async def test_a_second_job_with_the_same_journal_leaves_the_reports_alone(
    tmp_path: Path, sandbox: Sandbox
) -> None:
    """Whoever does not know that the job runs is told so; the job reports to its end."""
    file = private(tmp_path / "accounts.csv", table([account(1)]))
    folder = tmp_path / "accounts.reports"
    options = ("--journal", str(tmp_path / "accounts.journal"), "--reports", str(folder))
    async with at_work(sandbox, *options) as process:
        other = await cadenza("onboard", str(file), sandbox=sandbox)
        end = await ended(process)
    assert other.code == 2
    assert "is in use by another job" in other.err
    assert (end.code, end.err, len(report(folder, "connected"))) == (0, "", ROWS)


async def test_a_journal_under_another_name_is_in_use_as_well(
    tmp_path: Path, sandbox: Sandbox
) -> None:
    """Or two commands would send the same rows, and trip over each other's states."""
    file = private(tmp_path / "accounts.csv", table([account(1)]))
    link = tmp_path / "link"
    link.symlink_to("a.journal")
    async with at_work(sandbox, "--journal", str(tmp_path / "a.journal")) as process:
        other = await cadenza("onboard", str(file), "--journal", str(link), sandbox=sandbox)
        end = await ended(process)
    assert (other.code, f"{link} is in use by another job" in other.err) == (2, True)
    assert (end.code, end.err, connects(sandbox)) == (0, "", ROWS)


async def test_two_jobs_do_not_mix_their_reports(tmp_path: Path, sandbox: Sandbox) -> None:
    """The later one of two that were told the same folder sends nothing, and is told why."""
    other = private(tmp_path / "other.csv", table([account(1)]))
    folder = ("--reports", str(tmp_path / "reports"))
    async with at_work(sandbox, "--journal", str(tmp_path / "a.journal"), *folder) as process:
        late = await cadenza("onboard", str(other), *folder, sandbox=sandbox)
        end = await ended(process)
    assert (late.code, late.out, connects(sandbox)) == (2, "", ROWS)
    assert "another job is writing its reports to" in late.err
    assert (end.code, end.err, len(report(tmp_path / "reports", "connected"))) == (0, "", ROWS)


async def test_reports_are_where_they_are_wanted(tmp_path: Path, sandbox: Sandbox) -> None:
    """A folder that is not there is made; one that cannot be is a clear error."""
    file = private(tmp_path / "accounts.csv", table([account(1)]))
    folder = tmp_path / "some" / "where"
    end = await cadenza("onboard", str(file), "--reports", str(folder), sandbox=sandbox)
    assert (end.code, len(report(folder, "connected"))) == (0, 1)
    end = await cadenza("onboard", str(file), "--reports", str(file), sandbox=sandbox)
    assert (end.code, end.out) == (2, "")
    assert "the reports cannot be written to" in end.err


async def test_a_user_without_a_token_waits(tmp_path: Path, sandbox: Sandbox) -> None:
    """The others go on; what is unfinished is told with who must act, and is exit code 3."""
    file = private(tmp_path / "accounts.csv", table(crowd(6, users=3)))
    given = tokens(tmp_path / "tokens.json", sandbox, users=2)
    end = await cadenza("onboard", str(file), "--tokens", given, sandbox=sandbox)
    assert end.code == 3
    assert end.out.startswith("4 connected, 2 not done (6 rows)\n")
    left = report(tmp_path / "accounts.reports", "unfinished")
    assert [row["user"] for row in left] == ["u-2", "u-2"]
    assert {row["state"] for row in left} == {"PENDING"}
    why = "no access token for the user 'u-2': the tokens have none"
    assert {row["reason"] for row in left} == {why}
    assert all(row["remedy"].startswith("Correct the setting") for row in left)


async def test_a_token_that_is_refused_has_to_be_replaced(tmp_path: Path, sandbox: Sandbox) -> None:
    """The same command alone would come to the same end, and nobody is told so."""
    file = private(tmp_path / "accounts.csv", table([account(1)]))
    wrong = {"CADENZA_ACCESS_TOKEN": "another"}
    end = await cadenza("onboard", str(file), sandbox=sandbox, env=wrong)
    assert end.code == 3
    assert "Get a new access token" in end.out
    (row,) = report(tmp_path / "accounts.reports", "unfinished")
    assert row["remedy"].endswith("Run the same command again: it goes on with this row.")


async def test_users_need_tokens(tmp_path: Path, sandbox: Sandbox) -> None:
    """All as one would be wrong, so nothing is sent."""
    file = private(tmp_path / "accounts.csv", table(crowd(2, users=2)))
    end = await cadenza("onboard", str(file), sandbox=sandbox)
    assert (end.code, sandbox.requests) == (2, [])
    assert "--tokens" in end.err


async def test_a_lost_answer_is_found_after_the_quarantine(
    tmp_path: Path, sandbox: Sandbox
) -> None:
    """One was done and is found, one was not and is sent again; each is there once."""
    sandbox.script("ok@connect", "drop-after-commit@connect", "drop-before-commit@connect")
    file = private(tmp_path / "accounts.csv", table(account(number) for number in range(5)))
    end = await cadenza("onboard", str(file), "--quarantine", "0.3", sandbox=sandbox)
    assert (end.code, end.err) == (0, "")
    assert sorted(each["name"] for each in sandbox.accounts) == [f"Desk {n}" for n in range(5)]


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        ((), "give either a file of accounts or, with --status, a journal"),
        (("FILE", "--status", "JOURNAL"), "give either a file of accounts or,"),
        (("--status", "JOURNAL"), "JOURNAL"),
        (("nowhere.csv",), "nowhere.csv: it cannot be read: No such file or directory"),
        ((".",), ".: it cannot be read: Is a directory"),
        (("FILE", "--quarantine", "0"), "quarantine must be"),
        (("FILE", "--grace", "-1"), "grace must be"),
        (("FILE", "--journal", "FILE"), "cannot be opened: it is no database"),
        (("FILE", "--journal", ""), "--journal must name a file"),
        (("FILE", "--journal", "/", "--dry-run"), "--journal must name a file"),
        (("FILE", "--reports", ""), "--reports must name a folder"),
        (("FILE", "--fault", "drop"), "are for --sandbox"),
        (("FILE", "--sandbox", "--fault", "mishap"), "--fault: "),
    ],
)
async def test_wrong_usage_is_2(
    tmp_path: Path, sandbox: Sandbox, arguments: tuple[str, ...], complaint: str
) -> None:
    """Nothing is sent, and no report is written."""
    file = private(tmp_path / "accounts.csv", table([account(1)]))
    places = {"FILE": str(file), "JOURNAL": str(tmp_path / "JOURNAL")}
    given = [places.get(each, each) for each in arguments]
    end = await cadenza("onboard", *given, sandbox=sandbox)
    assert (end.code, end.out, sandbox.requests) == (2, "", [])
    assert complaint in end.err
    assert "connected.csv" not in names(tmp_path)


async def test_scripts_are_told_of_wrong_usage(tmp_path: Path, sandbox: Sandbox) -> None:
    """By a line of JSON, of options that contradict one another, too."""
    file = private(tmp_path / "accounts.csv", table([account(1)]))
    end = await cadenza("onboard", str(file), "--fault", "drop", "--json", sandbox=sandbox)
    (told,) = end.json
    assert (end.code, told["error"]["type"], sandbox.requests) == (2, "UsageError", [])


async def test_without_a_token_nothing_begins(tmp_path: Path) -> None:
    """That is the user's to set."""
    file = private(tmp_path / "accounts.csv", table([account(1)]))
    end = await cadenza("onboard", str(file))
    assert (end.code, end.out) == (2, "")
    assert "run 'cadenza login', or set CADENZA_ACCESS_TOKEN" in end.err


async def test_a_bad_row_needs_no_network(tmp_path: Path, sandbox: Sandbox) -> None:
    """A row that cannot be read fails, and nothing is sent for it."""
    file = private(tmp_path / "accounts.jsonl", json.dumps({"venue": "OKX"}))
    end = await cadenza("onboard", str(file), sandbox=sandbox)
    assert (end.code, connects(sandbox)) == (1, 0)
    (row,) = report(tmp_path / "accounts.reports", "failed")
    assert (row["line"], row["key"], row["remedy"]) == (
        "1",
        "line 1",
        "Correct the row and run again.",
    )


@pytest.mark.parametrize("key", ["slow", "quick"])
async def test_rows_with_the_same_key_are_told_apart_by_their_lines(
    tmp_path: Path, sandbox: Sandbox, key: str
) -> None:
    """The first is connected, however long that takes; the others are refused at once."""
    rows = [account(1, name=f"Desk {line}") for line in range(2, 302)]
    rows[0]["apiSecret"], rows[1]["apiKey"] = "", key
    file = private(tmp_path / "accounts.csv", table(rows))
    end = await cadenza("onboard", str(file), sandbox=sandbox)
    assert end.code == 1
    (connected,) = report(tmp_path / "accounts.reports", "connected")
    failed = report(tmp_path / "accounts.reports", "failed")
    assert (connected["line"], connected["name"]) == ("3", "Desk 3")
    same = "another row has the same key: give this one its own, if it is another account"
    assert [(row["line"], row["name"], row["reason"]) for row in failed] == [
        ("2", "", "line 2, apiSecret: is missing"),
        *((str(line), f"Desk {line}", same) for line in range(4, 302)),
    ]


async def test_a_changed_row_and_others_with_its_key_are_told_by_their_lines(
    tmp_path: Path, sandbox: Sandbox
) -> None:
    """Each for a reason of its own, and under the name that the file gives it."""
    file = private(tmp_path / "accounts.csv", table([account(1)]))
    await cadenza("onboard", str(file), sandbox=sandbox)
    private(file, table(account(1, name=name) for name in ("New", "Second", "Third")))
    end = await cadenza("onboard", str(file), sandbox=sandbox)
    failed = report(tmp_path / "accounts.reports", "failed")
    assert (end.code, len(sandbox.accounts)) == (1, 1)
    assert [(row["line"], row["name"], row["reason"][:15]) for row in failed] == [
        ("2", "New", "the row was cha"),
        ("3", "Second", "another row has"),
        ("4", "Third", "another row has"),
    ]


async def test_bad_rows_with_the_key_of_a_good_one_are_told_by_their_lines(
    tmp_path: Path, sandbox: Sandbox
) -> None:
    """Each row is reported with what it says itself, and nothing that another one does."""
    bad, other = account(1, apiSecret=""), account(1, venue="")
    file = private(tmp_path / "accounts.csv", table([bad, other, account(1)]))
    end = await cadenza("onboard", str(file), sandbox=sandbox)
    assert end.code == 1
    (connected,) = report(tmp_path / "accounts.reports", "connected")
    failed = report(tmp_path / "accounts.reports", "failed")
    assert (connected["line"], connected["name"]) == ("4", "Desk 1")
    assert [(row["line"], row["name"], row["reason"]) for row in failed] == [
        ("2", "", "line 2, apiSecret: is missing"),
        ("3", "", "line 3, venue: is missing"),
    ]


FULL_DISK = """
import resource, runpy
before = resource.getrlimit(resource.RLIMIT_FSIZE)
resource.setrlimit(resource.RLIMIT_FSIZE, (150_000, before[1]))
try:
    runpy.run_module("cadenza_async", run_name="__main__", alter_sys=True)
finally:
    resource.setrlimit(resource.RLIMIT_FSIZE, before)
"""


async def test_a_full_disk_ends_a_run_and_not_the_job(tmp_path: Path, sandbox: Sandbox) -> None:
    """One line says why; the same command finishes it when there is room again."""
    rows = [account(number) for number in range(600)]
    file = private(tmp_path / "accounts.csv", table(rows))
    command = ("onboard", str(file), "--quarantine", "0.5")
    async with started("-c", FULL_DISK, *command, env=environment(sandbox)) as process:
        end = await ended(process)
    assert end.code == 2
    assert "accounts.journal cannot be used" in end.err
    assert "Traceback" not in end.err
    again = await cadenza(*command, sandbox=sandbox)
    assert again.code == 0
    assert len({each["name"] for each in sandbox.accounts}) == len(sandbox.accounts) == 600


async def test_reports_that_lack_a_row_are_none(tmp_path: Path, sandbox: Sandbox) -> None:
    """Where there was no room for a row, none of the reports pretends to tell of every one."""
    rows = [account(number, apiSecret="") for number in range(2000)]
    file = private(tmp_path / "accounts.csv", table(rows))
    async with started("-c", FULL_DISK, "onboard", str(file), env=environment(sandbox)) as process:
        end = await ended(process)
    reports = tmp_path / "accounts.reports"
    assert end.code == 2
    assert end.out.startswith("2,000 failed (2,000 rows)\n")
    assert end.err.startswith(f"the reports cannot be written to {reports}: File too large\n")
    assert names(reports) == {".reports-lock"}
