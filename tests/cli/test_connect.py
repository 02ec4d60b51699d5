"""Connecting from the shell: where keys may come from, and what is said of the result."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from .process import Keys, cadenza

if TYPE_CHECKING:
    from pathlib import Path

    from cadenza_async.sandbox import Sandbox

BINANCE = ("connect", "--venue", "BINANCE")
COINBASE = ("connect", "--venue", "COINBASE")


def keys_file(path: Path, text: str, *, mode: int = 0o600) -> str:
    """A file that only its owner can use, unless another mode is given."""
    path.write_text(text)
    path.chmod(mode)
    return str(path)


async def test_keys_come_from_the_environment(sandbox: Sandbox) -> None:
    """What was connected is told in one line."""
    keys = Keys()
    arguments = ("--name", "Desk 7", "--account-type", "MARGIN")
    end = await cadenza(*COINBASE, *arguments, sandbox=sandbox, env=keys.environment())
    (account,) = sandbox.accounts
    facts = f"COINBASE, Desk 7, MARGIN, ACTIVE, {account['tradingAccountId']}"
    assert (end.code, end.out, end.err) == (0, f"Connected: {facts}\n", "")
    assert sandbox.requests[0]["body"].keys() >= {"apiKey", "apiSecret", "apiPassphrase"}


async def test_keys_come_from_a_file_of_lines(sandbox: Sandbox, tmp_path: Path) -> None:
    """Scripts get the account as JSON, under the names of the wire; the environment waits."""
    file = keys_file(tmp_path / "keys", f"# of desk 7\n\n{Keys().lines()}")
    others = Keys(key="invalid-key").environment()
    end = await cadenza(*COINBASE, "--credentials", file, "--json", sandbox=sandbox, env=others)
    assert (end.code, end.json, end.err) == (0, sandbox.accounts, "")


async def test_keys_of_several_lines_come_from_a_json_file(
    sandbox: Sandbox, tmp_path: Path
) -> None:
    """The file may hold a whole request; the options win, and nothing empty is made up."""
    body = {"venue": "BINANCE", "apiKey": Keys().key, "apiSecret": f"{Keys().secret}\nline 2\n"}
    body |= {"name": "Desk 1", "accountType": "MARGIN"}
    file = keys_file(tmp_path / "keys.json", json.dumps(body))
    end = await cadenza(*BINANCE, "--credentials", file, "--name", "Desk 2", sandbox=sandbox)
    assert (end.code, end.err) == (0, "")
    assert sandbox.accounts[0]["name"] == "Desk 2"
    assert sandbox.accounts[0]["accountType"] == "MARGIN"
    assert "apiPassphrase" not in sandbox.requests[0]["body"]


async def test_keys_come_from_standard_input(sandbox: Sandbox) -> None:
    """Where nothing else gives them, what is piped is read; so it is when that is asked for."""
    env = Keys(key="invalid-key").environment()
    first = await cadenza(*COINBASE, typed=Keys().lines(), sandbox=sandbox)
    second = await cadenza(
        *COINBASE, "--credentials", "-", typed=Keys().lines(), sandbox=sandbox, env=env
    )
    assert (first.code, second.code, len(sandbox.accounts)) == (0, 0, 2)


async def test_keys_of_another_venue_are_not_sent(sandbox: Sandbox) -> None:
    """What one exchange gave is nothing for another to see."""
    body = json.dumps({"venue": "OKX", "apiKey": Keys().key, "apiSecret": Keys().secret})
    end = await cadenza(*BINANCE, typed=body, sandbox=sandbox)
    assert (end.code, sandbox.requests) == (2, [])
    assert "--venue" in end.err


@pytest.mark.parametrize("command", [("connect",), ("credentials", "create")], ids=" ".join)
async def test_a_passphrase_is_missed(
    sandbox: Sandbox, tmp_path: Path, command: tuple[str, ...]
) -> None:
    """The way out is one of the shell's, and it is one; an empty variable is none."""
    keys, okx = Keys(), (*command, "--venue", "OKX")
    env = keys.environment() | {"CADENZA_API_PASSPHRASE": ""}
    end = await cadenza(*okx, sandbox=sandbox, env=env)
    assert (end.code, sandbox.requests) == (2, [])
    told = end.err.splitlines()[0]
    assert told.startswith("api_passphrase is missing: OKX keys have one (")
    assert "the line CADENZA_API_PASSPHRASE= in it" in told
    assert "api_passphrase=" not in told
    lines = "".join(f"{name}={value}\n" for name, value in env.items())
    file = keys_file(tmp_path / "keys", lines)
    assert (await cadenza(*okx, "--credentials", file, sandbox=sandbox)).code == 0
    assert "apiPassphrase" in sandbox.requests[0]["body"]
