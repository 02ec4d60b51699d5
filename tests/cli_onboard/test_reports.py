"""Reports: private, whole, harmless in a spreadsheet; and no secret in anything that is left."""

from __future__ import annotations

import csv
import json
import stat
from typing import TYPE_CHECKING

import pytest

from cadenza_async import JournalRow, RowOutcome, RowState
from cadenza_async.errors import ConfigError, InvalidRowError
from cadenza_async.onboarding._files.reports import Reports, inert
from cadenza_async.onboarding._files.tracked import Origin, outcome_of
from tests.cli.process import cadenza
from tests.disks import full_disk

from .files import account, lines, marker, names, private, report, table

if TYPE_CHECKING:
    from pathlib import Path

    from cadenza_async.sandbox import Sandbox

REPORTS = ("connected", "failed", "unfinished")
NAMES = {f"{name}.{kind}" for name in REPORTS for kind in ("csv", "jsonl")}
LOCK = ".reports-lock"


def outcome(state: RowState, key: str) -> RowOutcome:
    """Some outcome."""
    return RowOutcome(key=key, state=state, error=InvalidRowError("bad") if key else None)


@pytest.mark.parametrize("beginning", ["=", "+", "-", "@", "\t", "\r", "\n"])
def test_cells_do_nothing(beginning: str) -> None:
    """A spreadsheet runs what begins so; an apostrophe makes it a text."""
    assert inert(f"{beginning}1+1") == f"'{beginning}1+1"
    assert (inert(f"1{beginning}"), inert(None), inert(7)) == (f"1{beginning}", "", "7")


@pytest.mark.parametrize("end", [";", ';"', "\t", "\n"], ids=["Excel", "quoted", "tab", "line"])
@pytest.mark.parametrize("formula", ["=1+1", "@SUM(A1)", "\uff1d1+1"])
def test_parts_of_cells_do_nothing(end: str, formula: str) -> None:
    """Where commas separate nothing but decimals, a cell begins in the middle of ours."""
    assert inert(f"Desk{end}{formula}{end}7") == f"Desk{end}'{formula}{end}7"
    assert inert("Desk; a-b = c, -d") == "Desk; a-b = c, -d"


async def test_formulas_are_texts_in_tables_and_untouched_for_programs(
    tmp_path: Path, sandbox: Sandbox
) -> None:
    """Whoever names an account must not command the one who opens the report."""
    rows = [
        account(1, name='=HYPERLINK("http://x")', user="@SUM(A1)", key="+1;=2"),
        account(2, name="-2", key="=3", apiKey="invalid"),
    ]
    file = private(tmp_path / "accounts.jsonl", lines(rows))
    end = await cadenza("onboard", str(file), "--sandbox", "--journal", str(tmp_path / "journal"))
    assert end.code == 1
    (connected,) = report(tmp_path / "journal.reports", "connected")
    assert (connected["name"], connected["user"]) == ('\'=HYPERLINK("http://x")', "'@SUM(A1)")
    assert connected["key"] == "'+1;'=2"
    (failed,) = report(tmp_path / "journal.reports", "failed")
    assert (failed["name"], failed["key"], failed["errno"]) == ("'-2", "'=3", "'-120001")
    twin = json.loads((tmp_path / "journal.reports" / "connected.jsonl").read_text())
    assert (twin["name"], twin["user"], twin["key"]) == (rows[0]["name"], "@SUM(A1)", "+1;=2")


def test_every_outcome_has_its_place(tmp_path: Path) -> None:
    """Settled or not, a person must act or not; nobody else can read any of it."""
    folder = tmp_path / "reports"
    with Reports(folder) as reports:
        reports.begin()
        for number, state in enumerate(RowState):
            reports.add(outcome(state, str(number)), Origin(key=str(number), line=number))
        assert names(folder) == {LOCK} | {f".{name}.new" for name in NAMES}
        reports.commit()
    found = {
        name: [row["state"] for row in report(folder, name)]
        for name in ("connected", "failed", "unfinished")
    }
    assert found == {
        "connected": ["DONE"],
        "failed": ["FAILED", "CONFLICT"],
        "unfinished": ["PENDING", "INTENT", "UNKNOWN", "STORED"],
    }
    assert names(folder) == NAMES | {LOCK}
    modes = {stat.S_IMODE(each.stat().st_mode) for each in (*folder.iterdir(), folder)}
    assert modes == {0o600, 0o700}


