"""What waits, for how long, and what goes on meanwhile."""

from __future__ import annotations

import asyncio
import socket
from collections import deque
from itertools import count
from typing import TYPE_CHECKING, Any

import pytest

from cadenza_async import Attempt, RowState
from cadenza_async.errors import ConfigError, NotSentError, RateLimitedError, VenueError
from tests.raw import RawServer, answers, done, envelope, packed, sends_last

from .jobs import EMPTY, Job, row

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from cadenza_async import NewAccount
    from tests.raw import Act, Exchange

BUSY = ["429@connect", "429-bare@connect", "503-retry:50ms@connect", "503-lock@connect"]


@pytest.mark.parametrize("fault", BUSY)
async def test_a_throttled_row_is_sent_again(job: Job, fault: str) -> None:
    """Nothing was done, so it simply waits for its turn."""
    job.sandbox.script(fault)
    outcome = (await job.run([row(1)]))["desk-1"]
    assert (outcome.state, outcome.attempts, outcome.error) == (RowState.DONE, 2, None)
    assert (await job.journaled())["desk-1"].attempts == 2


async def test_a_throttled_user_does_not_hold_up_others(job: Job) -> None:
    """One user is asked to come back in a second; the other's rows are done by then."""
    job.sandbox.script("ok@list", "ok@list", Fault429)
    rows = [row(0, user="u-2"), *[row(n) for n in range(1, 20)]]
    outcomes = await job.run(rows, concurrency=1)
    assert {o.state for o in outcomes.values()} == {RowState.DONE}
    assert [*outcomes][-1] == "desk-0"


Fault429 = "429:1s@connect"


async def test_a_user_who_is_always_throttled_is_given_up(job: Job) -> None:
    """When patience ends, the rows are left PENDING, with the reason."""
    job.sandbox.script("503-lock:100%@connect")
    outcomes = await job.run([row(1), row(2)], patience=0.3)
    assert {o.state for o in outcomes.values()} == {RowState.PENDING}
    assert {type(o.error) for o in outcomes.values()} == {RateLimitedError}
    job.sandbox.behave()
    assert set((await job.states([row(1), row(2)])).values()) == {"DONE"}


