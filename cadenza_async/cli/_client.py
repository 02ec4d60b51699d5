"""A client for one command, ended cleanly by Ctrl-C and SIGTERM."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import signal
from collections import deque
from typing import TYPE_CHECKING, Any, TypeVar, cast

from attrs import frozen

from cadenza_async.cli._exits import stopped, terminated
from cadenza_async.client import AsyncCadenza

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Coroutine

    from cadenza_async.config import Settings
    from cadenza_async.models import Attempt

T = TypeVar("T")

logging.getLogger("cadenza_async").addHandler(logging.NullHandler())  # errors are told once


@frozen(kw_only=True)
class Target:
    """Which Cadenza to call and how to answer, as the options say.

    Attributes:
        base_url: As for `AsyncCadenza`.
        timeout: Seconds for a whole call; the client's default when not given.
        json: Whether scripts read the answer.
    """

    base_url: str | None = None
    timeout: float | None = None
    json: bool = False

    def call(self, work: Callable[[AsyncCadenza], Awaitable[T]]) -> T:
        """Do something with a client.

        Raises:
            Stopped: If Ctrl-C or SIGTERM came; it knows the write that may have been done.
            CadenzaError: As ``work`` does.
        """
        last: deque[Attempt] = deque(maxlen=1)
        try:
            return run(self._work(work, last.append))
        except KeyboardInterrupt as stop:
            known = stopped(stop)
        known.pending = next((each for each in last if _may_be_done(each)), None)
        raise known

    async def _work(
        self, work: Callable[[AsyncCadenza], Awaitable[T]], on_attempt: Callable[[Attempt], None]
    ) -> T:
        settings: Settings = {"base_url": self.base_url, "on_attempt": on_attempt}
        if self.timeout is not None:
            settings["timeout"] = self.timeout
        async with AsyncCadenza(**settings) as client:
            return await work(client)


def _may_be_done(attempt: Attempt) -> bool:
    return attempt.method != "GET" and attempt.verdict in {"done", "unknown"}


def run(job: Coroutine[Any, Any, T]) -> T:
    """Run in an event loop; SIGTERM cancels, as Ctrl-C does.

    Raises:
        KeyboardInterrupt: If Ctrl-C did.
        Stopped: If SIGTERM did.
    """
    try:
        return asyncio.run(_cancelled_by_sigterm(job))
    except asyncio.CancelledError:
        pass
    raise terminated()


async def _cancelled_by_sigterm(job: Coroutine[Any, Any, T]) -> T:
    task = cast("asyncio.Task[Any]", asyncio.current_task())
    with contextlib.suppress(NotImplementedError):  # Windows has no such signal
        asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, task.cancel)
    return await job
