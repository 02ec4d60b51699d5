"""A client on the line to a server, and everything it reports."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

from attrs import Factory, define

from cadenza_async import AsyncCadenza, Attempt, TradingAccount

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from cadenza_async.auth import Token
    from tests.raw import RawServer

TOKEN = "wire.token"
CALLS = ("connect", "list")


@define
class Line:
    """A client and the attempts it told of."""

    client: AsyncCadenza
    attempts: list[Attempt] = Factory(list)

    @property
    def verdicts(self) -> list[str]:
        return [attempt.verdict for attempt in self.attempts]

    async def connect(self, name: str = "Desk 1", **fields: Any) -> TradingAccount:
        given: dict[str, Any] = {"venue": "BINANCE", "api_key": "key", "api_secret": "secret"}
        return await self.client.connect_account(name=name, **given, **fields)

    async def listing(self, **options: Any) -> list[TradingAccount]:
        return [account async for account in self.client.list_accounts(**options)]

    async def learn(self) -> None:
        """Learn that the server reports no limit, so that calls need not queue."""
        await self.listing()
        await self.connect("learning")

    async def call(self, kind: str, **options: Any) -> object:
        """Connect or list."""
        return await (self.connect if kind == "connect" else self.listing)(**options)


@asynccontextmanager
async def line_to(
    server: RawServer | None = None, *, token: Token = TOKEN, **options: Any
) -> AsyncIterator[Line]:
    """Open a client to a server; it does not sleep before it tries again."""
    attempts: list[Attempt] = []
    reach = server.options if server else {}
    async with AsyncCadenza(token, on_attempt=attempts.append, **reach | options) as client:
        client._shared.jitter = lambda: 0.0
        yield Line(client, attempts)


async def failure(job: Any) -> Exception:
    """The error that something ends in."""
    try:
        result = await job
    except Exception as error:  # noqa: BLE001 - that is what is asked for
        return error
    raise AssertionError(f"it did not fail: {result}")


def check_told(line: Line, server: RawServer) -> None:
    """Check that the server read what was reported, not more and not less."""
    sent = [a for a in line.attempts if a.verdict != "not sent"]
    told = [(attempt.method, f"/api/v3/{attempt.path}") for attempt in sent]
    assert told == [(each.method, each.target.partition("?")[0]) for each in server.requests]


async def settle() -> None:
    """Let everything that is on its way in this loop arrive."""
    for _ in range(20):
        await asyncio.sleep(0)
