"""What a credentials file may look like, and who may be able to read it."""

from __future__ import annotations

import json
import os
import secrets
from typing import TYPE_CHECKING, Any

import pytest

from cadenza_async.cli._credentials import Credentials, parse
from cadenza_async.cli._sources import read_credentials
from cadenza_async.errors import UsageError
from cadenza_async.secret import Secret

from .process import Keys, cadenza
from .test_connect import keys_file

if TYPE_CHECKING:
    from pathlib import Path

    from cadenza_async.sandbox import Sandbox

KEY, SECRET = (secrets.token_hex(8) for _ in range(2))
PAIR: dict[str, Any] = {"api_key": KEY, "api_secret": SECRET}
RSA = f"-----BEGIN-----\n{SECRET}\n-----END-----\n"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (f"CADENZA_API_KEY={KEY}\nCADENZA_API_SECRET={SECRET}", PAIR),
        (f"\r\n# desk 7\r\nCADENZA_API_KEY = {KEY}\r\nCADENZA_API_SECRET={SECRET}\r\n", PAIR),
        (f"export CADENZA_API_KEY='{KEY}'\nexport CADENZA_API_SECRET=\"{SECRET}\"\n", PAIR),
        (f"CADENZA_API_SECRET={SECRET}==\n", {"api_secret": f"{SECRET}=="}),
        ("CADENZA_API_KEY='\nCADENZA_API_PASSPHRASE=", {"api_key": "'", "api_passphrase": ""}),
        (json.dumps({"apiKey": KEY, "apiSecret": RSA}), PAIR | {"api_secret": RSA}),
        (' {"apiPassphrase": "", "name": null}', {"api_passphrase": ""}),
        ('{"venue": "OKX", "accountType": "SPOT"}', {"venue": "OKX", "account_type": "SPOT"}),
    ],
    ids=[
        "lines",
        "spaces and comments",
        "as a shell has it",
        "=",
        "empty",
        "json",
        "null",
        "others",
    ],
)
def test_credentials_are_read(text: str, expected: dict[str, Any]) -> None:
    """What is not there is left out; what is there and empty is meant to be."""
    assert parse(text) == Credentials(**expected)


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("", "no credentials"),
        ("# nothing\n\n", "no credentials"),
        (f"CADENZA_API_KEY={KEY}\n{SECRET}\n", "line 2 .* sets none of"),
        (f"CADENZA_API_SECRET={SECRET}\nAPI_KEY={KEY}\n", "line 2 .* sets none of"),
        (f'{{"apiKey": "{KEY}"', "not a JSON object"),
        (f'{{"apiKey": "{KEY}", "api_secret": "{SECRET}"}}', "not a JSON object"),
        ("{" * 100_000, "not a JSON object"),
    ],
    ids=["empty", "comments", "no pair", "another name", "half", "another field", "too deep"],
)
def test_other_texts_are_refused(text: str, complaint: str) -> None:
    """The complaint shows nothing of what may be a secret, nor does what it came from."""
    with pytest.raises(UsageError, match=complaint) as caught:
        parse(text)
    assert KEY not in str(caught.value)
    assert SECRET not in str(caught.value)
    assert caught.value.__context__ is None


async def test_a_file_that_others_can_read_is_refused(sandbox: Sandbox, tmp_path: Path) -> None:
    """One mode is tried with the real command; it says what to do."""
    keys = Keys()
    file = keys_file(tmp_path / "keys", keys.lines(), mode=0o640)
    end = await cadenza("connect", "--venue", "BINANCE", "--credentials", file, sandbox=sandbox)
    assert (end.code, end.out) == (2, "")
    assert end.err.startswith("the credentials file is open to others (0640): chmod 600 it\n")
    assert not keys.shown_in(end.err)
    assert not sandbox.requests


@pytest.mark.parametrize("mode", [0o604, 0o602, 0o601, 0o620, 0o610, 0o660, 0o777])
def test_any_door_is_one_too_many(tmp_path: Path, mode: int) -> None:
    """Reading, writing, running; group or others."""
    file = keys_file(tmp_path / "keys", Keys().lines(), mode=mode)
    with pytest.raises(UsageError, match=f"{mode:04o}"):
        read_credentials(file)


def test_a_file_of_somebody_else_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Who owns a file can open it to others at any time."""
    file = keys_file(tmp_path / "keys", Keys().lines())
    us = os.geteuid()
    if us == 0:
        os.chown(file, 1000, -1)
    else:
        monkeypatch.setattr(os, "geteuid", lambda: us + 1)
    with pytest.raises(UsageError, match="somebody else"):
        read_credentials(file)


def test_windows_has_other_rules(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Where modes mean nothing they are not checked, and that is said."""
    file = keys_file(tmp_path / "keys", f"CADENZA_API_KEY={KEY}", mode=0o666)
    monkeypatch.delattr(os, "geteuid")
    assert read_credentials(file) == Credentials(api_key=Secret(KEY))
    assert capsys.readouterr().err.startswith("Windows: ")


@pytest.mark.parametrize(
    ("content", "complaint"),
    [
        (None, "cannot be read: No such file"),
        (b"CADENZA_API_KEY=\xff", "UTF-8"),
        (b"#" * 65537, "64 KiB"),
    ],
    ids=["missing", "latin", "long"],
)
def test_files_that_cannot_be_read_are_refused(
    tmp_path: Path, content: bytes | None, complaint: str
) -> None:
    """The complaint is one of ours, whatever the reason."""
    file = tmp_path / "keys"
    if content is not None:
        file.touch(0o600)
        file.write_bytes(content)
    with pytest.raises(UsageError, match=complaint):
        read_credentials(str(file))


def test_a_byte_order_mark_is_no_part_of_the_text(tmp_path: Path) -> None:
    """Editors of Windows write one."""
    file = keys_file(tmp_path / "keys", f"\ufeffCADENZA_API_KEY={KEY}")
    assert read_credentials(file).api_key == Secret(KEY)


def test_keys_are_not_read_where_they_would_be_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    """Standard input that is a terminal echoes; being asked does not."""
    monkeypatch.setattr(os, "isatty", lambda _: True)
    with pytest.raises(UsageError, match="a terminal would show it"):
        read_credentials("-")
