"""One run of a bulk job, which may be killed, cancelled, left or closed at any moment."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from attrs import define, field

from cadenza_async import NewAccount, Onboarding, RowOutcome, SessionPool, onboard
from cadenza_async.auth import Token

from .facts import Facts
from .network import Process
from .world import World

if TYPE_CHECKING:
    from cadenza_async.models import Attempt


@define
class Job:
    """One run of a job.

    Args:
        world: Where it acts.
        rows: What it connects.
        tokens: The tokens of their users.
        journal: Where its journal is.
        options: Of the run.
        settings: Of its pool.
        told: What was said of each row last, by this run or an earlier one.

    Attributes:
        outcomes: What it was told.
    """

    world: World
    rows: list[NewAccount]
    tokens: dict[str, Token]
    journal: Path
    options: dict[str, Any]
    settings: dict[str, Any]
    told: dict[str, RowOutcome]
    outcomes: list[RowOutcome] = field(factory=list[RowOutcome], init=False)
    _pool: SessionPool = field(init=False)
    _run: Onboarding = field(init=False)
    _process: Process = field(init=False)

    async def work(self, process: Process) -> None:
        """Run it, and hold every outcome against the facts."""
        self._process = process
        dice = self.world.dice
        self._pool = self.world.pool(on_attempt=self._attempted, **self.settings)
        self._run = onboard(
            self._pool,
            dice.sample(self.rows, len(self.rows)),
            tokens=self.tokens,
            journal=self.journal,
            retry_failed=dice.random() < 0.2,
            **self.options,
        )
        async with self._pool, self._run:
            async for outcome in self._run:
                self._take(outcome)

    async def leave(self) -> None:
        """Stop it as leaving its block does."""
        await self._run.aclose()

    async def close(self) -> None:
        """Close its pool under it."""
        await self._pool.aclose()

    def _take(self, outcome: RowOutcome) -> None:
        if self._process.killed:
            return
        self.outcomes.append(outcome)
        self.world.note(repr(outcome))
        if self.told.get(outcome.key) == outcome:
            return
        self.told[outcome.key] = outcome
        if wrong := Facts.of(self.world).belie(outcome):
            self.world.books.wrong.append(wrong)

    def _attempted(self, attempt: Attempt) -> None:
        self.world.note(repr(attempt))