async def test_patience_with_a_user_begins_anew_with_each_answer(
    job: Job, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A user who is throttled now and then is not given up, nor waits longer each time."""
    failures: list[int] = []

    def at_once(before: int, _: object) -> float:
        failures.append(before)
        return 0.0

    monkeypatch.setattr("cadenza_async.onboarding._desk.backoff", at_once)
    job.sandbox.script("503-lock@connect", "latency:300ms@connect", "503-lock@connect")
    outcomes = await job.run([row(1), row(2)], patience=0.2, concurrency=1)
    assert {o.state for o in outcomes.values()} == {RowState.DONE}
    assert failures == [0, 0]


async def test_who_is_told_to_come_back_too_late_is_given_up(job: Job) -> None:
    """A server that asks for more than there is patience is asked once more when that ends."""
    job.sandbox.script("503-retry:60s:100%@connect")
    async with asyncio.timeout(10):
        outcome = (await job.run([row(1)], patience=0.3))["desk-1"]
    assert (outcome.state, outcome.attempts) == (RowState.PENDING, 2)
    assert isinstance(outcome.error, RateLimitedError)


async def test_a_venue_that_comes_back_is_waited_for(job: Job) -> None:
    """Rows of the exchange that is down wait, those of another one do not."""
    job.sandbox.script(*["429-venue@connect"] * 3)
    rows = [row(n, venue="BYBIT" if n < 4 else "BINANCE") for n in range(8)]
    outcomes = await job.run(rows)
    assert {o.state for o in outcomes.values()} == {RowState.DONE}
    assert sum(o.attempts for o in outcomes.values()) == 8 + 3


async def test_a_venue_is_not_called_before_its_time(job: Job) -> None:
    """An exchange that counts calls says when it takes more."""
    limit = answers(429, envelope(-18011), retry_after="60")
    async with RawServer(default=limit) as server, asyncio.timeout(10):
        server.play(EMPTY)
        raw = Job(sandbox=job.sandbox, journal=job.journal, pool={"base_url": server.url})
        (outcome,) = (await raw.run([row(1)], patience=1.5)).values()
    assert isinstance(outcome.error, VenueError)
    assert outcome.attempts == 2  # once more when patience ends


async def test_a_venue_that_stays_down_is_given_up(job: Job) -> None:
    """After the patience its rows are left PENDING; one call at a time found out about it."""
    rows = [row(n, venue="BYBIT", api_key="down" + "x" * 9) for n in range(20)] + [row(30)]
    outcomes = await job.run(rows, patience=1.0)
    assert outcomes.pop("desk-30").state is RowState.DONE
    assert {o.state for o in outcomes.values()} == {RowState.PENDING}
    assert {type(o.error) for o in outcomes.values()} == {VenueError}
    assert len(job.calls("connect")) < 15
    assert {r.state for r in (await job.journaled()).values()} == {RowState.PENDING, RowState.DONE}


@pytest.mark.parametrize("fault", ["503-lock@connect", "drop-before-commit@connect"])
async def test_a_call_that_finds_out_nothing_about_a_venue(
    job: Job, monkeypatch: pytest.MonkeyPatch, fault: str
) -> None:
    """It was to find out whether that is back, and Cadenza was busy, or did not answer."""
    for module in ("_lane", "_desk"):
        monkeypatch.setattr(f"cadenza_async.onboarding.{module}.backoff", lambda *_: 0.0)
    job.sandbox.script("429-venue@connect", fault)
    async with asyncio.timeout(10):
        outcome = (await job.run([row(1)]))["desk-1"]
    assert (outcome.state, outcome.attempts) == (RowState.DONE, 3)


async def test_a_bad_row_does_not_shut_its_venue(job: Job) -> None:
    """A key that always fails at the exchange waits by itself once others get through."""
    rows = [row(0, api_key="down" + "x" * 9), *[row(n) for n in range(1, 40)]]
    outcomes = await job.run(rows, patience=2.5)
    assert outcomes.pop("desk-0").state is RowState.PENDING
    assert {o.state for o in outcomes.values()} == {RowState.DONE}


async def test_a_server_that_is_not_there_yet(job: Job) -> None:
    """Nothing is lost while it cannot be reached, and all goes on when it can."""
    refused: list[Attempt] = []
    async with RawServer() as before:
        pool = {"base_url": before.url, "on_attempt": refused.append, "retries": 0}
        early = Job(sandbox=job.sandbox, journal=job.journal, pool=pool)
        await early.run([row(9)])  # of the other user the accounts are to be listed first
    refused.clear()

    async def appear() -> RawServer:
        async with asyncio.timeout(10):
            while {attempt.method for attempt in refused} != {"GET", "POST"}:
                await asyncio.sleep(0.01)
        sock = socket.create_server(("127.0.0.1", before.port))
        return await RawServer(sock=sock).__aenter__()

    appearing = asyncio.create_task(appear())
    outcomes = await early.run([row(n, user=f"u-{n % 2 + 1}") for n in range(5)])
    server = await appearing
    assert {o.state for o in outcomes.values()} == {RowState.DONE}
    assert len([r for r in server.requests if r.method == "POST"]) == 5
    await server.__aexit__(None, None, None)


def last_words(server: RawServer) -> Act:
    """Answer with an empty list, and go away."""

    async def act(exchange: Exchange) -> None:
        await answers(200, envelope(data=[], pagination={"hasNext": False}))(exchange)
        server._server.close()
        exchange.writer.close()

    return act


async def test_a_server_that_goes_away_is_given_up(job: Job) -> None:
    """When nobody could be reached for the patience, all rows are left PENDING."""
    async with RawServer() as server:
        server.play(last_words(server))
        alone = Job(sandbox=job.sandbox, journal=job.journal, pool={"base_url": server.url})
        rows = [row(n, user="u-1") for n in range(50)]
        outcomes = await alone.run(rows, patience=0.5)
    assert {o.state for o in outcomes.values()} == {RowState.PENDING}
    assert {type(o.error) for o in outcomes.values()} == {NotSentError}
    assert not [r for r in server.requests if r.method == "POST"]


async def test_a_user_who_turns_up_when_cadenza_was_given_up(
    job: Job, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Patience has ended for everybody: it does not begin anew with each user."""
    monkeypatch.setattr("cadenza_async.onboarding._slots.backoff", lambda *_: 0.1)
    attempts: list[Attempt] = []
    async with RawServer() as server:
        server.play(last_words(server))
        pool = {"base_url": server.url, "on_attempt": attempts.append}
        alone = Job(sandbox=job.sandbox, journal=job.journal, pool=pool)
        given_up = asyncio.Event()

        async def rows() -> AsyncIterator[NewAccount]:
            yield row(1)
            await given_up.wait()
            yield row(2, user="u-2")

        async with alone.running(rows(), patience=0.1) as run:
            first = await anext(run)
            before = len(attempts)
            given_up.set()
            (second,) = [outcome async for outcome in run]
    assert (first.state, second.state) == (RowState.PENDING, RowState.PENDING)
    assert isinstance(second.error, NotSentError)
    assert len(attempts) == before


async def test_all_users_are_given_up_together(job: Job, monkeypatch: pytest.MonkeyPatch) -> None:
    """When patience ends, rows that wait for their turn are not tried one after another.

    Those that had room for an outcome leave it to others.
    """
    monkeypatch.setattr("cadenza_async.onboarding._slots.backoff", lambda *_: 0.2)
    monkeypatch.setattr("cadenza_async.onboarding._desk._LEAST_ROOM", 1)
    users = tuple(f"u-{n}" for n in range(60))
    attempts: list[Attempt] = []
    async with RawServer() as server:
        pool = {"base_url": server.url, "on_attempt": attempts.append}
        alone = Job(sandbox=job.sandbox, journal=job.journal, pool=pool, users=users)
        await alone.run([row(n, user=user) for n, user in enumerate(users)])
    attempts.clear()
    rows = [row(n, user=user) for n, user in enumerate(users, len(users))]
    async with asyncio.timeout(10):
        outcomes = await alone.run(rows, patience=0.5, concurrency=8)
    assert {o.state for o in outcomes.values()} == {RowState.PENDING}
    assert {type(o.error) for o in outcomes.values()} == {NotSentError}
    assert len(attempts) < len(users) / 2


async def test_a_server_that_hangs_up_after_each_answer(job: Job) -> None:
    """A row that meets a connection which is closing goes out on another, and is one attempt."""
    async with RawServer() as server:
        listed = packed(200, envelope(data=[], pagination={"hasNext": False}))
        connected = [packed(200, envelope(data={"tradingAccountId": f"ta-{n}"})) for n in range(50)]
        server.play(*map(sends_last, [listed, *connected]))
        alone = Job(sandbox=job.sandbox, journal=job.journal, pool={"base_url": server.url})
        outcomes = await alone.run([row(n) for n in range(50)], concurrency=1)
    assert {o.state for o in outcomes.values()} == {RowState.DONE}
    posts = [r.sent["name"] for r in server.requests if r.method == "POST"]
    assert len(posts) == len({*posts}) == 50


class Waves:
    """An act that holds accounts back until so many are being connected, wave after wave.

    The first of each user is not held: its answer tells how many more may be sent.
    """

    def __init__(self, *sizes: int) -> None:
        self._sizes = deque(sizes)
        self._gate = asyncio.Event()
        self._users: set[str | None] = set()
        self._flying = 0
        self._answered = 0
        self.beyond_answered: list[int] = []
        self.most = 0

    async def __call__(self, exchange: Exchange) -> None:
        if exchange.request.method == "POST":
            user = exchange.request.header("Authorization")
            await self._hold(first=user not in self._users)
            self._users.add(user)
        await done(exchange)

    async def _hold(self, *, first: bool) -> None:
        self._flying += 1
        self.most = max(self.most, self._flying)
        self.beyond_answered.append(self._flying - self._answered)
        gate = self._gate
        if self._sizes and self._flying == self._sizes[0]:
            self._sizes.popleft()
            gate.set()
            self._gate = asyncio.Event()
        if not first and (gate.is_set() or self._sizes):
            await gate.wait()
            for _ in range(20):  # so that more would arrive, if more were sent
                await asyncio.sleep(0)
        self._flying -= 1
        self._answered += 1


async def test_concurrency_is_capped(job: Job) -> None:
    """Never more calls than that are in flight, of all users together."""
    waves = Waves(*[3] * 19)
    async with RawServer(default=waves) as server:
        users: dict[str, Any] = {"pool": {"base_url": server.url}, "users": ("u-1", "u-2")}
        raw = Job(sandbox=job.sandbox, journal=job.journal, **users)
        rows = [row(n, user=f"u-{n % 2 + 1}") for n in range(60)]
        outcomes = await raw.run(rows, concurrency=3)
    assert {o.state for o in outcomes.values()} == {RowState.DONE}
    assert waves.most == 3


async def test_concurrency_grows(job: Job) -> None:
    """It begins with a few calls at a time, and each good answer leaves room for one more."""
    waves = Waves(9, 18, 36)
    async with RawServer(default=waves) as server:
        raw = Job(sandbox=job.sandbox, journal=job.journal, pool={"base_url": server.url})
        outcomes = await raw.run([row(n) for n in range(100)])
    assert {o.state for o in outcomes.values()} == {RowState.DONE}
    assert waves.most >= 36
    assert max(waves.beyond_answered) == 8


async def test_all_rows_of_a_user_who_is_given_up(job: Job) -> None:
    """However many there are, each has its outcome; other users go on."""
    rows = [row(n, user="nobody") for n in range(300)] + [row(300)]
    outcomes = await job.run(rows)
    assert outcomes.pop("desk-300").state is RowState.DONE
    assert {type(o.error) for o in outcomes.values()} == {ConfigError}
    assert len(outcomes) == 300


async def test_tokens_that_expire_again_and_again_leave_room(
    job: Job, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A row that goes out once more does not keep room for two outcomes."""
    monkeypatch.setattr("cadenza_async.onboarding._desk._LEAST_ROOM", 1)
    numbers, refused = count(), set[str]()

    async def token() -> str:
        return f"token-{next(numbers)}"

    async def refuse_once(exchange: Exchange) -> None:
        request = exchange.request
        first = request.method == "POST" and request.sent["name"] not in refused
        if first:
            refused.add(request.sent["name"])
        await (answers(401, envelope(-100000)) if first else done)(exchange)

    async with RawServer(default=refuse_once) as server:
        raw = Job(sandbox=job.sandbox, journal=job.journal, pool={"base_url": server.url})
        rows = [row(n) for n in range(6)]
        async with asyncio.timeout(10):
            outcomes = await raw.run(rows, tokens={"u-1": token}, concurrency=1)
    assert {o.state for o in outcomes.values()} == {RowState.DONE}
    assert len(refused) == len(rows)