def test_earlier_reports_stay_until_there_are_new_ones(tmp_path: Path) -> None:
    """A run that came to nothing leaves what was there, and nothing of its own."""
    with Reports(tmp_path) as reports:
        reports.begin()
        reports.add(outcome(RowState.DONE, "old"), Origin(key="old"))
        reports.commit()
    (tmp_path / ".connected.csv.new").write_text("left by a run that was killed")
    with Reports(tmp_path) as reports:
        reports.begin()
        reports.add(outcome(RowState.DONE, "new"), Origin(key="new"))
    assert [row["key"] for row in report(tmp_path, "connected")] == ["old"]
    assert names(tmp_path) == NAMES | {LOCK}


def refused(folder: Path) -> None:
    """Nobody else can begin reports there, and is told what to do."""
    with Reports(folder) as late, pytest.raises(ConfigError, match="--reports"):
        late.begin()


def test_a_folder_is_one_jobs_until_that_has_ended(tmp_path: Path) -> None:
    """Or the rows of two would be mixed up; what has begun is not disturbed."""
    with Reports(tmp_path) as first:
        first.begin()
        first.add(outcome(RowState.DONE, "first"), Origin(key="first"))
        refused(tmp_path)
        first.commit()
        refused(tmp_path)
    with Reports(tmp_path) as second:
        second.begin()
    assert [row["key"] for row in report(tmp_path, "connected")] == ["first"]
    assert names(tmp_path) == NAMES | {LOCK}


def test_a_full_disk_is_complained_of_as_such(tmp_path: Path) -> None:
    """It is not the output that cannot be written, and nothing is left behind."""
    with full_disk(room=0), Reports(tmp_path) as reports:
        reports.begin()
        with pytest.raises(ConfigError, match="reports cannot be written"):
            reports.commit()
    assert names(tmp_path) == {LOCK}


def test_any_text_can_be_written(tmp_path: Path) -> None:
    """A key that is no text at all comes back as what it was."""
    key = 'half \ud800, "quoted"\nand two lines'
    with Reports(tmp_path) as reports:
        reports.begin()
        reports.add(outcome(RowState.FAILED, key), Origin(key=key))
        reports.commit()
    assert json.loads((tmp_path / "failed.jsonl").read_text())["key"] == key
    with (tmp_path / "failed.csv").open(newline="") as file:
        (row,) = csv.DictReader(file)
    assert row["key"] == key.replace("\ud800", "\\ud800")


@pytest.mark.parametrize("arguments", [(), ("--json",)], ids=["people", "scripts"])
async def test_no_secret_is_anywhere(
    tmp_path: Path, sandbox: Sandbox, arguments: tuple[str, ...]
) -> None:
    """Good rows and bad ones, refusals that repeat the keys: output, journal, reports are clean."""
    mark, home = marker(), tmp_path / "home"
    home.mkdir()
    rows = [
        account(1, apiKey=f"key1{mark}", apiSecret=mark),
        account(2, apiKey=f"invalid{mark}", apiSecret=mark),
        account(3, apiKey=f"key3{mark}", apiSecret=mark, venue="OKX", apiPassphrase=mark),
        account(4, apiKey=f"key4{mark}\x00", apiSecret=mark),
        account(5, apiKey=f"key5{mark}", apiSecret=f"file:{mark}"),
        account(6, apiKey=f"key6{mark}", apiSecret=mark, venue="COINBASE"),
    ]
    sandbox.script("ok@connect", "echo-secret@connect", "drop-after-commit@connect")
    file = private(tmp_path / "accounts.csv", table(rows) + f"{mark},{mark}\n")
    places = ("--journal", str(home / "a.journal"), "--reports", str(home / "reports"))
    command = ("onboard", str(file), *places, "--quarantine", "0.2", *arguments)
    end = await cadenza(*command, sandbox=sandbox)
    assert end.code == 1
    assert sum(
        row["apiKey"].endswith("****" + mark[-2:]) for row in report(home / "reports", "connected")
    )
    assert mark not in end.out + end.err
    assert sandbox.access_token not in end.out + end.err
    left = [each for each in home.rglob("*") if each.is_file()]
    assert {"a.journal", "failed.jsonl"} <= {each.name for each in left}
    for each in left:
        content = each.read_bytes()
        assert mark.encode() not in content, each
        assert sandbox.access_token.encode() not in content, each


def test_what_was_being_sent_when_a_job_died_is_in_doubt() -> None:
    """A journal says that it was meant to be sent; nobody knows whether it was."""
    row = JournalRow(
        key="k-1",
        user=None,
        venue="OKX",
        name="Desk 1",
        state=RowState.INTENT,
        account=None,
        error=None,
        attempts=1,
        missing=False,
    )
    assert outcome_of(row).state is RowState.UNKNOWN
