"""Lists that are read to find out what became of a row, while they change or fail."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest

from cadenza_async import RowState
from cadenza_async.errors import RateLimitedError, ServerError
from cadenza_async.onboarding._sweeps import Sweep, agree
from tests.raw import Act, RawServer, answers, done, envelope, hang_up, later

from .jobs import EMPTY, QUARANTINE, Job, connect, row

if TYPE_CHECKING:
    from tests.raw import Exchange


def page(total: int, *names: str) -> Act:
    """Answer with a page of a list of so many accounts."""
    rows = [
        {"tradingAccountId": name, "venue": "BINANCE", "name": name, "status": "ACTIVE"}
        for name in names
    ]
    about = {"total": total, "hasNext": len(names) < total}
    return answers(200, envelope(data=rows, pagination=about))


def without_pauses(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Go on at once after each failure; return how many there had been before each."""
    failures: list[int] = []

    def backoff(before: int, _: object) -> float:
        failures.append(before)
        return 0.0

    monkeypatch.setattr("cadenza_async.onboarding._desk.backoff", backoff)
    return failures


async def test_pages_are_read_to_the_end(job: Job) -> None:
    """An account on a later page is found, and one that is on none is missed on all."""
    job.sandbox.script("capped-list:3:100%")
    await job.run([row(n) for n in range(10)])
    job.sandbox.script("drop-after-commit@connect", "drop-before-commit@connect")
    outcomes = await job.run([row(n) for n in range(12)])
    assert {o.state for o in outcomes.values()} == {RowState.DONE}
    assert sorted(o.attempts for o in outcomes.values()) == [0] * 10 + [1, 2]
    assert set(job.names().values()) == {1}


async def test_an_account_on_the_first_of_several_pages_is_found(job: Job) -> None:
    """What comes after it does not put it out of mind."""
    async with RawServer() as server:
        server.play(EMPTY, hang_up, *[page(2, "Desk"), page(2, "a")] * 2)
        (outcome,) = await connect(server, [row(1, name="Desk")], job)
    assert (outcome.state, outcome.attempts) == (RowState.DONE, 1)


async def test_a_list_begun_in_the_quarantine_proves_nothing(job: Job) -> None:
    """However late it ends: what is sent again was missed by two lists from after its own."""
    listing = asyncio.Event()
    async with RawServer() as server:
        raw = Job(sandbox=job.sandbox, journal=job.journal, pool={"base_url": server.url})

        async def slow_list(exchange: Exchange) -> None:
            listing.set()
            while run.counts[RowState.UNKNOWN] < 2:
                await asyncio.sleep(0.01)
            await asyncio.sleep(QUARANTINE + 0.1)
            await EMPTY(exchange)

        async def empty_or_done(exchange: Exchange) -> None:
            await (EMPTY if exchange.request.method == "GET" else done)(exchange)

        server.play(EMPTY, hang_up, later(listing, hang_up), slow_list)
        server.default = empty_or_done
        async with raw.running([row(1, name="Desk 1"), row(2, name="Desk 2")]) as run:
            assert {o.state async for o in run} == {RowState.DONE}
    asked = [r.method for r in server.requests]
    assert sorted(asked) == ["GET"] * 5 + ["POST"] * 4
    assert asked[-1] == "POST"


async def test_a_list_that_counts_wrongly_is_believed_when_it_stays_so(job: Job) -> None:
    """The account that it counts and never names is not waited for."""

    async def miscounting(exchange: Exchange) -> None:
        names = [] if "offset=1" in exchange.request.target else ["Desk"]
        await page(2, *names)(exchange)

    async with RawServer(default=miscounting) as server:
        raw = Job(sandbox=job.sandbox, journal=job.journal, pool={"base_url": server.url})
        states = await raw.states([row(1, name="Desk")], patience=0.5)
    assert states == {"desk-1": "FAILED"}  # the name was taken before
    assert len(server.requests) == 4


async def test_lists_that_disagree_prove_nothing(job: Job) -> None:
    """While the list changes between two looks, nothing is sent again; then it is settled."""
    await job.run([row(1)])
    job.sandbox.script("drop-before-commit@connect", "drifting-list", "drifting-list")
    job.sandbox.script("drifting-list", "drifting-list")
    outcome = (await job.run([row(1), row(2)]))["desk-2"]
    assert (outcome.state, outcome.attempts) == (RowState.DONE, 2)
    assert len(job.calls("list")) >= 1 + 6


@pytest.mark.parametrize(
    ("first", "second", "strangers", "same"),
    [
        ("ab", "ab", "", True),
        ("ab", "ab", "ab", True),
        ("ab", "abc", "a", True),
        ("ab", "abc", "c", False),
        ("ab", "a", "", False),
        ("ab", "ac", "", False),
    ],
    ids=["nothing new", "strangers in both", "ours", "a stranger", "one less", "another one"],
)
def test_what_two_lists_may_differ_in(
    first: str, second: str, strangers: str, *, same: bool
) -> None:
    """What we made meanwhile; nothing may be missing, and nobody else's may have turned up."""
    one, other = (Sweep(begun=0.0, found={i: i for i in ids}) for ids in (first, second))
    assert agree(one, other, [*strangers]) is same


async def test_lists_between_which_a_stranger_turned_up_prove_nothing(job: Job) -> None:
    """The first one was behind: so may be the second."""
    async with RawServer() as server:
        server.play(EMPTY, hang_up, EMPTY, page(1, "other"), page(2, "other", "Desk"))
        (outcome,) = await connect(server, [row(1, name="Desk")], job)
    assert (outcome.state, outcome.attempts) == (RowState.DONE, 1)


