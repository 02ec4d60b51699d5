"""`cadenza accounts`: names, options and help of its commands."""

from __future__ import annotations

import typer

from cadenza_async.cli import _options as options  # noqa: TC001  # typer reads the annotations
from cadenza_async.cli._menu import Menu

accounts = typer.Typer(
    cls=Menu,
    help=(
        "List the accounts, or do something with one of them. `cadenza connect` makes one, and "
        "`cadenza disconnect` ends it."
    ),
    epilog="Without a command they are listed, with the options of `cadenza accounts list`.",
)


@accounts.command("list")
def list_(
    *,
    venue: options.OnlyVenue = None,
    status: options.OnlyStatus = None,
    json: options.Json = False,
    base_url: options.BaseUrl = None,
    dialect: options.Dialect = None,
    timeout: options.Timeout = None,
) -> None:
    """List the accounts that are connected."""
    from cadenza_async.cli import _accounts
    from cadenza_async.cli._client import Target

    target = Target(base_url=base_url, dialect=dialect, timeout=timeout, json=json)
    _accounts.list_all(target, venue=venue, status=status)


@accounts.command()
def show(
    trading_account_id: options.AccountId,
    *,
    json: options.Json = False,
    base_url: options.BaseUrl = None,
    dialect: options.Dialect = None,
    timeout: options.Timeout = None,
) -> None:
    """Show all that is known of an account."""
    from cadenza_async.cli import _accounts
    from cadenza_async.cli._client import Target

    target = Target(base_url=base_url, dialect=dialect, timeout=timeout, json=json)
    _accounts.show(target, trading_account_id)


@accounts.command()
def enable(
    trading_account_id: options.AccountId,
    *,
    json: options.Json = False,
    base_url: options.BaseUrl = None,
    dialect: options.Dialect = None,
    timeout: options.Timeout = None,
) -> None:
    """Let an account trade again."""
    from cadenza_async.cli import _accounts
    from cadenza_async.cli._client import Target

    target = Target(base_url=base_url, dialect=dialect, timeout=timeout, json=json)
    _accounts.enable(target, trading_account_id)


@accounts.command()
def disable(
    trading_account_id: options.AccountId,
    *,
    json: options.Json = False,
    base_url: options.BaseUrl = None,
    dialect: options.Dialect = None,
    timeout: options.Timeout = None,
) -> None:
    """Block new orders of an account; open ones stay."""
    from cadenza_async.cli import _accounts
    from cadenza_async.cli._client import Target

    target = Target(base_url=base_url, dialect=dialect, timeout=timeout, json=json)
    _accounts.disable(target, trading_account_id)


@accounts.command()
def rename(
    trading_account_id: options.AccountId,
    name: options.NewName,
    *,
    json: options.Json = False,
    base_url: options.BaseUrl = None,
    dialect: options.Dialect = None,
    timeout: options.Timeout = None,
) -> None:
    """Give an account another name."""
    from cadenza_async.cli import _accounts
    from cadenza_async.cli._client import Target

    target = Target(base_url=base_url, dialect=dialect, timeout=timeout, json=json)
    _accounts.rename(target, trading_account_id, name)


@accounts.command()
def operations(
    trading_account_id: options.OnlyAccount = None,
    *,
    operation_type: options.OnlyOperation = None,
    since: options.Since = None,
    until: options.Until = None,
    json: options.Json = False,
    base_url: options.BaseUrl = None,
    dialect: options.Dialect = None,
    timeout: options.Timeout = None,
) -> None:
    """List what was done to the accounts, or to one of them."""
    from cadenza_async.cli import _accounts
    from cadenza_async.cli._client import Target

    target = Target(base_url=base_url, dialect=dialect, timeout=timeout, json=json)
    _accounts.list_operations(
        target, trading_account_id, operation_type=operation_type, since=since, until=until
    )
