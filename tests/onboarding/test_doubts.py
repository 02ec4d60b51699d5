"""Rows whose answer was lost: found, sent again, or left to a person; never connected twice."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import pytest

from cadenza_async import RowState
from cadenza_async.errors import (
    AmbiguousOutcomeError,
    AuthenticationError,
    ConflictError,
    InvalidRowError,
    OutcomeUnknownError,
)
from cadenza_async.sandbox import Fault
from tests.raw import Act, Exchange, RawServer, answers, done, envelope, hang_up, later

from .jobs import EMPTY, QUARANTINE, Job, connect, row

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

    from cadenza_async import NewAccount
    from cadenza_async.sandbox import Sandbox

LOST = ["drop-after-commit", "reset-after-commit", "truncated", "garbage", "html-200-after-commit"]
LOST += ["hang-after-commit", "500-after-commit", "503-html-after-commit", "slow-drip"]
UNDONE = ["drop-before-commit", "hang-before-commit", "502-before-commit", "302-before-commit"]


@pytest.mark.parametrize("fault", LOST)
async def test_what_was_done_is_found(job: Job, fault: str) -> None:
    """The account is adopted, and nothing is sent a second time."""
    job.sandbox.script(f"{fault}@connect")
    outcome = (await job.run([row(1)]))["desk-1"]
    assert (outcome.state, outcome.attempts, outcome.error) == (RowState.DONE, 1, None)
    assert outcome.account is not None
    assert [outcome.account.trading_account_id] == [
        a["tradingAccountId"] for a in job.sandbox.accounts
    ]
    assert len(job.calls("connect")) == 1
    assert len(job.calls("list")) == 2  # before it was sent, and when it was looked for


@pytest.mark.parametrize("fault", UNDONE)
async def test_what_was_not_done_is_sent_again(job: Job, fault: str) -> None:
    """After the quarantine, and two lists that agree, begun after it."""
    job.sandbox.script(f"{fault}@connect")
    outcome = (await job.run([row(1)]))["desk-1"]
    assert (outcome.state, outcome.attempts) == (RowState.DONE, 2)
    assert len(job.sandbox.accounts) == 1
    first, second = (r["receivedAt"] for r in job.calls("connect"))
    between = [
        r for r in job.calls("list") if first + QUARANTINE * 1000 <= r["receivedAt"] <= second
    ]
    assert len(between) == 2


async def test_what_is_never_done_is_left_for_a_later_run(job: Job) -> None:
    """A row of which nothing comes, again and again, is PENDING when patience ends."""
    job.sandbox.script("500-before-commit:100%@connect")
    async with asyncio.timeout(10):
        outcome = (await job.run([row(1)], patience=0.3, quarantine=0.1))["desk-1"]
    assert outcome.state is RowState.PENDING
    assert outcome.attempts > 1
    assert isinstance(outcome.error, OutcomeUnknownError)
    assert (await job.journaled())["desk-1"].state is RowState.PENDING
    job.sandbox.behave()
    assert await job.states([row(1)]) == {"desk-1": "DONE"}


async def test_a_late_commit_is_waited_for(job: Job) -> None:
    """What lands within the quarantine is found, however late; other rows go on meanwhile."""
    job.sandbox.script("ok@list", Fault("slow-commit", seconds=0.6, endpoint="connect"))
    slow = Job(sandbox=job.sandbox, journal=job.journal, pool={"timeout": 0.2})
    outcomes = await slow.run([row(n) for n in range(30)], quarantine=1.0)
    assert {o.state for o in outcomes.values()} == {RowState.DONE}
    assert set(job.names().values()) == {1}
    assert len(job.calls("connect")) == 30
    assert [*outcomes][-1] == "desk-0"


async def test_too_short_a_quarantine_connects_twice(job: Job) -> None:
    """That is what the quarantine is for, and shows that these tests can fail."""
    job.sandbox.script("ok@list", Fault("slow-commit", seconds=1.0, endpoint="connect"))
    hasty = Job(sandbox=job.sandbox, journal=job.journal, pool={"timeout": 0.1})
    await hasty.run([row(1)], quarantine=0.05)
    await asyncio.sleep(1.0)
    assert [*job.names().values()] == [2]


async def test_a_hundred_doubts_cost_a_handful_of_lists(job: Job) -> None:
    """One look at a user's accounts settles all questions about them."""
    job.sandbox.script("drop-after-commit:100%@connect")
    outcomes = await job.run([row(n) for n in range(100)], quarantine=0.5)
    assert {o.state for o in outcomes.values()} == {RowState.DONE}
    assert len(job.calls("list")) <= 8
    assert len(job.calls("connect")) == 100


