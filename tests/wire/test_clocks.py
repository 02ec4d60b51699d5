"""Clocks that are wrong, and clocks that are set while a call is on its way or waits."""

from __future__ import annotations

import asyncio
import time
from datetime import UTC, datetime, timedelta, timezone
from email.utils import formatdate
from typing import TYPE_CHECKING, Any

import pytest
from attrs import define

from cadenza_async import AsyncCadenza
from cadenza_async.errors import DeadlineExceededError, OutcomeUnknownError, RateLimitedError
from tests.raw import answers, envelope, hang, hang_up

from .line import TOKEN

if TYPE_CHECKING:
    from tests.raw import Act, Exchange, RawServer

HOUR = 3600.0
EVER, NEVER = datetime.min.replace(tzinfo=UTC), datetime.max.replace(tzinfo=UTC)
KEYS: dict[str, Any] = {"venue": "BINANCE", "api_key": "key", "api_secret": "secret"}


@define
class Machine:
    """The wall clock of the client's machine, and how far it is ahead of the server's."""

    ahead: float = 0.0

    def wall(self) -> float:
        return time.time() + self.ahead


def client_on(machine: Machine, server: RawServer, **options: Any) -> AsyncCadenza:
    """Make a client on a machine with a clock of its own."""
    client = AsyncCadenza(TOKEN, **server.options, **options)
    client._shared.wall = machine.wall
    return client


def listing(*accounts: dict[str, Any], dated: bool = True, ahead: float = 0.0) -> Act:
    """Answer with a list of accounts, by a server whose clock is right, or ahead."""
    rows = [
        {"tradingAccountId": str(number), "venue": "BINANCE", "status": "ACTIVE"} | account
        for number, account in enumerate(accounts)
    ]
    headers = {"date": formatdate(time.time() + ahead, usegmt=True)} if dated else {}
    return answers(200, envelope(data=rows, pagination={"hasNext": False}), **headers)


async def lose(client: AsyncCadenza) -> OutcomeUnknownError:
    """Connect, with an answer that does not arrive."""
    with pytest.raises(OutcomeUnknownError) as lost:
        await client.connect_account(**KEYS, name="Desk 1")
    return lost.value


@pytest.mark.parametrize("dated", [True, False], ids=["dated", "undated"])
@pytest.mark.parametrize(
    ("before", "after"),
    [(0.0, -HOUR), (HOUR, 0.0), (HOUR, -HOUR), (0.0, HOUR), (-HOUR, 0.0)],
    ids=["back", "back to right", "far back", "ahead", "ahead to right"],
)
@pytest.mark.parametrize("on_its_way", [True, False], ids=["on its way", "later"])
async def test_an_account_is_found_by_a_machine_whose_clock_was_set(
    plain: RawServer, before: float, after: float, *, on_its_way: bool, dated: bool
) -> None:
    """Setting the clock makes no account older than the connect that made it."""
    machine = Machine(before)

    async def lost(exchange: Exchange) -> None:
        if on_its_way:
            machine.ahead = after
        await hang_up(exchange)

    async with client_on(machine, plain) as client:
        plain.play(lost)
        error = await lose(client)
        machine.ahead = after
        plain.play(listing({"name": "Desk 1", "createdAt": int(time.time() * 1000)}, dated=dated))
        found = await client.resolve(error)
    assert found is not None


async def test_a_cancelled_connect_is_found_by_a_machine_whose_clock_was_set(
    plain: RawServer,
) -> None:
    """What its caller remembers of the time is by the clock as it was."""
    machine = Machine(HOUR)
    async with client_on(machine, plain) as client:
        plain.play(hang)
        since = datetime.fromtimestamp(machine.wall(), UTC)
        connecting = asyncio.create_task(client.connect_account(**KEYS, name="Desk 1"))
        await plain.until(lambda: len(plain.requests) == 1)
        connecting.cancel()
        await asyncio.wait([connecting])
        machine.ahead = 0.0
        plain.play(listing({"name": "Desk 1", "createdAt": int(time.time() * 1000)}))
        assert await client.resolve(venue="BINANCE", name="Desk 1", since=since) is not None


@pytest.mark.parametrize("step", [-HOUR, HOUR], ids=["back", "ahead"])
@pytest.mark.parametrize("before", [0.0, HOUR], ids=["right", "machine ahead"])
async def test_an_account_is_found_though_the_servers_clock_was_set(
    plain: RawServer, before: float, step: float
) -> None:
    """What the server's clock shows since makes no account older than the connect that made it."""
    created = int(time.time() * 1000)
    row = {"name": "Desk 1", "createdAt": created}
    async with client_on(Machine(before), plain) as client:
        plain.play(listing(), hang_up, listing(row, ahead=step))
        assert await client.get_account("a-1") is None
        assert await client.resolve(await lose(client)) is not None


@pytest.mark.parametrize(
    ("dated", "seconds", "found"),
    [(True, 3, True), (True, 8, False), (False, 200, True), (False, 400, False)],
)
async def test_how_long_before_the_connect_its_account_may_seem_made(
    plain: RawServer, *, dated: bool, seconds: int, found: bool
) -> None:
    """Five seconds, as clocks differ; five minutes where the server does not tell its own."""
    row = {"name": "Desk 1", "createdAt": int((time.time() - seconds) * 1000)}
    async with client_on(Machine(), plain) as client:
        plain.play(hang_up, listing(row, dated=dated))
        assert (await client.resolve(await lose(client)) is not None) is found


