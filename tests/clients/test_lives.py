"""The whole life of accounts and credentials, against the sandbox in both vocabularies."""

from __future__ import annotations

from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any
from uuid import UUID

import pytest
from anyio.from_thread import start_blocking_portal

from cadenza_async import AsyncCadenza, Cadenza, Reach
from cadenza_async.errors import (
    ConflictError,
    CredentialsRejectedError,
    InvalidRequestError,
    NotFoundError,
    OutcomeUnknownError,
    UsageError,
    VenueError,
)
from cadenza_async.sandbox import Sandbox

from .methods import DIALECTS, every_dialect

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from cadenza_async import Credential, TradingAccount

KEYS: dict[str, Any] = {
    "venue": "BINANCE",
    "api_key": "key-of-lives",
    "api_secret": "secret-of-lives",
}


@asynccontextmanager
async def living(dialect: str, **options: Any) -> AsyncIterator[tuple[AsyncCadenza, Sandbox]]:
    """Open a client and a sandbox that speak the same dialect."""
    spoken: Any = dialect
    async with Sandbox(dialect=spoken) as sandbox:
        client = AsyncCadenza(sandbox.access_token, base_url=sandbox.url, dialect=spoken, **options)
        async with client:
            yield client, sandbox


async def store(client: AsyncCadenza, name: str = "Key 1", **fields: Any) -> Credential:
    """Store the keys."""
    return await client.create_credential(**{**KEYS, "name": name, **fields})


async def connect(client: AsyncCadenza, dialect: str, name: str = "Desk 1") -> TradingAccount:
    """Connect an account in the way of the dialect."""
    if dialect == "pages":
        return await client.connect_account(**{**KEYS, "api_key": f"key of {name}"}, name=name)
    stored = await store(client, api_key=f"key of {name}")
    (reached,) = await client.verify_credential(stored.credential_id)
    return await client.connect_with_credential(
        stored.credential_id, reached.external_trading_account_id, name=name
    )


@every_dialect
async def test_an_account(dialect: str) -> None:
    """It is connected, blocked, let go on, renamed, found and disconnected; all is on record."""
    async with living(dialect) as (client, _):
        began = datetime.now(UTC) - timedelta(seconds=1)
        account = await connect(client, dialect)
        id_ = account.trading_account_id
        assert (account.name, account.status) == ("Desk 1", "ACTIVE")
        assert (await client.disable_account(id_)).status == "DISABLED"
        assert [a.name async for a in client.list_accounts(status="DISABLED")] == ["Desk 1"]
        assert [a async for a in client.list_accounts(status="ACTIVE")] == []
        assert (await client.enable_account(id_)).status == "ACTIVE"
        renamed = await client.rename_account(id_, "Desk 2")
        assert await client.get_account(id_) == renamed
        assert renamed.name == "Desk 2"
        assert await client.get_account("somebody-else-s") is None
        assert (await client.disconnect_account(id_)).status == "DISCONNECTED"
        done = [o async for o in client.list_operations(trading_account_id=id_, since=began)]
        assert {o.operation_type for o in done} == {
            "CONNECT",
            "DISABLE",
            "ENABLE",
            "UPDATE",
            "DISCONNECT",
        }
        assert {o.trading_account_id for o in done} == {id_}
        assert all(o.created_at is not None and o.created_at > began for o in done)
        updates = [o async for o in client.list_operations(operation_type="UPDATE")]
        assert [o.status for o in updates] == ["SUCCESS"]
        assert [o async for o in client.list_operations(until=began)] == []


