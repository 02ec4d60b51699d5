"""A trading engine that connects each of its accounts once, in whatever world."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from typing import Any

from attrs import define, field

from cadenza_async import AsyncCadenza, NewAccount, RowOutcome, RowState, TradingAccount
from cadenza_async.errors import AmbiguousOutcomeError, CadenzaError, OutcomeUnknownError

from .world import World


@define
class Engine:
    """Connects one account.

    Args:
        world: Where it acts.
        client: Of the account's owner.
        wanted: The account; its name is unique.
        told: Where it says what is connected.
        quarantine: Seconds after a lost answer until "not there" is taken for a no.
        restless: The share of its calls that it breaks off.
    """

    world: World
    client: AsyncCadenza
    wanted: NewAccount
    told: dict[str, RowOutcome]
    quarantine: float
    restless: float
    name: str = field(init=False)

    def __attrs_post_init__(self) -> None:
        self.name = self.wanted.name or ""

    async def run(self) -> None:
        """Go on until the account is connected, or a person has to decide."""
        self.world.books.open(self.name)
        await self._wait(0, 60)
        how = None
        while how is None:
            how = await self._try()
            if how is None:
                await self._wait(1, 60)
        self.world.note(f"{self.name}: {how}")
        self.world.books.settle(self.name, how)

    async def _try(self) -> str | None:
        """Connect; after a lost answer, find out."""
        since = datetime.fromtimestamp(self.world.clocks.of_client(), UTC)
        question: dict[str, Any] = {"venue": self.wanted.venue, "name": self.name}
        question["since"] = since
        try:
            account = await self._connect()
        except asyncio.CancelledError:
            return await self._reconcile(question)
        except OutcomeUnknownError as unknown:
            self._expect(unknown, doubt=True)
            return await self._reconcile({"error": unknown})
        except CadenzaError as error:
            self._expect(error, doubt=False)
            return None
        return self._tell(account)

    def _tell(self, account: TradingAccount) -> str:
        key = self.wanted.key or ""
        self.told[key] = RowOutcome(key=key, state=RowState.DONE, account=account)
        return "connected"

    async def _connect(self) -> TradingAccount:
        """Make the call; at times, lose patience with it."""
        dice = self.world.dice
        call = asyncio.ensure_future(
            self.client.connect_account(
                venue=self.wanted.venue,
                api_key=dice.choice(("a key", "slow key")),
                api_secret="a secret",
                api_passphrase="a passphrase",
                name=self.name,
                timeout=dice.choice((None, None, 4, 90)),
            )
        )
        if dice.random() < self.restless:
            self.world.loop.call_later(dice.expovariate(0.5), call.cancel)
        return await call

    async def _reconcile(self, question: dict[str, Any]) -> str | None:
        """Wait until nothing can land any more; two equal answers decide."""
        await asyncio.sleep(self.quarantine)
        absent = 0
        while absent < 2:
            try:
                found = await self.client.resolve(**question, timeout=120)
            except AmbiguousOutcomeError as error:
                self.world.note(f"{self.name}: {len(error.accounts)} fit")
                return "conflict"
            except CadenzaError as error:
                self.world.note(f"{self.name}: {error!r}")
                await self._wait(5, 30)
                continue
            if found is not None:
                self.world.books.cleared(self.name, found=True)
                return self._tell(found)
            absent += 1
        self.world.books.cleared(self.name, found=False)
        return None

    def _expect(self, error: CadenzaError, *, doubt: bool) -> None:
        """Hold the error against what `on_attempt` was told."""
        self.world.note(f"{self.name}: {error!r}")
        if self.world.books.in_doubt(self.name) is not doubt:
            self.world.books.wrong.append(f"{self.name}: told otherwise than {error!r}")

    async def _wait(self, least: float, most: float) -> None:
        await asyncio.sleep(self.world.dice.uniform(least, most))
