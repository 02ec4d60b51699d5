"""A journal goes on where a run stopped, and belongs to one job at a time."""

from __future__ import annotations

import asyncio
import os
import sqlite3
import stat
import subprocess
import sys
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from cadenza_async import JournalReader, RowState, SessionPool, onboard
from cadenza_async.errors import ConfigError, InvalidRowError
from cadenza_async.sandbox import Sandbox

from .jobs import row

if TYPE_CHECKING:
    from .jobs import Job


async def test_what_is_settled_is_not_sent_again(job: Job) -> None:
    """DONE and FAILED rows come back from the journal as they were, with nothing sent."""
    rows = [row(1), row(2, api_key="invalid" + "x" * 9)]
    first = await job.run(rows)
    before = len(job.sandbox.requests)
    second = await job.run(rows)
    assert len(job.sandbox.requests) == before
    for key, outcome in second.items():
        assert outcome.attempts == 0
        assert (outcome.state, outcome.account, outcome.name) == (
            first[key].state,
            first[key].account,
            first[key].name,
        )
        assert type(outcome.error) is type(first[key].error)
        assert vars(outcome.error or ValueError()) == vars(first[key].error or ValueError())


async def test_new_rows_join_and_old_ones_are_missed(job: Job) -> None:
    """New keys are new rows; keys that are gone are counted and marked, and are no error."""
    await job.run([row(1), row(2), row(3)])
    async with job.running([row(2), row(4), InvalidRowError("unreadable", key="desk-3")]) as run:
        assert run.missing is None
        _ = [outcome async for outcome in run]
        assert run.missing == 1
    assert {key: r.missing for key, r in (await job.journaled()).items()} == {
        "desk-1": True,
        "desk-2": False,
        "desk-3": False,
        "desk-4": False,
    }
    assert len(job.sandbox.accounts) == 4


async def test_a_row_that_is_refused_as_changed_is_not_missed(job: Job) -> None:
    """It was among the rows, whatever is wrong with it."""
    await job.run([row(1), row(2)])
    async with job.running([row(1, name="Another"), row(2)]) as run:
        assert [o.state async for o in run if o.key == "desk-1"] == [RowState.FAILED]
        assert run.missing == 0
    assert not any(known.missing for known in (await job.journaled()).values())


async def test_refused_rows_are_sent_again_on_demand(job: Job) -> None:
    """With ``retry_failed`` they are."""
    rows = [row(1, api_key="invalid" + "x" * 9), row(2)]
    await job.run(rows)
    again = await job.run(rows, retry_failed=True)
    assert [again[f"desk-{n}"].attempts for n in (1, 2)] == [1, 0]
    assert len(job.calls("connect")) == 3


async def test_a_corrected_row_is_sent_again(job: Job) -> None:
    """Another secret under the same key replaces the one that was refused."""
    await job.run([row(1, api_key="invalid" + "x" * 9)])
    corrected = await job.run([row(1)])
    assert corrected["desk-1"].state is RowState.DONE
    assert len(job.sandbox.accounts) == 1


@pytest.mark.parametrize(
    "change",
    [
        {"api_secret": "another" * 3},
        {"api_passphrase": "new" * 3},
        {"venue": "BYBIT"},
        {"name": "Desk"},
        {"user": "u-2"},
    ],
    ids=lambda change: next(iter(change)),
)
async def test_a_row_that_was_changed_after_it_was_done_is_refused(
    job: Job, change: dict[str, str]
) -> None:
    """Nothing is sent for it, and the others go on."""
    await job.run([row(1)])
    outcomes = await job.run([row(1, **change), row(2)])
    assert outcomes["desk-1"].state is RowState.FAILED
    assert "changed" in str(outcomes["desk-1"].error)
    assert outcomes["desk-2"].state is RowState.DONE
    assert (await job.journaled())["desk-1"].state is RowState.DONE
    assert await job.states([row(1)]) == {"desk-1": "DONE"}
    assert len(job.sandbox.accounts) == 2


async def test_a_row_that_cannot_be_read_any_more_is_not_called_refused(job: Job) -> None:
    """What is in doubt stays so, and of what is done its reason tells."""
    await job.run([row(4, api_key="invalid")])
    job.sandbox.script("drop-after-commit@connect")
    async with job.running([row(1), row(2)], quarantine=60) as run:
        done = await anext(run)
    (doubtful,) = {"desk-1", "desk-2"} - {done.key}
    bad = [InvalidRowError("no secret", key=f"desk-{number}") for number in range(1, 5)]
    found = await job.run(bad)
    assert {key: (each.state.value, str(each.error)) for key, each in found.items()} == {
        done.key: ("FAILED", "no secret; it is DONE as it was"),
        doubtful: ("UNKNOWN", "no secret"),
        "desk-3": ("FAILED", "no secret"),
        "desk-4": ("FAILED", "no secret"),
    }
    assert await job.states([row(1), row(2)]) == {"desk-1": "DONE", "desk-2": "DONE"}
    assert len(job.sandbox.accounts) == 2


async def test_a_row_that_was_not_sent_may_be_changed(job: Job) -> None:
    """What is PENDING takes the new content."""
    await job.run([row(1, name="Old")], tokens={})
    outcomes = await job.run([row(1, name="New", venue="BYBIT")])
    assert outcomes["desk-1"].state is RowState.DONE
    assert [(a["name"], a["venue"]) for a in job.sandbox.accounts] == [("New", "BYBIT")]


