"""`Cadenza`: the asynchronous client's methods, without the waiting."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, assert_type

from cadenza_async import (
    Cadenza,
    Credential,
    Health,
    LoginSession,
    Operation,
    ReachableAccount,
    Secret,
    TradingAccount,
    User,
    Venue,
)

if TYPE_CHECKING:
    from datetime import datetime

    from cadenza_async.errors import OutcomeUnknownError


def opening() -> None:
    """`with` gives the client itself; tokens and options are those of `AsyncCadenza`."""
    with Cadenza(access_token="token", timeout=5, base_url="uat") as client:
        assert_type(client, Cadenza)
    Cadenza(tiemout=5)  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
    Cadenza(access_token=5)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]


def connecting(client: Cadenza) -> None:
    """A connect gives a trading account, and no coroutine."""
    account = client.connect_account(venue="MOON", api_key="key", api_secret="secret")
    assert_type(account, TradingAccount)
    client.connect_account(
        venue=Venue.COINBASE,
        api_key=Secret("key"),
        api_secret=Secret("secret"),
        api_passphrase=Secret("phrase"),
        name="desk",
        account_type="SPOT",
        timeout=5,
    )


def connecting_wrongly(client: Cadenza) -> None:
    """Arguments are checked as those of the asynchronous method are."""
    client.connect_account(venue="V", api_key="k", api_secret="s", nickname="n")  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
    client.connect_account(venue="V", api_key="k")  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
    client.connect_account(venue="V", api_key=None, api_secret="s")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    client.connect_account("V", "k", "s")  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]


def listing(client: Cadenza) -> None:
    """A list is an iterator."""
    assert_type(client.list_accounts(), Iterator[TradingAccount])
    for account in client.list_accounts(venue="BINANCE", status="ACTIVE", timeout=5):
        assert_type(account, TradingAccount)
    client.list_accounts(page=2)  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]


def disconnecting(client: Cadenza) -> None:
    """A disconnect gives the account as it is now."""
    assert_type(client.disconnect_account("id", timeout=5), TradingAccount)
    client.disconnect_account()  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]


def resolving(client: Cadenza, error: OutcomeUnknownError, since: datetime) -> None:
    """Asking what became of a connect may find nothing."""
    assert_type(client.resolve(error), TradingAccount | None)
    assert_type(client.resolve(venue="OKX", name="n", since=since), TradingAccount | None)


def everything_else(client: Cadenza) -> None:
    """The other methods give what those of `AsyncCadenza` give."""
    assert_type(client.connect_with_credential("k", "spot", name="n"), TradingAccount)
    assert_type(client.connect_venue("FERMATA", name="n"), TradingAccount)
    assert_type(client.get_account("id"), TradingAccount | None)
    assert_type(client.rename_account("id", "n"), TradingAccount)
    assert_type(client.list_operations(), Iterator[Operation])
    assert_type(client.create_credential(venue="FERMATA"), Credential)
    assert_type(client.list_credentials(), Iterator[Credential])
    assert_type(client.verify_credential("k"), tuple[ReachableAccount, ...])
    assert_type(client.login("ops@example.test", Secret("words")), LoginSession)
    assert_type(client.user(), User)
    assert_type(client.health(), Health)
    client.login("ops@example.test")  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]


def unbound() -> None:
    """A method of the class takes the client first."""
    assert_type(Cadenza.disconnect_account(Cadenza("token"), "id"), TradingAccount)
