"""`--sandbox` and `demo --accounts`: nothing is needed, nothing is left; and what is to be seen."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.cli.process import cadenza, environment
from tests.cli.terminal import at_terminal

from .files import crowd, names, private, report, table

if TYPE_CHECKING:
    from pathlib import Path


async def test_a_file_is_tried_in_a_sandbox(tmp_path: Path) -> None:
    """Faults included; no token is needed, and nothing is left for another run to go on from."""
    rows = crowd(20, users=4)
    rows[7]["apiKey"] = f"noperm-{rows[7]['apiKey']}"
    file = private(tmp_path / "accounts.csv", table(rows))
    faults = ("--fault", "drop-after-commit:20%@connect", "--fault", "429@connect")
    end = await cadenza("onboard", str(file), "--sandbox", *faults, "--quarantine", "0.3")
    assert (end.code, end.err) == (1, "")
    assert end.out.startswith("19 connected, 1 failed (20 rows)\n")
    assert "same command" not in end.out
    assert names(tmp_path) == {"accounts.csv"}


async def test_a_journal_that_is_named_is_kept(tmp_path: Path) -> None:
    """It can be looked at, as the reports beside it."""
    file = private(tmp_path / "accounts.csv", table(crowd(3, users=1)))
    journal = str(tmp_path / "tried.journal")
    end = await cadenza("onboard", str(file), "--sandbox", "--journal", journal)
    assert (end.code, len(report(tmp_path / "tried.reports", "connected"))) == (0, 3)
    end = await cadenza("onboard", "--status", journal)
    assert (end.code, "3 connected (3 rows)" in end.out) == (0, True)


async def test_people_at_a_terminal_see_it_happen(tmp_path: Path) -> None:
    """A bar for each state, calls against what is allowed, the last failures by reason."""
    rows = crowd(70, users=2)
    rows[0]["apiKey"] = "invalid"
    file = private(tmp_path / "accounts.csv", table(rows))
    env = {**environment(), "COLUMNS": "100", "TERM": "xterm"}
    command = ("onboard", str(file), "--sandbox", "--rate-limit", "40")
    slow = ("--fault", "latency:300ms:100%@connect", "--concurrency", "10")
    async with at_terminal(*command, *slow, env=env) as terminal:
        assert await terminal.end() == 1
    for text in ("connected", "in flight", "in doubt", "failed", "waiting"):
        assert text in terminal.seen
    assert "calls in the last minute of 80 allowed" in terminal.seen
    assert "left" in terminal.seen
    assert "1 row: Invalid API credentials for BINANCE (last: Desk 0)" in terminal.seen
    assert "69 connected, 1 failed (70 rows)" in terminal.seen


async def test_the_demo_shows_a_crowd(tmp_path: Path) -> None:
    """Some keys are bad and some answers are lost, and yet nothing is there twice."""
    end = await cadenza("demo", "--accounts", "100", env={"TMPDIR": str(tmp_path)})
    assert (end.code, end.err) == (0, "")
    assert "98 connected, 2 failed (100 rows)" in end.out
    assert "The sandbox has 98 accounts, 98 of them different." in end.out
    assert not names(tmp_path)