async def test_no_secret_is_in_the_journal(job: Job) -> None:
    """None of its files holds one, in any state of a row; and only the owner may read them."""
    bad = "invalid" + "x" * 9
    rows = [row(1, api_passphrase="pass-phrase-1"), row(2, api_key=bad), row(3, user="u-9")]
    job.sandbox.script("ok@list", "echo-secret@connect")
    files, content = dict[Path, os.stat_result](), b""
    async with job.running(rows) as run:
        async for _ in run:
            files = {file: file.stat() for file in job.journal.parent.iterdir()}
            content = b"".join(file.read_bytes() for file in files)
    assert len(files) == 4
    assert {stat.S_IMODE(status.st_mode) for status in files.values()} == {0o600}
    content += job.journal.read_bytes()
    assert b"desk-1" in content
    for secret in ("api-key-", "api-secret-", "pass-phrase", bad, *job.tokens.values()):
        assert secret.encode() not in content


async def test_one_job_at_a_time(job: Job) -> None:
    """A second one on the same journal is told so, and the first does not notice."""
    async with job.running([row(1)]) as first:
        with pytest.raises(ConfigError, match="in use"):
            await job.run([row(1)])
        assert [outcome.state async for outcome in first] == [RowState.DONE]


async def test_one_process_at_a_time(job: Job) -> None:
    """The lock holds between processes, and dies with its owner."""
    await job.run([row(1)])
    holder = subprocess.Popen(  # noqa: ASYNC220  # it is only started
        [
            sys.executable,
            "-c",
            (
                "import sys, time; from cadenza_async.onboarding._store import Store\n"
                "store = Store(sys.argv[1], sys.argv[2], retry_failed=False)\n"
                "print('held', flush=True); time.sleep(60)"
            ),
            job.journal,
            job.sandbox.url,
        ],
        stdout=subprocess.PIPE,
    )
    try:
        assert holder.stdout is not None
        assert holder.stdout.readline() == b"held\n"
        with pytest.raises(ConfigError, match="in use"):
            await job.run([row(1)])
    finally:
        holder.kill()
        holder.communicate()
    assert await job.states([row(1)]) == {"desk-1": "DONE"}


async def test_a_journal_belongs_to_its_base_url(job: Job) -> None:
    """Somewhere else it is refused, and nothing is sent there."""
    await job.run([row(1)])
    async with Sandbox() as other, SessionPool(base_url=other.url) as pool:
        with pytest.raises(ConfigError, match=job.sandbox.url):
            await anext(onboard(pool, [row(1)], tokens=job.tokens, journal=job.journal))
        assert other.requests == []


def _text(path: Path) -> None:
    path.write_text("key,venue\n" * 200)


def _database(path: Path) -> None:
    with closing(sqlite3.connect(path)) as file:
        file.execute("CREATE TABLE rows (x)")


def _newer(path: Path) -> None:
    with closing(sqlite3.connect(path)) as file:
        file.execute("PRAGMA user_version = 99")


def _directory(path: Path) -> None:
    path.mkdir()


@pytest.mark.parametrize(
    ("make", "says"),
    [
        (_text, "is no database"),
        (_database, "is not a journal"),
        (_newer, "format 99"),
        (_directory, "cannot be opened"),
    ],
)
async def test_what_is_no_journal_is_refused(job: Job, make: object, says: str) -> None:
    """Another file, another database, another version, a directory: each is named."""
    assert callable(make)
    if make is _newer:
        await job.run([])
    make(job.journal)
    with pytest.raises(ConfigError, match=says):
        await job.run([row(1)])
    with pytest.raises(ConfigError, match=says):
        await job.journaled()
    assert job.sandbox.requests == []


async def test_an_old_sqlite_is_refused(job: Job, monkeypatch: pytest.MonkeyPatch) -> None:
    """Before a file is made: it cannot do what the journal asks of it."""
    monkeypatch.setattr("sqlite3.sqlite_version_info", (3, 32, 3))
    with pytest.raises(ConfigError, match=r"SQLite 3\.33"):
        await job.run([row(1)])
    assert not job.journal.exists()


async def test_a_journal_needs_a_place(job: Job) -> None:
    """A directory that is not there is a setting that is wrong."""
    async with job.connect() as pool:
        nowhere = job.journal.parent / "nowhere" / "journal"
        with pytest.raises(ConfigError, match="No such file"):
            await anext(onboard(pool, [row(1)], tokens=job.tokens, journal=nowhere))
    with pytest.raises(ConfigError, match="No such file"):
        await job.journaled()


def _overview(path: Path) -> tuple[str, dict[str, int]]:
    with JournalReader(path) as journal:
        counts = {state.value: number for state, number in journal.counts().items() if number}
        return journal.base_url, counts


async def test_reading_a_journal(job: Job) -> None:
    """It can be read while the job runs, and tells what was asked for."""
    rows = [row(1, name="Desk"), row(2, api_key="invalid" + "x" * 9), row(3, user="u-9")]
    async with job.running(rows) as run:
        outcomes = {outcome.key: outcome async for outcome in run}
        base_url, counts = await asyncio.to_thread(_overview, job.journal)
    assert base_url == job.sandbox.url
    assert counts == {"DONE": 1, "FAILED": 1, "PENDING": 1}
    (done,) = (await job.journaled(RowState.DONE)).values()
    (failed,) = (await job.journaled(RowState.FAILED)).values()
    assert {*await job.journaled()} == {"desk-1", "desk-2", "desk-3"}
    assert (done.user, done.venue, done.name, done.attempts) == ("u-1", "BINANCE", "Desk", 1)
    assert done.account == outcomes["desk-1"].account
    assert done.error is None
    assert str(failed.error) == str(outcomes["desk-2"].error)
