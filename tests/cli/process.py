"""The command as a process of its own, reached through pipes or a terminal."""

from __future__ import annotations

import asyncio
import json
import os
import secrets
import sys
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from attrs import field, frozen

import cadenza_async

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Mapping

    from cadenza_async.sandbox import Sandbox

HOME = Path(cadenza_async.__file__).parent.parent
CADENZA = ("-m", "cadenza_async")


@frozen(kw_only=True)
class Keys:
    """Keys as an exchange gives them, new for each test."""

    key: str = field(factory=lambda: f"key-{secrets.token_hex(8)}")
    secret: str = field(factory=lambda: secrets.token_hex(16))
    passphrase: str = field(factory=lambda: secrets.token_hex(8))

    def environment(self) -> dict[str, str]:
        return {
            "CADENZA_API_KEY": self.key,
            "CADENZA_API_SECRET": self.secret,
            "CADENZA_API_PASSPHRASE": self.passphrase,
        }

    def lines(self) -> str:
        return "".join(f"{name}={value}\n" for name, value in self.environment().items())

    def shown_in(self, *texts: str) -> bool:
        return any(each in "".join(texts) for each in (self.key, self.secret, self.passphrase))


@frozen(kw_only=True)
class Ended:
    """How a command ended, and what it said."""

    code: int | None
    out: str
    err: str

    @property
    def json(self) -> list[Any]:
        return [json.loads(line) for line in self.out.splitlines()]


def environment(sandbox: Sandbox | None = None) -> dict[str, str]:
    """What a process finds: this package, and perhaps a sandbox."""
    found = {**os.environ, "PYTHONPATH": str(HOME), "PYTHONWARNINGS": "error"}
    if sandbox is not None:
        found["CADENZA_BASE_URL"] = sandbox.url
        found["CADENZA_ACCESS_TOKEN"] = sandbox.access_token
    return found


@asynccontextmanager
async def started(
    *arguments: str, env: dict[str, str], **options: Any
) -> AsyncIterator[asyncio.subprocess.Process]:
    """A Python that runs until the block ends, unless it has ended before."""
    streams = {"stdin": -1, "stdout": -1, "stderr": -1, **options}
    process = await asyncio.create_subprocess_exec(sys.executable, *arguments, env=env, **streams)
    try:
        yield process
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()


async def ended(process: asyncio.subprocess.Process, typed: str = "") -> Ended:
    """Wait for the end of a process."""
    out, err = await process.communicate(typed.encode() if process.stdin else None)
    return Ended(code=process.returncode, out=(out or b"").decode(), err=err.decode())


async def cadenza(
    *arguments: str,
    sandbox: Sandbox | None = None,
    typed: str = "",
    env: Mapping[str, str] | None = None,
) -> Ended:
    """Run a command to its end."""
    env = {**environment(sandbox), **(env or {})}
    async with started(*CADENZA, *arguments, env=env) as process:
        return await ended(process, typed)


async def until(condition: Callable[[], bool]) -> None:
    """Let the loop run until something is so."""
    async with asyncio.timeout(20):
        while not condition():
            await asyncio.sleep(0.005)