async def test_an_account_from_before_is_not_ours(job: Job, sandbox: Sandbox) -> None:
    """One of the same name that was disconnected before the job began is not taken for it."""
    async with job.connect() as pool:
        account, client = row(1), pool.client(access_token=job.tokens["u-1"])
        keys: dict[str, Any] = {"api_key": account.api_key, "api_secret": account.api_secret}
        old = await client.connect_account(venue=account.venue, name="Desk", **keys)
        await client.disconnect_account(old.trading_account_id)
    sandbox.script("drop-before-commit@connect")
    outcome = (await job.run([row(1, name="Desk")]))["desk-1"]
    assert (outcome.state, outcome.attempts) == (RowState.DONE, 2)
    assert len(sandbox.accounts) == len(sandbox.archive) == 1


async def test_names_that_are_changed_prove_nothing(job: Job) -> None:
    """Once the server was seen to change a name, an absence is a conflict, in later runs too."""
    job.sandbox.script("trimmed-names:12:100%")
    first = await job.run([row(1, name="A name that is too long")])
    assert first["desk-1"].state is RowState.DONE
    job.sandbox.behave()
    job.sandbox.script("ok@connect", "drop-before-commit@connect")
    rows = [row(n, name=f"Another name of row {n}") for n in (2, 3)]
    outcomes = await job.run(rows)
    assert sorted(o.state.value for o in outcomes.values()) == ["CONFLICT", "DONE"]
    (conflict,) = [o for o in outcomes.values() if o.state is RowState.CONFLICT]
    assert isinstance(conflict.error, AmbiguousOutcomeError)
    before = len(job.sandbox.requests)
    again = await job.run(rows)
    assert again[conflict.key].state is RowState.CONFLICT
    assert isinstance(again[conflict.key].error, AmbiguousOutcomeError)
    assert len(job.sandbox.requests) == before


async def test_an_account_that_may_be_it_is_a_conflict(job: Job) -> None:
    """A name that is ours but cut short is for a person to judge; it comes with the error."""
    job.sandbox.script(Fault("trimmed-names", size=6, rate=1.0), "drop-after-commit@connect")
    outcome = (await job.run([row(1, name="Desk of Ms Long")]))["desk-1"]
    assert outcome.state is RowState.CONFLICT
    assert isinstance(outcome.error, AmbiguousOutcomeError)
    assert [a.name for a in outcome.error.accounts] == ["Desk o"]
    assert (await job.journaled())["desk-1"].state is RowState.CONFLICT


async def test_found_twice_is_a_conflict(job: Job) -> None:
    """Two accounts of the name that was sent: a person decides."""
    async with RawServer() as server:
        server.play(EMPTY, hang_up, listed("Desk", "Desk"))
        (outcome,) = await connect(server, [row(1, name="Desk")], job)
    assert outcome.state is RowState.CONFLICT
    assert isinstance(outcome.error, AmbiguousOutcomeError)
    assert len(outcome.error.accounts) == 2


async def _leave_in_doubt(job: Job, fault: str) -> None:
    """End a run with row 1 UNKNOWN, because its user may not list accounts any more."""
    await job.run([row(9)])
    job.sandbox.script(f"{fault}@connect", "expired-token:100%@list")
    assert await job.states([row(1)]) == {"desk-1": "UNKNOWN"}


async def test_a_user_whose_token_dies_leaves_unknown_rows(job: Job) -> None:
    """The row is UNKNOWN, and the next run, with a good token, finds out."""
    await _leave_in_doubt(job, "drop-after-commit")
    outcome = (await job.run([row(1)]))["desk-1"]
    assert outcome.state is RowState.UNKNOWN
    assert isinstance(outcome.error, AuthenticationError)
    assert outcome.attempts == 0
    journaled = (await job.journaled())["desk-1"]
    assert journaled.state is RowState.UNKNOWN
    assert isinstance(journaled.error, OutcomeUnknownError)
    assert journaled.error.sent_at is not None
    job.sandbox.behave()
    again = (await job.run([row(1)]))["desk-1"]
    assert (again.state, again.attempts) == (RowState.DONE, 0)
    assert len(job.sandbox.accounts) == 2


