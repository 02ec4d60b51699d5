"""Rows, users and runs for the tests of `onboard`."""

from __future__ import annotations

import asyncio
from collections import Counter
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from attrs import field, frozen

from cadenza_async import (
    JournalReader,
    JournalRow,
    NewAccount,
    Onboarding,
    RowOutcome,
    RowState,
    SessionPool,
    onboard,
)
from cadenza_async.sandbox import Sandbox
from tests.raw import RawServer, answers, envelope

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterable


EMPTY = answers(200, envelope(data=[], pagination={"hasNext": False}))
QUARANTINE = 0.2


def row(number: int = 1, **given: Any) -> NewAccount:
    """A row that nothing is wrong with; secrets are made at run time."""
    facts = {
        "venue": "BINANCE",
        "api_key": f"api-key-{number:06}" * 2,
        "api_secret": f"api-secret-{number:06}" * 2,
        "key": f"desk-{number}",
        "user": "u-1",
    }
    return NewAccount(**(facts | given))


@frozen(kw_only=True)
class Job:
    """A sandbox, the journal of a job against it, and how to run the job.

    Attributes:
        sandbox: Where the accounts are connected.
        journal: Where the journal is.
        pool: Options of the pool.
        users: Who has a token.
    """

    sandbox: Sandbox
    journal: Path
    users: tuple[str, ...] = ("u-1", "u-2", "u-3")
    pool: dict[str, Any] = field(factory=dict[str, Any])

    @property
    def tokens(self) -> dict[str, str]:
        return {user: self.sandbox.token(user) for user in self.users}

    def connect(self) -> SessionPool:
        """A pool for it, not open yet."""
        options: dict[str, Any] = {"base_url": self.sandbox.url, "timeout": 1.0} | self.pool
        return SessionPool(**options)

    @asynccontextmanager
    async def running(self, rows: Any, **options: Any) -> AsyncIterator[Onboarding]:
        """Begin to run it."""
        given: dict[str, Any] = {"tokens": self.tokens, "quarantine": QUARANTINE} | options
        given.setdefault("journal", self.journal)
        async with self.connect() as pool, onboard(pool, rows, **given) as run:
            yield run

    async def run(self, rows: Iterable[Any], **options: Any) -> dict[str, RowOutcome]:
        """Run it to the end; there must be one outcome for each key."""
        async with self.running(rows, **options) as run:
            outcomes = [outcome async for outcome in run]
        by_key = {outcome.key: outcome for outcome in outcomes}
        assert len(by_key) == len(outcomes)
        return by_key

    async def states(self, rows: Iterable[Any], **options: Any) -> dict[str, str]:
        """Run it to the end; return the state of each key."""
        outcomes = await self.run(rows, **options)
        return {key: outcome.state.value for key, outcome in outcomes.items()}

    def names(self) -> Counter[tuple[str, str]]:
        """How many live accounts there are of each user and name."""
        return Counter((a["userId"], a["name"]) for a in self.sandbox.accounts)

    def stored(self) -> dict[str, str]:
        """The one credential of each name."""
        found = {c["nickname"]: c["credentialId"] for c in self.sandbox.credentials}
        assert len(found) == len(self.sandbox.credentials)
        return found

    def calls(self, path: str) -> list[dict[str, Any]]:
        """The requests to an endpoint."""
        return [r for r in self.sandbox.requests if r["path"].endswith(path)]

    async def journaled(self, *states: RowState) -> dict[str, JournalRow]:
        """What the journal says of each key."""
        return await asyncio.to_thread(self._read, states)

    def _read(self, states: tuple[RowState, ...]) -> dict[str, JournalRow]:
        with JournalReader(self.journal) as journal:
            return {row.key: row for row in journal.rows(*states)}


async def connect(server: RawServer, rows: Iterable[NewAccount], job: Job) -> list[Any]:
    """Run a job against another server, a call at a time; return its outcomes."""
    raw = Job(sandbox=job.sandbox, journal=job.journal, pool={"base_url": server.url})
    async with raw.running(rows, tokens={"u-1": "token"}, concurrency=1) as run:
        return [outcome async for outcome in run]
