"""State files and keys as somebody sees them who looks from outside."""

from __future__ import annotations

import base64
import secrets
import sqlite3
from contextlib import closing
from functools import partial
from typing import TYPE_CHECKING, Any

import pytest

from cadenza_async.sandbox import Sandbox, StateError

if TYPE_CHECKING:
    from pathlib import Path

VARIABLE = "CADENZA_SANDBOX_KEY"


def names_in(folder: Path) -> list[str]:
    """The names of all files there."""
    return sorted(each.name for each in folder.iterdir())


def bytes_in(folder: Path) -> list[bytes]:
    """What is in each file there."""
    return [each.read_bytes() for each in folder.iterdir()]


def new_key() -> str:
    """A key that opens nothing yet, as the environment has it."""
    return base64.b64encode(secrets.token_bytes(32)).decode()


def new_key_file(path: Path, text: str | None = None) -> Path:
    """A private file with a key in it, or with something else."""
    path.touch(0o600)
    path.write_text(new_key() if text is None else text)
    return path


def sql(path: Path, statement: str, *values: object) -> list[Any]:
    """Do what somebody does who has the file but not the key."""
    with closing(sqlite3.connect(path, isolation_level=None)) as file:
        file.text_factory = partial(str, encoding="utf-8", errors="replace")
        return file.execute(statement, values).fetchall()


async def complaint(state: Path, **options: Any) -> str:
    """What a sandbox says that cannot be opened; it does not listen then."""
    sandbox = Sandbox(state=state, **options)
    with pytest.raises(StateError) as caught:
        await sandbox.__aenter__()
    with pytest.raises(RuntimeError, match="not running"):
        _ = sandbox.url
    return str(caught.value)