async def test_a_user_who_is_out_leaves_what_is_in_doubt(job: Job) -> None:
    """While a row is in quarantine, another one finds that the token is no good any more."""
    await job.run([row(9)])
    job.sandbox.script("drop-after-commit@connect", *["expired-token@connect"] * 20)
    outcomes = await job.run([row(n) for n in range(9)], concurrency=1, quarantine=30)
    states = [outcome.state.value for outcome in outcomes.values()]
    assert sorted(states) == ["PENDING"] * 8 + ["UNKNOWN"]
    assert {type(o.error) for o in outcomes.values()} == {AuthenticationError}


async def test_the_quarantine_begins_again_after_a_restart(job: Job) -> None:
    """A row that was UNKNOWN is in doubt for as long as if it had just been sent."""
    await _leave_in_doubt(job, "drop-before-commit")
    job.sandbox.behave()
    began = asyncio.get_running_loop().time()
    outcome = (await job.run([row(1)], quarantine=0.7))["desk-1"]
    assert (outcome.state, outcome.attempts) == (RowState.DONE, 1)
    assert asyncio.get_running_loop().time() - began >= 0.7


async def test_an_unknown_row_that_was_changed_remains_so(job: Job) -> None:
    """Its account may be there, so it has not FAILED; as it was, the row is settled."""
    await _leave_in_doubt(job, "drop-after-commit")
    job.sandbox.behave()
    changed = (await job.run([row(1, api_secret="another" * 3)]))["desk-1"]
    assert (changed.state, changed.attempts) == (RowState.UNKNOWN, 0)
    assert isinstance(changed.error, InvalidRowError)
    assert (await job.journaled())["desk-1"].state is RowState.UNKNOWN
    assert await job.states([row(1)]) == {"desk-1": "DONE"}


async def test_of_two_rows_with_the_key_of_one_in_doubt_the_second_has_failed(job: Job) -> None:
    """Whatever it is, nothing was sent for that one."""
    await _leave_in_doubt(job, "drop-after-commit")
    job.sandbox.behave()
    async with job.running([row(1), row(1, name="Another")]) as run:
        assert {o.state async for o in run} == {RowState.DONE, RowState.FAILED}


EXISTS = answers(409, envelope(-22017))


def listed(*names: str) -> Act:
    """A list of accounts."""
    rows = [
        {"tradingAccountId": f"id-{n}", "venue": "BINANCE", "name": name, "status": "ACTIVE"}
        for n, name in enumerate(names)
    ]
    return answers(200, envelope(data=rows, pagination={"hasNext": False}))


@pytest.mark.parametrize("errno", [22001, 22002, 22010, 22017])
async def test_a_duplicate_without_a_doubt_fails(job: Job, errno: int) -> None:
    """What exists already, and was never sent by this job, is not ours."""
    async with RawServer(default=listed("Desk")) as server:
        server.play(EMPTY, answers(409, envelope(-errno)))
        (outcome,) = await connect(server, [row(1, name="Desk")], job)
    assert outcome.state is RowState.FAILED
    assert isinstance(outcome.error, ConflictError)


async def test_a_duplicate_after_a_doubt_is_looked_for(job: Job) -> None:
    """It may be the row's own account after all, which landed later than anybody thought."""
    async with RawServer() as server:
        server.play(EMPTY, hang_up, EMPTY, EMPTY, EXISTS, listed("Desk"))
        (outcome,) = await connect(server, [row(1, name="Desk")], job)
    assert (outcome.state, outcome.attempts) == (RowState.DONE, 2)
    assert outcome.account.trading_account_id == "id-0"


@pytest.mark.parametrize(
    ("change", "state"),
    [({}, RowState.DONE), ({"api_secret": "another"}, RowState.FAILED)],
    ids=["the same row", "a changed row"],
)
async def test_a_doubt_of_an_earlier_run_counts(
    job: Job, change: dict[str, str], state: RowState
) -> None:
    """What was not there when that run looked may have landed since, unless it is another row."""
    async with RawServer() as server:
        server.play(EMPTY, hang_up, EMPTY, EMPTY, answers(401, envelope(-100000)))
        (outcome,) = await connect(server, [row(1, name="Desk")], job)
        assert (outcome.state, outcome.attempts) == (RowState.PENDING, 2)
        server.play(EXISTS, listed("Desk"))
        (outcome,) = await connect(server, [row(1, name="Desk", **change)], job)
    assert (outcome.state, outcome.attempts) == (state, 1)


async def test_a_duplicate_that_is_not_there_fails(job: Job) -> None:
    """It exists, but not among the accounts of this user: it is not sent a third time."""
    async with RawServer() as server:
        server.play(EMPTY, hang_up, EMPTY, EMPTY, EXISTS, EMPTY, EMPTY)
        (outcome,) = await connect(server, [row(1)], job)
    assert (outcome.state, outcome.attempts) == (RowState.FAILED, 2)
    assert isinstance(outcome.error, ConflictError)


