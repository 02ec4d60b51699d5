"""What a user's token source raises is that user's trouble: no row's, and nobody else's."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any, cast

import pytest

from cadenza_async import RowState, Secret
from cadenza_async.errors import (
    CadenzaError,
    ClosedError,
    ConfigError,
    NotFoundError,
    OutcomeUnknownError,
    RateLimitedError,
    UsageError,
)
from tests.loops import on_every_loop

from .jobs import row

if TYPE_CHECKING:
    from .jobs import Job

pytestmark = on_every_loop


@pytest.mark.parametrize(
    ("error", "state"),
    [
        (NotFoundError("no such user", status=404), RowState.PENDING),
        (UsageError("no such user"), RowState.PENDING),
        (OutcomeUnknownError("lost"), RowState.DONE),
    ],
)
async def test_a_token_that_cannot_be_renewed_refuses_no_row(
    job: Job, error: CadenzaError, state: RowState
) -> None:
    """The row that met the old token was not done, and not refused: it was not looked at."""
    renewals: list[Secret] = []

    class Source:
        async def token(self, *, rejected: Secret | None = None) -> Secret:
            if rejected is not None:
                renewals.append(rejected)
                if len(renewals) == 1:
                    raise error
            return Secret(job.tokens["u-1"] if renewals else job.sandbox.access_token)

    job.sandbox.script("expired-token@connect")
    (outcome,) = (await job.run([row(1)], tokens={"u-1": Source()})).values()
    assert outcome.state is state
    assert renewals
    assert (outcome.error is error) is (state is RowState.PENDING)
    assert len(job.calls("list")) == 1  # the baseline: there was no doubt to look into


@pytest.mark.parametrize("calls", [0, 1, 2])
async def test_a_token_source_whose_own_client_is_closed_stops_its_user_alone(
    job: Job, calls: int
) -> None:
    """Its ClosedError is not about the pool of the run, whose other users go on."""
    given: list[Secret] = []

    async def token() -> Secret:
        if len(given) == calls:
            raise ClosedError("the client is not open")
        given.append(Secret(job.sandbox.token("u-1", expires_in=0 if calls == 2 else None)))
        return given[-1]

    class Source:
        async def token(self, *, rejected: Secret | None = None) -> Secret:
            return await token()

    rows = [row(n, user=f"u-{n}", name=f"Desk {n}") for n in (1, 2)]
    outcomes = await job.run(rows, tokens={**job.tokens, "u-1": Source()})
    assert outcomes["desk-1"].state is RowState.PENDING
    assert isinstance(outcomes["desk-1"].error, ConfigError)
    assert "ClosedError" in str(outcomes["desk-1"].error)
    assert outcomes["desk-2"].state is RowState.DONE


async def test_looking_up_a_token_may_end_in_a_cancellation(job: Job) -> None:
    """Who fetches tokens ahead may look into a task that was cancelled: the run goes on."""
    fetching = asyncio.create_task(asyncio.sleep(60, ""))
    fetching.cancel()
    await asyncio.wait([fetching])
    (outcome,) = (await job.run([row(1)], tokens=lambda _: fetching.result())).values()
    assert outcome.state is RowState.PENDING
    assert "CancelledError" in str(outcome.error)


async def test_tokens_that_are_looked_up_by_a_coroutine(job: Job) -> None:
    """The row is told what was given; that nobody awaits the coroutine is no warning."""

    async def look_up(user: str) -> str:
        return job.tokens[user]

    (outcome,) = (await job.run([row(1)], tokens=cast("Any", look_up))).values()
    assert outcome.state is RowState.PENDING
    assert "tokens gave a coroutine" in str(outcome.error)


async def test_a_login_that_is_throttled_is_not_asked_for_before_its_time(
    job: Job, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It may be of a client of the user's own, whose rate limit is none of the pool's."""
    monkeypatch.setattr("cadenza_async.onboarding._desk.backoff", lambda *_: 0.0)
    asked = 0

    async def log_in() -> str:
        nonlocal asked
        asked += 1
        raise RateLimitedError("later", status=429, retry_after=60.0)

    async with asyncio.timeout(10):
        (outcome,) = (await job.run([row(1)], tokens={"u-1": log_in}, patience=0.3)).values()
    assert isinstance(outcome.error, RateLimitedError)
    assert asked == 2  # once more when patience ends
