"""What becomes of a stored session: it is refreshed, stored again, and not lost on the way."""

from __future__ import annotations

import asyncio
import signal
import time
from typing import TYPE_CHECKING, Any

import pytest

from .process import CADENZA, cadenza, ended, environment, started, until
from .test_login import LOGIN, called, keyring, password, shown, vault

if TYPE_CHECKING:
    from pathlib import Path

    from cadenza_async.sandbox import Sandbox

    from .vault import Vault

__all__ = ["password", "vault"]  # fixtures

REFRESH = "auth/token/refresh"
SPENT = {"refreshToken": "spent"}


@pytest.fixture
async def env(sandbox: Sandbox, vault: Vault, password: str) -> dict[str, str]:
    """Log in, and give what a command finds then."""
    env = {**environment(sandbox), **keyring(vault)}
    end = await cadenza(*LOGIN, env=env, typed=password)
    assert end.code == 0
    return env


def session(vault: Vault) -> dict[str, Any]:
    """The one that is stored."""
    ((_, session),) = vault.entries.items()
    return session


async def test_a_session_is_refreshed_in_good_time(
    sandbox: Sandbox, vault: Vault, env: dict[str, str]
) -> None:
    """Its successor is stored at once, and serves the next command."""
    vault.change(due=time.time() + 30)
    await cadenza("user", env=env)
    before = session(vault)
    vault.change(due=time.time() - 1)
    first, second = [await cadenza("user", env=env) for _ in range(2)]
    after = session(vault)
    assert (first.code, second.code) == (0, 0)
    assert called(sandbox)[1:] == ["auth/user", REFRESH, "auth/user", "auth/user"]
    tokens = {before["accessToken"], before["refreshToken"]}
    assert tokens.isdisjoint(after.values())
    assert after["due"] == pytest.approx(time.time() + 3300, abs=60)
    assert after["ends"] == pytest.approx(time.time() + 3600, abs=60)
    assert not shown(vault, first, *tokens)


async def test_a_refused_token_is_refreshed(
    sandbox: Sandbox, vault: Vault, env: dict[str, str]
) -> None:
    """Whatever this machine's clock says of it."""
    vault.change(accessToken="dead")
    end = await cadenza("user", env=env)
    assert end.code == 0
    assert called(sandbox)[1:] == ["auth/user", REFRESH, "auth/user"]
    assert session(vault)["accessToken"] != "dead"


async def test_commands_side_by_side_spend_a_refresh_token_once(
    sandbox: Sandbox, vault: Vault, env: dict[str, str]
) -> None:
    """Who comes too late takes what the first one stored."""
    vault.change(due=0, ends=0)
    sandbox.script("latency:500ms:100%@refresh")
    ends = await asyncio.gather(*(cadenza("user", env=env) for _ in range(2)))
    told = [each["status"] for each in sandbox.requests if each["path"].endswith(REFRESH)]
    assert ([end.code for end in ends], told.count(200)) == ([0, 0], 1)
    assert session(vault)["refreshToken"] is not None


@pytest.mark.parametrize(
    ("fields", "asked"),
    [
        ({"due": 0, "ends": 0, **SPENT}, [REFRESH, "auth/user"]),
        ({"accessToken": "dead", **SPENT}, ["auth/user", "auth/user"]),
    ],
    ids=["refresh refused", "token refused"],
)
async def test_what_another_command_has_stored_meanwhile_is_used(
    sandbox: Sandbox,
    vault: Vault,
    env: dict[str, str],
    fields: dict[str, Any],
    asked: list[str],
) -> None:
    """It was quicker; nothing is refreshed a second time, and nothing overwritten."""
    stored = session(vault)
    vault.change(**fields)
    sandbox.script("latency:1s")
    async with started(*CADENZA, "user", env=env) as process:
        await until(lambda: len(sandbox.requests) == 2)
        vault.change(**stored)
        end = await ended(process)
    assert (end.code, called(sandbox)[1:]) == (0, asked)
    assert session(vault) == stored


@pytest.mark.parametrize(
    "fields",
    [{"due": 0, "ends": 0}, {"due": 0, "ends": 0, **SPENT}, {"accessToken": "dead", **SPENT}],
    ids=["refreshed", "refresh refused", "token refused"],
)
async def test_a_command_goes_on_for_nobody_else(
    sandbox: Sandbox, vault: Vault, env: dict[str, str], fields: dict[str, Any]
) -> None:
    """Where another user logs in meanwhile, it ends: the accounts would be theirs."""
    other = session(vault) | {"email": "other@example.com"}
    vault.change(**fields)
    sandbox.script("latency:1s")
    async with started(*CADENZA, "user", env=env) as process:
        await until(lambda: len(sandbox.requests) == 2)
        vault.change(**other)
        end = await ended(process)
    assert (end.code, end.out) == (1, "")
    assert end.err.startswith("another user has logged in meanwhile")
    assert session(vault) == other


