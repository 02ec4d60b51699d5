"""What `resolve` answers about a connect whose answer was lost."""

from __future__ import annotations

import asyncio
import time
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import TYPE_CHECKING, Any, cast

import pytest

from cadenza_async import AsyncCadenza
from cadenza_async.errors import (
    AmbiguousOutcomeError,
    NotFoundError,
    OutcomeUnknownError,
    ServerError,
    UsageError,
)
from cadenza_async.sandbox import Sandbox
from tests.raw import Act, Exchange, RawServer, answers, envelope, hang

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

KEYS: dict[str, Any] = {"venue": "BINANCE", "api_key": "key", "api_secret": "secret"}
NOW = datetime.now(UTC)


@pytest.fixture
async def client(sandbox: Sandbox) -> AsyncIterator[AsyncCadenza]:
    """Give an open client of the sandbox."""
    async with AsyncCadenza(sandbox.access_token, base_url=sandbox.url, timeout=5) as client:
        yield client


async def lose(client: AsyncCadenza, name: str | None = "Desk 1") -> OutcomeUnknownError:
    """Connect, with an answer that does not arrive."""
    with pytest.raises(OutcomeUnknownError) as lost:
        await client.connect_account(**KEYS, name=name)
    return lost.value


async def test_it_was_done(sandbox: Sandbox, client: AsyncCadenza) -> None:
    """The account of that name is the answer."""
    sandbox.script("drop-after-commit")
    found = await client.resolve(await lose(client))
    assert found is not None
    assert [found.trading_account_id] == [a["tradingAccountId"] for a in sandbox.accounts]


async def test_it_was_not_done(sandbox: Sandbox, client: AsyncCadenza) -> None:
    """Other accounts, of other names or venues, are no answer."""
    async with AsyncCadenza(sandbox.access_token, base_url=sandbox.url) as other:
        await other.connect_account(**KEYS, name="Desk 12")
        await other.connect_account(**{**KEYS, "venue": "BYBIT"}, name="Desk 1")
    sandbox.script("drop-before-commit")
    assert await client.resolve(await lose(client)) is None


async def test_it_was_done_and_undone(sandbox: Sandbox, client: AsyncCadenza) -> None:
    """A disconnected account is an answer too; its status tells the rest."""
    sandbox.script("drop-after-commit")
    unknown = await lose(client)
    await client.disconnect_account(sandbox.accounts[0]["tradingAccountId"])
    found = await client.resolve(unknown)
    assert found is not None
    assert found.status == "DISCONNECTED"


@pytest.mark.parametrize("status", ["ACTIVE", "DISABLED", "DISCONNECTED"])
async def test_what_was_renamed_meanwhile_is_doubtful(status: str) -> None:
    """Nobody may take it for not done: it would be connected a second time."""
    ticks = count(time.time(), 0.01)
    async with (
        Sandbox(clock=lambda: next(ticks)) as sandbox,
        AsyncCadenza(sandbox.access_token, base_url=sandbox.url, timeout=5) as client,
    ):
        sandbox.script("drop-after-commit")
        unknown = await lose(client)
        (ours,) = [account["tradingAccountId"] for account in sandbox.accounts]
        await client.rename_account(ours, "Our main desk")
        if status == "DISABLED":
            await client.disable_account(ours)
        elif status == "DISCONNECTED":
            await client.disconnect_account(ours)
        with pytest.raises(AmbiguousOutcomeError) as ambiguous:
            await client.resolve(unknown)
    (account,) = ambiguous.value.accounts
    assert (account.trading_account_id, account.status) == (ours, status)


@pytest.mark.parametrize("fault", ["ok", "drop-after-commit"])
async def test_what_another_connect_made_is_no_objection(fault: str) -> None:
    """Whatever became of it since: the client was answered, or has found it out."""
    ticks = count(time.time(), 0.01)
    async with (
        Sandbox(clock=lambda: next(ticks)) as sandbox,
        AsyncCadenza(sandbox.access_token, base_url=sandbox.url, timeout=5) as client,
    ):
        since = datetime.now(UTC)
        sandbox.script(f"{fault}@connect", "drop-before-commit@connect")
        if fault == "ok":
            other = await client.connect_account(**KEYS, name="Desk 2")
        else:
            found = await client.resolve(await lose(client, "Desk 2"))
            assert found is not None
            other = found
        await client.rename_account(other.trading_account_id, "Our main desk")
        unknown = await lose(client)
        assert await client.resolve(unknown) is None
        assert await client.resolve(venue="BINANCE", name="Desk 1", since=since) is None
        sandbox.script("drop-before-commit@connect")
        assert await client.resolve(await lose(client, None)) is None
        assert await client.resolve(venue="BINANCE", since=since) is None


