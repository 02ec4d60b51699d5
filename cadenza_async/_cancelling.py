"""Telling who was cancelled, and waiting for what a cancellation must not end."""

from __future__ import annotations

import asyncio
from typing import Any, TypeVar, cast

T = TypeVar("T")


def is_cancelled() -> bool:
    """Tell whether a `CancelledError` is for the running task.

    If not, only what it was waiting for was cancelled, and that has simply failed.
    """
    return bool(cast("asyncio.Task[object]", asyncio.current_task()).cancelling())


async def spared(future: asyncio.Future[T]) -> T:
    """Wait for a future that goes on when whoever waits is cancelled; return its result.

    `asyncio.shield` does so, too, but from Python 3.14 on it logs an error that comes later.
    """
    future.add_done_callback(_see)
    await asyncio.wait([future])
    return future.result()


def _see(future: asyncio.Future[Any]) -> None:
    """Retrieve an error, or asyncio logs that nobody did."""
    if not future.cancelled():
        future.exception()
