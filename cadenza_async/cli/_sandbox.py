"""The command that runs a sandbox until it is stopped."""

from __future__ import annotations

import asyncio
import logging
import sys
from contextlib import AsyncExitStack
from typing import TYPE_CHECKING

from cadenza_async.cli._client import run
from cadenza_async.cli._console import open_console
from cadenza_async.cli._exits import Stopped, reporting
from cadenza_async.cli._output import Output, write_json
from cadenza_async.errors import UsageError
from cadenza_async.sandbox import TEST_KEYS, Sandbox, StateError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable


def serve(
    make: Callable[[], Sandbox], *, users: Iterable[str], faults: Iterable[str], json: bool
) -> None:
    """Run a sandbox until Ctrl-C.

    Args:
        make: Makes what is to run.
        users: Who can log in, as ``NAME:EMAIL:PASSWORD``.
        faults: What goes wrong, as `cadenza_async.sandbox.Fault.parse` reads it.
        json: Whether a script reads URL and token.
    """
    _log_requests()
    with reporting(Output(json=json), unsure=None):
        sandbox = _prepare(make, users, faults)
        try:
            run(_serve(sandbox, json=json))
        except Stopped:
            raise
        except KeyboardInterrupt:
            pass  # as announced
        except StateError as error:
            raise UsageError(str(error)) from None


def _log_requests() -> None:
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(logging.Formatter("%(asctime)s %(message)s", "%H:%M:%S"))
    logger = logging.getLogger("cadenza_async.sandbox")
    logger.addHandler(handler)
    logger.setLevel(logging.INFO)


def _prepare(make: Callable[[], Sandbox], users: Iterable[str], faults: Iterable[str]) -> Sandbox:
    try:
        sandbox = make()
    except ValueError as error:
        raise UsageError(str(error)) from None
    for user in users:
        name, email, password = _split(user)
        sandbox.add_user(email, password, user=name)
    play(sandbox, faults)
    return sandbox


def play(sandbox: Sandbox, faults: Iterable[str]) -> None:
    """Have a sandbox misbehave as ``--fault`` says.

    Raises:
        UsageError: If one of them is no fault.
    """
    try:
        sandbox.script(*faults)
    except ValueError as error:
        raise UsageError(f"--fault: {error}") from None


def _split(user: str) -> list[str]:
    parts = user.split(":", 2)
    if len(parts) != 3 or not all(parts):
        raise UsageError("--user must be NAME:EMAIL:PASSWORD")
    return parts


async def _serve(sandbox: Sandbox, *, json: bool) -> None:
    async with AsyncExitStack() as stack:
        try:
            await stack.enter_async_context(sandbox)
        except OSError as error:
            raise UsageError(f"cannot listen: {error.strerror}") from None
        _introduce(sandbox, json=json)
        await asyncio.Event().wait()


def _introduce(sandbox: Sandbox, *, json: bool) -> None:
    """Tell how to reach it, in a form that a shell can run or a script can read."""
    if json:
        write_json({"url": sandbox.url, "accessToken": sandbox.access_token})
        return
    console = open_console(sys.stdout)
    console.print(f"export CADENZA_BASE_URL={sandbox.url}", soft_wrap=True)
    console.print(f"export CADENZA_ACCESS_TOKEN={sandbox.access_token}", soft_wrap=True)
    console.print(f"export CADENZA_DIALECT={sandbox.dialect}", soft_wrap=True)
    console.print("\nAny key is good, but for keys that begin with:")
    for beginning, behaviour in TEST_KEYS.items():
        console.print(f"  {beginning:<8} {behaviour.meaning}")
    console.print("\nCtrl-C stops it.")
