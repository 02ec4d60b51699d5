"""What many rows of a file cost: memory, and time beside the same calls without a journal.

Every run has a process of its own. The file is read as `cadenza onboard` reads it; a local server
answers at once.
"""

from __future__ import annotations

import asyncio
import json
import os
import resource
import subprocess
import sys
import time
from argparse import ArgumentParser, Namespace
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

from instant import serving

from cadenza_async import NewAccount, RowState, SessionPool, onboard
from cadenza_async.onboarding._files.accounts import read_rows
from cadenza_async.onboarding._files.ahead import ReadAhead

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

_USERS = 100
_TASKS = 100
_FEW = 10_000
_MIB = 2**20


def write(file: Path, number: int) -> None:
    """Write a file of accounts, those of all users in turns."""
    with file.open("w") as out:
        out.write("key,user,venue,apiKey,apiSecret,name\n")
        for each in range(number):
            out.write(
                f"k-{each},u-{each % _USERS},BINANCE,key-{each:020},s-{each:030},Desk {each}\n"
            )


async def accounts(file: Path) -> AsyncIterator[NewAccount]:
    """Read it."""
    with file.open("rb") as stream:
        async for row in ReadAhead(read_rows(stream, file.parent)):
            assert row.account is not None
            yield row.account


async def with_journal(url: str, file: Path) -> int:
    """Connect them with `onboard`."""
    done = 0
    rows, journal = accounts(file), file.with_suffix(".journal")
    async with (
        SessionPool(base_url=url) as pool,
        onboard(pool, rows, tokens="token-{}".format, journal=journal) as run,
    ):
        async for outcome in run:
            done += outcome.state is RowState.DONE
    return done


async def without(url: str, file: Path) -> int:
    """Connect them with a client for each user, so many tasks at a time."""
    done = 0
    rows: asyncio.Queue[NewAccount | None] = asyncio.Queue(_TASKS)
    async with SessionPool(base_url=url) as pool, asyncio.TaskGroup() as tasks:
        users = [f"u-{user}" for user in range(_USERS)]
        clients = {user: pool.client(access_token=f"token-{user}") for user in users}

        async def work() -> None:
            nonlocal done
            while (row := await rows.get()) is not None:
                await clients[row.user or ""].connect_account(
                    venue=row.venue, api_key=row.api_key, api_secret=row.api_secret, name=row.name
                )
                done += 1

        for _ in range(_TASKS):
            tasks.create_task(work())
        async for row in accounts(file):
            await rows.put(row)
        for _ in range(_TASKS):
            await rows.put(None)
    return done


WAYS = {"without": without, "with_journal": with_journal}


def peak() -> int:
    """Return the most bytes that this process had in memory."""
    status = Path("/proc/self/status")
    if status.exists():  # what `getrusage` says includes the process that started this one
        lines = status.read_text().splitlines()
        return next(int(line.split()[1]) * 1024 for line in lines if line.startswith("VmHWM"))
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss


def measure(way: str, url: str, number: int) -> None:
    """Make one run, and tell what it cost."""
    with TemporaryDirectory() as folder:
        file = Path(folder, "accounts.csv")
        write(file, number)
        begun, worked = time.perf_counter(), time.process_time()
        assert asyncio.run(WAYS[way](url, file)) == number
        lasted, work = time.perf_counter() - begun, time.process_time() - worked
    print(json.dumps({"rate": number / lasted, "work": work / number * 1e6, "peak": peak()}))


def ask(way: str, url: str, number: int) -> dict[str, Any]:
    """Have it measured in a process of its own."""
    command = [sys.executable, __file__, "--way", way, "--url", url, "--rows", str(number)]
    found = subprocess.run(command, check=True, stdout=subprocess.PIPE)
    told: dict[str, Any] = json.loads(found.stdout)
    print(
        f"| {way.replace('_', ' ')} | {number:,} | {told['rate']:,.0f} | {told['work']:.0f}"
        f" | {told['peak'] / _MIB:.1f} |",
        flush=True,
    )
    return told


def compare(options: Namespace) -> None:
    """Measure all, and print a table."""
    print("| | rows | rows/s | µs of processor time per row | peak MiB |")
    print("|---|---:|---:|---:|---:|")
    ratios: list[float] = []
    with serving() as url:
        for _ in range(options.rounds):
            bare, ours = (ask(way, url, options.few) for way in WAYS)
            ratios.append(ours["rate"] / bare["rate"])
        few = ask("with_journal", url, _FEW)
        many = ask("with_journal", url, options.rows)
    growth = (many["peak"] - few["peak"]) / _MIB
    print(f"\nrows/s with a journal of those without, median: {median(ratios):.2f}")
    print(f"More memory than for {_FEW:,} rows: {growth:.1f} MiB")
    print(f"Load of the machine: {os.getloadavg()[0]:.1f}")


def main() -> None:
    """Do as told on the command line."""
    parser = ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--few", type=int, default=20_000, help="rows of the runs in turns")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--way", choices=WAYS, help="what a process of its own is told")
    parser.add_argument("--url", help="likewise")
    options = parser.parse_args()
    if options.way:
        measure(options.way, options.url, options.rows)
    else:
        compare(options)


if __name__ == "__main__":
    main()
