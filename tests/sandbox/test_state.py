"""What a state file keeps: everything that was answered, for whoever opens it next."""

from __future__ import annotations

import asyncio
import secrets
import threading
from shutil import copytree
from typing import TYPE_CHECKING, Any

import pytest
from aiohttp import ClientError, ClientSession

from cadenza_async.sandbox import Sandbox, StateError
from cadenza_async.sandbox._statefile import StateFile
from tests.disks import full_disk

from .api import Api, serving, until
from .files import names_in

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from cadenza_async.sandbox._records import Record


@pytest.fixture
def state(tmp_path: Path) -> Path:
    """Give the name of a file that is not there yet."""
    return tmp_path / "state"


def everything(sandbox: Sandbox) -> list[Any]:
    """All that a sandbox shows of what it knows."""
    return [sandbox.accounts, sandbox.archive, sandbox.credentials, sandbox.operations]


async def test_accounts_credentials_and_operations_are_there_again(state: Path) -> None:
    """In the same words and the same order, and they can be worked with."""
    async with serving(state=state) as api:
        other = api.sandbox.token("u-2")
        first, second, third = [(await api.connect(token=t)).data for t in ("", other, "")]
        stored = await api.store(name="desk")
        await api.account("disable", first["tradingAccountId"])
        await api.disconnect(third["tradingAccountId"])
        before = everything(api.sandbox)
    async with serving(state=state) as api:
        assert everything(api.sandbox) == before
        assert [len(each) for each in before] == [2, 1, 1, 5]
        assert (await api.account("enable", first["tradingAccountId"])).data["status"] == "ACTIVE"
        assert (await api.disconnect(second["tradingAccountId"])).status == 403
        assert (await api.disconnect(third["tradingAccountId"])).status == 404
        assert (await api.verify(stored["credentialId"])).status == 200


async def test_keys_are_there_again(state: Path) -> None:
    """What a credential reaches, and that an account is taken, is known after a restart."""
    async with serving(state=state, dialect="openapi") as api:
        one = await api.store("many-" + secrets.token_hex(8))
        connected = (await api.refer(one["credentialId"])).data
        rotated = await api.store()
        fresh = secrets.token_hex(8)
        await api.credential("rotate", credentialId=rotated["credentialId"], apiKey=fresh)
        await api.credential("revoke", credentialId=(await api.store())["credentialId"])
        before = everything(api.sandbox)
    async with serving(state=state, dialect="openapi") as api:
        assert everything(api.sandbox) == before
        reached = (await api.verify(one["credentialId"])).data
        assert [each.get("tradingAccountId") for each in reached].count(None) == 2
        again = await api.refer(one["credentialId"], connected["externalTradingAccountId"])
        assert again.verdict == (409, -22010)
        assert (await api.refer(rotated["credentialId"])).status == 200


async def test_tokens_and_users_are_there_again(state: Path) -> None:
    """A token that was good stays good, one that was spent or ended stays so."""
    user = {"email": "ops@example.test", "password": secrets.token_hex(8)}
    async with serving(state=state) as api:
        api.sandbox.add_user(**user, user="u-7")
        own, reader = api.sandbox.access_token, api.sandbox.token(rights=False)
        kept, renewed, ended = [(await api.post("auth/login", user)).data for _ in range(3)]
        again = {"refreshToken": renewed["refreshToken"]}
        assert (await api.post("auth/token/refresh", again)).status == 200
        await api.call("POST", "auth/logout", token=ended["accessToken"])
    async with serving(state=state) as api:
        assert api.sandbox.access_token == own
        assert (await api.list(token=kept["accessToken"])).status == 200
        assert (await api.connect(token=reader)).status == 403
        assert (await api.list(token=ended["accessToken"])).status == 401
        for gone in (renewed, ended):
            answer = await api.post("auth/token/refresh", {"refreshToken": gone["refreshToken"]})
            assert answer.status == 401
        answer = await api.post("auth/token/refresh", {"refreshToken": kept["refreshToken"]})
        assert answer.data["user"] == kept["user"]
        assert (await api.post("auth/login", user)).data["user"] == kept["user"]


async def test_what_has_expired_is_not_kept_for_ever(state: Path) -> None:
    """The row of a token goes when the token has had its time; that of another stays."""
    now = 1e9
    async with serving(state=state, clock=lambda: now) as api:
        short, long = api.sandbox.token(), api.sandbox.token(expires_in=5000)
    now += 3601
    async with serving(state=state, clock=lambda: now) as api:
        assert (await api.list(token=long)).status == 200
        assert (await api.list(token=short)).status == 401
    now -= 3601
    async with serving(state=state, clock=lambda: now) as api:
        assert (await api.list(token=long)).status == 200
        assert (await api.list(token=short)).status == 401


async def test_a_seed_brings_no_id_again(state: Path) -> None:
    """Repeatable ids would be those of the accounts that are there."""
    for count in (1, 2, 3):
        async with serving(state=state, seed=1) as api:
            await api.connect()
            assert len({each["tradingAccountId"] for each in api.sandbox.accounts}) == count