async def test_an_older_account_of_the_name_is_none(sandbox: Sandbox) -> None:
    """What was there long before cannot come from the call."""
    long_ago = datetime.now(UTC) - timedelta(hours=1)
    async with AsyncCadenza(sandbox.access_token, base_url=sandbox.url) as first:
        await first.connect_account(**KEYS, name="Desk 1")
    async with AsyncCadenza(sandbox.access_token, base_url=sandbox.url) as later:
        now = datetime.now(UTC) + timedelta(minutes=1)
        assert await later.resolve(venue="binance", name="Desk 1", since=now) is None
        assert await later.resolve(venue="binance", name="Desk 1", since=long_ago) is not None


async def test_an_answer_that_its_caller_lost(client: AsyncCadenza) -> None:
    """Cancelled after the answer had come, the caller finds what it made, not nothing."""
    since = datetime.now(UTC)

    async def connect(name: str | None) -> None:
        await client.connect_account(**KEYS, name=name)
        task.cancel()
        await asyncio.sleep(60)

    for name in ("Desk 1", None):
        task = asyncio.create_task(connect(name))
        await asyncio.wait([task])
        assert task.cancelled()
    found = await client.resolve(venue="BINANCE", name="Desk 1", since=since)
    assert found is not None
    assert found.name == "Desk 1"
    for name in (None, "desk 1"):
        with pytest.raises(AmbiguousOutcomeError):
            await client.resolve(venue="BINANCE", name=name, since=since)


async def test_two_of_one_name_are_a_persons_decision(
    sandbox: Sandbox, client: AsyncCadenza
) -> None:
    """The error holds the candidates."""
    sandbox.script("drop-after-commit", "drop-after-commit")
    first, _ = await lose(client), await lose(client)
    with pytest.raises(AmbiguousOutcomeError, match="2 accounts of BINANCE") as ambiguous:
        await client.resolve(first)
    assert len(ambiguous.value.accounts) == 2


async def test_without_a_name_any_new_account_is_doubtful(
    sandbox: Sandbox, client: AsyncCadenza
) -> None:
    """Only accounts that other calls of the client have explained are told apart."""
    sandbox.script("drop-before-commit")
    unknown = await lose(client, None)
    await client.connect_account(**KEYS)
    assert await client.resolve(unknown) is None
    sandbox.script("drop-after-commit")
    unknown = await lose(client, None)
    with pytest.raises(AmbiguousOutcomeError, match=r"1 account of BINANCE .* without a name"):
        await client.resolve(unknown)


@pytest.mark.parametrize("name", [" Desk  1 ", "A desk with a very long name, and more of it"])
async def test_a_name_the_server_changed_is_doubtful(
    sandbox: Sandbox, client: AsyncCadenza, name: str
) -> None:
    """What may be the name, trimmed or cut, is neither taken for it nor for another."""
    sandbox.script("trimmed-names:26:100%", "drop-after-commit")
    unknown = await lose(client, name)
    with pytest.raises(AmbiguousOutcomeError):
        await client.resolve(unknown)


@pytest.mark.parametrize("name", ["Desk 1", "Desk 123456789"], ids=["short", "long"])
async def test_a_shorter_name_is_another_one(
    sandbox: Sandbox, client: AsyncCadenza, name: str
) -> None:
    """No server cuts names that short; "Desk 1" is an account of somebody else's making."""
    sandbox.script("drop-before-commit")
    unknown = await lose(client, "Desk 123456789 and so on")
    other = AsyncCadenza(sandbox.access_token, base_url=sandbox.url)
    async with other:
        await other.connect_account(**KEYS, name=name)
    assert await client.resolve(unknown) is None


async def test_once_names_were_changed_absence_proves_nothing(
    sandbox: Sandbox, client: AsyncCadenza
) -> None:
    """A server that answered another name than was sent may have done it again."""
    sandbox.script("trimmed-names:26:100%")
    await client.connect_account(**KEYS, name="  trimmed  ")
    sandbox.behave()
    sandbox.script("drop-after-commit")
    await lose(client, "Desk 1")
    with pytest.raises(AmbiguousOutcomeError):
        await client.resolve(venue="BINANCE", name="another", since=datetime.now(UTC))