async def test_a_gateways_clock_dates_no_account(plain: RawServer) -> None:
    """A page in the place of an answer may come from a machine whose clock is wrong."""
    ahead = formatdate(time.time() + 3 * HOUR, usegmt=True)
    row = {"name": "Desk 1", "createdAt": int(time.time() * 1000)}
    async with client_on(Machine(), plain) as client:
        plain.play(answers(502, b"<html>bad gateway", date=ahead), listing(row, dated=False))
        assert await client.resolve(await lose(client)) is not None


async def test_a_clock_that_runs_on_leaves_older_accounts_out(plain: RawServer) -> None:
    """A machine that is an hour wrong all the time knows what was there before."""
    old = int((time.time() - 60) * 1000)
    for ahead in (-HOUR, HOUR):
        async with client_on(Machine(ahead), plain) as client:
            plain.play(hang_up, listing({"name": "Desk 1", "createdAt": old}))
            assert await client.resolve(await lose(client)) is None


@pytest.mark.parametrize(
    "created",
    [0, 1_703_052_635, -62_135_596_800_000, "0001-01-01T00:00:00Z", "1970-01-01T00:00:00Z"],
    ids=["zero", "seconds", "year 1", "year 1 in words", "the epoch in words"],
)
async def test_a_time_that_cannot_be_meant_proves_nothing(
    plain: RawServer, created: int | str
) -> None:
    """An account of that name is not taken for an old one because its time was left out."""
    async with client_on(Machine(), plain) as client:
        plain.play(hang_up, listing({"name": "Desk 1", "createdAt": created}))
        assert await client.resolve(await lose(client)) is not None


@pytest.mark.parametrize("hours", [-14, 0, 14])
@pytest.mark.parametrize("end", [EVER, NEVER], ids=["ever", "never"])
async def test_the_ends_of_time_can_be_asked_about(
    plain: RawServer, end: datetime, hours: int
) -> None:
    """Since ever finds what is there, in each time zone; what is yet to come is not there."""
    since = end.replace(tzinfo=timezone(timedelta(hours=hours)))
    async with client_on(Machine(), plain) as client:
        plain.play(listing({"name": "Desk 1", "createdAt": int(time.time() * 1000)}))
        found = await client.resolve(venue="BINANCE", name="Desk 1", since=since)
    assert (found is None) is (end is NEVER)


@pytest.mark.parametrize("ahead", [-3 * HOUR, 3 * HOUR], ids=["behind", "ahead"])
async def test_a_gateways_limit_is_read_by_the_gateways_clock(
    plain: RawServer, ahead: float
) -> None:
    """The first answer of all, without an envelope, has what is needed beside its limit."""
    now = int(time.time())
    plain.play(
        answers(
            429,
            b"<html>slow down",
            x_ratelimit_limit="30",
            x_ratelimit_remaining="0",
            x_ratelimit_reset=str(now + 30),
            date=formatdate(now, usegmt=True),
        )
    )
    async with client_on(Machine(ahead), plain, retries=0) as client:
        with pytest.raises(RateLimitedError):
            await client.get_account("a-1")
        with pytest.raises(DeadlineExceededError) as late:
            await client.get_account("a-1", timeout=5)
    assert late.value.retry_after is not None
    assert 25 < late.value.retry_after < 35


@pytest.mark.parametrize("step", [-HOUR, -HOUR / 2, HOUR])
async def test_a_server_whose_clock_is_set_shuts_nobody_out(plain: RawServer, step: float) -> None:
    """A window does not become longer because the time at which it ends is further away now."""
    now = int(time.time())
    limit = {"limit": "30", "remaining": "0", "reset": str(now + 30)}
    plain.play(
        answers(
            200,
            envelope(data=[], pagination={"hasNext": False}),
            date=formatdate(now, usegmt=True),
            **{f"x_ratelimit_{name}": text for name, text in limit.items()},
        ),
        answers(200, {"status": "healthy", "version": "1"}, date=formatdate(now + step)),
    )
    async with client_on(Machine(), plain) as client:
        assert await client.get_account("a-1") is None
        await client.health()
        if step > 0:
            assert await client.get_account("a-1") is None
            return
        with pytest.raises(DeadlineExceededError) as late:
            await client.get_account("a-1", timeout=5)
    assert late.value.retry_after is not None
    assert 25 < late.value.retry_after < 35


@pytest.mark.parametrize("dated", [True, False], ids=["dated later", "undated"])
async def test_a_clock_that_is_days_behind_stops_nothing_for_days(
    plain: RawServer, *, dated: bool
) -> None:
    """When a window ends cannot be told without a date: within an hour somebody tries."""
    now = int(time.time())
    limit = {"limit": "30", "remaining": "0", "reset": str(now + 30)}
    headers = {f"x_ratelimit_{name}": text for name, text in limit.items()}
    later = {"date": formatdate(now, usegmt=True)} if dated else {}
    plain.play(
        answers(200, envelope(data=[], pagination={"hasNext": False}), **headers),
        answers(200, {"status": "healthy", "version": "1"}, **later),
    )
    async with client_on(Machine(-72 * HOUR), plain) as client:
        assert await client.get_account("a-1") is None
        await client.health()
        with pytest.raises(DeadlineExceededError) as late:
            await client.get_account("a-1", timeout=5)
    assert late.value.retry_after is not None
    assert 25 < late.value.retry_after <= HOUR
