"""An account's life from the shell."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest
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


async def test_a_narrow_terminal_cuts_nothing(sandbox: Sandbox) -> None:
    """At 80 columns a name without blanks is broken, and two ids are told one below the other."""
    (account,) = await connected(sandbox, "x" * 50)
    narrow = {"COLUMNS": "80"}
    listed = await cadenza("accounts", sandbox=sandbox, env=narrow)
    told = await cadenza("accounts", "operations", sandbox=sandbox, env=narrow)
    (operation,) = sandbox.operations
    assert (listed.out.count("x"), "…" in listed.out) == (50, False)
    assert told.out.splitlines()[1:] == [
        "Operation  CONNECT",
        "Status     SUCCESS",
        f"Account    {account.trading_account_id}",
        f"Id         {operation['operationId']}",
    ]


@pytest.mark.parametrize("columns", ["", "0"])
async def test_no_columns_are_no_limit(sandbox: Sandbox, columns: str) -> None:
    """What says nothing of the terminal's width is as good as not set: all is shown."""
    name = "A name that takes more room than there is"
    (account,) = await connected(sandbox, name)
    end = await cadenza("accounts", sandbox=sandbox, env={"COLUMNS": columns})
    (line,) = [line for line in end.out.splitlines() if "BINANCE" in line]
    assert name in line
    assert account.trading_account_id in line


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


@pytest.mark.parametrize("arguments", [("list",), ()])
async def test_listing_needs_no_name(sandbox: Sandbox, arguments: tuple[str, ...]) -> None:
    """What is done without a command has its options, too."""
    await connected(sandbox, "Desk 1")
    end = await cadenza("accounts", *arguments, "--status", "DISABLED", sandbox=sandbox)
    assert (end.code, end.out) == (0, "No accounts.\n")
    assert sandbox.requests[-1]["query"]["status"] == "DISABLED"


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (("--json", "show", "x"), "unexpected extra argument"),
        (("vanish",), "No such command 'vanish'"),
        (("rename", "x"), "Missing argument 'NAME'"),
    ],
)
async def test_wrong_usage_of_accounts_is_2(
    sandbox: Sandbox, arguments: tuple[str, ...], complaint: str
) -> None:
    """Options belong behind the command; nothing is sent."""
    end = await cadenza("accounts", *arguments, sandbox=sandbox, env={"COLUMNS": "200"})
    assert (end.code, end.out, sandbox.requests) == (2, "", [])
    assert complaint in end.err


async def test_the_help_of_accounts_names_its_commands() -> None:
    """And the two that are elsewhere."""
    end = await cadenza("accounts", "--help")
    told = " ".join(end.out.split())
    assert end.code == 0
    for each in ("show", "enable", "disable", "rename", "operations", "cadenza disconnect"):
        assert each in told


async def test_an_account_is_shown(sandbox: Sandbox) -> None:
    """People get a line for each fact, scripts what a list has; others' escapes are harmless."""
    (account,) = await connected(sandbox, "Desk \u202e 1")
    plain = await cadenza("accounts", "show", account.trading_account_id, sandbox=sandbox)
    json = await cadenza("accounts", "show", account.trading_account_id, "--json", sandbox=sandbox)
    facts = dict(line.split("  ", 1) for line in plain.out.splitlines())
    assert (plain.code, json.code, json.json) == (0, 0, sandbox.accounts)
    assert facts["trading account id"].strip() == account.trading_account_id
    assert facts["name"].strip() == "Desk \ufffd 1"
    assert facts["created at"].strip() == f"{account.created_at:%Y-%m-%d %H:%M:%S} UTC"


async def test_an_account_that_is_not_there_is_a_refusal(sandbox: Sandbox) -> None:
    """Whether it is only looked at or to be changed."""
    for command in ("show", "enable", "disable"):
        end = await cadenza("accounts", command, "nothing", "--json", sandbox=sandbox)
        (told,) = end.json
        assert (end.code, told["error"]["type"]) == (1, "NotFoundError")


async def test_an_account_is_disabled_enabled_and_renamed(sandbox: Sandbox) -> None:
    """Each tells what the account is like after it."""
    (account,) = await connected(sandbox, "Desk 1")
    known = account.trading_account_id
    disabled = await cadenza("accounts", "disable", known, sandbox=sandbox)
    enabled = await cadenza("accounts", "enable", known, sandbox=sandbox)
    renamed = await cadenza("accounts", "rename", known, "Desk 2", "--json", sandbox=sandbox)
    assert disabled.out == f"Disabled: BINANCE, Desk 1, SPOT, DISABLED, {known}\n"
    assert enabled.out == f"Enabled: BINANCE, Desk 1, SPOT, ACTIVE, {known}\n"
    assert (renamed.code, renamed.json, renamed.json[0]["name"]) == (0, sandbox.accounts, "Desk 2")


async def test_operations_are_listed(sandbox: Sandbox) -> None:
    """All of them, or those of an account, a type, a time."""
    first, second = await connected(sandbox, "Desk 1", "Desk 2")
    for each in (first, second):
        await cadenza("accounts", "disable", each.trading_account_id, sandbox=sandbox)
    command = ("accounts", "operations")
    all_ = await cadenza(*command, "--json", sandbox=sandbox)
    some = await cadenza(*command, second.trading_account_id, "--type", "DISABLE", sandbox=sandbox)
    later = datetime.now(UTC).replace(microsecond=0) + timedelta(hours=1)
    none = await cadenza(*command, "--since", later.isoformat(), sandbox=sandbox)
    assert sorted(each["operationType"] for each in all_.json) == ["CONNECT"] * 2 + ["DISABLE"] * 2
    assert {each["tradingAccountId"] for each in all_.json} == {
        first.trading_account_id,
        second.trading_account_id,
    }
    (row,) = [line.split() for line in some.out.splitlines() if " UTC " in line]
    assert (row[3], row[-2], len(row)) == ("DISABLE", second.trading_account_id, 7)
    assert (none.code, none.out) == (0, "No operations.\n")
    assert sandbox.requests[-1]["query"]["startTime"] == str(round(later.timestamp() * 1000))


async def test_a_time_without_an_offset_is_this_machines(sandbox: Sandbox) -> None:
    """A day alone begins at its midnight."""
    env = {"TZ": "Asia/Tokyo"}
    span = ("--since", "2026-06-30", "--until", "2026-07-01T00:00Z")
    end = await cadenza("accounts", "operations", *span, sandbox=sandbox, env=env)
    query = sandbox.requests[-1]["query"]
    assert end.code == 0
    assert int(query["endTime"]) - int(query["startTime"]) == (24 + 9) * 3600 * 1000


async def test_what_is_no_time_is_refused(sandbox: Sandbox) -> None:
    """With an example of one."""
    end = await cadenza("accounts", "operations", "--until", "tomorrow", sandbox=sandbox)
    assert (end.code, sandbox.requests) == (2, [])
    assert end.err.startswith("--until must be a time such as 2026-06-30")


async def test_a_change_whose_answer_is_lost_is_3(sandbox: Sandbox) -> None:
    """It is said where to look."""
    (account,) = await connected(sandbox, "Desk 1")
    sandbox.script("drop-after-commit@disable")
    end = await cadenza("accounts", "disable", account.trading_account_id, sandbox=sandbox)
    assert (end.code, end.out) == (3, "")
    assert end.err.endswith("look with 'cadenza accounts' whether it was done.\n")
