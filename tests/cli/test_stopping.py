"""Ctrl-C and SIGTERM: prompt, without a traceback, and honest about what may have been done."""

from __future__ import annotations

import signal

import pytest

from cadenza_async.sandbox import Sandbox

from .process import CADENZA, Keys, ended, environment, started, until

CONNECT = ("connect", "--venue", "BINANCE", "--name", "Desk 7", "--json")


@pytest.mark.parametrize(
    ("number", "code", "word"),
    [(signal.SIGINT, 130, "interrupted"), (signal.SIGTERM, 143, "terminated")],
)
async def test_a_connect_is_stopped(number: signal.Signals, code: int, word: str) -> None:
    """The exchange was still looking at the key: the account may be there later."""
    keys = Keys(key=f"slow-{Keys().key}")
    async with Sandbox(slow=30) as sandbox:
        env = environment(sandbox) | keys.environment()
        async with started(*CADENZA, *CONNECT, env=env) as process:
            await until(lambda: bool(sandbox.requests))
            process.send_signal(number)
            end = await ended(process)
    what, who = end.err.splitlines()
    assert end.code == code
    assert what == f"{word}, but tradingAccount/connect had been sent and may have been done"
    assert "cadenza accounts" in who
    error = end.json[0]["error"]
    assert (error["type"], error["outcomeUnknown"], error["name"]) == ("Stopped", True, "Desk 7")
    assert not keys.shown_in(end.out, end.err)


@pytest.mark.parametrize("command", [("accounts",), ("credentials", "verify", "x")], ids=" ".join)
async def test_what_changes_nothing_is_stopped(sandbox: Sandbox, command: tuple[str, ...]) -> None:
    """There is nothing to find out then, whatever the method of the request."""
    sandbox.script("hang")
    async with started(*CADENZA, *command, env=environment(sandbox)) as process:
        await until(lambda: bool(sandbox.requests))
        process.send_signal(signal.SIGTERM)
        end = await ended(process)
    assert (end.code, end.out, end.err) == (143, "", "terminated\n")