async def test_a_command_brings_nobody_back(
    sandbox: Sandbox, vault: Vault, env: dict[str, str]
) -> None:
    """Who logs out while another command refreshes the session stays logged out."""
    vault.change(due=0)
    sandbox.script("latency:1s@refresh")
    async with started(*CADENZA, "user", env=env) as process:
        await until(lambda: called(sandbox)[-1] == REFRESH)
        vault.clear()
        end = await ended(process)
    assert (end.code, vault.entries) == (0, {})
    assert end.err.startswith("the session is not stored: nobody is logged in at ")


async def test_a_newer_login_is_not_overwritten(
    sandbox: Sandbox, vault: Vault, env: dict[str, str]
) -> None:
    """Who logs in again while another command refreshes the old session keeps the new one."""
    newer = session(vault)
    vault.change(due=0)
    sandbox.script("latency:1s@refresh")
    async with started(*CADENZA, "user", env=env) as process:
        await until(lambda: called(sandbox)[-1] == REFRESH)
        vault.change(**newer)
        end = await ended(process)
    assert (end.code, end.err) == (0, "")
    assert session(vault) == newer


async def test_a_successor_that_comes_late_is_stored(
    sandbox: Sandbox, vault: Vault, env: dict[str, str]
) -> None:
    """Another command was refused the same refresh, waited, and gave the refresh token up."""
    before = session(vault)["accessToken"]
    vault.change(due=0, ends=0)
    sandbox.script("latency:1s@refresh")
    async with started(*CADENZA, "user", env=env) as process:
        await until(lambda: called(sandbox)[-1] == REFRESH)
        vault.change(refreshToken=None)
        end = await ended(process)
    assert (end.code, end.err) == (0, "")
    after = session(vault)
    assert after["accessToken"] != before
    assert after["refreshToken"] is not None


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
async def test_a_stop_does_not_lose_the_successor(
    sandbox: Sandbox, vault: Vault, env: dict[str, str], number: signal.Signals
) -> None:
    """What the server has replaced is stored before the command goes."""
    before = session(vault)["refreshToken"]
    vault.change(due=0, ends=0)
    sandbox.script("latency:500ms@refresh")
    async with started(*CADENZA, "user", env=env) as process:
        await until(lambda: called(sandbox)[-1] == REFRESH)
        process.send_signal(number)
        end = await ended(process)
    assert end.code == 128 + number
    assert called(sandbox)[-1] == REFRESH
    assert session(vault)["refreshToken"] not in {None, before}
    after = await cadenza("user", env=env)
    assert (after.code, called(sandbox)[-2:]) == (0, [REFRESH, "auth/user"])


async def test_what_is_stored_outlives_a_kill(
    sandbox: Sandbox, vault: Vault, env: dict[str, str]
) -> None:
    """Nothing was stored yet, so the access token that was serves on."""
    before = session(vault) | {"due": 0}
    vault.change(due=0)
    sandbox.script("latency:5s@refresh")
    async with started(*CADENZA, "user", env=env) as process:
        await until(lambda: called(sandbox)[-1] == REFRESH)
        process.kill()
        await ended(process)
    assert session(vault) == before
    after = await cadenza("user", env=env)
    assert after.code == 0


@pytest.mark.parametrize("fault", ["", "drop-after-commit@refresh"], ids=["refused", "lost"])
async def test_a_refresh_token_that_may_be_spent_is_not_used_again(
    sandbox: Sandbox, vault: Vault, env: dict[str, str], fault: str
) -> None:
    """The access token serves to its end; then there is a login to make, and that is said."""
    vault.change(due=0, **({} if fault else SPENT))
    sandbox.script(*filter(None, [fault]))
    first, second = [await cadenza("user", env=env) for _ in range(2)]
    assert (first.code, second.code, session(vault)["refreshToken"]) == (0, 0, None)
    assert called(sandbox)[1:] == [REFRESH, "auth/user", "auth/user"]
    vault.change(ends=0)
    end = await cadenza("user", env=env)
    assert (end.code, end.out) == (1, "")
    assert end.err.startswith("the stored session has ended: 'cadenza login' begins another")
    assert called(sandbox)[1:] == [REFRESH, "auth/user", "auth/user"]


