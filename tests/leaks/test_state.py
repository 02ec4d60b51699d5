"""A sandbox's state: whatever is wrong with it, neither key nor content is shown."""

from __future__ import annotations

import logging
import sqlite3
from contextlib import closing
from typing import TYPE_CHECKING

import pytest
from aiohttp import ClientSession

from cadenza_async.sandbox import Sandbox, StateError
from tests.disks import full_disk

from .hunt import Hunt

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture
def hunt(caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]) -> Iterator[Hunt]:
    """Give a hunt that ends with the test."""
    hunt = Hunt()
    with caplog.at_level(logging.DEBUG):
        yield hunt
    records = caplog.get_records("call")
    hunt.search_records(records)
    for record in records:
        if record.exc_info and record.exc_info[1]:
            hunt.search_error(record.exc_info[1])
    for text in capfd.readouterr():
        hunt.search("output", text)
    hunt.finish()


async def connect(sandbox: Sandbox, hunt: Hunt) -> int:
    """Connect an account whose every secret is the marker, and return the status."""
    body = {
        "venue": "OKX",
        **dict.fromkeys(("apiKey", "apiSecret", "apiPassphrase"), hunt.marker()),
    }
    headers = {"Authorization": f"Bearer {sandbox.access_token}"}
    url = f"{sandbox.url}/api/v3/tradingAccount/connect"
    async with ClientSession() as session, session.post(url, json=body, headers=headers) as answer:
        hunt.search("answer", await answer.text())
        return answer.status


def search_files(hunt: Hunt, folder: Path) -> None:
    """Search every file there."""
    for each in folder.iterdir():
        hunt.search(each.name, each.read_bytes())


async def search_failure(hunt: Hunt, sandbox: Sandbox) -> None:
    """Open a sandbox that cannot be opened, and search the error."""
    with pytest.raises(StateError) as caught:
        await sandbox.__aenter__()
    hunt.search_error(caught.value)


async def test_what_is_no_key(hunt: Hunt, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A key with a character too many is still most of a key."""
    monkeypatch.setenv("CADENZA_SANDBOX_KEY", hunt.marker("{}x"))
    await search_failure(hunt, Sandbox(state=tmp_path / "state"))
    key = tmp_path / "key"
    key.touch(0o600)
    key.write_text(hunt.marker())
    await search_failure(hunt, Sandbox(state=tmp_path / "state", state_key=key))
    key.unlink()
    search_files(hunt, tmp_path)


async def test_a_row_that_was_changed(hunt: Hunt, tmp_path: Path) -> None:
    """Others have been opened by the time that it is met."""
    state = tmp_path / "state"
    async with Sandbox(state=state) as sandbox:
        assert [await connect(sandbox, hunt) for _ in range(2)] == [200, 200]
        search_files(hunt, tmp_path)
    search_files(hunt, tmp_path)
    with closing(sqlite3.connect(state, isolation_level=None)) as file:
        file.execute("UPDATE records SET nonce = zeroblob(12) WHERE number = 4")
    await search_failure(hunt, Sandbox(state=state))


async def test_a_file_that_cannot_be_written(hunt: Hunt, tmp_path: Path) -> None:
    """What could not be kept is not told instead."""
    sandbox = Sandbox(state=tmp_path / "state")
    await sandbox.__aenter__()
    with full_disk():
        assert await connect(sandbox, hunt) == 500
        with pytest.raises(StateError) as caught:
            await sandbox.__aexit__(None, None, None)
    hunt.search_error(caught.value)
    search_files(hunt, tmp_path)
