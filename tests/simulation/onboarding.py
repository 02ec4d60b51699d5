"""A bulk job that is killed, cancelled, left and closed, and run again until all is settled."""

from __future__ import annotations

import asyncio
import shutil
from collections import Counter
from contextlib import suppress
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

from attrs import define, evolve, field, frozen

from cadenza_async import (
    JournalReader,
    JournalRow,
    NewAccount,
    RowOutcome,
    RowState,
)
from cadenza_async.errors import ClosedError, CredentialsRejectedError

from .facts import SETTLED, Facts
from .job import Job
from .meddling import Meddler
from .network import Process, run
from .weather import SLOWEST_COMMIT
from .world import World

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from cadenza_async.auth import Token

Flavour: TypeAlias = Literal["direct", "credential"]

ROWS = 100
QUARANTINE = SLOWEST_COMMIT + 10
_VENUES = ("BINANCE", "OKX_UAT", "bybit", "COINBASE")
_KEYS = {
    "direct": (*["a key"] * 18, "slow key", "invalid key"),
    "credential": (*["a key"] * 15, "slow key", "invalid key", "many", "taken", "empty"),
}
_WORLDS: dict[str, dict[str, Any]] = {
    "direct": {},
    "credential": {"dialect": "openapi", "makers": ("connect", "credential-create")},
}
_MOST_RUNS = 60
_STORMY_RUNS = 40  # then all is well: a token that is refused by mistake ends a run
_DAY = 200_000.0


async def _refuse() -> str:
    return "nobody's token"


async def _break() -> str:
    raise LookupError


async def _quit() -> str:
    raise asyncio.CancelledError


async def _hang() -> str:
    return await asyncio.sleep(_DAY, "too late")


_LAST_ANSWERS = {"refused": _refuse, "broken": _break, "cancelled": _quit, "hanging": _hang}


@frozen(kw_only=True)
class Result:
    """What came of a job.

    Attributes:
        seed: Of the run.
        digest: Of everything that happened.
        wrong: What must not have happened.
        states: How many rows ended in each state.
        endings: How many runs of the job ended in each way.
        deeds: What somebody else did meanwhile, and how often.
        steps: How often a clock was set, or the machine fell asleep.
        trims: Whether the server trimmed names.
        seconds: How long it took, in virtual time.
    """

    seed: int
    digest: str
    wrong: tuple[str, ...]
    states: Counter[RowState]
    endings: Counter[str]
    deeds: Counter[str]
    steps: int
    trims: bool
    seconds: float


def play(
    seed: int, *, rows: int = ROWS, quarantine: float = QUARANTINE, flavour: Flavour = "direct"
) -> Result:
    """Run a job in the world of a seed, with crashes, until all of its rows are settled.

    Args:
        seed: Decides everything.
        rows: How many.
        quarantine: Of the job.
        flavour: Likewise.
    """

    async def main() -> Result:
        with TemporaryDirectory() as directory:
            async with World(seed, **_WORLDS[flavour]) as world, asyncio.timeout(_DAY):
                operator = Operator(world, rows, quarantine, flavour, Path(directory))
                await operator.work()
                return await operator.sum_up()

    return run(main, seed=seed)


