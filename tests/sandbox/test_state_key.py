"""Where the key of a state file comes from, and which keys are refused."""

from __future__ import annotations

import base64
import os
import secrets
import sys
from typing import TYPE_CHECKING, Any

import pytest

from cadenza_async.sandbox import Sandbox

from .api import serving
from .files import VARIABLE, complaint, names_in, new_key, new_key_file

if TYPE_CHECKING:
    from pathlib import Path

posix = pytest.mark.skipif(not hasattr(os, "geteuid"), reason="Windows has other rules")


async def connect_two(**options: Any) -> None:
    """Make an account in each of two runs; the second has that of the first."""
    for count in (1, 2):
        async with serving(**options) as api:
            await api.connect()
            assert len(api.sandbox.accounts) == count


async def test_it_is_made_beside_the_state(tmp_path: Path) -> None:
    """It is 32 bytes that nobody could guess, and the next run finds it."""
    await connect_two(state=str(tmp_path / "state"))
    key = (tmp_path / "state.key").read_bytes()
    assert len(base64.b64decode(key, validate=False)) == 32
    await connect_two(state=tmp_path / "other")
    assert (tmp_path / "other.key").read_bytes() != key


async def test_it_can_come_from_the_environment(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Then there is no key file, not even an empty one."""
    monkeypatch.setenv(VARIABLE, new_key())
    await connect_two(state=tmp_path / "state")
    assert names_in(tmp_path) == ["state"]


async def test_a_file_that_is_named_comes_first(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever the environment has; what the file holds is what the environment takes."""
    monkeypatch.setenv(VARIABLE, new_key())
    await connect_two(state=tmp_path / "state", state_key=str(tmp_path / "elsewhere"))
    assert names_in(tmp_path) == ["elsewhere", "state"]
    monkeypatch.setenv(VARIABLE, (tmp_path / "elsewhere").read_text())
    async with Sandbox(state=tmp_path / "state") as sandbox:
        assert len(sandbox.accounts) == 2


async def test_a_key_that_is_there_is_used_for_a_new_state(tmp_path: Path) -> None:
    """One key for several files is no trouble."""
    key = tmp_path / "key"
    await connect_two(state=tmp_path / "one", state_key=key)
    before = key.read_bytes()
    await connect_two(state=tmp_path / "two", state_key=key)
    assert key.read_bytes() == before


@posix
@pytest.mark.parametrize("mode", [0o604, 0o620, 0o644])
async def test_one_that_others_have_is_refused(tmp_path: Path, mode: int) -> None:
    """As ssh does; it says how to mend it, and that does."""
    state, key = tmp_path / "state", tmp_path / "state.key"
    await connect_two(state=state)
    key.chmod(mode)
    assert await complaint(state) == (
        f"the key file {key} is open to others ({mode:04o}): chmod 600 it"
    )
    key.chmod(0o600)
    async with Sandbox(state=state) as sandbox:
        assert len(sandbox.accounts) == 2


@posix
async def test_one_of_somebody_else_is_refused(tmp_path: Path) -> None:
    """Somebody else knows it, whoever else may read it."""
    state, key = tmp_path / "state", tmp_path / "state.key"
    await connect_two(state=state)
    try:
        os.chown(key, 54321, -1)
    except PermissionError:
        pytest.skip("only root can give a file away")
    assert await complaint(state) == f"the key file {key} belongs to somebody else"


async def test_where_nobody_can_tell_nothing_is_checked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As on Windows, whose files have no such modes."""
    await connect_two(state=tmp_path / "state")
    (tmp_path / "state.key").chmod(0o644)
    monkeypatch.delattr(os, "geteuid", raising=False)
    async with Sandbox(state=tmp_path / "state") as sandbox:
        assert len(sandbox.accounts) == 2


async def test_one_that_is_missing_is_not_made_up(tmp_path: Path) -> None:
    """A new one would not open what is there, and hide that the old one is wanted."""
    state, key = tmp_path / "state", tmp_path / "state.key"
    await connect_two(state=state)
    moved = key.rename(tmp_path / "moved")
    assert (await complaint(state)).startswith(f"the key of {state} cannot be read from {key}: ")
    assert not key.exists()
    async with Sandbox(state=state, state_key=moved) as sandbox:
        assert len(sandbox.accounts) == 2


@pytest.mark.parametrize("length", [0, 16, 31, 33, 4000])
async def test_what_is_no_key_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, length: int
) -> None:
    """Too short or too long, from a file or the environment; it is not repeated."""
    text = base64.b64encode(secrets.token_bytes(length)).decode()
    key = new_key_file(tmp_path / "key", text)
    monkeypatch.setenv(VARIABLE, text)
    for source, options in ((key, {"state_key": key}), (VARIABLE, {})):
        told = await complaint(tmp_path / "state", **options)
        assert told == f"{source} holds no key, which is the base64 of 32 bytes"


@pytest.mark.parametrize(
    "text",
    [f"?{new_key()}", "ü" * 44, secrets.token_hex(32)],
    ids=["marks", "umlauts", "hexadecimal"],
)
async def test_what_is_no_base64_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, text: str
) -> None:
    """Hexadecimal digits are base64 of something longer."""
    monkeypatch.setenv(VARIABLE, text)
    assert "holds no key" in await complaint(tmp_path / "state")


async def test_without_the_extra_it_says_what_to_install(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Before there is a key, and so before anything could be written without one."""
    monkeypatch.setitem(sys.modules, "cryptography", None)
    assert await complaint(tmp_path / "state") == (
        "keeping state needs encryption, which is an extra: pip install 'cadenza_async[sandbox]'"
    )
    assert names_in(tmp_path) == []
    async with Sandbox() as sandbox:
        assert sandbox.url


def test_a_key_without_a_state_is_a_mistake(tmp_path: Path) -> None:
    """Whoever names a key expects that something is kept."""
    with pytest.raises(ValueError, match=r"^state_key is given, but no state file"):
        Sandbox(state_key=tmp_path / "key")
