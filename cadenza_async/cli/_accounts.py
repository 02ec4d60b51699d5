"""The commands about trading accounts."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

from cadenza_async.cli._credentials import in_shell_words
from cadenza_async.cli._exits import reporting
from cadenza_async.cli._kinds import ACCOUNTS, OPERATIONS
from cadenza_async.cli._output import Output
from cadenza_async.cli._questions import confirm
from cadenza_async.cli._sources import read_credentials
from cadenza_async.errors import NotFoundError, UsageError

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
    with reporting(output), in_shell_words():
        given = read_credentials(credentials, venue=venue)
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
        output.done("Connected", ACCOUNTS, account)


def list_all(target: Target, *, venue: str | None, status: str | None) -> None:
    """List the accounts."""
    output = Output(json=target.json)

    async def work(client: AsyncCadenza) -> None:
        with output.listing(ACCOUNTS) as add:
            async for account in client.list_accounts(venue=venue, status=status):
                add(account)

    with reporting(output, unsure=None):
        target.call(work)


def show(target: Target, trading_account_id: str) -> None:
    """Show an account, if there is such a one."""
    output = Output(json=target.json)
    with reporting(output, unsure=None):
        account = target.call(lambda client: client.get_account(trading_account_id))
        if account is None:
            raise NotFoundError("no account has this id", status=200)
        output.show(account)


def enable(target: Target, trading_account_id: str) -> None:
    """Enable an account."""
    output = Output(json=target.json)
    with reporting(output):
        account = target.call(lambda client: client.enable_account(trading_account_id))
        output.done("Enabled", ACCOUNTS, account)


def disable(target: Target, trading_account_id: str) -> None:
    """Disable an account."""
    output = Output(json=target.json)
    with reporting(output):
        account = target.call(lambda client: client.disable_account(trading_account_id))
        output.done("Disabled", ACCOUNTS, account)


def rename(target: Target, trading_account_id: str, name: str) -> None:
    """Rename an account."""
    output = Output(json=target.json)
    with reporting(output):
        account = target.call(lambda client: client.rename_account(trading_account_id, name))
        output.done("Renamed", ACCOUNTS, account)


def disconnect(target: Target, trading_account_id: str, *, sure: bool) -> None:
    """Disconnect an account, if its owner is sure."""
    output = Output(json=target.json)
    with reporting(output):
        if not sure:
            confirm(f"Disconnect {trading_account_id} for good?")
        account = target.call(lambda client: client.disconnect_account(trading_account_id))
        output.done("Disconnected", ACCOUNTS, account)


def list_operations(
    target: Target,
    trading_account_id: str | None,
    *,
    operation_type: str | None,
    since: str | None,
    until: str | None,
) -> None:
    """List what was done to accounts."""
    output = Output(json=target.json)

    async def work(client: AsyncCadenza) -> None:
        operations = client.list_operations(
            trading_account_id=trading_account_id,
            operation_type=operation_type,
            since=_moment("--since", since),
            until=_moment("--until", until),
        )
        with output.listing(OPERATIONS) as add:
            async for operation in operations:
                add(operation)

    with reporting(output, unsure=None):
        target.call(work)


def _moment(option: str, text: str | None) -> datetime | None:
    """Read a time; one without an offset is this machine's."""
    if text is None:
        return None
    try:
        return datetime.fromisoformat(text).astimezone()
    except (ValueError, OverflowError):
        pass
    raise UsageError(f"{option} must be a time such as 2026-06-30 or 2026-06-30T12:00:00+02:00")