@every_dialect
async def test_a_credential(dialect: str) -> None:
    """It is stored, found, verified, rotated and revoked for good; its secret is never shown."""
    async with living(dialect) as (client, sandbox):
        stored = await store(client)
        id_ = stored.credential_id
        assert (stored.name, stored.venue) == ("Key 1", "BINANCE")
        other = await store(client, "Key 2", credential_type="HMAC", api_key="another key")
        assert [c.name async for c in client.list_credentials()] == ["Key 1", "Key 2"]
        both = client.list_credentials(credential_ids=[id_, other.credential_id])
        assert [c.name async for c in both] == ["Key 1", "Key 2"]
        only = client.list_credentials(credential_ids=iter([id_]))
        assert [c.name async for c in only] == ["Key 1"]
        hmac = client.list_credentials(credential_type="HMAC")
        assert [c.name async for c in hmac] == ["Key 2"]
        (reached,) = await client.verify_credential(id_)
        assert reached.reach is Reach.NEW
        rotated = await client.rotate_credential(id_, api_secret="line 1\nline 2")
        assert (rotated.credential_id, rotated.name) == (id_, "Key 1")
        revoked = await client.revoke_credential(id_)
        assert (revoked.status, revoked.revoked_at is None) == ("REVOKED", False)
        gone = client.list_credentials(status="REVOKED")
        assert [c.credential_id async for c in gone] == [id_]
        with pytest.raises(InvalidRequestError, match="-130001"):
            await client.revoke_credential(id_)
        with pytest.raises(NotFoundError):
            await client.verify_credential("no-such-credential")
        assert all(request["status"] < 500 for request in sandbox.requests)
        answers = (stored, other, rotated, revoked)
        assert "secret-of-lives" not in str([(each, each.extra) for each in answers])


@pytest.mark.parametrize("given", ["an id", 5], ids=["letters", "a number"])
async def test_what_is_no_list_of_credentials(given: Any) -> None:
    """An id is not taken for a list of letters: it would match none, as if nothing were there."""
    async with living("pages") as (client, sandbox):
        with pytest.raises(UsageError, match=r"^credential_ids must be a list, be it of one id"):
            await anext(client.list_credentials(credential_ids=given))
        assert not sandbox.requests


async def test_connecting_by_reference() -> None:
    """What a credential reaches is connected once; then it is ours, and on record as such."""
    async with living("openapi") as (client, _):
        stored = await store(client)
        (reached,) = await client.verify_credential(stored.credential_id)
        external = reached.external_trading_account_id
        account = await client.connect_with_credential(stored.credential_id, external, name="Desk")
        assert account.external_trading_account_id == external
        assert account.credential_ids == (stored.credential_id,)
        assert (account.venue, account.name, account.user_id) == ("BINANCE", "Desk", None)
        (again,) = await client.verify_credential(stored.credential_id)
        assert again.reach is Reach.OURS
        assert again.trading_account_id == account.trading_account_id


async def test_an_account_of_somebody_else() -> None:
    """What another user has connected is said to be taken, and cannot be connected."""
    async with living("openapi") as (client, sandbox):
        stored = await store(client, api_key="taken-1")
        (reached,) = await client.verify_credential(stored.credential_id)
        assert reached.reach is Reach.TAKEN
        with pytest.raises(ConflictError):
            await client.connect_with_credential(
                stored.credential_id, reached.external_trading_account_id
            )
        assert sandbox.accounts == []


@every_dialect
@pytest.mark.parametrize(
    ("key", "error"), [("invalid-1", CredentialsRejectedError), ("down-1", VenueError)]
)
async def test_keys_that_the_exchange_does_not_take(
    dialect: str, key: str, error: type[Exception]
) -> None:
    """Storing them is no proof; verifying asks the exchange, in either shape of the answer."""
    async with living(dialect, retries=0) as (client, _):
        stored = await store(client, api_key=key)
        with pytest.raises(error):
            await client.verify_credential(stored.credential_id)


@every_dialect
async def test_more_credentials_than_a_url_can_name(dialect: str) -> None:
    """What is published as too long is not sent."""
    async with living(dialect) as (client, sandbox):
        most, more = ([str(UUID(int=n)) for n in range(count)] for count in (150, 220))
        assert [each async for each in client.list_credentials(credential_ids=most)] == []
        with pytest.raises(UsageError, match=r"^credential_ids are too many for one URL"):
            await anext(client.list_credentials(credential_ids=more))
        assert [each["status"] for each in sandbox.requests] == [200]


