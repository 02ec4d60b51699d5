"""The commands that call Cadenza."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING

from cadenza_async.cli._exits import Stopped, reporting
from cadenza_async.cli._output import Output
from cadenza_async.cli._sources import read_credentials
from cadenza_async.errors import UsageError

if TYPE_CHECKING:
    from cadenza_async.cli._client import Target
    from cadenza_async.client import AsyncCadenza


def connect(
    target: Target,
    *,
    venue: str,
    name: str | None,
    account_type: str | None,
    credentials: str | None,
) -> None:
    """Connect an account and show it.

    Args:
        target: Where.
        venue: The exchange; it must be that of the credentials, if they name one.
        name: What to call it, instead of what the credentials say.
        account_type: Likewise.
        credentials: The file with the keys, ``-`` for standard input.
    """
    output = Output(json=target.json)
    with reporting(output):
        given = read_credentials(credentials)
        if given.venue is not None and given.venue != venue:
            raise UsageError("--venue is not the venue that the credentials are for")
        account = target.call(
            lambda client: client.connect_account(
                venue=venue,
                api_key=given.api_key,
                api_secret=given.api_secret,
                api_passphrase=given.api_passphrase,
                name=given.name if name is None else name,
                account_type=given.account_type if account_type is None else account_type,
            )
        )
        output.done("Connected", account)


def show(target: Target, *, venue: str | None, status: str | None) -> None:
    """List the accounts."""
    output = Output(json=target.json)

    async def work(client: AsyncCadenza) -> None:
        with output.listing() as add:
            async for account in client.list_accounts(venue=venue, status=status):
                add(account)

    with reporting(output):
        target.call(work)


def disconnect(target: Target, trading_account_id: str, *, sure: bool) -> None:
    """Disconnect an account, if its owner is sure."""
    output = Output(json=target.json)
    with reporting(output):
        if not sure:
            _ask(f"Disconnect {trading_account_id} for good? [y/N] ")
        account = target.call(lambda client: client.disconnect_account(trading_account_id))
        output.done("Disconnected", account)


def _ask(question: str) -> None:
    if not os.isatty(0):
        raise UsageError("nobody is there to be asked: say --yes")
    sys.stderr.write(question)
    sys.stderr.flush()
    if sys.stdin.readline().strip().lower() not in {"y", "yes"}:
        raise Stopped("not confirmed")
