"""Outcomes on their way to whoever iterates over them."""

from __future__ import annotations

import asyncio

import pytest

from cadenza_async.onboarding._outlet import Outlet
from cadenza_async.onboarding._states import RowOutcome, RowState


def outcome(key: str) -> RowOutcome:
    """What became of a row."""
    return RowOutcome(key=key, state=RowState.DONE)


async def put(outlet: Outlet, *keys: str) -> None:
    """Put outcomes in, as there is room for them."""
    for key in keys:
        await outlet.take_room()
        outlet.put(outcome(key))


@pytest.mark.parametrize("error", [None, RuntimeError("broken")])
async def test_what_is_there_comes_before_the_end(error: RuntimeError | None) -> None:
    """Whoever is slow misses nothing, however the run ended; the reason is told once."""
    outlet = Outlet(2)
    await put(outlet, "a", "b")
    outlet.close(error)
    assert [await outlet.get(), await outlet.get()] == [outcome("a"), outcome("b")]
    if error is not None:
        with pytest.raises(RuntimeError, match="broken"):
            await outlet.get()
    assert await outlet.get() is None


async def test_several_wait() -> None:
    """One outcome is for one of them; the other goes on waiting."""
    outlet = Outlet(2)
    waiting = [asyncio.create_task(outlet.get()) for _ in "ab"]
    await asyncio.sleep(0)
    await put(outlet, "a")
    done, _ = await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
    assert [await each for each in done] == [outcome("a")]
    await put(outlet, "b")
    assert {each.key for each in await asyncio.gather(*waiting) if each} == {"a", "b"}
