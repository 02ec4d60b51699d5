"""`--dry-run`: all that is wrong, where it is, never what is written there."""

from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING, Any

import pytest

from tests.cli.process import HOME, Ended, cadenza

from .files import account, crowd, lines, marker, names, private, report, table

if TYPE_CHECKING:
    from pathlib import Path

    from cadenza_async.sandbox import Sandbox

MARK = marker()
TWICE = marker()
KEYRING = """
def get_password(service, name):
    if service == "locked":
        raise OSError(name)  # backends raise what they like
    return {"there": "a secret"}.get(name)
"""


def row(**fields: str) -> str:
    """A row of a file: good, but for what is said."""
    good = account(0, user="u-1", apiKey=f"key-{MARK}", apiSecret=MARK, accountType=marker())
    return table([{**good, "key": "", "name": "", **fields}]).partition("\n")[2]


# What is written, the column that is to blame, and what is said of it.
BAD: list[tuple[str, str | None, str]] = [
    (row(venue=""), "venue", "is missing"),
    (row(apiKey=""), "apiKey", "is missing"),
    (row(apiSecret=""), "apiSecret", "is missing"),
    (row(apiKey="\u00a0 "), "apiKey", "is required and is empty"),
    (row(venue="OKX"), "apiPassphrase", "is missing: OKX keys have one"),
    (row(venue=f"BIN\n{MARK}"), "venue", "holds a control character"),
    (row(name=f"{MARK}\x07!"), "name", "holds a control character"),
    (row(apiKey=f"{MARK}\x1b[2J"), "apiKey", "holds a control character"),
    (row(apiSecret=f"{MARK}\x00"), "apiSecret", "holds a control character"),
    (row(name=f"{MARK}\udcff"), "name", "is not UTF-8 text"),
    (row(apiKey=f"{MARK}\udcff"), "apiKey", "is not UTF-8 text"),
    (row().rstrip() + f",{MARK}\r\n", None, "has more cells than the header"),
    (f"BINANCE,{MARK},{MARK}\r\n", None, "has fewer cells than the header"),
    (row(apiSecret=f"env:{MARK}"), "apiSecret", "refers to an environment variable"),
    (row(apiSecret="env:EMPTY"), "apiSecret", "refers to an environment variable"),
    (row(apiSecret=f"file:{MARK}"), "apiSecret", "cannot be read (No such file"),
    (row(apiSecret="file:open"), "apiSecret", "is open to others (0644)"),
    (row(apiSecret="file:."), "apiSecret", "is no regular file"),
    (row(apiSecret="file:binary"), "apiSecret", "not UTF-8 text of at most 64 KiB"),
    (row(apiSecret="file:long"), "apiSecret", "not UTF-8 text of at most 64 KiB"),
    (row(apiSecret=f"keyring:{MARK}"), "apiSecret", "not as keyring:service/name"),
    (row(apiSecret=f"keyring:desk/{MARK}"), "apiSecret", "is not in the keyring"),
    (row(apiSecret=f"keyring:locked/{MARK}"), "apiSecret", "keyring that cannot be read"),
    (row(key="first"), None, "the key is the same as in line 2"),
    (row(name="First "), "name", "have this name in line 2 already"),
    (row(apiKey=TWICE, accountType="SPOT"), None, "account type are the same as in line 5"),
    (row(user=f"somebody else {MARK}"), "user", "there is no access token for this user"),
    (row(user=""), "user", "there is no access token for this user"),
    (row(apiKey=f'{MARK}"').replace('""', '"x'), None, "cannot be read: ',' expected after '\"'"),
    (row(apiSecret=MARK * 10_000), None, "cannot be read: field larger than field limit"),
    (f'BINANCE,{MARK},"never ends', None, "cannot be read: unexpected end of data"),
]  # fmt: skip


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """What the rows refer to."""
    (tmp_path / "keyring.py").write_text(KEYRING)
    private(tmp_path / "open", MARK).chmod(0o644)
    private(tmp_path / "binary", b"\xff" + MARK.encode())
    private(tmp_path / "long", MARK * 10_000)
    private(tmp_path / "tokens.json", json.dumps({"u-1": MARK}))
    return tmp_path


def expected(good: str) -> list[dict[str, Any]]:
    """Each complaint with the line in which its row begins."""
    line, complaints = len(good.splitlines()) + 1, []
    for text, column, problem in BAD:
        complaints.append({"line": line, "column": column, "problem": problem})
        line += text.replace("\r\n", "\n").count("\n")
    return complaints


async def rehearse(file: Path, *arguments: str) -> Ended:
    """Run it where there is a keyring."""
    env = {"PYTHONPATH": os.pathsep.join([str(file.parent), str(HOME)]), "EMPTY": ""}
    return await cadenza("onboard", str(file), "--dry-run", *arguments, env=env)


