"""Somebody else changes a user's accounts while what became of a row is in doubt."""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING, Any

import pytest
from attrs import evolve

from cadenza_async import RowState
from cadenza_async.errors import AmbiguousOutcomeError
from cadenza_async.sandbox import Sandbox

from .jobs import Job, row

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable
    from pathlib import Path
    from typing import TypeAlias

    from cadenza_async import AsyncCadenza, NewAccount, RowOutcome

    Meddler: TypeAlias = Callable[[AsyncCadenza, str], Awaitable[object]]

LOST, UNDONE = "drop-after-commit", "drop-before-commit"
DESK = row(1, name="Desk")
KEYS: dict[str, Any] = {"api_key": "other-key", "api_secret": "other-secret"}


async def leave_in_doubt(job: Job, fault: str) -> None:
    """End a run with the row UNKNOWN, because its user may not list accounts any more."""
    await job.run([row(9, name="Before")])
    job.sandbox.script(f"{fault}@connect", "expired-token:100%@list")
    assert await job.states([DESK]) == {"desk-1": "UNKNOWN"}
    job.sandbox.behave()


async def leave_in_flight(job: Job) -> None:
    """End a run while the row is being sent, so that the journal has nothing but the intent."""
    hasty = evolve(job, pool={"grace": 0, "timeout": 30})
    await job.run([row(9, name="Before")])
    job.sandbox.script("hang-after-commit@connect")
    async with hasty.running([DESK]):
        while "Desk" not in named(job):
            await asyncio.sleep(0.01)
    job.sandbox.behave()


async def meddle(job: Job, how: Meddler) -> None:
    """Let somebody else do something with the account that the row made, or another one."""
    async with job.connect() as pool:
        client = pool.client(access_token=job.tokens["u-1"])
        await how(client, named(job).get("Desk", named(job)["Before"]))


async def go_on(job: Job) -> RowOutcome:
    """Run the job again, and once more: what is settled then stays so, and nothing is sent."""
    outcome = (await job.run([DESK]))["desk-1"]
    before = len(job.sandbox.requests)
    assert (await job.run([DESK]))["desk-1"].state is outcome.state
    assert len(job.sandbox.requests) == before
    return outcome


def named(job: Job) -> dict[str, str]:
    """The accounts that are connected: their ids by their names."""
    return {a["name"]: a["tradingAccountId"] for a in job.sandbox.accounts}


async def rename(client: AsyncCadenza, account: str) -> None:
    """Give it another name."""
    await client.rename_account(account, "Our main desk")


async def rename_and_disconnect(client: AsyncCadenza, account: str) -> None:
    """Give it another name, and part with it."""
    await rename(client, account)
    await client.disconnect_account(account)


async def disable(client: AsyncCadenza, account: str) -> None:
    """Let it trade no more."""
    await client.disable_account(account)


async def disconnect(client: AsyncCadenza, account: str) -> None:
    """Part with it."""
    await client.disconnect_account(account)


async def connect_again(client: AsyncCadenza, account: str) -> None:
    """Part with it, and connect the same keys under the same name."""
    await client.disconnect_account(account)
    await connect_by_hand(client)


async def connect_by_hand(client: AsyncCadenza, _: str = "") -> None:
    """Connect what the row is to connect."""
    await client.connect_account(
        venue=DESK.venue, api_key=DESK.api_key, api_secret=DESK.api_secret, name=DESK.name
    )


async def connect_another(client: AsyncCadenza, _: str) -> None:
    """Connect something else."""
    await client.connect_account(venue="BINANCE", name="Another", **KEYS)


async def change_another(client: AsyncCadenza, _: str) -> None:
    """Connect something else, and change it."""
    made = await client.connect_account(venue="BINANCE", name="Another", **KEYS)
    await client.rename_account(made.trading_account_id, "Something else")


async def change_another_venue(client: AsyncCadenza, _: str) -> None:
    """Connect something else at another exchange, and change it."""
    made = await client.connect_account(venue="BYBIT", name="Another", **KEYS)
    await client.rename_account(made.trading_account_id, "Something else")


async def take_the_name(client: AsyncCadenza, _: str) -> None:
    """Give the row's name to an account that was there before."""
    accounts = [account async for account in client.list_accounts()]
    (before,) = [account for account in accounts if account.name == "Before"]
    await client.rename_account(before.trading_account_id, "Desk")


@pytest.mark.parametrize("leave", ["in doubt", "in flight"])
@pytest.mark.parametrize("how", [rename, rename_and_disconnect])
async def test_an_account_that_was_renamed_is_not_connected_again(
    job: Job, how: Meddler, leave: str
) -> None:
    """It may be the row's under another name: a person decides, and is told which it is."""
    await (leave_in_doubt(job, LOST) if leave == "in doubt" else leave_in_flight(job))
    ours = named(job)["Desk"]
    await meddle(job, how)
    outcome = await go_on(job)
    assert outcome.state is RowState.CONFLICT
    assert isinstance(outcome.error, AmbiguousOutcomeError)
    assert [a.trading_account_id for a in outcome.error.accounts] == [ours]
    assert len(job.sandbox.accounts) + len(job.sandbox.archive) == 2


