"""What `connect_account` costs beside the same call written on aiohttp by hand.

Both talk to one sandbox in a process of its own, in turns; what is told is the processor time
that the client's process spends per call.
"""

from __future__ import annotations

import asyncio
import multiprocessing
import time
from argparse import ArgumentParser
from statistics import median
from typing import TYPE_CHECKING

from aiohttp import ClientSession

from cadenza_async import SessionPool
from cadenza_async.sandbox import Sandbox

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterator
    from multiprocessing.connection import Connection

    Connect = Callable[[str], Awaitable[object]]


def serve(pipe: Connection, identities: int) -> None:
    """Run a sandbox until the other end of the pipe says stop."""

    async def run() -> None:
        async with Sandbox() as sandbox:
            tokens = [sandbox.token(user=f"u-{number}") for number in range(identities)]
            pipe.send((sandbox.url, tokens))
            await asyncio.to_thread(pipe.recv)

    asyncio.run(run())


async def through_a_pool(url: str, tokens: list[str], calls: int, tasks: int) -> float:
    """Connect accounts with this package."""
    async with SessionPool(base_url=url) as pool:
        clients = {token: pool.client(access_token=token) for token in tokens}

        async def connect(token: str) -> None:
            await clients[token].connect_account(venue="BINANCE", api_key="k", api_secret="s")

        return await cost(connect, tokens, calls, tasks)


async def by_hand(url: str, tokens: list[str], calls: int, tasks: int) -> float:
    """Connect accounts with aiohttp, as one would write it."""
    body = {"venue": "BINANCE", "apiKey": "k", "apiSecret": "s"}
    async with ClientSession(url) as session:

        async def connect(token: str) -> None:
            headers = {"Authorization": f"Bearer {token}"}
            path = "/api/v3/tradingAccount/connect"
            async with session.post(path, json=body, headers=headers) as response:
                response.raise_for_status()
                await response.json()

        return await cost(connect, tokens, calls, tasks)


async def cost(connect: Connect, tokens: list[str], calls: int, tasks: int) -> float:
    """Tell the microseconds of processor time per call, once every identity has made one."""

    async def work(turns: Iterator[int]) -> None:
        for turn in turns:
            await connect(tokens[turn % len(tokens)])

    async def make(calls: int) -> None:
        turns = iter(range(calls))
        await asyncio.gather(*(work(turns) for _ in range(tasks)))

    await make(len(tokens))
    begun = time.process_time()
    await make(calls)
    return (time.process_time() - begun) / calls * 1e6


def main() -> None:
    """Measure, and print a table."""
    parser = ArgumentParser(prog="nox -s bench --", description=__doc__)
    parser.add_argument("--calls", type=int, default=10_000)
    parser.add_argument("--identities", type=int, default=200)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--tasks", type=int, default=32)
    options = parser.parse_args()

    pipe, far_end = multiprocessing.Pipe()
    context = multiprocessing.get_context("spawn")
    server = context.Process(target=serve, args=(far_end, options.identities))
    server.start()
    far_end.close()
    url, tokens = pipe.recv()
    print("| µs of processor time per call | median | least | most |")
    print("|---|---:|---:|---:|")
    ways = {"by hand": by_hand, "SessionPool": through_a_pool}
    costs: dict[str, list[float]] = {name: [] for name in ways}
    for _ in range(options.rounds):
        for name, way in ways.items():
            turn = way(url, tokens, options.calls // options.rounds, options.tasks)
            costs[name].append(asyncio.run(turn))
    for name, each in costs.items():
        print(f"| {name} | {median(each):.0f} | {min(each):.0f} | {max(each):.0f} |")
    print(f"\nratio of the medians: {median(costs['SessionPool']) / median(costs['by hand']):.2f}")
    pipe.send("stop")
    server.join()


if __name__ == "__main__":
    main()