async def test_what_cannot_be_asked(client: AsyncCadenza) -> None:
    """It must be clear which connect is meant, and since when."""
    with pytest.raises(UsageError, match=r"^give the error .* external_trading_account_id="):
        await client.resolve(credential_id="c", since=NOW)
    with pytest.raises(UsageError, match="no time zone"):
        await client.resolve(venue="BINANCE", since=datetime(2026, 1, 1))  # noqa: DTZ001  # it is refused
    for moment in (5, "2026-01-01", NOW.date()):
        with pytest.raises(UsageError, match=r"^since must be a datetime"):
            await client.resolve(venue="BINANCE", since=cast("Any", moment))
    for error in (5, ValueError("lost"), UsageError("lost")):
        with pytest.raises(UsageError, match=r"^error must be an OutcomeUnknownError"):
            await client.resolve(cast("Any", error), venue="BINANCE", since=NOW)
    with pytest.raises(UsageError, match=r"^error= says it all: leave the rest out"):
        await client.resolve(OutcomeUnknownError("lost", venue="OKX"), venue="BINANCE")
    with pytest.raises(UsageError, match=r"^name must be a string"):
        await client.resolve(venue="BINANCE", name=cast("Any", 5), since=NOW)
    with pytest.raises(UsageError, match=r"^external_trading_account_id "):
        await client.resolve(external_trading_account_id="", since=datetime.now(UTC))
    with pytest.raises(UsageError, match=r"^credential_id "):
        await client.resolve(venue="OKX", credential_id=" ", since=datetime.now(UTC))
    with pytest.raises(NotFoundError):
        await client.disconnect_account("nothing")


@pytest.fixture
async def by_reference() -> AsyncIterator[tuple[AsyncCadenza, Sandbox, str, str]]:
    """Give a client, its sandbox, a stored credential and what it reaches."""
    async with (
        Sandbox(dialect="openapi") as sandbox,
        AsyncCadenza(
            sandbox.access_token, base_url=sandbox.url, dialect="openapi", timeout=5
        ) as client,
    ):
        stored = await client.create_credential(**KEYS)
        (reached,) = await client.verify_credential(stored.credential_id)
        yield client, sandbox, stored.credential_id, reached.external_trading_account_id


Reference = tuple[AsyncCadenza, Sandbox, str, str]


@pytest.mark.parametrize("name", ["Desk 1", None])
@pytest.mark.parametrize("done", [True, False])
async def test_a_connect_by_reference(
    by_reference: Reference, name: str | None, *, done: bool
) -> None:
    """It is found by the exchange's id, the credential and the name; without a name as well."""
    client, sandbox, credential, external = by_reference
    sandbox.script("drop-after-commit" if done else "drop-before-commit")
    with pytest.raises(OutcomeUnknownError) as lost:
        await client.connect_with_credential(credential, external, name=name)
    unknown = lost.value
    assert (unknown.external_trading_account_id, unknown.credential_id) == (external, credential)
    assert (unknown.venue, unknown.name, unknown.path) == (None, name, "tradingAccount/connect")
    found = await client.resolve(unknown)
    assert (found is not None) is done
    assert found is None or found.credential_ids == (credential,)
    remembered: dict[str, Any] = {
        "external_trading_account_id": external,
        "credential_id": credential,
    }
    assert await client.resolve(**remembered, name=name, since=unknown.sent_at) == found


async def test_two_connects_of_one_account(by_reference: Reference) -> None:
    """What the one without a name may have made is not denied to the one that named it."""
    client, sandbox, credential, external = by_reference
    unknown: list[OutcomeUnknownError] = []
    sandbox.script("drop-before-commit@connect", "drop-after-commit@connect")
    for name in (None, "Desk 1"):
        with pytest.raises(OutcomeUnknownError) as lost:
            await client.connect_with_credential(credential, external, name=name)
        unknown.append(lost.value)
    found = [await client.resolve(each) for each in unknown]
    assert found[0] is not None
    assert found[0] == found[1]


def told(**facts: Any) -> dict[str, Any]:
    """Make an account of a list, connected just now."""
    now = int(datetime.now(UTC).timestamp() * 1000)
    keys = [{"credentialId": each} for each in facts.pop("keys", ())]
    return {"venue": "BINANCE", "status": "ACTIVE", "createdAt": now, "credentials": keys, **facts}


SPOT = {"externalTradingAccountId": "spot"}