@pytest.mark.parametrize(
    ("how", "status"),
    [
        (disable, "DISABLED"),
        (disconnect, "DISCONNECTED"),
        (change_another, "ACTIVE"),
        (take_the_name, "ACTIVE"),
    ],
)
async def test_an_account_that_still_has_its_name_is_found(
    job: Job, how: Meddler, status: str
) -> None:
    """Whatever its state is by now, and whatever became of others: it is told as it is."""
    await leave_in_doubt(job, LOST)
    ours = named(job)["Desk"]
    await meddle(job, how)
    outcome = await go_on(job)
    assert (outcome.state, outcome.attempts) == (RowState.DONE, 0)
    assert outcome.account is not None
    assert (outcome.account.trading_account_id, outcome.account.status) == (ours, status)


@pytest.mark.parametrize("how", [connect_again, connect_by_hand])
async def test_two_of_the_name_are_for_a_person(job: Job, how: Meddler) -> None:
    """Even if one of them is disconnected by now: nothing tells which the row has made."""
    await leave_in_doubt(job, LOST)
    await meddle(job, how)
    outcome = await go_on(job)
    assert outcome.state is RowState.CONFLICT
    assert isinstance(outcome.error, AmbiguousOutcomeError)
    assert {a.name for a in outcome.error.accounts} == {"Desk"}
    assert len(outcome.error.accounts) == 2


async def test_what_was_connected_by_hand_is_not_connected_again(job: Job) -> None:
    """Under the name that is waited for, it stands for the row, of which nothing had come."""
    await leave_in_doubt(job, UNDONE)
    await meddle(job, connect_by_hand)
    outcome = await go_on(job)
    assert (outcome.state, outcome.attempts) == (RowState.DONE, 0)
    assert len(job.sandbox.accounts) == 2


@pytest.mark.parametrize(
    "how",
    [connect_another, change_another_venue, take_the_name, rename],
    ids=lambda how: how.__name__,
)
async def test_what_cannot_be_it_is_no_objection(job: Job, how: Meddler) -> None:
    """An account as it was made, of another venue or from before: the row is sent again."""
    await leave_in_doubt(job, UNDONE)
    await meddle(job, how)
    there = {a["tradingAccountId"] for a in job.sandbox.accounts}
    outcome = await go_on(job)
    assert (outcome.state, outcome.attempts) == (RowState.DONE, 1)
    assert outcome.account is not None
    assert outcome.account.trading_account_id not in there


async def test_one_renamed_account_is_no_objection_to_all_rows_after_it(job: Job) -> None:
    """What a list had shown before a row was sent is not what the row has made."""
    judged = asyncio.Event()

    async def rows() -> AsyncIterator[NewAccount]:
        yield DESK
        await judged.wait()
        yield row(2, name="Later")

    await job.run([row(9, name="Before")])
    job.sandbox.script(f"{LOST}@connect")
    states: list[tuple[str, int]] = []
    async with job.running(rows()) as run:
        while "Desk" not in named(job):
            await asyncio.sleep(0.01)
        await meddle(job, rename)
        async for outcome in run:
            states.append((outcome.state.value, outcome.attempts))
            job.sandbox.script(f"{UNDONE}@connect")
            judged.set()
    assert states == [("CONFLICT", 1), ("DONE", 2)]


@pytest.mark.parametrize("again", [True, False], ids=["another run", "the same run"])
async def test_what_was_made_long_before_is_no_objection(tmp_path: Path, *, again: bool) -> None:
    """No two clocks are two days apart."""
    ago = 48 * 3600.0
    async with Sandbox(clock=lambda: time.time() - ago) as sandbox:
        job = Job(sandbox=sandbox, journal=tmp_path / "journal")
        await job.run([row(9, name="Before")])
        await meddle(job, change_another)
        ago = 0.0
        if again:
            await leave_in_doubt(job, UNDONE)
        else:
            sandbox.script(f"{UNDONE}@connect")
        outcome = await go_on(job)
    assert (outcome.state, outcome.attempts) == (RowState.DONE, 1 if again else 2)


async def test_what_was_made_shortly_before_may_be_it(tmp_path: Path) -> None:
    """Clocks may be wrong: what is an hour too old for the row may still be its own."""
    ago = 3600.0
    async with Sandbox(clock=lambda: time.time() - ago) as sandbox:
        job = Job(sandbox=sandbox, journal=tmp_path / "journal")
        await leave_in_doubt(job, LOST)
        await meddle(job, rename)
        ago = 0.0
        assert (await go_on(job)).state is RowState.CONFLICT
    assert len(sandbox.accounts) == 2