async def test_one_dry_run_names_every_bad_row(folder: Path) -> None:
    """Thirty-one kinds of mistakes in one file: all are told, each where it is."""
    first = account(1, user="u-1", key="first", name="First", apiSecret="line 1\r\nline 2\r\n")
    good = table([first, account(2, user="u-1", key="", apiKey=TWICE, accountType="SPOT")])
    text = good + "".join(each for each, *_ in BAD)
    file = private(folder / "accounts.csv", text.encode("utf-8", "surrogateescape"))
    end = await rehearse(file, "--tokens", str(folder / "tokens.json"), "--json")
    *told, summary = end.json
    for complaint, wanted in zip(told, expected(good), strict=True):
        assert (complaint["line"], complaint["column"]) == (wanted["line"], wanted["column"])
        assert wanted["problem"] in complaint["problem"]
    assert summary["summary"] == {"good": 2, "bad": len(BAD), "seconds": 0}
    assert end.code == 2
    assert MARK not in end.out + end.err


async def test_people_read_lines(folder: Path) -> None:
    """Line, column, what is wrong; then how many rows are good and what the run will need."""
    file = private(folder / "a.csv", table([account(1), account(2, apiSecret=f"env:{MARK}")]))
    end = await rehearse(file)
    assert end.code == 2
    assert end.out.splitlines() == [
        "line 3, apiSecret: refers to an environment variable that is not set",
        "Good rows: 1, bad rows: 1; nothing was sent.",
        "At 30 calls a minute for each user (1 of them) the run takes less than 60 s.",
    ]
    assert end.err == "The run will need 'cadenza login', CADENZA_ACCESS_TOKEN, or --tokens.\n"


JSON_LINES: list[tuple[str, str | None, str]] = [
    ("{}", "venue", "is missing"),
    (f'["{MARK}"]', None, "is no JSON object"),
    (f'"{MARK}"', None, "is no JSON object"),
    (f'{{"{MARK}"', None, "is no JSON object"),
    ("{" * 100_000, None, "is no JSON object"),
    (json.dumps({**account(1), MARK: "x"}), None, "field 6 is none of venue, apiKey"),
    (json.dumps({**account(2), "apiSecret": 7}), "apiSecret", "must be a string"),
    (json.dumps({**account(3), "API_KEY": MARK}), "API_KEY", "is there twice"),
    (json.dumps({**account(4), "name": "\ud800"}), "name", "half a surrogate pair"),
    (json.dumps({**account(5), "apiSecret": ""}), "apiSecret", "is missing"),
    (json.dumps({**account(6), "venue": None}), "venue", "is missing"),
    (json.dumps({**account(7), "venue": "COINBASE"}), "apiPassphrase", "is missing"),
    (json.dumps({**account(8), "apiSecret": MARK * 200_000}), None, "is no JSON object"),
]


async def test_json_lines_have_mistakes_of_their_own(folder: Path) -> None:
    """A passphrase that is given and empty is none of them; blank lines are nothing."""
    good = {**account(9), "venue": "COINBASE", "apiPassphrase": "", "accountType": None}
    text = "".join(f"{line}\n\n" for line, *_ in JSON_LINES) + json.dumps(good)
    end = await rehearse(private(folder / "accounts.jsonl", text), "--json")
    *told, summary = end.json
    first = {complaint["line"]: complaint for complaint in reversed(told)}
    assert list(reversed(first)) == [1 + 2 * number for number in range(len(JSON_LINES))]
    for (_, column, problem), line in zip(JSON_LINES, reversed(first), strict=True):
        assert first[line]["column"] == column
        assert problem in first[line]["problem"]
    assert summary["summary"]["good"] == 1
    assert (end.code, MARK in end.out + end.err) == (2, False)


async def test_a_file_without_a_header_is_refused(tmp_path: Path) -> None:
    """What stands there is not shown, as it is somebody's key."""
    end = await cadenza(
        "onboard", str(private(tmp_path / "accounts.csv", f"{MARK},{MARK}\n")), "--dry-run"
    )
    assert (end.code, end.out) == (2, "")
    assert "column 1 of the header is none of venue, apiKey" in end.err
    assert MARK not in end.err


async def test_rows_of_another_time_are_not_counted_as_done(
    tmp_path: Path, sandbox: Sandbox
) -> None:
    """What was connected is left out of the estimate as far as it is in the file still."""
    old, new = ([account(first + number) for number in range(40)] for first in (0, 100))
    file = private(tmp_path / "accounts.csv", table(old))
    assert (await cadenza("onboard", str(file), sandbox=sandbox)).code == 0
    for rows, seconds in ((old, 0), ([*old[:9], *new], 60)):
        private(file, table(rows))
        end = await cadenza("onboard", str(file), "--dry-run", "--json", sandbox=sandbox)
        assert end.json[-1]["summary"]["seconds"] == seconds


