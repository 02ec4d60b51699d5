"""How commands fail: one or two lines, who must act, and an exit code."""

from __future__ import annotations

import json
import os
import socket
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from .process import CADENZA, Keys, cadenza, ended, environment, started

if TYPE_CHECKING:
    from cadenza_async.sandbox import Sandbox

CONNECT = ("connect", "--venue", "BINANCE", "--name", "Desk 7")


def closed_port() -> str:
    """A place where nobody listens."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        return f"http://127.0.0.1:{server.getsockname()[1]}"


async def test_a_refusal_is_1(sandbox: Sandbox) -> None:
    """Two lines for people, one JSON object for scripts, no traceback and no key."""
    keys = Keys(key=f"invalid-{Keys().key}")
    end = await cadenza(*CONNECT, "--json", sandbox=sandbox, env=keys.environment())
    what, who = end.err.splitlines()
    assert (end.code, what) == (1, "Invalid API credentials for BINANCE (HTTP 400, errno -120001)")
    assert who.startswith("The account's owner must check")
    (told,) = end.json
    assert told["error"] == {
        "type": "CredentialsRejectedError",
        "message": what,
        "remedy": who,
        "exitCode": 1,
        "status": 400,
        "errno": -120001,
    }


async def test_a_refusal_that_repeats_the_keys_hides_them(sandbox: Sandbox) -> None:
    """Not even a server that echoes what it was sent makes the command show it."""
    keys = Keys()
    sandbox.script("echo-secret")
    end = await cadenza(*CONNECT, "--json", sandbox=sandbox, env=keys.environment())
    assert end.code == 1
    assert not keys.shown_in(end.out, end.err)
    assert sandbox.access_token not in end.out + end.err


async def test_a_lost_answer_is_3(sandbox: Sandbox) -> None:
    """The command line has words of its own for how to find out."""
    sandbox.script("drop-after-commit")
    end = await cadenza(*CONNECT, "--json", sandbox=sandbox, env=Keys().environment())
    assert end.code == 3
    assert "may have been done" in end.err
    assert end.err.splitlines()[1] == (
        "Do not repeat it: look with 'cadenza accounts' whether it was done."
    )
    error = end.json[0]["error"]
    assert (error["type"], error["name"]) == ("OutcomeUnknownError", "Desk 7")
    assert len(sandbox.accounts) == 1


async def test_what_did_not_leave_is_4() -> None:
    """Nobody listens there."""
    env = {**Keys().environment(), "CADENZA_ACCESS_TOKEN": Keys().secret}
    end = await cadenza(*CONNECT, "--base-url", closed_port(), "--timeout", "0.5", env=env)
    assert (end.code, end.out) == (4, "")
    assert end.err.splitlines()[1].endswith("nothing was done.")


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="it stands for a full disk")
async def test_an_output_that_takes_nothing_is_no_refusal(sandbox: Sandbox) -> None:
    """A full disk leaves the outcome unknown to readers, those that left need none."""
    env = environment(sandbox) | Keys().environment()
    full = os.open("/dev/full", os.O_WRONLY)
    reader, broken = os.pipe()
    os.close(reader)
    async with (
        started(*CADENZA, *CONNECT, "--json", env=env, stdout=full) as to_full,
        started(*CADENZA, *CONNECT, env=env, stdout=broken) as to_nobody,
        started(*CADENZA, "disconnect", "x", "--yes", "--json", env=env, stdout=full) as refused,
        started(*CADENZA, "health", env=env, stdout=full) as harmless,
    ):
        os.close(full)
        os.close(broken)
        processes = (to_full, to_nobody, refused, harmless)
        unheard, piped, known, read = [await ended(each) for each in processes]
    assert (unheard.code, piped.code, piped.err) == (3, 141, "")
    assert "No space left" in unheard.err
    assert "Do not repeat it" in unheard.err
    assert read.err.splitlines()[1] == "Make room. Then do it again: nothing was changed."
    assert (known.code, len(known.err.splitlines())) == (1, 2)
    assert len(sandbox.accounts) == 2


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="it stands for a full disk")
async def test_complaints_that_cannot_be_written_change_no_code(sandbox: Sandbox) -> None:
    """A full disk below the log hides neither the outcome nor what scripts read."""
    sandbox.script("drop-after-commit")
    env = environment(sandbox) | Keys().environment()
    full = os.open("/dev/full", os.O_WRONLY)
    async with started(*CADENZA, *CONNECT, "--json", env=env, stderr=full) as process:
        os.close(full)
        out, _ = await process.communicate()
    assert (process.returncode, json.loads(out)["error"]["type"]) == (3, "OutcomeUnknownError")


async def test_a_lost_list_can_be_asked_for_again(sandbox: Sandbox) -> None:
    """Nothing was changed, so there is nothing to look for."""
    sandbox.script("drop:100%@list")
    end = await cadenza("accounts", "--timeout", "0.5", sandbox=sandbox)
    assert end.err.splitlines()[1] == "Call again: a read changes nothing."


CLOSED = """
import os, sys
for number in range(3):
    os.close(number)
os.execv(sys.executable, [sys.executable, *sys.argv[1:]])
"""


@pytest.mark.parametrize(("venue", "code"), [("BINANCE", 0), ("OKX", 2)])
async def test_closed_streams_are_no_refusal(sandbox: Sandbox, venue: str, code: int) -> None:
    """Whoever closes them wants to hear nothing: the exit code alone tells what was done."""
    keys = Keys()
    env = environment(sandbox) | {**keys.environment(), "CADENZA_API_PASSPHRASE": ""}
    command = (*CADENZA, "connect", "--venue", venue)
    async with started("-c", CLOSED, *command, env=env) as process:
        end = await ended(process)
    assert (end.code, len(sandbox.accounts)) == (code, int(code == 0))


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (("disconnect", "some-id"), "say --yes"),
        (("connect", "--venue", "BINANCE", "--api-key", "key"), "No such option"),
    ],
    ids=lambda value: value if isinstance(value, str) else value[0],
)
async def test_wrong_usage_is_2(
    sandbox: Sandbox, arguments: tuple[str, ...], complaint: str
) -> None:
    """Nothing is sent."""
    env = {"CADENZA_API_KEY": Keys().key, "CADENZA_API_SECRET": Keys().secret}
    end = await cadenza(*arguments, sandbox=sandbox, env=env)
    assert (end.code, end.out) == (2, "")
    assert complaint in end.err
    assert not sandbox.requests
