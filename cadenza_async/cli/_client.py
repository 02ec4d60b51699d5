"""A client for one command, ended cleanly by Ctrl-C and signals."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections import deque
from contextlib import AsyncExitStack
from typing import TYPE_CHECKING, Any, TypeVar, cast

from attrs import frozen

from cadenza_async.cli._exits import ending, stopped, terminated
from cadenza_async.cli._stored_session import StoredSession, default_source
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
        dialect: Likewise.
        timeout: Seconds for a whole call; the client's default when not given.
        json: Whether scripts read the answer.
    """

    base_url: str | None = None
    dialect: str | None = None
    timeout: float | None = None
    json: bool = False

    @property
    def settings(self) -> Settings:
        """The settings of a client."""
        given = {"base_url": self.base_url, "dialect": self.dialect, "timeout": self.timeout}
        known = {name: value for name, value in given.items() if value is not None}
        return cast("Settings", known)

    def call(
        self,
        work: Callable[[AsyncCadenza], Awaitable[T]],
        *,
        source: StoredSession | None = None,
    ) -> T:
        """Do something with a client.

        Args:
            work: What to do.
            source: Who calls; the token of the environment, else the stored session, if it is
                not given.

        Raises:
            Stopped: If Ctrl-C or another signal came; it knows the write that may have been done.
            CadenzaError: As ``work`` does.
        """
        last: deque[Attempt] = deque(maxlen=1)
        try:
            source = source or default_source(self.settings)
            return run(self._work(work, source, last.append))
        except KeyboardInterrupt as stop:
            known = stopped(stop)
        known.pending = next((each for each in last if _may_be_done(each)), None)
        raise known

    async def _work(
        self,
        work: Callable[[AsyncCadenza], Awaitable[T]],
        source: StoredSession | None,
        on_attempt: Callable[[Attempt], None],
    ) -> T:
        settings: Settings = {**self.settings, "on_attempt": on_attempt}
        async with AsyncExitStack() as stack:
            if source is not None:
                await stack.enter_async_context(source)
            client = AsyncCadenza(source, **settings)
            return await work(await stack.enter_async_context(client))


def _may_be_done(attempt: Attempt) -> bool:
    return attempt.method != "GET" and attempt.verdict in {"done", "unknown"}


def run(job: Coroutine[Any, Any, T]) -> T:
    """Run in an event loop; SIGTERM and SIGHUP cancel, as Ctrl-C does.

    Raises:
        KeyboardInterrupt: If Ctrl-C did.
        Stopped: If another signal did.
    """
    try:
        return asyncio.run(_cancelled_by_signals(job))
    except asyncio.CancelledError:
        pass
    raise terminated()


async def _cancelled_by_signals(job: Coroutine[Any, Any, T]) -> T:
    task = cast("asyncio.Task[Any]", asyncio.current_task())
    with contextlib.suppress(NotImplementedError):  # Windows has no such signals
        for number in ending():
            asyncio.get_running_loop().add_signal_handler(number, task.cancel)
    return await job
