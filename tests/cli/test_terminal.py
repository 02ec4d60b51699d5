"""What happens at a terminal: prompts without echo, questions, colours."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from .process import Keys, environment
from .terminal import at_terminal
from .test_accounts import connected
from .test_stored_keys import stored

if TYPE_CHECKING:
    from cadenza_async.sandbox import Sandbox

COINBASE = ("connect", "--venue", "COINBASE")
CTRL_C, CTRL_D = "\x03", "\x04"


async def test_keys_are_asked_for_without_echo(sandbox: Sandbox) -> None:
    """What was typed works, and was never on the screen."""
    keys = Keys()
    async with at_terminal(*COINBASE, env=environment(sandbox)) as terminal:
        await terminal.answer("API key: ", f"{keys.key}\n")
        await terminal.answer("API secret: ", f"{keys.secret}\n")
        await terminal.answer("API passphrase (Enter for none): ", f"{keys.passphrase}\n")
        assert await terminal.end() == 0
    assert "Connected: COINBASE" in terminal.seen
    assert not keys.shown_in(terminal.seen)
    assert sandbox.requests[0]["body"].keys() >= {"apiKey", "apiSecret", "apiPassphrase"}


@pytest.mark.parametrize(("venue", "sent"), [("OKX", True), ("BINANCE", False)])
@pytest.mark.parametrize("command", [("connect",), ("credentials", "create")], ids=" ".join)
async def test_enter_is_for_no_passphrase(
    sandbox: Sandbox, command: tuple[str, ...], venue: str, *, sent: bool
) -> None:
    """It is taken at its word: sent where keys have one, left out elsewhere."""
    keys = Keys()
    async with at_terminal(*command, "--venue", venue, env=environment(sandbox)) as terminal:
        await terminal.answer("API key: ", f"{keys.key}\n")
        await terminal.answer("API secret: ", f"{keys.secret}\n")
        await terminal.answer("API passphrase (Enter for none): ", "\n")
        assert await terminal.end() == 0
    (request,) = sandbox.requests
    assert ("apiPassphrase" in request["body"]) is sent


async def test_enter_leaves_a_stored_key_as_it_is(sandbox: Sandbox) -> None:
    """Whoever rotates is asked for each part, and sends only what has changed."""
    keys, stay = Keys(), " (Enter to leave it as it is): "
    credential = await stored(sandbox, Keys())
    command = ("credentials", "rotate", credential["credentialId"])
    async with at_terminal(*command, env=environment(sandbox)) as terminal:
        await terminal.answer(f"API key{stay}", "\n")
        await terminal.answer(f"API secret{stay}", f"{keys.secret}\n")
        await terminal.answer(f"API passphrase{stay}", "\n")
        assert await terminal.end() == 0
    assert sandbox.requests[-1]["body"].keys() == {"credentialId", "apiSecret"}


@pytest.mark.parametrize(
    ("typed", "code", "told"),
    [(CTRL_C, 130, "interrupted"), (CTRL_D, 2, "API key: nothing was given")],
    ids=["Ctrl-C", "Ctrl-D"],
)
async def test_a_prompt_can_be_left(sandbox: Sandbox, typed: str, code: int, told: str) -> None:
    """Nothing was sent; the message has a line of its own."""
    async with at_terminal(*COINBASE, env=environment(sandbox)) as terminal:
        await terminal.answer("API key: ", typed)
        assert await terminal.end() == code
    assert f"\r\n{told}" in terminal.seen.replace("\x1b[1;31m", "")
    assert "Traceback" not in terminal.seen
    assert not sandbox.requests


async def test_a_terminated_prompt_leaves_the_echo_on(sandbox: Sandbox) -> None:
    """Whoever types next sees what they type."""
    async with at_terminal(*COINBASE, env=environment(sandbox)) as terminal:
        await terminal.answer("API key: ", "")
        assert not terminal.echoes
        terminal.process.terminate()
        assert await terminal.end() == 143
        assert terminal.echoes


@pytest.mark.parametrize(
    ("answer", "code", "left"), [("y\n", 0, 0), ("\n", 130, 1)], ids=["yes", "no"]
)
async def test_disconnecting_asks_first(
    sandbox: Sandbox, answer: str, code: int, left: int
) -> None:
    """Only a yes is a yes."""
    (account,) = await connected(sandbox, "Desk 1")
    arguments = ("disconnect", account.trading_account_id)
    async with at_terminal(*arguments, env=environment(sandbox)) as terminal:
        await terminal.answer("for good? [y/N] ", answer)
        assert await terminal.end() == code
    assert len(sandbox.accounts) == left


async def test_a_question_is_no_command_to_the_terminal(sandbox: Sandbox) -> None:
    """An id that hides what is asked is shown; Ctrl-D, which is no answer, ends the line."""
    arguments = ("disconnect", "mine\x1b[2K\rother")
    async with at_terminal(*arguments, env=environment(sandbox)) as terminal:
        await terminal.answer("[y/N] ", CTRL_D)
        assert await terminal.end() == 130
    question, *_ = terminal.seen.splitlines()
    assert question == "Disconnect mine\ufffd[2K\ufffdother for good? [y/N] "


@pytest.mark.parametrize(
    ("command", "prompt"),
    [(COINBASE, "API key: "), (("disconnect", "an-id"), "[y/N] ")],
    ids=["without echo", "with echo"],
)
async def test_what_is_no_text_is_refused(
    sandbox: Sandbox, command: tuple[str, ...], prompt: str
) -> None:
    """Bytes of another encoding than the terminal's end in a sentence that does not show them."""
    env = environment(sandbox) | {"PYTHONIOENCODING": "utf-8:strict"}  # as in most locales
    async with at_terminal(*command, env=env) as terminal:
        await terminal.answer(prompt, "k\udcff\n")
        assert await terminal.end() == 2
    assert "what was typed is no text in the encoding of this terminal" in terminal.seen
    assert "Traceback" not in terminal.seen
    assert "0xff" not in terminal.seen
    assert sandbox.requests == []
