"""Rows in, one outcome for each out."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any
from unittest.mock import Mock

import pytest

from cadenza_async import AsyncCadenza, NewAccount, RowState, Secret, onboard
from cadenza_async.errors import (
    AuthenticationError,
    ConfigError,
    CredentialsRejectedError,
    InvalidRowError,
    OutcomeUnknownError,
    PermissionDeniedError,
    UsageError,
)
from cadenza_async.onboarding import _journal
from cadenza_async.onboarding._states import Flavour
from tests.loops import on_every_loop

from .jobs import QUARANTINE, row

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator

    from .jobs import Job

pytestmark = on_every_loop


async def test_every_row_is_connected_as_its_user(job: Job) -> None:
    """Rows of several users come in any order; each goes out with its user's token."""
    rows = [row(n, user=f"u-{n % 3 + 1}", name=f"Desk {n}") for n in range(60)]
    outcomes = await job.run(rows)
    assert {o.state for o in outcomes.values()} == {RowState.DONE}
    assert {o.attempts for o in outcomes.values()} == {1}
    assert job.names() == {(f"u-{n % 3 + 1}", f"Desk {n}"): 1 for n in range(60)}
    for outcome in outcomes.values():
        assert outcome.account is not None
        assert outcome.account.user_id == outcome.user
        assert outcome.account.name == outcome.name


async def test_what_a_row_costs(job: Job, references: Job) -> None:
    """As many calls as are reckoned with before a job begins."""
    for each, flavour in ((job, Flavour.DIRECT), (references, Flavour.CREDENTIAL)):
        journal = each.journal.with_name(flavour.value)
        await each.run([row(1)], flavour=flavour.value, journal=journal)
        assert len(each.sandbox.requests) == flavour.baseline + flavour.calls


async def test_one_identity_needs_no_tokens(job: Job) -> None:
    """A client's own rows go out as the client, with or without a pool behind it."""
    rows = [row(n, user=None) for n in range(3)]
    async with AsyncCadenza(job.sandbox.access_token, base_url=job.sandbox.url) as client:
        run = onboard(client, rows[:2], journal=job.journal)
        first = [outcome.state async for outcome in run]
    async with job.connect() as pool:
        client = pool.client(access_token=job.sandbox.access_token)
        run = onboard(client, rows, journal=job.journal)
        second = [(outcome.state, outcome.attempts) async for outcome in run]
    assert first == [RowState.DONE] * 2
    assert sorted(attempts for _, attempts in second) == [0, 0, 1]
    assert len(job.sandbox.accounts) == 3


async def test_without_a_with_block(job: Job) -> None:
    """A plain loop works as well, and closes the journal at its end."""
    async with job.connect() as pool:
        run = onboard(pool, [row(1)], tokens=job.tokens, journal=job.journal)
        assert [outcome.state async for outcome in run] == [RowState.DONE]
        assert [outcome async for outcome in run] == []
        assert await job.states([row(1)]) == {"desk-1": "DONE"}


async def test_rows_may_come_one_after_another(job: Job) -> None:
    """An async iterable is taken as it comes: the first outcome is there before the second row."""
    first_is_done = asyncio.Event()

    async def rows() -> AsyncIterator[NewAccount]:
        yield row(1)
        await first_is_done.wait()
        yield row(2)

    keys: list[str] = []
    async with job.running(rows()) as run:
        async for outcome in run:
            keys.append(outcome.key)
            first_is_done.set()
    assert keys == ["desk-1", "desk-2"]


async def test_a_refused_row_fails_alone(job: Job) -> None:
    """What the exchange refuses is that row's outcome; the others go on."""
    outcomes = await job.run([row(1), row(2, api_key="invalid" + "x" * 9), row(3)])
    assert [outcomes[f"desk-{n}"].state for n in (1, 2, 3)] == ["DONE", "FAILED", "DONE"]
    assert isinstance(outcomes["desk-2"].error, CredentialsRejectedError)
    assert outcomes["desk-2"].account is None


async def test_bad_rows_are_outcomes(job: Job) -> None:
    """What stands in place of a row fails, under its own key or its number."""
    rows = [InvalidRowError("no venue", key="line 2"), row(1), InvalidRowError("empty"), 7]
    outcomes = await job.run(rows)
    assert {key: o.state.value for key, o in outcomes.items()} == {
        "line 2": "FAILED",
        "desk-1": "DONE",
        "row 3": "FAILED",
        "row 4": "FAILED",
    }
    assert str(outcomes["line 2"].error) == "no venue"
    assert (outcomes["line 2"].venue, outcomes["line 2"].attempts) == (None, 0)


