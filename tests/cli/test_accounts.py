"""Listing and disconnecting from the shell."""

from __future__ import annotations

from typing import TYPE_CHECKING

from aiohttp import ClientSession

from cadenza_async import AsyncCadenza

from .process import cadenza

if TYPE_CHECKING:
    from cadenza_async import TradingAccount
    from cadenza_async.sandbox import Sandbox


async def connected(sandbox: Sandbox, *names: str) -> list[TradingAccount]:
    """Accounts to work with."""
    async with AsyncCadenza(sandbox.access_token, base_url=sandbox.url) as client:
        return [
            await client.connect_account(venue="BINANCE", name=name, api_key="k", api_secret="s")
            for name in names
        ]


async def connected_with_escapes(sandbox: Sandbox) -> None:
    """An account that the library would not connect: its name clears screens."""
    body = {"venue": "BINANCE", "apiKey": "k", "apiSecret": "s", "name": "\x1b[2J"}
    headers = {"Authorization": f"Bearer {sandbox.access_token}"}
    async with ClientSession(f"{sandbox.url}/api/v3/", headers=headers) as session:
        await session.post("tradingAccount/connect", json=body)


async def test_accounts_are_listed_for_people(sandbox: Sandbox) -> None:
    """In a pipe each stays whole on its line, and a name is no command to a terminal."""
    long = "A name that alone would nearly fill the line of a narrow terminal"
    first, second = await connected(sandbox, "Desk [bold]1", long)
    await connected_with_escapes(sandbox)
    end = await cadenza("accounts", "--status", "ACTIVE", sandbox=sandbox)
    rows = [line.split() for line in end.out.splitlines() if "BINANCE" in line]
    assert (end.code, end.err) == (0, "")
    assert [row[-1] for row in rows[:2]] == [first.trading_account_id, second.trading_account_id]
    assert "\ufffd[2J" in end.out
    assert "Desk [bold]1" in end.out
    assert long in end.out
    assert "\x1b" not in end.out


async def test_a_narrow_terminal_cuts_no_id(sandbox: Sandbox) -> None:
    """At 80 columns names are broken, ids are not."""
    (account,) = await connected(sandbox, "A name that takes more room than there is")
    end = await cadenza("accounts", sandbox=sandbox, env={"COLUMNS": "80"})
    assert account.trading_account_id in end.out
    assert max(map(len, end.out.splitlines())) <= 80


async def test_accounts_are_listed_for_scripts(sandbox: Sandbox) -> None:
    """A line of JSON for each, over all pages, as the wire has it."""
    await connected(sandbox, *map(str, range(7)))
    sandbox.script("capped-list:3:100%")
    end = await cadenza("accounts", "--json", sandbox=sandbox)
    assert (end.code, end.json, end.err) == (0, sandbox.accounts, "")


async def test_no_accounts_are_told_as_well(sandbox: Sandbox) -> None:
    """People get a sentence instead of an empty table."""
    end = await cadenza("accounts", "--venue", "OKX", sandbox=sandbox)
    assert (end.code, end.out) == (0, "No accounts.\n")
    assert sandbox.requests[0]["query"]["venue"] == "OKX"


async def test_an_account_is_disconnected(sandbox: Sandbox) -> None:
    """--yes asks nothing."""
    (account,) = await connected(sandbox, "Desk 1")
    end = await cadenza("disconnect", account.trading_account_id, "--yes", sandbox=sandbox)
    assert (end.code, end.err, sandbox.accounts) == (0, "", [])
    assert end.out.startswith("Disconnected: BINANCE, Desk 1, ")