@define
class Operator:
    """Runs a job again and again.

    Args:
        world: Where it acts.
        number: How many rows there are.
        quarantine: Of the job.
        flavour: Likewise.
        directory: Where the journals are; a crash leaves the next run a copy of the last one.
    """

    world: World
    number: int
    quarantine: float
    flavour: Flavour
    directory: Path
    rows: list[NewAccount] = field(init=False)
    endings: Counter[str] = field(factory=Counter[str], init=False)
    _options: dict[str, Any] = field(init=False)
    _journal: Path = field(init=False)
    _told: dict[str, RowOutcome] = field(factory=dict[str, RowOutcome], init=False)
    _meddler: Meddler = field(init=False)
    _process: Process = field(factory=Process, init=False)
    _dead: list[asyncio.Task[Any]] = field(factory=list[Any], init=False)

    def __attrs_post_init__(self) -> None:
        dice, users = self.world.dice, self.world.users
        owners = dice.choice((users, users, [dice.choice(users)]))
        self.rows = [self._row(number, owners) for number in range(self.number)]
        self._journal = self.directory / "0"
        self._options = {
            "quarantine": self.quarantine,
            "flavour": self.flavour,
            "concurrency": dice.choice((None, 4)),
            "patience": dice.choice((90.0, 3600.0)),
        }
        others = Random(f"others {self.world.seed}")
        self._meddler = Meddler(self.world, others, self.rows, self._told)

    async def work(self) -> None:
        """Go on until all rows are settled."""
        dice, world = self.world.dice, self.world
        pool = {
            "timeout": dice.choice((8, 30)),
            "max_connections": dice.choice((3, 20, 100)),
            "grace": dice.choice((0, 5, 60)),
        }
        troubles = dice.randint(3, 12)
        self._meddler.begin()
        world.clocks.begin(self._sleep)
        for number in range(_MOST_RUNS):
            if number == _STORMY_RUNS:
                self._calm()
            troubled = number < troubles
            tokens = self._tokens(troubled=troubled)
            job = Job(world, self.rows, tokens, self._journal, self._options, pool, self._told)
            how = await self._watch(job, troubled=troubled)
            self.endings[how] += 1
            world.note(f"run {number}: {how}, {Counter(o.state for o in job.outcomes)}")
            if how == "ended" and sorted(o.key for o in job.outcomes) != self._keys:
                world.books.wrong.append(f"run {number}: not one outcome for each row")
            settled = all(outcome.state in SETTLED for outcome in job.outcomes)
            if how == "ended" and settled and not self._correct(job.outcomes):
                break
            await asyncio.sleep(dice.choice((0, dice.uniform(0, 60))))
        await asyncio.gather(*self._dead, return_exceptions=True)

    def _sleep(self) -> None:
        """Let the client's machine miss what happens."""
        self._process.cut_off()
        self._meddler.hurry()

    def _calm(self) -> None:
        """Let nothing more go wrong."""
        self.world.sandbox.behave()
        self.world.clocks.settle()
        self._meddler.stop()

    def _tokens(self, *, troubled: bool) -> dict[str, Token]:
        """Return the tokens of the users; one may be missing, or run out at once or later on."""
        dice = self.world.dice
        tokens = {user: self.world.token(user) for user in self.world.users}
        out = dice.choice(self.rows).user or ""
        how = dice.choice(("good", "missing", *_LAST_ANSWERS)) if troubled else "good"
        left = dice.randint(0, 2)

        async def run_out() -> str:
            nonlocal left
            left -= 1
            if left < 0:
                return await _LAST_ANSWERS[how]()
            return self.world.sandbox.token(out, expires_in=20)

        if how == "missing":
            del tokens[out]
        elif how in _LAST_ANSWERS:
            tokens[out] = run_out
        return tokens

    async def _watch(self, job: Job, *, troubled: bool) -> str:
        """Run the job; break it off at some moment, in some way."""
        dice = self.world.dice
        process = self._process = Process()
        how = dice.choice((*["killed", "ended"] * 3, "cancelled", "left", "closed"))
        moment = 10 ** dice.uniform(-2, 2.2) if troubled and how != "ended" else None
        task = process.start(job.work(process))
        await asyncio.wait([task], timeout=moment)
        if task.done():
            how = "ended"
        elif how == "killed":
            self._kill(process, task)
            return how
        elif how == "cancelled":
            task.cancel()
        elif how == "left":
            await job.leave()
        else:
            await job.close()
        with suppress(ClosedError, asyncio.CancelledError):
            await task
        return how

    def _correct(self, outcomes: Iterable[RowOutcome]) -> int:
        """Give some of the rows whose key was stored, and refused, a good one; return how many."""
        refused = {
            outcome.key
            for outcome in outcomes
            if outcome.credential_id and isinstance(outcome.error, CredentialsRejectedError)
        }
        bad = [n for n, row in enumerate(self.rows) if row.key in refused]
        chosen = [n for n in bad if self.world.dice.random() < 0.5]
        for number in chosen:
            self.rows[number] = evolve(self.rows[number], api_key=f"a good key {number}")
        return len(chosen)

    def _kill(self, process: Process, task: asyncio.Task[None]) -> None:
        """Leave nothing of a process but what is on its disk."""
        self._dead.append(task)
        old, self._journal = self._journal, self.directory / f"{len(self._dead)}"
        for suffix in ("", "-wal"):
            with suppress(FileNotFoundError):
                shutil.copyfile(f"{old}{suffix}", f"{self._journal}{suffix}")
        process.kill()
        task.cancel()

    async def sum_up(self) -> Result:
        """Hold the journal against the facts."""
        rows = await asyncio.to_thread(_read, self._journal)
        for row in rows:
            self.world.note(repr(row))
        self.world.books.wrong += Facts.of(self.world).audit(self._keys, rows)
        return Result(
            seed=self.world.seed,
            digest=self.world.close_books(),
            wrong=tuple(self.world.books.wrong),
            states=Counter(row.state for row in rows),
            endings=self.endings,
            deeds=self._meddler.deeds,
            steps=self.world.clocks.steps,
            trims=self.world.weather.trims,
            seconds=self.world.loop.time(),
        )

    @property
    def _keys(self) -> list[str]:
        return [row.key or "" for row in self.rows]

    def _row(self, number: int, owners: Sequence[str]) -> NewAccount:
        dice, key = self.world.dice, f"No{number:04d}"
        return NewAccount(
            key=key,
            user=dice.choice(owners),
            venue=dice.choice(_VENUES),
            api_key=f"{dice.choice(_KEYS[self.flavour])} {number}",
            api_secret="a secret",
            api_passphrase="a passphrase",
            name=dice.choice((None, f"{key} Spot desk of the seventh office")),
        )


def _read(path: Path) -> list[JournalRow]:
    with JournalReader(path) as journal:
        return list(journal.rows())