async def test_bad_rows_share_commits(job: Job, monkeypatch: pytest.MonkeyPatch) -> None:
    """A file of nothing but bad rows does not wait for the disk at each of them."""
    commits = Mock(wraps=_journal._run)
    monkeypatch.setattr(_journal, "_run", commits)
    outcomes = await job.run(InvalidRowError("no venue", key=f"line {n}") for n in range(1000))
    assert list(outcomes) == [f"line {n}" for n in range(1000)]
    assert commits.call_count < 100


async def test_a_bad_row_whose_key_cannot_be_written(job: Job) -> None:
    """What is wrong with a row may be its key: it fails under that key, and alone."""
    key = "\ud800"
    with pytest.raises(UsageError) as refused:
        row(1, key=key)
    outcomes = await job.run([InvalidRowError(str(refused.value), key=key), row(2)])
    assert {key: o.state.value for key, o in outcomes.items()} == {key: "FAILED", "desk-2": "DONE"}


async def test_the_same_key_twice_is_connected_once(job: Job) -> None:
    """A row that is in the input a second time fails, whatever is in it."""
    async with job.running([row(1), row(1), row(2, key="desk-1")]) as run:
        states = sorted([outcome.state async for outcome in run])
    assert states == ["DONE", "FAILED", "FAILED"]
    assert len(job.sandbox.accounts) == 1


async def test_rows_without_a_key_are_told_apart_by_what_they_are(job: Job) -> None:
    """User, venue, API key and account type make a key; what is the same is the same row."""
    rows = [
        row(1, key=None),
        row(1, key=None, venue="BYBIT"),
        row(1, key=None, user="u-2"),
        row(1, key=None, account_type="MARGIN"),
        row(2, key=None),
    ]
    assert set((await job.states(rows)).values()) == {"DONE"}
    assert len(job.sandbox.accounts) == 5
    again = await job.run([row(1, key=None, api_secret="x" * 9), *rows[1:]])
    assert sorted(o.state.value for o in again.values()) == ["DONE"] * 4 + ["FAILED"]


class Quitter:
    """A token source that waits for a task which somebody has cancelled."""

    async def token(self, *, rejected: Secret | None = None) -> Secret:
        waiting = asyncio.create_task(asyncio.sleep(60, Secret("in.vain")))
        waiting.cancel()
        return await waiting


@pytest.mark.parametrize(
    ("token", "error"),
    [
        ("revoked", AuthenticationError),
        ("without rights", PermissionDeniedError),
        ("missing", ConfigError),
        ("no token at all", ConfigError),
        ("broken source", ConfigError),
        ("cancelled source", ConfigError),
        ("cancelled by itself", ConfigError),
    ],
)
async def test_a_user_without_a_good_token_is_left_alone(
    job: Job, token: str, error: type[Exception]
) -> None:
    """Nothing is sent for the user any more: the rows stay PENDING; other users go on."""

    async def broken() -> str:
        raise LookupError

    async def cancelled() -> str:
        raise asyncio.CancelledError

    bad: dict[str, Any] = {
        "revoked": "wrong-token",
        "without rights": job.sandbox.token("u-2", rights=False),
        "missing": None,
        "no token at all": "two words",
        "broken source": broken,
        "cancelled source": cancelled,
        "cancelled by itself": Quitter(),
    }
    rows = [row(n, user=f"u-{n % 2 + 1}") for n in range(100)]
    outcomes = await job.run(rows, tokens=job.tokens | {"u-2": bad[token]}, concurrency=4)
    of = {user: [o for o in outcomes.values() if o.user == user] for user in ("u-1", "u-2")}
    assert {o.state for o in of["u-1"]} == {RowState.DONE}
    assert {o.state for o in of["u-2"]} == {RowState.PENDING}
    assert {type(o.error) for o in of["u-2"]} == {error}
    assert len([r for r in job.calls("connect") if r["user"] == "u-2"]) <= 8
    assert set((await job.states(rows)).values()) == {"DONE"}


async def test_a_token_source_that_breaks_is_not_asked_again(job: Job) -> None:
    """The row that was to be sent next is given up before it has begun."""

    class Source:
        asked = 0

        async def token(self, *, rejected: Secret | None = None) -> Secret:
            self.asked += 1
            if self.asked > 1:
                raise LookupError
            return Secret(job.sandbox.token("u-1"))

    source = Source()
    outcomes = await job.run([row(n) for n in range(5)], tokens={"u-1": source})
    assert {o.state for o in outcomes.values()} == {RowState.PENDING}
    assert {type(o.error) for o in outcomes.values()} == {ConfigError}
    assert source.asked == 2


