"""A state file is private, has one reader at a time, and says what is wrong with it."""

from __future__ import annotations

import asyncio
import os
import secrets
import stat
from typing import TYPE_CHECKING

import pytest

from cadenza_async.sandbox import Sandbox
from cadenza_async.sandbox._statefile import StateFile

from .api import serving
from .files import VARIABLE, bytes_in, complaint, names_in, new_key, new_key_file, sql

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable
    from pathlib import Path

posix = pytest.mark.skipif(not hasattr(os, "geteuid"), reason="Windows has other rules")


@pytest.fixture
async def state(tmp_path: Path) -> AsyncIterator[Path]:
    """Give a state file with two accounts in it, and prove at the end that it has them still."""
    path = tmp_path / "state"
    async with serving(state=path) as api:
        names = [(await api.connect()).data["name"] for _ in range(2)]
    yield path
    async with Sandbox(state=path) as sandbox:
        assert [each["name"] for each in sandbox.accounts] == names


async def test_nothing_secret_is_in_the_bytes_of_any_file(tmp_path: Path) -> None:
    """Neither keys nor names nor tokens nor passwords, while it is open and after."""
    marks = [f"{word}-{secrets.token_hex(8)}" for word in ("key", "secret", "pass", "name")]
    key, secret, passphrase, name = marks
    async with serving(state=tmp_path / "state") as api:
        body = {"apiSecret": secret, "apiPassphrase": passphrase, "name": name}
        account = (await api.connect(venue="OKX", apiKey=key, **body)).data
        await api.store(key, **body)
        api.sandbox.add_user(f"{name}@example.test", secret)
        login = {"email": f"{name}@example.test", "password": secret}
        session = (await api.post("auth/login", login)).data
        marks += [api.sandbox.access_token, session["accessToken"], session["refreshToken"]]
        await api.disconnect(account["tradingAccountId"])
        assert (tmp_path / "state-wal").stat().st_size > 10_000
        found = bytes_in(tmp_path)
    found += bytes_in(tmp_path)
    assert len(found) == 5
    assert not [mark for mark in marks if any(mark.encode() in each for each in found)]
    assert sql(tmp_path / "state", "SELECT count(DISTINCT nonce), count(*) FROM records") == [
        (8, 8)
    ]


def modes_in(folder: Path) -> dict[str, int]:
    """What others may do with the files there."""
    return {each.name: stat.S_IMODE(each.stat().st_mode) for each in folder.iterdir()}


@posix
async def test_every_file_is_private(tmp_path: Path) -> None:
    """Whatever the umask says, while it is open and after."""
    before = os.umask(0)
    try:
        async with serving(state=tmp_path / "state") as api:
            await api.connect()
            found = modes_in(tmp_path)
    finally:
        os.umask(before)
    assert found == dict.fromkeys(("state", "state-wal", "state.key"), 0o600)


async def test_it_is_marked_as_ours(state: Path) -> None:
    """`file` and its like can tell what it is."""
    assert sql(state, "PRAGMA application_id") == [(0x43444E53,)]
    assert sql(state, "PRAGMA user_version") == [(1,)]
    assert sql(state, "PRAGMA journal_mode") == [("wal",)]


def test_what_is_written_outlasts_a_power_failure(tmp_path: Path) -> None:
    """As the journal does: what was answered has to be there."""
    file = StateFile(tmp_path / "state", None)
    try:
        assert file._one("PRAGMA synchronous") == 2  # FULL: an fsync for each commit
        assert file._one("PRAGMA fullfsync")  # without it macOS leaves that in the disk's memory
    finally:
        file.close()


async def test_one_sandbox_at_a_time(state: Path) -> None:
    """The second is told so, and the first is not disturbed by it."""
    async with serving(state=state) as api:
        for _ in range(2):
            assert (
                await complaint(state)
                == f"{state} is in use: only one sandbox at a time can have it"
            )
        account = (await api.connect()).data
        await api.disconnect(account["tradingAccountId"])