async def test_a_list_that_always_changes_is_given_up(job: Job) -> None:
    """The row stays UNKNOWN when patience ends."""
    await job.run([row(1)])
    job.sandbox.script("drop-before-commit@connect", "drifting-list:100%")
    outcome = (await job.run([row(2)], patience=0.5))["desk-2"]
    assert outcome.state is RowState.UNKNOWN
    assert (await job.journaled())["desk-2"].state is RowState.UNKNOWN
    job.sandbox.behave()
    assert await job.states([row(2)]) == {"desk-2": "DONE"}
    assert len(job.sandbox.accounts) == 2


async def test_a_list_that_fails_is_asked_for_again(job: Job) -> None:
    """Nothing about the row changes because of it."""
    job.sandbox.script("ok@list", "drop-after-commit@connect", *["500@list"] * 5, "drop@list")
    outcome = (await job.run([row(1)]))["desk-1"]
    assert (outcome.state, outcome.attempts) == (RowState.DONE, 1)
    assert len(job.calls("list")) == 1 + 6 + 1


async def test_a_list_that_cannot_be_had_yet_is_not_asked_for_before(
    job: Job, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Cadenza said when to come back; that is later than there is patience, so once more then."""
    monkeypatch.setattr("cadenza_async.onboarding._desk.backoff", lambda *_: 0.0)
    job.sandbox.script("503-retry:60s:100%@list")
    async with asyncio.timeout(10):
        outcome = (await job.run([row(1)], patience=0.3))["desk-1"]
    assert (outcome.state, outcome.attempts) == (RowState.PENDING, 0)
    assert isinstance(outcome.error, RateLimitedError)
    assert len(job.calls("list")) == 2


async def test_a_list_that_a_gateway_refuses_is_not_asked_for_before_its_time(
    job: Job, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its page is no answer of Cadenza's, but says when to come back."""
    monkeypatch.setattr("cadenza_async.onboarding._desk.backoff", lambda *_: 0.0)
    async with RawServer(default=answers(503, b"<html>", retry_after="60")) as server:
        pool = {"base_url": server.url, "retries": 0}
        raw = Job(sandbox=job.sandbox, journal=job.journal, pool=pool)
        async with asyncio.timeout(10):
            (outcome,) = (await raw.run([row(1)], patience=0.3)).values()
    assert isinstance(outcome.error, ServerError)
    assert len(server.requests) == 2  # once more when patience ends


async def test_a_list_that_shrinks_while_it_is_read_is_read_again(job: Job) -> None:
    """What was skipped would look like what is not there."""
    async with RawServer() as server:
        whole = page(3, "a", "b", "Desk")
        server.play(EMPTY, hang_up, page(3, "a"), page(2, "b"), whole, whole)
        (outcome,) = await connect(server, [row(1, name="Desk")], job)
    assert (outcome.state, outcome.attempts) == (RowState.DONE, 1)


async def test_a_list_that_is_empty_by_mistake_is_read_again(job: Job) -> None:
    """It counts an account that it does not name: what was there before is not known yet."""
    async with RawServer() as server:
        server.play(page(1), page(1, "Desk"), done)
        (outcome,) = await connect(server, [row(1, name="Desk")], job)
    assert outcome.state is RowState.FAILED  # the name was taken before
    assert [r.method for r in server.requests] == ["GET", "GET"]


async def test_what_is_skipped_again_and_again_is_not_gone(
    job: Job, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Lists that shrink while they are read agree with each other, but prove nothing."""
    failures = without_pauses(monkeypatch)
    async with RawServer() as server:
        server.play(EMPTY, hang_up, *[page(3, "a"), page(2, "b")] * 4)
        server.play(page(3, "a", "b", "Desk"))
        (outcome,) = await connect(server, [row(1, name="Desk")], job)
    assert (outcome.state, outcome.attempts) == (RowState.DONE, 1)
    assert failures == [0, 1]


async def test_a_list_that_always_shrinks_is_given_up(job: Job) -> None:
    """The row stays UNKNOWN when patience ends."""

    async def shrinking(exchange: Exchange) -> None:
        total, name = (2, "b") if "offset=1" in exchange.request.target else (3, "a")
        await page(total, name)(exchange)

    async with RawServer() as server:
        server.play(EMPTY, hang_up)
        server.default = shrinking
        raw = Job(sandbox=job.sandbox, journal=job.journal, pool={"base_url": server.url})
        (outcome,) = (await raw.run([row(1, name="Desk")], patience=0.5)).values()
    assert outcome.state is RowState.UNKNOWN
    assert isinstance(outcome.error, ServerError)
    assert outcome.error.status == 200  # no request failed
    assert not [r for r in server.requests[2:] if r.method == "POST"]


async def test_a_page_that_fails_does_not_cost_those_before_it(
    job: Job, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is asked for again, however often it takes; the list is not begun anew."""
    failures = without_pauses(monkeypatch)
    async with RawServer() as server:
        pool = {"base_url": server.url, "retries": 0}
        server.play(EMPTY, hang_up, page(2, "a"), *[hang_up] * 6, page(2, "Desk"))
        raw = Job(sandbox=job.sandbox, journal=job.journal, pool=pool)
        (outcome,) = (await raw.run([row(1, name="Desk")])).values()
    assert (outcome.state, outcome.attempts) == (RowState.DONE, 1)
    lists = [r.target for r in server.requests[2:]]
    assert ["offset=1" in target for target in lists] == [False, *[True] * 7]
    assert failures == [0, 1, 2, 3, 4, 5]
