"""Answers that no server should give: whatever arrives, only our own errors come out."""

from __future__ import annotations

import asyncio
from random import Random
from typing import TYPE_CHECKING

from cadenza_async import SessionPool, TradingAccount
from cadenza_async.errors import CadenzaError

from .answers import Liar, Mutator
from .network import run

if TYPE_CHECKING:
    from cadenza_async import AsyncCadenza

_EPOCH = 1_700_000_000.0


async def _call(client: AsyncCadenza, *, listing: bool) -> list[TradingAccount]:
    if listing:
        return [account async for account in client.list_accounts()]
    return [
        await client.connect_account(
            venue="BINANCE", api_key="a-shown-key", api_secret="a-hidden-secret", name="Desk 1"
        )
    ]


async def _outcome(client: AsyncCadenza, *, listing: bool) -> str:
    """Say how a call ended; any other error than ours fails the test."""
    try:
        accounts = await _call(client, listing=listing)
    except CadenzaError as error:
        text = f"{error} {error!r}"
        leaks = [secret for secret in ("shown-key", "hidden-secret", "a-token") if secret in text]
        return "a leak" if leaks or not text.isprintable() else type(error).__name__
    assert all(type(account.trading_account_id) is str for account in accounts)
    assert all(account.trading_account_id for account in accounts)
    return "done"


async def _lie(answers: range) -> list[str]:
    """Give one answer to each call of a client of its own."""
    liar, loop = Liar(), asyncio.get_running_loop()
    server = await asyncio.start_server(liar.serve, "127.0.0.1", 8080)
    ends = []
    async with SessionPool(base_url="http://127.0.0.1:8080", retries=1) as pool:
        pool._shared.wall = lambda: _EPOCH + loop.time()
        for number in answers:
            dice = Random(number)
            listing, liar.closes = dice.random() < 0.5, dice.random() < 0.5
            liar.answer = Mutator(number).draw(listing=listing)
            client = pool.client(access_token=f"a-token-{number}")
            ends.append(await _outcome(client, listing=listing))
            await asyncio.sleep(1)  # or the next call may meet the end of this connection
    server.close()
    await asyncio.sleep(1)  # the connections notice
    return ends


def test_only_our_errors_come_out(answers: range) -> None:
    """Whatever is wrong with status line, headers, body or length, it is told in our words."""
    ends = run(lambda: _lie(answers))
    assert len(ends) == len(answers)
    assert "a leak" not in ends
    assert {"done", "OutcomeUnknownError", "UnreadableAnswerError"} <= set(ends)
