"""An event loop in which waiting takes no time, and waiting for nothing fails at once."""

from __future__ import annotations

import asyncio
import selectors
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Coroutine

T = TypeVar("T")


class _Waits(selectors.SelectSelector):
    """Lets the clock jump to where the loop would have slept to."""

    now = 0.0

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        if timeout is None:
            raise RuntimeError("everybody waits, and nothing will ever happen")
        self.now += max(0.0, timeout)
        return super().select(0)


class VirtualLoop(asyncio.SelectorEventLoop):
    """A loop whose clock begins at 0 and moves only when there is nothing else to do."""

    def __init__(self) -> None:
        self._waits = _Waits()
        super().__init__(self._waits)

    def time(self) -> float:
        return self._waits.now


def run(main: Callable[[], Coroutine[object, object, T]]) -> T:
    """Run a coroutine function in virtual time; it must leave no task behind."""
    with asyncio.Runner(loop_factory=VirtualLoop) as runner:
        result = runner.run(main())
        assert not asyncio.all_tasks(runner.get_loop())
        return result


def virtually(test: Callable[[], Awaitable[None]]) -> Callable[[], None]:
    """Run a test in a loop in which time passes at once."""

    def in_virtual_time() -> None:
        async def main() -> None:
            await test()

        run(main)

    in_virtual_time.__name__, in_virtual_time.__doc__ = test.__name__, test.__doc__
    return in_virtual_time
