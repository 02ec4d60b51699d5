"""What a file of accounts may look like."""

from __future__ import annotations

import io
import secrets
from typing import TYPE_CHECKING

import pytest

from cadenza_async import NewAccount
from cadenza_async.errors import UsageError
from cadenza_async.onboarding._files.accounts import FileRow, read_rows, survey
from cadenza_async.secret import Secret

from .files import account, lines, private, table

if TYPE_CHECKING:
    from pathlib import Path

KEY, SECRET = secrets.token_hex(8), f"-----BEGIN-----\r\n{secrets.token_hex(8)}\r\n-----END-----"
ROW = account(1, apiKey=KEY, apiSecret=SECRET, name="Büro, „7“", user="u-1")
ACCOUNT = NewAccount(
    venue="BINANCE", api_key=KEY, api_secret=SECRET, name="Büro, „7“", key="k-1", user="u-1"
)
CSV, JSON = table([ROW]), lines([ROW])
SPACED = (
    "venue, apiKey, apiSecret, name, key, user\r\n"
    f'BINANCE, {KEY}, "{SECRET}", "Büro, „7“", k-1, u-1\r\n'
)
EXCEL, TABS = table([ROW], delimiter=";"), table([ROW], delimiter="\t")


def read(text: str | bytes, folder: Path) -> list[FileRow]:
    """Read a file's content."""
    content = text.encode() if isinstance(text, str) else text
    return list(read_rows(io.BytesIO(content), folder))


@pytest.mark.parametrize(
    "text",
    [
        CSV,
        CSV.encode("utf-8-sig"),
        CSV.replace(SECRET, "…").replace("\r\n", "\n").replace("…", SECRET),
        EXCEL,
        TABS,
        f"sep=;\r\n{EXCEL}",
        f'"sep=\t"\n{TABS}',
        f"\r\n \r\n{CSV}\r\n,,,,,,,\r\n",
        CSV.replace("apiKey", "api_key").replace("apiSecret", " API_SECRET "),
        CSV.replace("BINANCE", " BINANCE "),
        SPACED,
        CSV.rstrip("\r\n"),
        JSON,
        JSON.encode("utf-8-sig"),
        f"\n\n{JSON}\n",
        JSON.replace("apiKey", "api_key").replace("apiSecret", "API_SECRET"),
        JSON.replace("}", ', "accountType": null, "apiPassphrase": null}'),
        lines([{**ROW, "accountType": ""}]),
    ],
    ids=[
        "csv", "csv with a mark", "unix", "Excel", "tabs", "sep", "sep quoted", "blank lines",
        "spellings", "spaces", "spaced", "no last newline", "json", "json with a mark",
        "json with blank lines", "json spellings", "nulls", "empty",
    ],
)  # fmt: skip
def test_one_row_in_many_shapes(text: str | bytes, tmp_path: Path) -> None:
    """All of these say the same; an empty cell is one that was not given."""
    (row,) = read(text, tmp_path)
    assert row.account == ACCOUNT
    assert row.entry is row.account


def test_an_empty_passphrase_can_be_given(tmp_path: Path) -> None:
    """Some keys really have none, at exchanges whose keys have one."""
    row = account(1, venue="COINBASE")
    read_back = [
        *read(table([{**row, "apiPassphrase": "plain:"}]), tmp_path),
        *read(lines([{**row, "apiPassphrase": ""}]), tmp_path),
    ]
    assert [each.account and each.account.api_passphrase for each in read_back] == [Secret("")] * 2


def test_a_secret_may_look_like_a_reference(tmp_path: Path) -> None:
    """Whoever has such a one says that it is plain."""
    (row,) = read(table([account(1, apiSecret=f"plain:env:{KEY}")]), tmp_path)
    assert row.account is not None
    assert row.account.api_secret == Secret(f"env:{KEY}")


def test_a_reference_may_follow_a_space(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is looked up, and not sent to the exchange."""
    monkeypatch.setenv("SOME_SECRET", SECRET)
    text = "venue, apiKey, apiSecret\nBINANCE, a key, env:SOME_SECRET\n"
    (row,) = read(text, tmp_path)
    assert row.account == NewAccount(venue="BINANCE", api_key="a key", api_secret=SECRET)


def test_a_bad_row_tells_which_lines_it_took(tmp_path: Path) -> None:
    """The rows in them are told of nowhere else."""
    good = "BINANCE,a key,a secret\n"
    header = "venue,apiKey,apiSecret\n"
    (row,) = read(f'{header}BINANCE,"a key,a secret\n{good}{good}', tmp_path)
    (flaw,) = row.flaws
    assert (flaw.line, flaw.text) == (
        2,
        "cannot be read: unexpected end of data (it goes to line 4: is a quotation mark missing?)",
    )
    bad, after = read(f'{header}BINANCE,"a key,a secret\n{good}"a "key,a secret\n{good}', tmp_path)
    assert bad.flaws[0].text.endswith("(it goes to line 4: is a quotation mark missing?)")
    assert (after.line, after.flaws) == (5, ())


def test_a_line_without_an_end_does_not_fill_the_memory(tmp_path: Path) -> None:
    """It is one bad row, and the next is read again."""
    (long, good) = read(
        lines([account(1)]).replace("k-1", "x" * 5_000_000) + lines([ROW]), tmp_path
    )
    assert (long.account, good.account, good.line) == (None, ACCOUNT, 2)


def test_a_quick_look_counts_the_rows_of_each_user(tmp_path: Path) -> None:
    """Bad rows are counted as well; references are not looked up."""
    rows = [ROW, ROW, account(2, apiSecret="env:NOWHERE"), account(3, user="u-2")]
    found = survey(private(tmp_path / "accounts.csv", table(rows) + "too few\n"))
    assert found is not None
    assert found.rows == {"u-1": 2, None: 2, "u-2": 1}
    assert found.exposure is None


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        (f"{KEY},{KEY},x\n", "column 1 of the header is none of venue"),
        (f"venue,api_key,api_secret,{KEY}\n", "column 4 of the header is none of venue"),
        ("venue,apiKey,api_key,apiSecret\n", "the header has apiKey twice"),
        ("venue,name\n", "the header lacks apiKey, apiSecret"),
        ('"venue\n', "column 1 of the header is none of"),
        (f"sep=;{KEY}\nvenue;apiKey\n", "column 1 of the header is none of"),
        ("sep=;\nsep=;\n", "column 1 of the header is none of"),
        ("sep=;\n", "there is nothing in it"),
        ("venue,apiKey\n".encode("utf-16").decode("latin-1"), "column 1 of the header"),
    ],
    ids=[
        "no header",
        "unknown",
        "twice",
        "missing",
        "unreadable",
        "no sep",
        "sep twice",
        "sep alone",
        "UTF-16",
    ],
)
def test_a_file_with_another_header_is_refused(tmp_path: Path, text: str, complaint: str) -> None:
    """What stands there is not shown: without a header it is somebody's key."""
    with pytest.raises(UsageError, match=complaint) as caught:
        read(text.encode("latin-1"), tmp_path)
    assert KEY not in str(caught.value)