async def test_rows_that_the_journal_speaks_against_are_named(
    tmp_path: Path, sandbox: Sandbox
) -> None:
    """The run refuses the same ones: changed after they were sent, or named as another is."""
    bad = account(4, apiKey="invalid key")
    rows = [*(account(number) for number in (1, 2, 3, 5)), bad]
    file = private(tmp_path / "accounts.csv", table(rows))
    client = ("onboard", str(file))
    assert (await cadenza(*client, sandbox=sandbox)).code == 1
    changed = [
        {**rows[0], "name": "Another"},
        {**rows[1], "key": "another"},
        rows[2],
        {**bad, "apiKey": "a better key"},
        account(6, name="Desk 5"),
        account(7),
    ]
    private(file, table(changed))
    rehearsed = await cadenza(*client, "--dry-run", "--json", sandbox=sandbox)
    *told, summary = rehearsed.json
    assert [flaw["line"] for flaw in told] == [2, 3, 6]
    assert (rehearsed.code, summary["summary"]["good"]) == (2, 3)
    assert (await cadenza(*client, sandbox=sandbox)).code == 1
    refused = {int(each["line"]): each for each in report(tmp_path / "accounts.reports", "failed")}
    assert {line: each["reason"] for line, each in refused.items()} == {
        flaw["line"]: flaw["problem"] for flaw in told
    }


async def test_it_says_how_long_it_will_take(tmp_path: Path, sandbox: Sandbox) -> None:
    """The user with the most rows decides, and nothing is sent."""
    rows = [*crowd(4, users=4), *(account(10 + number, user="u-0") for number in range(89))]
    file = private(tmp_path / "accounts.csv", table(rows))
    end = await cadenza("onboard", str(file), "--dry-run", sandbox=sandbox)
    assert (end.code, sandbox.requests) == (0, [])
    assert "Good rows: 93, bad rows: 0; nothing was sent." in end.out
    assert "(4 of them) the run takes 3 min to 4 min." in end.out
    assert end.err == "The rows name users: the run will need --tokens.\n"


async def test_equal_names_are_no_mistake_if_they_are_told_apart(tmp_path: Path) -> None:
    """That is what `--unique-names` is for."""
    rows = [account(1, name="Desk"), account(2, name="Desk")]
    file = str(private(tmp_path / "accounts.jsonl", lines(rows)))
    assert (await cadenza("onboard", file, "--dry-run")).code == 2
    env = {"CADENZA_ACCESS_TOKEN": marker()}
    end = await cadenza("onboard", file, "--dry-run", "--unique-names", env=env)
    assert (end.code, end.err) == (0, "")


async def test_no_rows_are_no_mistake(tmp_path: Path) -> None:
    """A header alone has no bad row, and takes no time."""
    end = await cadenza("onboard", str(private(tmp_path / "accounts.csv", table([]))), "--dry-run")
    assert (end.code, end.out) == (0, "Good rows: 0, bad rows: 0; nothing was sent.\n")


@pytest.mark.parametrize("arguments", [("--dry-run",), ("--json",)], ids=["dry run", "run"])
@pytest.mark.parametrize("text", ["", "\n \r\n"], ids=["empty", "blank"])
async def test_nothing_at_all_is_refused(
    tmp_path: Path, sandbox: Sandbox, text: str, arguments: tuple[str, ...]
) -> None:
    """What was to write the file came to grief, and nobody must be told that all is done."""
    places = ("onboard", "-", "--journal", str(tmp_path / "journal"))
    end = await cadenza(*places, *arguments, sandbox=sandbox, typed=text)
    assert (end.code, sandbox.requests) == (2, [])
    assert end.err.startswith("standard input: there is nothing in it, not even a header\n")
    assert "connected.csv" not in names(tmp_path)


@pytest.mark.parametrize("journal", ["accounts.csv/journal", 300 * "x"], ids=["file", "long"])
async def test_a_journal_that_cannot_be_is_found_out(tmp_path: Path, journal: str) -> None:
    """The run would end with that, too."""
    file = private(tmp_path / "accounts.csv", table([account(1)]))
    end = await rehearse(file, "--journal", str(tmp_path / journal))
    assert end.code == 2
    assert f"{journal} cannot be opened: " in end.err


async def test_a_sandbox_without_a_limit_takes_no_time(tmp_path: Path) -> None:
    """Nor does it need a token."""
    file = private(tmp_path / "accounts.csv", table(crowd(2, users=2)))
    end = await cadenza("onboard", str(file), "--dry-run", "--sandbox")
    assert (end.code, end.out, end.err) == (
        0,
        "Good rows: 2, bad rows: 0; nothing was sent.\n",
        "",
    )