async def test_an_adopted_account_may_be_gone_already(job: Job) -> None:
    """It was connected, and disconnected since: it is done, as its status says."""
    gone = {"tradingAccountId": "id", "venue": "BINANCE", "name": "Desk", "status": "DISCONNECTED"}
    async with RawServer() as server:
        found = answers(200, envelope(data=[gone], pagination={"hasNext": False}))
        server.play(EMPTY, hang_up, found)
        (outcome,) = await connect(server, [row(1, name="Desk")], job)
    assert (outcome.state, outcome.account.status) == (RowState.DONE, "DISCONNECTED")


async def test_rows_that_are_being_sent_explain_new_accounts(job: Job) -> None:
    """Accounts that turn up between two lists because they are ours do not delay the others."""
    sent: list[str] = []
    accounts: list[dict[str, str]] = []
    shown: list[int] = []

    async def act(exchange: Exchange) -> None:
        if exchange.request.method == "GET":
            while shown and shown[-1] == len(accounts) < 50:  # so that no two lists are alike
                await asyncio.sleep(0.001)
            shown.append(len(accounts))
            everything = envelope(data=accounts, pagination={"hasNext": False})
            await answers(200, everything)(exchange)
            return
        sent.append(exchange.request.sent["name"])
        if len(sent) == 1:
            await hang_up(exchange)
            return
        about = {"venue": "BINANCE", "name": sent[-1], "status": "ACTIVE"}
        accounts.append({"tradingAccountId": exchange.request.digest} | about)
        await asyncio.sleep(0.02)
        await done(exchange)

    async with RawServer(default=act) as server:
        rows = [row(n, name=f"Desk {n}") for n in range(1, 60)]
        outcomes = await connect(server, rows, job)
    assert {o.state for o in outcomes} == {RowState.DONE}
    assert sorted(sent) == sorted(["Desk 1", *(f"Desk {n}" for n in range(1, 60))])
    assert "Desk 1" in sent[1:-10]


async def test_a_doubt_after_the_user_is_out(job: Job) -> None:
    """A row that was in flight when the token died is UNKNOWN, and nobody looks for it."""
    async with RawServer() as server:
        refused = answers(401, envelope(-100000))
        server.play(EMPTY, done, hang_up_later, refused, refused)
        raw = Job(sandbox=job.sandbox, journal=job.journal, pool={"base_url": server.url})
        outcomes = await raw.run([row(n) for n in range(1, 4)], tokens={"u-1": "token"})
    states = [outcome.state.value for outcome in outcomes.values()]
    assert sorted(states) == ["DONE", "PENDING", "UNKNOWN"]
    assert len([r for r in server.requests if r.method == "GET"]) == 1


async def test_a_row_that_is_found_while_its_user_is_given_up(job: Job) -> None:
    """There was no room for its outcome yet: it has one all the same."""
    full, found = asyncio.Event(), asyncio.Event()
    async with RawServer() as server:
        server.play(EMPTY, done, hang_up, later(found, answers(401, envelope(-100000))))
        server.default = later(full, listed("Desk 2"))
        raw = Job(sandbox=job.sandbox, journal=job.journal, pool={"base_url": server.url})

        async def rows() -> AsyncIterator[NewAccount | InvalidRowError]:
            for n in (1, 2, 3):
                yield row(n, name=f"Desk {n}")
            await server.until(lambda: len(server.requests) > 3)
            for n in range(300):
                yield InvalidRowError("no row", key=f"bad-{n}")

        async with raw.running(rows(), tokens={"u-1": "token"}) as run:
            async with asyncio.timeout(10):
                await until(lambda: run.counts[RowState.FAILED] == 254)
                full.set()
                await until(lambda: run.counts[RowState.DONE] == 2)
                found.set()
                await until(lambda: run.counts[RowState.PENDING] == 1)
                outcomes = {outcome.key: outcome.state.value async for outcome in run}
    assert len(outcomes) == 303
    assert [outcomes[f"desk-{n}"] for n in (1, 2, 3)] == ["DONE", "DONE", "PENDING"]


async def until(condition: Callable[[], bool]) -> None:
    """Wait until it is so."""
    while not condition():
        await asyncio.sleep(0.01)


async def hang_up_later(exchange: Exchange) -> None:
    """Say nothing, and go when everybody else has been answered."""
    await asyncio.sleep(0.3)
    await hang_up(exchange)
