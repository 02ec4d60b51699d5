"""`AsyncCadenza`: what it takes, and what its methods give."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from typing import TYPE_CHECKING, assert_type

from cadenza_async import (
    AccountType,
    AsyncCadenza,
    Attempt,
    Credential,
    CredentialType,
    Health,
    LoginSession,
    Operation,
    PasswordLogin,
    ReachableAccount,
    Secret,
    TokenSource,
    TradingAccount,
    User,
    Venue,
)

if TYPE_CHECKING:
    import ssl
    from datetime import datetime

    from aiohttp import ClientSession

    from cadenza_async.errors import OutcomeUnknownError


async def give_text() -> str:
    """Give a token, as some vault of a user's would."""
    return "token"


async def give_secret() -> Secret:
    """Give a hidden token."""
    return Secret("token")


def note(attempt: Attempt) -> None:
    """Take note of an attempt, as a user's metrics would."""


async def opening() -> None:
    """`async with` gives the client itself."""
    async with AsyncCadenza(access_token="token") as client:
        assert_type(client, AsyncCadenza)
    assert_type(await client.aclose(), None)


def tokens(source: TokenSource, login: PasswordLogin) -> None:
    """A token comes in any of these forms, by position too, or from the environment."""
    AsyncCadenza()
    AsyncCadenza("token")
    AsyncCadenza(access_token=Secret("token"))
    AsyncCadenza(access_token=give_text)
    AsyncCadenza(access_token=give_secret)
    AsyncCadenza(access_token=source)
    AsyncCadenza(access_token=login)
    AsyncCadenza(access_token=5)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    AsyncCadenza(access_token=b"token")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    AsyncCadenza(access_token=lambda: "token")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]


def options(session: ClientSession, context: ssl.SSLContext) -> None:
    """Options are keywords, each with a type."""
    AsyncCadenza(
        base_url="production",
        timeout=5,
        retries=0,
        grace=0.5,
        max_connections=10,
        proxy="http://proxy:3128",
        ssl_context=context,
        user_agent="desk/1",
        on_attempt=note,
        rate_scope="pool",
        dialect="openapi",
    )
    AsyncCadenza(dialect=None)
    AsyncCadenza(dialect="klingon")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    AsyncCadenza(session=session, middlewares=[])
    AsyncCadenza(base_url=None, proxy=None, ssl_context=None, on_attempt=None, session=None)
    AsyncCadenza(tiemout=5)  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
    AsyncCadenza(timeout="5")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    AsyncCadenza(retries=1.5)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    AsyncCadenza(on_attempt=len)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    AsyncCadenza("token", "uat")  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]


async def connecting(client: AsyncCadenza) -> None:
    """A connect gives a trading account; strings and secrets are taken."""
    account = await client.connect_account(venue="MOON", api_key="key", api_secret="secret")
    assert_type(account, TradingAccount)
    await client.connect_account(
        venue=Venue.COINBASE,
        api_key=Secret("key"),
        api_secret=Secret("secret"),
        api_passphrase=Secret("phrase"),
        name="desk",
        account_type=AccountType.SPOT,
        timeout=5,
    )
    await client.connect_account(
        venue="OKX", api_key="k", api_secret="s", api_passphrase=None, name=None, account_type=None
    )


async def connecting_wrongly(client: AsyncCadenza) -> None:
    """A misspelt, missing or mistyped argument, or one without its name, is an error."""
    await client.connect_account(venue="V", api_key="k", api_secret="s", nickname="n")  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
    await client.connect_account(venue="V", api_key="k")  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
    await client.connect_account(venue="V", api_key=None, api_secret="s")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    await client.connect_account(venue="V", api_key=b"k", api_secret="s")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    await client.connect_account("V", "k", "s")  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]


async def listing(client: AsyncCadenza) -> None:
    """A list is iterated, and is not awaited."""
    assert_type(client.list_accounts(), AsyncGenerator[TradingAccount, None])
    async for account in client.list_accounts(venue="BINANCE", status="ACTIVE", timeout=5):
        assert_type(account, TradingAccount)
    await client.list_accounts()  # type: ignore[misc]  # pyright: ignore[reportGeneralTypeIssues]
    client.list_accounts(page=2)  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]


async def disconnecting(client: AsyncCadenza, account: TradingAccount) -> None:
    """A disconnect gives the account as it is now."""
    gone = await client.disconnect_account(account.trading_account_id, timeout=5)
    assert_type(gone, TradingAccount)
    await client.disconnect_account()  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
    await client.disconnect_account(account)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]


async def resolving(client: AsyncCadenza, error: OutcomeUnknownError, since: datetime) -> None:
    """Asking what became of a connect may find nothing."""
    assert_type(await client.resolve(error), TradingAccount | None)
    found = await client.resolve(venue="OKX", name="desk", since=since)
    assert_type(found, TradingAccount | None)
    await client.resolve(ValueError())  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]


async def by_reference(client: AsyncCadenza, since: datetime) -> None:
    """A connect by reference gives a trading account, and may be asked about."""
    account = await client.connect_with_credential("k-1", "spot", name="desk", timeout=5)
    assert_type(account, TradingAccount)
    found = await client.resolve(
        external_trading_account_id="spot", credential_id="k-1", name="desk", since=since
    )
    assert_type(found, TradingAccount | None)
    assert_type(await client.connect_venue("FERMATA", name="desk", timeout=5), TradingAccount)
    await client.connect_with_credential("k-1")  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
    await client.connect_with_credential("k-1", "spot", "desk")  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]


async def living(client: AsyncCadenza, since: datetime) -> None:
    """An account's life: each step gives it as it is now."""
    assert_type(await client.get_account("id"), TradingAccount | None)
    assert_type(await client.enable_account("id", timeout=5), TradingAccount)
    assert_type(await client.disable_account("id"), TradingAccount)
    assert_type(await client.rename_account("id", "desk"), TradingAccount)
    assert_type(client.list_operations(), AsyncGenerator[Operation, None])
    client.list_operations(trading_account_id="id", operation_type="CONNECT", since=since)
    client.list_operations(since="yesterday")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    await client.rename_account("id")  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]


async def credentials(client: AsyncCadenza) -> None:
    """Stored credentials: strings and secrets are taken, words are open."""
    stored = await client.create_credential(
        venue=Venue.BINANCE,
        api_key="key",
        api_secret=Secret("secret"),
        credential_type=CredentialType.HMAC,
        name="key of desk",
    )
    assert_type(stored, Credential)
    await client.create_credential(venue="FERMATA")
    assert_type(client.list_credentials(credential_ids=["k"]), AsyncGenerator[Credential, None])
    assert_type(await client.verify_credential("k"), tuple[ReachableAccount, ...])
    assert_type(await client.rotate_credential("k", api_secret="s"), Credential)
    assert_type(await client.revoke_credential("k"), Credential)
    await client.create_credential(api_key="key")  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
    await client.rotate_credential("k", "s")  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]


async def sessions(client: AsyncCadenza) -> None:
    """Logging in and out, and who and how things are."""
    session = await client.login("ops@example.test", "words")
    assert_type(session, LoginSession)
    assert_type(session.access_token, Secret)
    assert_type(await client.refresh(session.access_token), LoginSession)
    assert_type(await client.logout(), None)
    assert_type(await client.user(), User)
    assert_type(await client.health(), Health)
    await client.refresh(session.refresh_token)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
