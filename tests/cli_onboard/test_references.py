"""Secrets that a file does not hold itself, and files that others can read."""

from __future__ import annotations

import json
import os
import sys
from typing import TYPE_CHECKING

import pytest

from cadenza_async.cli._rows import open_source, open_tokens, warn_where_nobody_can_tell
from cadenza_async.errors import UsageError
from cadenza_async.onboarding._files.references import Reference, read_secret
from cadenza_async.secret import Secret
from tests.cli.process import HOME, cadenza

from .files import account, lines, marker, names, private, report, table

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from cadenza_async.sandbox import Sandbox

KEYRING = """
def get_password(service, name):
    return f"{service}+{name}"
"""


def look_up(text: str, folder: Path) -> Secret:
    """What a cell stands for."""
    found = read_secret(text)
    return found.look_up(folder) if isinstance(found, Reference) else found


def test_references_are_looked_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """In the environment, beside the file, anywhere else, in the keyring."""
    secret, folder = marker(), tmp_path / "deep"
    folder.mkdir()
    private(folder / "key", f"\ufeff{secret}\nline 2\r\n")
    monkeypatch.setenv("SOME_SECRET", secret)
    private(tmp_path / "keyring.py", KEYRING)
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.delitem(sys.modules, "keyring", raising=False)
    assert look_up("env:SOME_SECRET", folder) == Secret(secret)
    assert look_up("file:key", folder) == Secret(f"{secret}\nline 2")
    assert look_up(f"file:{folder}/key", tmp_path) == Secret(f"{secret}\nline 2")
    assert look_up("keyring:our/desk/7", folder) == Secret("our/desk+7")
    monkeypatch.delitem(sys.modules, "keyring")


