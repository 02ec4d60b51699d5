"""Logging in and out: where a password may come from, and where a session goes."""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING

import pytest

from tests.raw import RawServer, answers, envelope

from .process import HOME, cadenza, ended, environment, started
from .terminal import at_terminal
from .test_connect import keys_file
from .vault import Vault

if TYPE_CHECKING:
    from pathlib import Path

    from cadenza_async.sandbox import Sandbox

    from .process import Ended

EMAIL = "desk@example.com"
LOGIN = ("login", "--email", EMAIL)

WITHOUT_KEYRING = """
import sys
sys.modules["keyring"] = None
from cadenza_async.__main__ import main
main()
"""


@pytest.fixture
def vault(tmp_path: Path) -> Vault:
    """Give a keyring of the test's own."""
    vault = Vault(tmp_path)
    vault.install()
    return vault


@pytest.fixture
def password(sandbox: Sandbox) -> str:
    """Let somebody log in."""
    password = secrets.token_hex(8)
    sandbox.add_user(EMAIL, password, user="u-7")
    return password


def keyring(vault: Vault, mood: str = "") -> dict[str, str]:
    """What a command finds that has nothing but the keyring."""
    return vault.environment(str(HOME), mood=mood)


def called(sandbox: Sandbox) -> list[str]:
    """What was asked of the sandbox."""
    return [request["path"].removeprefix("/api/v3/") for request in sandbox.requests]


def shown(vault: Vault, end: Ended, *others: str) -> bool:
    """Whether a command showed a secret."""
    tokens = [
        session[name]
        for session in vault.entries.values()
        for name in ("accessToken", "refreshToken")
    ]
    return any(each in end.out + end.err for each in (*tokens, *others))


async def test_a_session_is_stored_and_used(sandbox: Sandbox, vault: Vault, password: str) -> None:
    """The commands that follow need no token, and no word of the session is shown."""
    env = keyring(vault)
    login = await cadenza(*LOGIN, sandbox=sandbox, env=env, typed=f"{password}\n")
    user = await cadenza("user", "--json", sandbox=sandbox, env=env)
    assert (login.code, login.err) == (0, "")
    assert login.out == f"Logged in: {EMAIL} at {sandbox.url}\n"
    assert (user.code, user.json[0]["id"], user.json[0]["email"]) == (0, "u-7", EMAIL)
    assert [*vault.entries] == [f"cadenza {sandbox.url}"]
    assert not shown(vault, login, password)
    assert called(sandbox) == ["auth/login", "auth/user"]


async def test_e_mail_and_password_are_asked_for(
    sandbox: Sandbox, vault: Vault, password: str
) -> None:
    """What is typed as a password was never on the screen."""
    async with at_terminal("login", env={**environment(sandbox), **keyring(vault)}) as terminal:
        await terminal.answer("E-mail: ", f"{EMAIL}\n")
        await terminal.answer("Password: ", f"{password}\n")
        assert await terminal.end() == 0
    assert f"Logged in: {EMAIL}" in terminal.seen
    assert password not in terminal.seen
    assert len(vault.entries) == 1


async def test_a_password_comes_from_a_file(
    sandbox: Sandbox, vault: Vault, password: str, tmp_path: Path
) -> None:
    """Scripts read facts; a file that others can read is refused before anything is sent."""
    file = keys_file(tmp_path / "password", f"{password}\r\n")
    arguments = (*LOGIN, "--json", "--password-file", file)
    end = await cadenza(*arguments, sandbox=sandbox, env=keyring(vault))
    told = {"baseUrl": sandbox.url, "email": EMAIL, "expiresIn": 3600}
    assert (end.code, end.json, end.err) == (0, [told], "")
    keys_file(tmp_path / "password", password, mode=0o644)
    refused = await cadenza(*arguments, sandbox=sandbox, env=keyring(vault))
    assert (refused.code, called(sandbox)) == (2, ["auth/login"])
    assert refused.err.startswith("the password file is open to others (0644): chmod 600 it\n")


@pytest.mark.parametrize(
    ("arguments", "typed", "complaint"),
    [
        (("login",), "password\n", "say --email"),
        ((*LOGIN, "--password", "hunter2"), "", "No such option"),
        (LOGIN, "", "password is required"),
    ],
    ids=["no e-mail", "argument", "nothing"],
)
async def test_what_is_missing_is_said(
    sandbox: Sandbox, vault: Vault, arguments: tuple[str, ...], typed: str, complaint: str
) -> None:
    """Nothing is sent; a password is no argument."""
    end = await cadenza(*arguments, sandbox=sandbox, env=keyring(vault), typed=typed)
    assert (end.code, end.out, sandbox.requests) == (2, "", [])
    assert complaint in end.err
    assert "hunter2" not in end.err


async def test_a_wrong_password_stores_nothing(
    sandbox: Sandbox, vault: Vault, password: str
) -> None:
    """It is a refusal; what was stored before stays."""
    env = keyring(vault)
    wrong = secrets.token_hex(8)
    await cadenza(*LOGIN, sandbox=sandbox, env=env, typed=password)
    before = vault.entries
    end = await cadenza(*LOGIN, sandbox=sandbox, env=env, typed=wrong)
    assert (end.code, end.out, vault.entries, len(before)) == (1, "", before, 1)
    assert "errno -100001" in end.err
    assert wrong not in end.err


