"""How much of the rate limit `onboard` uses, beside `asyncio.gather` with a retry library.

Each has a sandbox to itself, and begins where a window of the limit begins. The ideal is a run
that makes its last calls as soon as the last window begins.
"""

from __future__ import annotations

import asyncio
import os
import time
from argparse import ArgumentParser, Namespace
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

import stamina
from aiohttp import ClientResponseError, ClientSession

from cadenza_async import NewAccount, RowState, SessionPool, onboard
from cadenza_async.sandbox import Sandbox

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterator

    Contestant = Callable[[Sandbox, Namespace], Awaitable[None]]

_CONNECT = "/api/v3/tradingAccount/connect"


def numbers(options: Namespace) -> Iterator[tuple[str, int]]:
    """Name the accounts: of all users in turns, as many as fill the windows beside one list."""
    for number in range(options.windows * options.limit - 1):
        for user in range(options.users):
            yield f"u-{user}", number


async def ours(sandbox: Sandbox, options: Namespace) -> None:
    """Connect them with `onboard`."""
    rows = (
        NewAccount(
            venue="BINANCE", api_key=f"key-{number}", api_secret="s", name=f"{number}", user=user
        )
        for user, number in numbers(options)
    )
    with TemporaryDirectory() as folder:
        async with (
            SessionPool(base_url=sandbox.url) as pool,
            onboard(pool, rows, tokens=sandbox.token, journal=Path(folder, "journal")) as run,
        ):
            async for outcome in run:
                assert outcome.state is RowState.DONE


async def gathered(sandbox: Sandbox, options: Namespace, *, obedient: bool) -> None:
    """Connect them with `asyncio.gather`; who is obedient waits as long as a 429 says."""
    tokens = {f"u-{user}": sandbox.token(f"u-{user}") for user in range(options.users)}

    def again(error: Exception) -> bool | float:
        if not isinstance(error, ClientResponseError) or error.status != 429:
            return False
        return float(error.headers["Retry-After"]) if obedient and error.headers else True

    stamina.instrumentation.set_on_retry_hooks([])  # it would log each
    async with ClientSession(sandbox.url) as session:

        @stamina.retry(on=again, attempts=None, timeout=None)
        async def connect(user: str, number: int) -> None:
            body = {"venue": "BINANCE", "apiKey": "k", "apiSecret": "s", "name": f"{number}"}
            headers = {"Authorization": f"Bearer {tokens[user]}"}
            async with session.post(_CONNECT, json=body, headers=headers) as response:
                response.raise_for_status()

        await asyncio.gather(*(connect(*each) for each in numbers(options)))


CONTESTANTS: dict[str, Contestant] = {
    "onboard": ours,
    "gather + stamina": partial(gathered, obedient=False),
    "gather + stamina, minding Retry-After": partial(gathered, obedient=True),
}


async def measure(contestant: Contestant, options: Namespace) -> tuple[float, int, int]:
    """Return the seconds it took, the requests, and how many of them were refused."""
    async with Sandbox(rate_limit=options.limit, rate_period=options.period) as sandbox:
        await asyncio.sleep(options.period - time.time() % options.period)
        begun = time.time()
        await contestant(sandbox, options)
        lasted = time.time() - begun
        asked = [request["status"] for request in sandbox.requests]
        assert len(sandbox.accounts) == sum(1 for _ in numbers(options))
    return lasted, len(asked), asked.count(429)


def main() -> None:
    """Measure, and print a table."""
    parser = ArgumentParser(description=__doc__)
    parser.add_argument("--users", type=int, default=10)
    parser.add_argument("--limit", type=int, default=30)
    parser.add_argument("--period", type=int, default=6)
    parser.add_argument("--windows", type=int, default=11)
    options = parser.parse_args()
    ideal = (options.windows - 1) * options.period
    print("| | seconds | of the ideal | requests | answered 429 |")
    print("|---|---:|---:|---:|---:|")
    for name, contestant in CONTESTANTS.items():
        lasted, asked, refused = asyncio.run(measure(contestant, options))
        told = f"{lasted:.1f} | {lasted / ideal:.3f} | {asked:,} | {refused / asked:.1%}"
        print(f"| {name} | {told} |", flush=True)
    print(f"\nIdeal: {ideal} s. Load of the machine: {os.getloadavg()[0]:.1f}")


if __name__ == "__main__":
    main()
