"""Output that nobody takes, and reports that cannot be written: each makes up for the other."""

from __future__ import annotations

import os
import shutil
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.cli.process import CADENZA, cadenza, ended, environment, started, until

from .files import account, private, report, table

if TYPE_CHECKING:
    from cadenza_async.sandbox import Sandbox
    from tests.cli.process import Ended

RESTLESS = """
import runpy
from cadenza_async.cli import _progress
_progress._PLAIN_EACH = 0
runpy.run_module("cadenza_async", run_name="__main__", alter_sys=True)
"""


async def with_a_full_disk(sandbox: Sandbox, *command: str) -> Ended:
    """Run a command whose standard output takes nothing."""
    full = os.open("/dev/full", os.O_WRONLY)
    async with started(*command, env=environment(sandbox), stdout=full) as process:
        os.close(full)
        return await ended(process)


def told(folder: Path) -> list[int]:
    """How many rows are in each report."""
    return [len(report(folder, name)) for name in ("connected", "failed", "unfinished")]


async def test_a_script_that_breaks_off_ends_the_run(tmp_path: Path, sandbox: Sandbox) -> None:
    """Every row is told of in the reports, as whoever read the output knows of none."""
    file = private(tmp_path / "accounts.csv", table(account(number) for number in range(30)))
    reader, broken = os.pipe()
    os.close(reader)
    command = (*CADENZA, "onboard", str(file), "--json", "--concurrency", "2")
    async with started(*command, env=environment(sandbox), stdout=broken) as process:
        os.close(broken)
        end = await ended(process)
    assert (end.code, end.err) == (141, "")
    done = len(sandbox.accounts)
    assert done < 30
    assert told(tmp_path / "accounts.reports") == [done, 0, 30 - done]


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="it stands for a full disk")
async def test_an_output_without_room_does_not_forbid_to_go_on(
    tmp_path: Path, sandbox: Sandbox
) -> None:
    """Nothing is done twice by a job, so there is nothing to be looked for first."""
    file = private(tmp_path / "accounts.csv", table([account(1)]))
    end = await with_a_full_disk(sandbox, *CADENZA, "onboard", str(file))
    assert (end.code, end.err) == (
        3,
        (
            "standard output cannot be written: No space left on device\n"
            "Make room. The same command again goes on with what is not done.\n"
        ),
    )
    assert told(tmp_path / "accounts.reports") == [1, 0, 0]


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="it stands for a full disk")
async def test_progress_that_cannot_be_written_does_not_end_a_run(
    tmp_path: Path, sandbox: Sandbox
) -> None:
    """The rows are connected overnight, whatever becomes of the log."""
    file = private(tmp_path / "accounts.csv", table(account(number) for number in range(30)))
    end = await with_a_full_disk(sandbox, "-c", RESTLESS, "onboard", str(file))
    assert end.code == 3
    assert end.err.startswith("standard output cannot be written: No space left on device")
    assert told(tmp_path / "accounts.reports") == [30, 0, 0]


async def test_reports_that_cannot_be_written_do_not_end_a_run(
    tmp_path: Path, sandbox: Sandbox
) -> None:
    """Somebody tidies up overnight; the summary says what was done, the next run reports it."""
    rows = [account(number) for number in range(30)]
    file = private(tmp_path / "accounts.csv", table([*rows, account(30, apiKey="slow")]))
    reports = tmp_path / "accounts.reports"
    async with started(*CADENZA, "onboard", str(file), env=environment(sandbox)) as process:
        await until(lambda: len(sandbox.accounts) > 0)
        shutil.rmtree(reports)
        end = await ended(process)
    assert (end.code, end.out) == (2, "31 connected (31 rows)\n")
    assert end.err.startswith(f"the reports cannot be written to {reports}: No such file")
    again = await cadenza("onboard", str(file), sandbox=sandbox)
    assert (again.code, told(reports)) == (0, [31, 0, 0])


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="it stands for a terminal that has gone")
async def test_where_nothing_can_be_said_the_exit_code_does(
    tmp_path: Path, sandbox: Sandbox
) -> None:
    """A terminal takes both streams with it; 1 would say that rows were refused."""
    file = private(tmp_path / "accounts.csv", table([account(1)]))
    full = os.open("/dev/full", os.O_WRONLY)
    streams = {"stdout": full, "stderr": full}
    async with started(
        *CADENZA, "onboard", str(file), env=environment(sandbox), **streams
    ) as process:
        os.close(full)
        assert await process.wait() == 3
    assert told(tmp_path / "accounts.reports") == [1, 0, 0]