async def test_without_the_extra_it_says_what_to_install(
    sandbox: Sandbox, vault: Vault, password: str
) -> None:
    """Nobody types a password in vain."""
    env = {**environment(sandbox), **keyring(vault)}
    unread = ("--password-file", "nowhere")
    async with (
        started("-c", WITHOUT_KEYRING, *LOGIN, *unread, env=env) as login,
        started("-c", WITHOUT_KEYRING, "user", env=env) as user,
    ):
        end, other = await ended(login), await ended(user)
    assert (end.code, end.out, other.code, sandbox.requests) == (2, "", 2, [])
    assert "pip install 'cadenza_async[keyring]', or set CADENZA_ACCESS_TOKEN" in end.err
    assert other.err.startswith("nobody is logged in")


@pytest.mark.parametrize("backend", ["fail", "null"])
async def test_a_machine_without_a_keyring_is_refused(
    sandbox: Sandbox, vault: Vault, password: str, backend: str
) -> None:
    """One that is switched off is none either; the other way to say who is calling is named."""
    env = keyring(vault) | {"PYTHON_KEYRING_BACKEND": f"keyring.backends.{backend}.Keyring"}
    end = await cadenza(*LOGIN, sandbox=sandbox, env=env, typed=password)
    other = await cadenza("accounts", sandbox=sandbox, env=env)
    assert (end.code, other.code, sandbox.requests) == (2, 2, [])
    assert "has no keyring that can keep a session" in end.err
    assert "CADENZA_ACCESS_TOKEN" in end.err
    assert "'cadenza login', or set CADENZA_ACCESS_TOKEN" in other.err


@pytest.mark.parametrize(
    ("mood", "complaint"),
    [("read-only", "(ValueError): unlock it"), ("forgetful", "does not keep what it is given")],
)
async def test_a_session_that_cannot_be_stored_is_ended(
    sandbox: Sandbox, vault: Vault, password: str, mood: str, complaint: str
) -> None:
    """Nothing is left behind at Cadenza, and what the keyring says of it is not repeated."""
    env = keyring(vault, mood)
    end = await cadenza(*LOGIN, sandbox=sandbox, env=env, typed=password)
    assert (end.code, end.out, vault.entries) == (2, "", {})
    assert called(sandbox) == ["auth/login", "auth/logout"]
    assert complaint in end.err
    assert "cannot write" not in end.err


async def test_a_refresh_token_is_kept_as_it_is(vault: Vault) -> None:
    """Only what becomes a header has to be fit for one."""
    given = {"accessToken": "an.access.token", "refreshToken": "7|schlüssel & more"}
    async with RawServer(default=answers(200, envelope(data=given))) as server:
        end = await cadenza(*LOGIN, "--base-url", server.url, env=keyring(vault), typed="a word")
    assert (end.code, end.err) == (0, "")
    ((_, session),) = vault.entries.items()
    assert given.items() <= session.items()


async def test_logging_out_ends_the_session(sandbox: Sandbox, vault: Vault, password: str) -> None:
    """At Cadenza and in the keyring, whatever token the environment has."""
    env = keyring(vault)
    await cadenza(*LOGIN, sandbox=sandbox, env=env, typed=password)
    ((_, session),) = vault.entries.items()
    token = {"CADENZA_ACCESS_TOKEN": sandbox.access_token}
    end = await cadenza("logout", sandbox=sandbox, env=env | token)
    dead = {"CADENZA_ACCESS_TOKEN": session["accessToken"]}
    after = await cadenza("user", sandbox=sandbox, env=env | dead)
    alive = await cadenza("user", sandbox=sandbox, env=env | token)
    assert (end.code, end.out, end.err) == (0, f"Logged out of {sandbox.url}\n", "")
    assert (vault.entries, after.code, alive.code) == ({}, 1, 0)


async def test_who_is_not_logged_in_is_told_how(sandbox: Sandbox, vault: Vault) -> None:
    """For logging out as for anything else."""
    env = keyring(vault)
    for command in ("logout", "user"):
        end = await cadenza(command, sandbox=sandbox, env=env)
        assert (end.code, end.out) == (2, "")
        assert end.err.startswith(f"nobody is logged in at {sandbox.url}: run 'cadenza login'")
    assert not sandbox.requests


async def test_what_is_stored_outlives_a_logout_that_was_not_sent(
    sandbox: Sandbox, vault: Vault, password: str
) -> None:
    """It can be done again; a session that has ended meanwhile is only removed."""
    env = keyring(vault)
    await cadenza(*LOGIN, sandbox=sandbox, env=env, typed=password)
    stored = vault.entries
    sandbox.script("503-lock:100%@logout")
    refused = await cadenza("logout", sandbox=sandbox, env=env)
    assert (refused.code, vault.entries) == (1, stored)
    sandbox.behave()
    vault.change(accessToken="gone", refreshToken="gone")
    ended = await cadenza("logout", sandbox=sandbox, env=env)
    assert (ended.code, vault.entries) == (0, {})


async def test_nothing_is_no_e_mail(sandbox: Sandbox, vault: Vault) -> None:
    """Whoever only presses Enter is not asked for a password."""
    async with at_terminal("login", env={**environment(sandbox), **keyring(vault)}) as terminal:
        await terminal.answer("E-mail: ", "\n")
        assert await terminal.end() == 2
    assert "no e-mail was given" in terminal.seen
    assert "Password" not in terminal.seen
