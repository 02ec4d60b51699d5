"""What cancelling a task ends, and what it does not."""

from __future__ import annotations

import asyncio
from typing import Any, TypeVar, cast

T = TypeVar("T")


def is_cancelled() -> bool:
    """Tell whether somebody wants the running task to end.

    What it waits for may be cancelled without: then it has failed, and no more.
    """
    return bool(cast("asyncio.Task[object]", asyncio.current_task()).cancelling())


async def spared(future: asyncio.Future[T]) -> T:
    """Wait for what goes on when the one who waits is cancelled; return what comes of it.

    `asyncio.shield` does so, too, but from Python 3.14 on it logs an error that comes then.
    """
    future.add_done_callback(_see)
    await asyncio.wait([future])
    return future.result()


def _see(future: asyncio.Future[Any]) -> None:
    """Take note of an error, or asyncio says that nobody did."""
    if not future.cancelled():
        future.exception()