@pytest.mark.parametrize("lost", [False, True])
async def test_a_venue_that_is_connected_by_its_name(*, lost: bool) -> None:
    """FERMATA knows no credentials; what became of a lost answer is found out as elsewhere."""
    async with living("openapi") as (client, sandbox):
        sandbox.script("drop-after-commit" if lost else "ok")
        try:
            account = await client.connect_venue("FERMATA", name="Desk F")
        except OutcomeUnknownError as unknown:
            assert lost
            found = await client.resolve(unknown)
            assert found is not None
            account = found
        assert (account.venue, account.name) == ("FERMATA", "Desk F")
        with pytest.raises(ConflictError):
            await client.connect_venue("FERMATA")
        with pytest.raises(InvalidRequestError):
            await client.connect_venue("BINANCE")
        assert len(sandbox.accounts) == 1


@every_dialect
async def test_a_venue_without_keys(dialect: str) -> None:
    """FERMATA takes none, and others are not asked without."""
    async with living(dialect) as (client, sandbox):
        stored = await client.create_credential(venue="FERMATA", name="F")
        assert stored.venue == "FERMATA"
        sent = len(sandbox.requests)
        with pytest.raises(UsageError, match="api_key is missing"):
            await client.create_credential(venue="BINANCE")
        assert len(sandbox.requests) == sent


@pytest.mark.parametrize("speaks", DIALECTS)
async def test_the_other_dialect_is_refused(speaks: str) -> None:
    """The sandbox is strict in its own: what is sent follows the option."""
    other: Any = next(dialect for dialect in DIALECTS if dialect != speaks)
    async with living(speaks) as (_, sandbox):
        client = AsyncCadenza(sandbox.access_token, base_url=sandbox.url, dialect=other)
        async with client:
            with pytest.raises(InvalidRequestError):
                await store(client)
            with pytest.raises(InvalidRequestError):
                [c async for c in client.list_credentials(status="ACTIVE")]
            with pytest.raises(InvalidRequestError):
                [a async for a in client.list_accounts(status="ACTIVE")]


async def test_long_histories_come_in_pages() -> None:
    """More operations than fit on a page are all given, each once."""
    async with living("pages") as (client, sandbox):
        id_ = (await connect(client, "pages")).trading_account_id
        for number in range(130):
            await client.rename_account(id_, f"Desk {number}")
        found = [o.operation_id async for o in client.list_operations()]
        assert len(found) == len({*found}) == 131
        pages = [r for r in sandbox.requests if r["path"].endswith("operation/list")]
        assert len(pages) == 2


@every_dialect
def test_in_blocking_code(dialect: str) -> None:
    """The same life without any asyncio in sight."""
    spoken: Any = dialect
    with (
        start_blocking_portal() as portal,
        portal.wrap_async_context_manager(Sandbox(dialect=spoken)) as sandbox,
        Cadenza(sandbox.access_token, base_url=sandbox.url, dialect=spoken) as client,
    ):
        stored = client.create_credential(**KEYS, name="Key 1")
        assert [c.name for c in client.list_credentials()] == ["Key 1"]
        assert len(client.verify_credential(stored.credential_id)) == 1
        assert client.revoke_credential(stored.credential_id).status == "REVOKED"
        assert [*client.list_operations()] == []
        assert client.get_account("nothing") is None
        assert client.user().email == "u-1@sandbox.test"
        assert client.health().status == "healthy"
        client.logout()


async def test_accounts_that_are_disabled_as_they_are_listed() -> None:
    """None is left out, though each that is disabled leaves the list that is being read."""
    async with living("pages") as (client, sandbox):
        for number in range(8):
            await connect(client, "pages", f"Desk {number}")
        sandbox.script("capped-list:100%")
        async for account in client.list_accounts(status="ACTIVE"):
            await client.disable_account(account.trading_account_id)
        assert {account["status"] for account in sandbox.accounts} == {"DISABLED"}
