"""One run: a world, its engines, and what came of it."""

from __future__ import annotations

import asyncio

from attrs import frozen

from .engine import Engine
from .network import run
from .weather import SLOWEST_COMMIT
from .world import World

ACCOUNTS = 100
QUARANTINE = SLOWEST_COMMIT + 10
_DAY = 20_000.0


@frozen(kw_only=True)
class Result:
    """What came of one run.

    Attributes:
        seed: Of the run.
        digest: Of everything that happened.
        wrong: What must not have happened.
        connected: Accounts that were connected once, as they should.
        conflicts: Accounts that a person has to look at.
        unknown: Attempts whose outcome was not known.
        requests: What the server read.
        seconds: How long it took, in virtual time.
    """

    seed: int
    digest: str
    wrong: tuple[str, ...]
    connected: int
    conflicts: int
    unknown: int
    requests: int
    seconds: float


def play(seed: int, *, accounts: int = ACCOUNTS, quarantine: float = QUARANTINE) -> Result:
    """Connect accounts in the world of a seed.

    Args:
        seed: Decides everything.
        accounts: How many.
        quarantine: Seconds that engines wait after a lost answer.
    """

    async def main() -> Result:
        async with World(seed, dated=True) as world:
            world.clocks.begin(lambda: None)
            return await _play(world, accounts, quarantine)

    return run(main, seed=seed)


async def _play(world: World, accounts: int, quarantine: float) -> Result:
    dice = world.dice
    settings = {"timeout": dice.choice((8, 30)), "max_connections": dice.choice((3, 20, 100))}
    restless = dice.choice((0.0, 0.1, 0.3))
    async with world.pool(**settings) as pool:
        clients = [world.client(pool, user) for user in world.users]
        engines = [
            Engine(world, clients[number % len(clients)], _name(number), quarantine, restless)
            for number in range(accounts)
        ]
        async with asyncio.timeout(_DAY), asyncio.TaskGroup() as group:
            for engine in engines:
                group.create_task(engine.run())
    return _sum_up(world)


def _name(number: int) -> str:
    return f"No{number:04d} Spot desk of the seventh office"


def _sum_up(world: World) -> Result:
    digest = world.close_books()
    wrong, conflicts = world.books.wrong, world.books.count("conflict")
    if conflicts and not world.weather.trims:
        wrong.append(f"{conflicts} conflicts although no name was trimmed")
    return Result(
        seed=world.seed,
        digest=digest,
        wrong=tuple(wrong),
        connected=world.books.count("connected"),
        conflicts=conflicts,
        unknown=sum("verdict='unknown'" in line for line in world.log),
        requests=len(world.sandbox.requests),
        seconds=world.loop.time(),
    )
