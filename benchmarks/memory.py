"""What an idle identity and a call in flight hold, in bytes that Python has allocated."""

from __future__ import annotations

import asyncio
import gc
import json
import sys
import tracemalloc
from importlib import import_module
from typing import TYPE_CHECKING, Any

from attrs import evolve
from job import Target, new_account
from server import serving

from cadenza_async import SessionPool

if TYPE_CHECKING:
    from types import ModuleType

_IDENTITIES = 1000
_CALLS = 500


def held() -> int:
    """Return how many bytes are allocated now."""
    gc.collect()
    return tracemalloc.get_traced_memory()[0]


async def idle(target: Target) -> float:
    """Return the bytes of an identity that has made a call, without the text of its token."""
    tokens = evolve(target, identities=_IDENTITIES).tokens()
    account = new_account()
    async with SessionPool(base_url=target.url) as pool:

        async def used(token: str) -> object:
            client = pool.client(access_token=token)
            await client.connect_account(
                venue=account.venue, api_key=account.api_key, api_secret=account.api_secret
            )
            return client

        clients = [await used(token) for token in tokens[:100]]
        before = held()
        clients += [await used(token) for token in tokens[100:]]
        return (held() - before) / (len(tokens) - 100)


async def in_flight(rival: ModuleType) -> float:
    """Return the bytes of a call that waits for its answer, its connection included."""
    with serving(answers=1) as server:
        target = Target(url=server.plain, connections=_CALLS)
        async with rival.connecting(target) as connect:
            await connect(0)
            before = held()
            calls = [asyncio.ensure_future(connect(0)) for _ in range(_CALLS)]
            await asyncio.sleep(1)  # until all are sent; nothing tells
            bytes_ = held() - before
            for call in calls:
                call.cancel()
            await asyncio.gather(*calls, return_exceptions=True)
    return bytes_ / _CALLS


async def measure(order: dict[str, Any]) -> dict[str, float]:
    """Measure one rival."""
    rival = import_module(f"rivals.with_{order['rival']}")
    tracemalloc.start()
    values = {"flight": await in_flight(rival)}
    if order["rival"] == "ours":
        values["idle"] = await idle(Target(**order["target"]))
    return values


if __name__ == "__main__":
    print(json.dumps(asyncio.run(measure(json.loads(sys.argv[1])))))