async def test_a_refresh_that_was_not_sent_is_tried_again(
    sandbox: Sandbox, vault: Vault, env: dict[str, str]
) -> None:
    """Only who has no token that is still good is told of it."""
    before = session(vault) | {"due": 0}
    vault.change(due=0)
    sandbox.script("503-lock:100%@refresh")
    first = await cadenza("user", env=env)
    assert (first.code, first.err, session(vault)) == (0, "", before)
    vault.change(ends=0)
    second = await cadenza("user", env=env)
    assert (second.code, session(vault)) == (1, before | {"ends": 0})
    assert "errno -22014" in second.err
    sandbox.behave()
    third = await cadenza("user", env=env)
    assert (third.code, session(vault) == before) == (0, False)


async def test_a_successor_that_cannot_be_stored_is_told(
    sandbox: Sandbox, vault: Vault, env: dict[str, str]
) -> None:
    """The command still does what it was asked for."""
    vault.change(due=0)
    end = await cadenza("user", "--json", env=env | keyring(vault, "read-only"))
    assert (end.code, end.json[0]["id"]) == (0, "u-7")
    what, who = end.err.splitlines()
    assert what.startswith("the session is not stored: the keyring cannot be used (ValueError)")
    assert who == "Log in again after this."


async def test_a_locked_keyring_is_told(
    sandbox: Sandbox, vault: Vault, env: dict[str, str]
) -> None:
    """It is no reason to send anything; whoever brings a token needs no keyring."""
    locked = env | keyring(vault, "locked")
    end = await cadenza("user", env=locked)
    assert (end.code, end.out, called(sandbox)) == (2, "", ["auth/login"])
    assert end.err.startswith("the keyring cannot be used (KeyringLocked): unlock it")
    token = {"CADENZA_ACCESS_TOKEN": sandbox.access_token}
    health = await cadenza("health", env=locked)
    user = await cadenza("user", "--json", env=locked | token)
    assert (health.code, user.code, user.json[0]["id"]) == (0, 0, "u-1")


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
async def test_a_keyring_that_asks_for_ever_does_not_hold_a_stop(
    vault: Vault, env: dict[str, str], number: signal.Signals
) -> None:
    """It may have asked on a screen that is far away."""
    async with started(*CADENZA, "user", env=env | keyring(vault, "asking")) as process:
        await until((vault.folder / "vault.json.asking").exists)
        process.send_signal(number)
        async with asyncio.timeout(20):
            end = await ended(process)
    assert (end.code, len(end.err.splitlines())) == (128 + number, 1)


@pytest.mark.parametrize(
    "text",
    ["", "[]", "{", '{"accessToken": "a"}', '{"accessToken": "a b"}', '{"refreshToken": 7}'],
    ids=repr,
)
async def test_what_is_no_session_is_none(
    sandbox: Sandbox, vault: Vault, env: dict[str, str], text: str
) -> None:
    """Somebody else's entry of that name is not sent anywhere."""
    vault.replace(text)
    end = await cadenza("user", env=env)
    assert (end.code, called(sandbox)) == (2, ["auth/login"])
    assert end.err.startswith("nobody is logged in at ")


async def test_each_cadenza_has_a_session_of_its_own(
    sandbox: Sandbox, vault: Vault, env: dict[str, str]
) -> None:
    """A token is never sent to another one."""
    end = await cadenza(
        "user", "--base-url", sandbox.url.replace("127.0.0.1", "localhost"), env=env
    )
    assert (end.code, called(sandbox)) == (2, ["auth/login"])
    assert "nobody is logged in at http://localhost:" in end.err


async def test_onboarding_uses_the_session(
    sandbox: Sandbox, vault: Vault, env: dict[str, str], tmp_path: Path
) -> None:
    """Where neither a token nor a file of them is given; a dry run does not miss them."""
    keys = {"DESK_KEY": "key", "DESK_SECRET": "secret"}
    file = tmp_path / "accounts.csv"
    file.write_text("venue,name,apiKey,apiSecret\nBINANCE,Desk 1,env:DESK_KEY,env:DESK_SECRET\n")
    vault.change(due=0)
    dry = await cadenza("onboard", str(file), "--dry-run", env=env | keys)
    end = await cadenza("onboard", str(file), env=env | keys)
    assert (dry.code, dry.err) == (0, "")
    assert (end.code, end.err) == (0, "")
    assert [each["name"] for each in sandbox.accounts] == ["Desk 1"]
    assert called(sandbox).count(REFRESH) == 1