async def test_what_comes_between_two_runs_is_kept_too(state: Path) -> None:
    """A sandbox that is opened again knows what others did, and they what it was told."""
    sandbox, email = Sandbox(state=state), "ops@example.test"
    old, new = [{"email": email, "password": secrets.token_hex(8)} for _ in range(2)]
    early = sandbox.token("u-2", expires_in=None)
    sandbox.add_user(**old)
    async with sandbox:
        pass
    sandbox.add_user(**new)
    async with serving(state=state) as api:
        await api.connect(token=early, name="theirs")
    async with sandbox, ClientSession() as session:
        assert [each["name"] for each in sandbox.accounts] == ["theirs"]
        logins = [await Api(sandbox, session).post("auth/login", each) for each in (old, new)]
        assert [answer.status for answer in logins] == [401, 200]
    async with serving(state=state) as api:
        logins = [await api.post("auth/login", each) for each in (old, new)]
        assert [answer.status for answer in logins] == [401, 200]


async def test_the_token_lasts_from_the_first_moment(state: Path, tmp_path: Path) -> None:
    """Whoever was told of it can rely on it, even if nobody ever called."""
    async with Sandbox(state=state) as first:
        copy = await asyncio.to_thread(copytree, tmp_path, tmp_path / "as a crash leaves it")
    async with Sandbox(state=copy / "state") as second:
        assert second.access_token == first.access_token


class Gate:
    """Lets nothing be written before it is opened, and counts the writings."""

    def __init__(self, patch: pytest.MonkeyPatch) -> None:
        self.open = threading.Event()
        self.open.set()
        self.writings = 0
        write = StateFile.write

        def wait(file: StateFile, records: Iterable[Record]) -> None:
            self.writings += 1
            assert self.open.wait(20)
            write(file, records)

        patch.setattr(StateFile, "write", wait)


async def test_nobody_is_told_what_may_be_lost(
    state: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No answer before the file has it, not even to somebody else; many share one writing."""
    gate = Gate(monkeypatch)
    async with serving(state=state) as api:
        gate.open.clear()
        before = gate.writings
        calls = [asyncio.create_task(api.connect())]
        await until(lambda: gate.writings > before)
        calls += [asyncio.create_task(api.connect()) for _ in range(19)]
        await until(lambda: len(api.sandbox.accounts) == 20)
        calls.append(asyncio.create_task(api.list()))
        done, _ = await asyncio.wait(calls, timeout=0.1)
        gate.open.set()
        answers = await asyncio.gather(*calls)
    assert not done
    assert {answer.status for answer in answers} == {200}
    assert gate.writings - before == 2
    async with Sandbox(state=state) as sandbox:
        assert len(sandbox.accounts) == 20


async def test_closing_waits_for_what_is_being_written(
    state: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A caller who was cut off finds the account that was made for them."""
    gate = Gate(monkeypatch)
    async with serving(state=state) as api:
        gate.open.clear()
        call = asyncio.create_task(api.connect(name="cut off"))
        await until(lambda: len(api.sandbox.accounts) == 1)
        asyncio.get_running_loop().call_later(0.1, gate.open.set)
    with pytest.raises(ClientError):
        await call
    async with serving(state=state) as api:
        assert [each["name"] for each in api.sandbox.accounts] == ["cut off"]


async def test_a_full_disk_is_a_500_that_loses_nothing(
    state: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """Whoever asks later, when there is room again, is told of all, and it lasts."""
    secret = secrets.token_hex(20)
    async with serving(state=state) as api:
        with full_disk():
            failed = await api.connect(name="first", apiSecret=secret)
            listed = await api.list()
        assert (failed.verdict, listed.verdict) == ((500, -19000), (500, -19000))
        assert "state cannot be written: " in caplog.text
        assert secret not in caplog.text
        assert [each["name"] for each in (await api.list()).data] == ["first"]
    async with serving(state=state) as api:
        assert [each["name"] for each in api.sandbox.accounts] == ["first"]


async def test_a_full_disk_at_the_end_is_told(state: Path) -> None:
    """What nobody was promised is written when the same sandbox is opened again."""
    sandbox = Sandbox(state=state)
    await sandbox.__aenter__()
    late = sandbox.token()
    with full_disk(), pytest.raises(StateError, match="cannot be written"):
        await sandbox.__aexit__(None, None, None)
    async with sandbox:
        pass
    async with serving(state=state) as api:
        assert (await api.list(token=late)).status == 200


async def test_a_taken_port_leaves_the_file_free(state: Path) -> None:
    """Whoever cannot listen has nothing open."""
    async with Sandbox() as first:
        port = int(first.url.rpartition(":")[2])
        with pytest.raises(OSError, match="in use"):
            await Sandbox(port=port, state=state).__aenter__()
    async with Sandbox(state=state):
        pass


async def test_without_a_state_file_nothing_is_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nor is there a key, or a thread."""
    monkeypatch.chdir(tmp_path)
    before = {*threading.enumerate()}
    async with serving() as api:
        await api.connect()
        assert {*threading.enumerate()} <= before  # another test's may end meanwhile
    assert names_in(tmp_path) == []
