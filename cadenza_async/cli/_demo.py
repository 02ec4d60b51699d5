"""The demo: a tour through a sandbox, told while it happens, and the source of the tour."""

from __future__ import annotations

import asyncio
import inspect
import secrets
import sys
from typing import TYPE_CHECKING, Final, TypedDict

from rich.padding import Padding
from rich.syntax import Syntax
from rich.text import Text

from cadenza_async.cli._client import run
from cadenza_async.cli._console import open_console
from cadenza_async.cli._exits import reporting
from cadenza_async.cli._kinds import ACCOUNTS
from cadenza_async.cli._output import Output, complaint
from cadenza_async.client import AsyncCadenza
from cadenza_async.errors import CredentialsRejectedError
from cadenza_async.sandbox import Sandbox

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from cadenza_async.models import TradingAccount


class Keys(TypedDict):
    """What an exchange gives to somebody who wants to trade by program."""

    api_key: str
    api_secret: str
    api_passphrase: str


def _make_keys(beginning: str) -> Keys:
    key, secret, passphrase = (secrets.token_hex(8) for _ in range(3))
    return Keys(api_key=f"{beginning}-{key}", api_secret=secret, api_passphrase=passphrase)


KEYS: Final = _make_keys("demo")
WRONG: Final = _make_keys("invalid")


async def tour(client: AsyncCadenza, tell: Story) -> None:
    """Connect two accounts side by side, be refused, list and disconnect."""
    binance = client.connect_account(venue="BINANCE", name="Desk 1", **KEYS)
    coinbase = client.connect_account(venue="COINBASE", name="Desk 2", **KEYS)
    tell.connected(await asyncio.gather(binance, coinbase))
    try:
        await client.connect_account(venue="BINANCE", name="Desk 3", **WRONG)
    except CredentialsRejectedError as error:
        tell.refused(error)
    tell.listed(accounts := [each async for each in client.list_accounts()])
    for account in accounts:
        tell.gone(await client.disconnect_account(account.trading_account_id))


def demo() -> None:
    """Take the tour, then show its source."""
    with reporting(Output(json=False), unsure=None):
        run(_take_tour(Story()))


async def _take_tour(tell: Story) -> None:
    async with Sandbox() as sandbox:
        tell.opened(sandbox.url)
        token, url, dialect = sandbox.access_token, sandbox.url, sandbox.dialect
        async with AsyncCadenza(token, base_url=url, dialect=dialect) as client:
            await tour(client, tell)
    tell.source(inspect.getsource(tour))


class Story:
    """Tells of the tour while it happens."""

    def __init__(self) -> None:
        self._console = open_console(sys.stdout)

    def opened(self, url: str) -> None:
        """Tell where it happens."""
        self._console.print(f"A sandbox of your own answers at {url}; no exchange is touched.")

    def connected(self, accounts: Iterable[TradingAccount]) -> None:
        """Tell of new accounts."""
        self._begin("Two accounts are connected, side by side")
        for account in accounts:
            self._add(Text(f"{account.venue:<8}  {account.name}  {account.trading_account_id}"))

    def refused(self, error: CredentialsRejectedError) -> None:
        """Tell of a refusal in the words that its user gets."""
        self._begin("A key is refused, and its user is told")
        self._add(complaint(str(error), error.remedy))

    def listed(self, accounts: Sequence[TradingAccount]) -> None:
        """Tell what there is."""
        self._begin("The accounts are listed")
        self._console.print(ACCOUNTS.layout(accounts, self._console.width), soft_wrap=True)

    def gone(self, account: TradingAccount) -> None:
        """Tell of an account that was disconnected."""
        self._console.print(f"Disconnected: {account.venue} {account.name}")

    def source(self, code: str) -> None:
        """Show the lines that did it."""
        self._begin("These lines did it")
        self._console.print(Syntax("", "python", theme="ansi_dark").highlight(code), end="")

    def _begin(self, chapter: str) -> None:
        self._console.print(Text(f"\n{chapter}", "bold"))

    def _add(self, text: Text) -> None:
        self._console.print(Padding(text, (0, 0, 0, 2), expand=False))