@pytest.mark.parametrize(
    ("accounts", "found"),
    [
        ([], None),
        ([told(nickname="Desk 1", **SPOT, keys=["k-1"])], 0),
        ([told(nickname="Desk 1", **SPOT, keys=["k-2", "k-1"])], 0),
        ([told(nickname="Desk 1", **SPOT)], 0),
        ([told(nickname="Desk 1")], 0),
        ([told(nickname="Desk 1", venue="OKX")], 0),
        ([told(nickname="Desk 1", externalTradingAccountId="margin", keys=["k-1"])], None),
        ([told(nickname="Desk 1", **SPOT, keys=["k-2"])], None),
        ([told(nickname="Desk 2", **SPOT, keys=["k-2"])], None),
        ([told(nickname="Desk 2", **SPOT)], None),
        ([told(nickname="Desk 1", **SPOT), told(nickname="Desk 2", **SPOT)], 0),
        ([told(nickname="Desk 1", **SPOT, createdAt=1_703_052_635_110)], None),
        ([told(nickname="Desk 2", **SPOT, keys=["k-1"])], "doubtful"),
        ([told(nickname="desk1", **SPOT)], "doubtful"),
        ([told(nickname="Desk 1"), told(nickname="Desk 1")], "doubtful"),
    ],
    ids=[
        "nothing",
        "all fits",
        "one of its credentials",
        "credentials untold",
        "nothing told but the name",
        "the venue is not asked",
        "another external id",
        "another credential",
        "another account",
        "another name",
        "one of two",
        "an old one",
        "renamed since",
        "trimmed",
        "two of one name",
    ],
)
async def test_which_account_a_reference_means(
    accounts: list[dict[str, Any]], found: int | str | None
) -> None:
    """What the list tells must not speak against it; what it does not tell decides nothing."""
    rows = [{"tradingAccountId": str(n), **each} for n, each in enumerate(accounts)]
    listing = envelope(data=rows, pagination={"hasNext": False})
    async with (
        RawServer(default=answers(200, listing)) as server,
        AsyncCadenza("token", **server.options) as client,
    ):
        question = client.resolve(
            external_trading_account_id="spot",
            credential_id="k-1",
            name="Desk 1",
            since=datetime.now(UTC) - timedelta(minutes=10),
        )
        if found == "doubtful":
            with pytest.raises(AmbiguousOutcomeError, match="of the exchange's 'spot' may come"):
                await question
        else:
            account = await question
            assert (account and int(account.trading_account_id)) == found


def some(total: int, *names: str) -> Act:
    """Answer with the next accounts of a list of so many."""
    rows = [told(tradingAccountId=name, nickname=name) for name in names]
    return answers(200, envelope(data=rows, pagination={"total": total}))


@pytest.mark.parametrize(
    "pages",
    [
        [some(3, "Desk 1"), some(3, "Desk 2", "Desk 3")],
        [some(2, "Desk 1"), some(2), some(2, "Desk 1", "Desk 2")],
        [some(2, "Desk 1"), some(2)] * 2,
    ],
    ids=["on the first page", "in two lists", "in two lists that count another one"],
)
async def test_an_account_counts_once_wherever_it_was_listed(pages: list[Act]) -> None:
    """On any page of a list that is complete; one that is not is read again, and given up."""
    async with RawServer() as server, AsyncCadenza("token", **server.options) as client:
        server.play(*pages)
        found = await client.resolve(venue="BINANCE", name="Desk 1", since=NOW)
    assert found is not None
    assert found.name == "Desk 1"
    assert len(server.requests) == len(pages)


async def test_each_page_has_the_time_it_was_given() -> None:
    """A server that says nothing is not waited for any longer."""
    async with RawServer(default=hang) as server, AsyncCadenza("token", **server.options) as client:
        async with asyncio.timeout(5):
            with pytest.raises(TimeoutError, match="list"):
                await client.resolve(venue="BINANCE", since=NOW, timeout=0.05)


async def test_a_list_that_never_comes_to_rest_is_no_answer() -> None:
    """Who is not among accounts that change each time may be among those that were skipped."""
    numbers = count()

    async def another(exchange: Exchange) -> None:
        rows = [{"tradingAccountId": f"a-{next(numbers)}", "venue": "BINANCE", "name": "Desk 2"}]
        told = envelope(data=rows, pagination={"total": 2, "hasNext": False})
        await answers(200, told)(exchange)

    async with (
        RawServer(default=another) as server,
        AsyncCadenza("token", **server.options) as client,
    ):
        with pytest.raises(ServerError, match="changed each time"):
            await client.resolve(venue="BINANCE", name="Desk 1", since=datetime.now(UTC))
    assert len(server.requests) == 5