async def test_a_user_who_was_given_up_stays_so(job: Job) -> None:
    """Rows that turn up after the user's lane has ended are not sent either."""
    first_is_out = asyncio.Event()

    async def rows() -> AsyncIterator[NewAccount]:
        yield row(1)
        await first_is_out.wait()
        yield row(2)

    seen = []
    async with job.running(rows(), tokens={"u-1": "wrong-token"}) as run:
        async for outcome in run:
            seen.append((outcome.key, outcome.state, type(outcome.error)))
            first_is_out.set()
    assert seen == [(f"desk-{n}", RowState.PENDING, AuthenticationError) for n in (1, 2)]
    assert len(job.calls("list")) == 1


async def test_tokens_may_be_looked_up(job: Job) -> None:
    """A function gives the token of each user; what it raises is that user's trouble."""
    outcomes = await job.run(
        [row(1), row(2, user="u-2")], tokens=lambda user: {"u-1": job.tokens["u-1"]}[user]
    )
    assert outcomes["desk-1"].state is RowState.DONE
    assert outcomes["desk-2"].state is RowState.PENDING
    assert "KeyError" in str(outcomes["desk-2"].error)


async def test_an_expired_token_is_renewed_for_the_row_that_met_it(job: Job) -> None:
    """A token source is asked again, and the row goes out a second time."""
    given: list[str] = []

    async def token() -> str:
        given.append(job.sandbox.token("u-1"))
        return given[-1]

    job.sandbox.script("ok@list", "expired-token@connect")
    outcomes = await job.run([row(1)], tokens={"u-1": token})
    assert outcomes["desk-1"].state is RowState.DONE
    assert outcomes["desk-1"].attempts == 2
    assert len(given) == 2


async def test_a_row_that_goes_out_again_lets_others_go_first(job: Job) -> None:
    """One waits for room in the rate limit, one that has room for a slot: neither for ever."""

    async def token() -> str:
        return job.sandbox.token("u-1")

    job.sandbox.script("ok@list", "expired-token@connect")
    rows = [row(n) for n in range(3)]
    outcomes = await job.run(rows, tokens={"u-1": token}, concurrency=1)
    assert {outcome.state for outcome in outcomes.values()} == {RowState.DONE}
    assert set(job.names().values()) == {1}


@pytest.mark.parametrize(
    ("error", "state"),
    [
        (AuthenticationError("no more", status=401), RowState.PENDING),
        (OutcomeUnknownError("lost"), RowState.DONE),
    ],
)
async def test_a_token_that_cannot_be_had_settles_nothing(
    job: Job, error: Exception, state: RowState
) -> None:
    """What fails before anything was sent is no row's failure, and no doubt about it either."""
    given: list[str] = []

    class Source:
        async def token(self, *, rejected: Secret | None = None) -> Secret:
            given.append("")
            if len(given) == 2:
                raise error
            return Secret(job.sandbox.access_token)

    (outcome,) = (await job.run([row(1)], tokens={"u-1": Source()})).values()
    assert outcome.state is state
    assert outcome.attempts == len(job.sandbox.accounts)
    assert len(job.calls("list")) == 1


async def test_what_the_rows_raise_is_raised(job: Job) -> None:
    """An input that breaks off ends the run, after the outcomes that there are."""

    def rows() -> Iterator[NewAccount]:
        yield row(1)
        raise ZeroDivisionError

    async with job.running(rows()) as run:
        with pytest.raises(ZeroDivisionError):
            _ = [outcome async for outcome in run]
    assert (await job.states([row(1)]))["desk-1"] == "DONE"
    assert len(job.sandbox.accounts) == 1


@pytest.mark.parametrize("end", [asyncio.CancelledError, StopAsyncIteration])
async def test_rows_that_break_off_quietly_are_told_of(job: Job, end: type[BaseException]) -> None:
    """Passed on as they are, these would read as a closed client, or as the end of all rows."""

    class Rows:
        def __iter__(self) -> Iterator[NewAccount]:
            return self

        def __next__(self) -> NewAccount:
            raise end

    async with job.running(Rows()) as run:
        with pytest.raises(UsageError, match=rf"gives the rows raised {end.__name__}"):
            await anext(run)


@pytest.mark.parametrize(
    "wrong",
    [
        {"quarantine": 0},
        {"quarantine": "120"},
        {"patience": -1},
        {"concurrency": 0},
        {"concurrency": True},
        {"concurrency": 2.5},
    ],
)
async def test_wrong_options_are_refused(job: Job, wrong: dict[str, Any]) -> None:
    """They are refused at once, by name."""
    async with job.connect() as pool:
        with pytest.raises(UsageError, match=next(iter(wrong))):
            onboard(pool, [], journal=job.journal, **wrong)


async def test_no_rows(job: Job) -> None:
    """An empty input is done at once, and nobody is asked anything."""
    assert await job.run([], quarantine=QUARANTINE) == {}
    assert job.sandbox.requests == []