async def test_another_key_does_not_open_it(state: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither one from the environment nor one from a file; the right one is not replaced."""
    kept = state.with_name("state.key").read_bytes()
    told = "{} was written with another key than that of {}; nothing in it was changed"
    other = new_key_file(state.with_name("other"))
    assert await complaint(state, state_key=other) == told.format(state, other)
    with monkeypatch.context() as patch:
        patch.setenv(VARIABLE, new_key())
        assert await complaint(state) == told.format(state, VARIABLE)
    assert state.with_name("state.key").read_bytes() == kept


@pytest.mark.parametrize(
    "change",
    [
        "number = 1000",
        "kind = 'operation'",
        "kind = x'ff' || kind",
        "id = id || 'x'",
        "id = CAST(id AS BLOB)",
        "nonce = zeroblob(12)",
        "nonce = 'text'",
        "nonce = x''",
        "sealed = zeroblob(length(sealed))",
        "sealed = substr(sealed, 1, 20)",
        "sealed = x''",
        "sealed = 'text'",
        "(nonce, sealed) = (SELECT nonce, sealed FROM records AS r WHERE r.number = 1)",
        "(kind, id) = ('account', 'another')",
    ],
)
async def test_a_row_that_was_changed_is_told(state: Path, change: str) -> None:
    """Whichever of its fields it was; nothing else is touched, so that a copy mends it."""
    before = sql(state, "SELECT * FROM records")
    first = next(row for row in before if row[1] == "account")
    sql(state, f"UPDATE records SET {change} WHERE number = ?", first[0])  # noqa: S608  # our own words
    [changed] = {*sql(state, "SELECT * FROM records")} - {*before}
    told = await complaint(state)
    assert told.startswith(f"row {changed[0]} of {state} is not as the sandbox wrote it: ")
    sql(state, "DELETE FROM records WHERE number = ?", changed[0])
    sql(state, "INSERT INTO records VALUES (?, ?, ?, ?, ?)", *first)
    assert sql(state, "SELECT * FROM records") == before


@pytest.mark.parametrize(
    ("change", "mend"),
    [
        ("UPDATE meta SET sealed = zeroblob(16)", "UPDATE meta SET (nonce, sealed) = (?, ?)"),
        ("UPDATE meta SET nonce = zeroblob(12)", "UPDATE meta SET (nonce, sealed) = (?, ?)"),
        ("DELETE FROM meta", "INSERT INTO meta VALUES (?, ?)"),
    ],
)
async def test_a_check_value_that_was_changed_is_told(state: Path, change: str, mend: str) -> None:
    """It is not said that the key is another, for the rows open with it."""
    [before] = sql(state, "SELECT nonce, sealed FROM meta")
    sql(state, change)
    told = await complaint(state)
    assert told.startswith(f"the check value of {state} is not as the sandbox wrote it: ")
    sql(state, mend, *before)


async def test_what_is_forgotten_is_overwritten(state: Path) -> None:
    """The keys of an account that was disconnected are not even left behind sealed."""
    async with serving(state=state) as api:
        account = (await api.connect(apiSecret=secrets.token_hex(200))).data["tradingAccountId"]
    [(sealed,)] = sql(state, "SELECT sealed FROM records WHERE id = ?", account)
    pieces = [sealed[at : at + 16] for at in range(0, len(sealed), 16)]
    contents = await asyncio.to_thread(state.read_bytes)
    assert all(piece in contents for piece in pieces)
    async with serving(state=state) as api:
        await api.disconnect(account)
    contents = await asyncio.to_thread(state.read_bytes)
    assert not any(piece in contents for piece in pieces)


@pytest.mark.parametrize(
    ("change", "mend", "told"),
    [
        ("user_version = 7", "user_version = 1", "has the format 7 of another version, not 1"),
        ("application_id = 7", f"application_id = {0x43444E53}", "is not the state of a sandbox"),
    ],
)
async def test_another_format_is_told(state: Path, change: str, mend: str, told: str) -> None:
    """What a later version wrote is not guessed at."""
    sql(state, f"PRAGMA {change}")
    assert await complaint(state) == f"{state} {told}"
    sql(state, f"PRAGMA {mend}")


def _another_database(path: Path) -> None:
    sql(path, "CREATE TABLE theirs (fact)")


@pytest.mark.parametrize(
    ("make", "told"),
    [
        (lambda path: path.write_text("whatever\n" * 1000), " is not the state of a sandbox"),
        (_another_database, " is not the state of a sandbox"),
        (lambda path: path.mkdir(), " cannot be opened: "),
    ],
)
async def test_what_is_no_state_is_left_alone(
    tmp_path: Path, make: Callable[[Path], object], told: str
) -> None:
    """A file of somebody else's, a database of another program, a folder."""
    path = tmp_path / "state"
    make(path)
    before = path.read_bytes() if path.is_file() else b""
    assert (await complaint(path)).startswith(f"{path}{told}")
    assert before == (path.read_bytes() if path.is_file() else b"")
    assert names_in(tmp_path) == ["state"]


async def test_a_folder_that_is_not_there_is_told(tmp_path: Path) -> None:
    """It is not made."""
    path = tmp_path / "nowhere" / "state"
    assert (await complaint(path)).startswith(f"{path} cannot be opened: ")
    assert names_in(tmp_path) == []


@pytest.mark.parametrize(
    ("table", "told"), [("meta", "cannot be opened"), ("records", "cannot be read")]
)
async def test_a_damaged_file_is_told(state: Path, table: str, told: str) -> None:
    """A page that is no page, which the whole file put back mends."""
    [(page,)] = sql(state, "SELECT rootpage FROM sqlite_schema WHERE name = ?", table)
    [(size,)] = sql(state, "PRAGMA page_size")
    whole = await asyncio.to_thread(state.read_bytes)
    damaged = whole[: size * (page - 1)] + b"\xff" * size + whole[size * page :]
    await asyncio.to_thread(state.write_bytes, damaged)
    assert (await complaint(state)).startswith(f"{state} {told}: ")
    await asyncio.to_thread(state.write_bytes, whole)


async def test_an_empty_file_is_a_new_one(tmp_path: Path) -> None:
    """As it is left by whoever was killed in the first moment."""
    (tmp_path / "state").touch()
    async with serving(state=tmp_path / "state") as api:
        await api.connect()
    async with Sandbox(state=tmp_path / "state") as sandbox:
        assert len(sandbox.accounts) == 1
