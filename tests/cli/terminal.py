"""A terminal with somebody at it."""

from __future__ import annotations

import asyncio
import os
import pty
import termios
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from attrs import define

from .process import started

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

# A login shell would have taken hold of the terminal before.
_AT_TERMINAL = """
import fcntl, runpy, termios
fcntl.ioctl(0, termios.TIOCSCTTY, 0)
runpy.run_module("cadenza_async", run_name="__main__", alter_sys=True)
"""


@define
class Terminal:
    """Both ends of a conversation; what is seen is all that the screen ever showed."""

    screen: int
    process: asyncio.subprocess.Process
    seen: str = ""

    async def answer(self, prompt: str, typed: str) -> None:
        """Wait for a prompt, then type."""
        shown = len(self.seen)
        while prompt not in self.seen[shown:]:
            more = await self._read()
            assert more, f"{prompt!r} never came: {self.seen}"
            self.seen += more
        os.write(self.screen, typed.encode(errors="surrogateescape"))

    @property
    def echoes(self) -> bool:
        """Whether what is typed is shown."""
        return bool(termios.tcgetattr(self.screen)[3] & termios.ECHO)

    async def end(self) -> int | None:
        """Read until the command has ended, and give its exit code."""
        while more := await self._read():
            self.seen += more
        return await self.process.wait()

    async def _read(self) -> str:
        try:
            return (await asyncio.to_thread(os.read, self.screen, 4096)).decode(errors="replace")
        except OSError:  # how Linux says that nobody holds the other end any more
            return ""


@asynccontextmanager
async def at_terminal(*arguments: str, env: dict[str, str]) -> AsyncIterator[Terminal]:
    """A command on a terminal of its own."""
    screen, keyboard = pty.openpty()
    streams = {"stdin": keyboard, "stdout": keyboard, "stderr": keyboard}
    try:
        async with started(
            "-c", _AT_TERMINAL, *arguments, env=env, start_new_session=True, **streams
        ) as process:
            os.close(keyboard)
            yield Terminal(screen, process)
    finally:
        os.close(screen)
