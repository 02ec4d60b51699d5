"""Files of accounts, tokens and secrets, as a user of the command would write them."""

from __future__ import annotations

import csv
import io
import json
import secrets
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from pathlib import Path

    from cadenza_async.sandbox import Sandbox

COLUMNS: Sequence[str] = (
    "venue",
    "apiKey",
    "apiSecret",
    "apiPassphrase",
    "name",
    "accountType",
    "key",
    "user",
)


def marker() -> str:
    """What must be seen nowhere."""
    return f"mark{secrets.token_hex(8)}"


def private(path: Path, content: str | bytes) -> Path:
    """A file that only its owner can read."""
    path.touch(0o600)
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return path


def account(number: int, **fields: str) -> dict[str, str]:
    """A good row."""
    return {
        "venue": "BINANCE",
        "apiKey": f"key-{secrets.token_hex(8)}",
        "apiSecret": secrets.token_hex(16),
        "name": f"Desk {number}",
        "key": f"k-{number}",
        **fields,
    }


def table(rows: Iterable[dict[str, str]], *, delimiter: str = ",") -> str:
    """The rows as CSV."""
    text = io.StringIO(newline="")
    writer = csv.DictWriter(text, COLUMNS, restval="", delimiter=delimiter)
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue()


def lines(rows: Iterable[dict[str, str]]) -> str:
    """The rows as JSON lines."""
    return "".join(json.dumps(row) + "\n" for row in rows)


def crowd(accounts: int, users: int) -> list[dict[str, str]]:
    """Good rows of several users."""
    return [account(number, user=f"u-{number % users}") for number in range(accounts)]


def tokens(path: Path, sandbox: Sandbox, users: int) -> str:
    """A file of tokens for a crowd."""
    given = {
        f"u-{number}": sandbox.token(f"u-{number}", expires_in=None) for number in range(users)
    }
    return str(private(path, json.dumps(given)))


def names(folder: Path) -> set[str]:
    """What is in a folder, and in those in it."""
    return {each.name for each in folder.rglob("*")}


def report(folder: Path, name: str) -> list[dict[str, str]]:
    """The rows of a report, which its twin has as well."""
    with (folder / f"{name}.csv").open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    twins = [json.loads(line) for line in (folder / f"{name}.jsonl").read_text().splitlines()]
    assert [row["key"].replace("'", "") for row in rows] == [twin["key"] for twin in twins]
    return rows
