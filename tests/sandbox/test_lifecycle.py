"""Opening and closing: on time, completely, and as often as one likes."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from textwrap import dedent

import pytest
from aiohttp import ClientError, ClientSession

from cadenza_async.sandbox import Sandbox
from tests.loops import on_every_loop

from .api import Api, new_account, serving, until


async def test_nothing_is_open_outside_of_async_with() -> None:
    """There is a token before, and what was connected after, but no address."""
    sandbox = Sandbox()
    assert sandbox.access_token
    with pytest.raises(RuntimeError, match="not running"):
        _ = sandbox.url
    async with sandbox, ClientSession() as session:
        url = sandbox.url
        assert url.startswith("http://127.0.0.1:")
        await Api(sandbox, session).connect()
        with pytest.raises(RuntimeError, match="running already"):
            await sandbox.__aenter__()
        assert sandbox.url == url
    with pytest.raises(RuntimeError, match="not running"):
        _ = sandbox.url
    async with ClientSession() as session:
        with pytest.raises(ClientError):
            await session.get(url)
    assert len(sandbox.accounts) == 1


async def test_a_sandbox_can_be_opened_again() -> None:
    """Accounts and tokens outlast the port."""
    sandbox = Sandbox()
    for _ in range(2):
        async with sandbox, ClientSession() as session:
            assert (await Api(sandbox, session).connect()).status == 200
    assert len(sandbox.accounts) == 2


async def test_a_port_and_a_host_can_be_asked_for() -> None:
    """The port is the one that was given; IPv6 addresses are spelled for URLs."""
    async with Sandbox() as first:
        port = int(first.url.rpartition(":")[2])
    async with Sandbox(host="::1", port=port) as second:
        assert second.url == f"http://[::1]:{port}"


async def test_a_taken_port_is_an_error_that_leaves_nothing_open() -> None:
    """The sandbox that could not open can be tried again."""
    async with Sandbox() as first:
        second = Sandbox(port=int(first.url.rpartition(":")[2]))
        with pytest.raises(OSError, match="in use"):
            await second.__aenter__()
    async with second:
        assert second.url


@on_every_loop
async def test_closing_does_not_wait_for_anybody() -> None:
    """Hanging, dripping, slow and idle connections end at once, callers gone or not."""
    faults = ("hang", "hang-after-commit", "slow-drip:1s", "slow-commit:100s", "latency:100s")
    loop = asyncio.get_running_loop()
    async with ClientSession() as session:
        async with Sandbox() as sandbox:
            api = Api(sandbox, session)
            await api.connect()
            sandbox.script(*faults, *faults)
            calls = [asyncio.create_task(api.connect()) for _ in range(2 * len(faults))]
            await until(lambda: len(sandbox.requests) > len(calls))
            for call in calls[: len(faults)]:
                call.cancel()
            began = loop.time()
        assert loop.time() - began < 1
        ends = await asyncio.gather(*calls, return_exceptions=True)
    assert {type(each) for each in ends[: len(faults)]} == {asyncio.CancelledError}
    assert all(isinstance(each, ClientError) for each in ends[len(faults) :])


@on_every_loop
async def test_a_busy_caller_does_not_keep_it_open() -> None:
    """Somebody who calls without pause is cut off as well."""

    async def hammer(url: str) -> None:
        while True:
            async with session.get(url):
                pass

    async with ClientSession() as session:
        async with Sandbox() as sandbox:
            tasks = [asyncio.create_task(hammer(sandbox.url)) for _ in range(4)]
            await until(lambda: len(sandbox.requests) > 50)
        ends = await asyncio.gather(*tasks, return_exceptions=True)
    assert all(isinstance(each, ClientError) for each in ends)


@on_every_loop
async def test_many_callers_at_once() -> None:
    """Hundreds side by side are all served, each account once."""
    async with serving() as api:
        answers = await asyncio.gather(*(api.connect(name=str(n)) for n in range(500)))
        assert {answer.status for answer in answers} == {200}
        assert len({answer.data["tradingAccountId"] for answer in answers}) == 500
        assert {each["name"] for each in api.sandbox.accounts} == set(map(str, range(500)))


def test_a_program_with_warnings_as_errors_ends_in_silence() -> None:
    """Nothing unclosed, nothing pending, nothing printed, in the strictest interpreter."""
    program = f"""
        import asyncio, gc
        from aiohttp import ClientError, ClientSession
        from cadenza_async.sandbox import Sandbox

        async def main():
            async with ClientSession() as session:
                async with Sandbox() as sandbox:
                    url = sandbox.url + "/api/v3/tradingAccount/connect"
                    headers = {{"Authorization": "Bearer " + sandbox.access_token}}
                    body = {new_account()}
                    sandbox.script("ok", "drop", "reset", "truncated", "slow-drip:1ms")
                    for _ in range(5):
                        try:
                            async with session.post(url, headers=headers, json=body) as r:
                                await r.read()
                        except ClientError:
                            pass
                    sandbox.script("hang")
                    hanging = asyncio.create_task(session.get(url))
                    while len(sandbox.requests) < 6:
                        await asyncio.sleep(0.001)
            await asyncio.wait([hanging])
            hanging.exception()

        asyncio.run(main(), debug=True)
        gc.collect()
    """
    command = [sys.executable, "-W", "error", "-X", "dev", "-c", dedent(program)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=30, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
