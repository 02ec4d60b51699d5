"""The README's table of calls: every method, its endpoint, and its command."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from typer.main import get_command

from cadenza_async import AsyncCadenza, Cadenza
from cadenza_async.cli import app

if TYPE_CHECKING:
    from collections.abc import Iterator

TESTS = Path(__file__).parent
NONE = "\N{EN DASH}"
ROW = re.compile(
    rf"^\| (?P<method>`\w+`|{NONE}) \| (?P<endpoint>.+) \| (?P<command>`cadenza .+`|{NONE}) \|$"
)


def rows() -> list[dict[str, str]]:
    """Read the table, without its quotes."""
    lines = (TESTS.parent / "README.md").read_text("utf-8").splitlines()
    found = (ROW.match(line) for line in lines)
    return [
        {name: cell.strip("`") for name, cell in row.groupdict().items()} for row in found if row
    ]


def column(name: str) -> list[str]:
    """Return what is in a column of the table, in alphabetical order."""
    return sorted(row[name] for row in rows() if row[name] != NONE)


def commands(command: Any, path: str) -> Iterator[str]:  # typer's own click
    """Name all commands below one; a group is not one itself."""
    below: dict[str, Any] = getattr(command, "commands", {})
    for name, each in below.items():
        yield from commands(each, f"{path} {name}")
    if not below:
        yield path


def endpoints() -> Iterator[tuple[str, str]]:
    """Tell what each method sends, as the golden requests have it."""
    for sample in json.loads((TESTS / "golden" / "methods.request.json").read_bytes()):
        line = sample["pages"]["line"].partition("?")[0]
        yield sample["method"], line.replace("/api/v3/", "")


@pytest.mark.parametrize("client", [AsyncCadenza, Cadenza])
def test_every_method_is_there(client: type) -> None:
    """Once each, and nothing else; both clients have the same, but for how runs are made."""
    public = {name for name in dir(client) if not name.startswith("_")}
    assert column("method") == sorted((public - {"aclose"}) | {"onboard"})


def test_every_command_is_there() -> None:
    """Once each, and nothing else."""
    assert column("command") == sorted(commands(get_command(app), "cadenza"))


def test_every_endpoint_is_the_one_that_is_called() -> None:
    """What the table says is what goes out."""
    said = {(row["method"], row["endpoint"]) for row in rows() if row["method"] != NONE}
    composed = {(method, endpoint) for method, endpoint in said if method in {"resolve", "onboard"}}
    assert said - composed == {*endpoints()}