def test_without_the_extra_there_is_no_keyring(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What to install is said."""
    monkeypatch.setitem(sys.modules, "keyring", None)
    with pytest.raises(UsageError, match=r"pip install 'cadenza_async\[keyring\]'"):
        look_up("keyring:desk/7", tmp_path)


@pytest.mark.parametrize("path", ["missing", "nul\0", "pipe"])
def test_what_is_no_file_is_not_read(tmp_path: Path, path: str) -> None:
    """Nor waited for, nor shown: it may be a secret by mistake."""
    os.mkfifo(tmp_path / "pipe", 0o600)
    with pytest.raises(UsageError, match="refers to a file that") as caught:
        look_up(f"file:{path}", tmp_path)
    assert path not in str(caught.value).replace("named pipe", "")
    assert path not in repr(read_secret(f"file:{path}"))


async def test_a_run_uses_what_the_references_stand_for(tmp_path: Path, sandbox: Sandbox) -> None:
    """An open file of references is nothing to object to."""
    rows = [
        account(1, apiKey="env:DESK_KEY", apiSecret="file:desk.key"),
        account(2, apiKey="env:BAD_KEY", apiSecret="keyring:desk/2"),
    ]
    private(tmp_path / "desk.key", marker())
    private(tmp_path / "keyring.py", KEYRING)
    file = private(tmp_path / "accounts.csv", table(rows))
    file.chmod(0o644)
    env = {"DESK_KEY": marker(), "BAD_KEY": f"invalid-{marker()}"}
    path = os.pathsep.join([str(tmp_path), str(HOME)])
    end = await cadenza("onboard", str(file), sandbox=sandbox, env={**env, "PYTHONPATH": path})
    assert (end.code, end.err) == (1, "")
    (connected,) = report(tmp_path / "accounts.reports", "connected")
    (failed,) = report(tmp_path / "accounts.reports", "failed")
    assert (connected["name"], failed["name"]) == ("Desk 1", "Desk 2")
    assert failed["error"] == "CredentialsRejectedError"


@pytest.mark.parametrize("mode", [0o604, 0o620, 0o601, 0o666])
@pytest.mark.parametrize("write", [table, lines])
def test_secrets_that_others_can_read_are_refused(
    tmp_path: Path, mode: int, write: Callable[[list[dict[str, str]]], str]
) -> None:
    """The first one is named by its place."""
    rows = [account(1, apiKey="env:KEY", apiSecret="env:SECRET"), account(2, apiKey=marker())]
    file = private(tmp_path / "accounts", write(rows))
    file.chmod(mode)
    line = 3 if write is table else 2
    place = rf"accounts, line {line}, apiKey: the secret is written out.*\({mode:04o}\)"
    with pytest.raises(UsageError, match=place):
        open_source(str(file), allow_insecure=False)


async def test_nothing_comes_of_a_file_that_is_refused(tmp_path: Path, sandbox: Sandbox) -> None:
    """Nothing is sent, shown or left behind."""
    secret = marker()
    file = private(tmp_path / "accounts.csv", table([account(1, apiKey=secret)]))
    file.chmod(0o644)
    end = await cadenza("onboard", str(file), sandbox=sandbox)
    assert (end.code, end.out, sandbox.requests) == (2, "", [])
    assert "--allow-insecure-file" in end.err
    assert secret not in end.err
    assert names(tmp_path) == {"accounts.csv"}


async def test_whoever_insists_is_warned(tmp_path: Path, sandbox: Sandbox) -> None:
    """The file is taken, and it is said aloud why it should not have been."""
    file = private(tmp_path / "accounts.csv", table([account(1)]))
    file.chmod(0o644)
    end = await cadenza("onboard", str(file), "--allow-insecure-file", sandbox=sandbox)
    assert (end.code, len(sandbox.accounts)) == (0, 1)
    assert end.err.startswith("WARNING: ")
    assert "is open to others (0644)" in end.err


async def test_tokens_are_secrets_too(tmp_path: Path, sandbox: Sandbox) -> None:
    """A file of references may be open, a file with a token or a password may not."""
    email, password = "desk@example.com", marker()
    sandbox.add_user(email, password, user="u-2")
    rows = [account(1, user="u-1"), account(2, user="u-2")]
    file = str(private(tmp_path / "accounts.csv", table(rows)))
    env = {"TOKEN": sandbox.token("u-1"), "PASSWORD": password}
    kept = {"u-1": "env:TOKEN", "u-2": {"email": email, "password": "env:PASSWORD"}}
    told = {**kept, "u-2": {"email": email, "password": password}}
    tokens = private(tmp_path / "tokens.json", json.dumps(told))
    tokens.chmod(0o640)
    arguments = ("onboard", file, "--tokens", str(tokens))
    end = await cadenza(*arguments, sandbox=sandbox, env=env)
    assert (end.code, sandbox.requests) == (2, [])
    assert "has a secret written out, and is open to others (0640)" in end.err
    tokens.write_text(json.dumps(kept))
    end = await cadenza(*arguments, sandbox=sandbox, env=env)
    assert (end.code, end.err) == (0, "")
    assert {each["userId"] for each in sandbox.accounts} == {"u-1", "u-2"}


@pytest.mark.parametrize(
    ("content", "complaint"),
    [
        ("", "it is not a JSON object like"),
        ("{}", "it is not a JSON object like"),
        ('[["u-1", "x"]]', "it is not a JSON object like"),
        ("{" * 100_000, "it is not a JSON object like"),
        ('{"u-1": "a", "u-1": "b"}', "a user is there twice"),
        ('{"u-1": "a", "u-2": "two words"}', "entry 2: the access token is no bearer token"),
        ('{"u-1": "env:NOWHERE"}', "entry 1: refers to an environment variable"),
        ('{"u-1": 7}', "entry 1: it is neither a string nor an object"),
        ('{"u-1": {"email": "a@b"}}', "entry 1: it is neither a string nor an object"),
        ('{"u-1": {"email": "a@b", "password": 7}}', "entry 1: it is neither a string nor"),
        ('{"u-1": {"email": "", "password": "p"}}', "entry 1: email is required"),
        (None, "it cannot be read: No such file or directory"),
    ],
)
def test_other_files_of_tokens_are_refused(
    tmp_path: Path, content: str | None, complaint: str
) -> None:
    """The complaint names the file and the entry, and nothing that is in it."""
    tokens = tmp_path / "tokens.json"
    if content is not None:
        private(tokens, content)
    with pytest.raises(UsageError) as caught:
        open_tokens(str(tokens), allow_insecure=False)
    assert str(caught.value).startswith(f"{tokens}: {complaint}")


def test_windows_has_other_rules(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Where modes mean nothing they are not checked, and that is said."""
    warn_where_nobody_can_tell()
    assert not capsys.readouterr().err
    monkeypatch.delattr(os, "geteuid")
    warn_where_nobody_can_tell()
    assert capsys.readouterr().err.startswith("Windows: ")
