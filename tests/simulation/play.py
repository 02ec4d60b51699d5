"""One run: a world, its engines, and what came of it."""

from __future__ import annotations

import asyncio
from random import Random
from typing import TYPE_CHECKING

from attrs import frozen

from cadenza_async import NewAccount, RowOutcome

from .engine import Engine
from .meddling import Meddler
from .network import run
from .weather import SLOWEST_COMMIT
from .world import World

if TYPE_CHECKING:
    from collections.abc import Iterable

ACCOUNTS = 100
QUARANTINE = SLOWEST_COMMIT + 10
_VENUES = ("BINANCE", "OKX_UAT", "bybit", "COINBASE")
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
        async with World(seed, tellable=True) as world:
            return await _play(world, accounts, quarantine)

    return run(main, seed=seed)


async def _play(world: World, accounts: int, quarantine: float) -> Result:
    dice = world.dice
    settings = {"timeout": dice.choice((8, 30)), "max_connections": dice.choice((3, 20, 100))}
    restless = dice.choice((0.0, 0.1, 0.3))
    wanted = [_want(world, number) for number in range(accounts)]
    told: dict[str, RowOutcome] = {}
    meddler = Meddler(world, Random(f"others {world.seed}"), wanted, told, baseline=False)
    meddler.begin()
    world.clocks.begin(meddler.hurry)
    async with world.pool(**settings) as pool:
        clients = {user: world.client(pool, user) for user in world.users}
        engines = [
            Engine(world, clients[each.user or ""], each, told, quarantine, restless)
            for each in wanted
        ]
        async with asyncio.timeout(_DAY), asyncio.TaskGroup() as group:
            for engine in engines:
                group.create_task(engine.run())
    return _sum_up(world, engines)


def _want(world: World, number: int) -> NewAccount:
    key = f"No{number:04d}"
    return NewAccount(
        key=key,
        user=world.users[number % len(world.users)],
        venue=world.dice.choice(_VENUES),
        api_key="a key",
        api_secret="a secret",
        api_passphrase="a passphrase",
        name=f"{key} Spot desk of the seventh office",
    )


def _sum_up(world: World, engines: Iterable[Engine]) -> Result:
    digest = world.close_books()
    wrong, touched = world.books.wrong, world.history.touched
    wrong += [
        f"{engine.name}: a conflict although no name was trimmed and nobody else was there"
        for engine in engines
        if world.books.ended(engine.name, "conflict") and not world.weather.trims
        if (engine.wanted.user, engine.wanted.venue.upper()) not in touched
    ]
    return Result(
        seed=world.seed,
        digest=digest,
        wrong=tuple(wrong),
        connected=world.books.count("connected"),
        conflicts=world.books.count("conflict"),
        unknown=sum("verdict='unknown'" in line for line in world.log),
        requests=len(world.sandbox.requests),
        seconds=world.loop.time(),
    )
