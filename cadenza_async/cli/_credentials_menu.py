"""`cadenza credentials`: names, options and help of its commands."""

from __future__ import annotations

import typer

from cadenza_async.cli import _options as options  # noqa: TC001  # typer reads the annotations
from cadenza_async.cli._menu import Menu

credentials = typer.Typer(
    cls=Menu,
    help=(
        "Store an exchange's keys at Cadenza, see which accounts they reach, and connect them. "
        "Keys come from the same places as for `cadenza connect`."
    ),
    epilog="Without a command they are listed, with the options of `cadenza credentials list`.",
)


@credentials.command("list")
def list_(
    credential_ids: options.CredentialIds = None,
    *,
    credential_type: options.OnlyCredentialType = None,
    status: options.OnlyCredentialStatus = None,
    json: options.Json = False,
    base_url: options.BaseUrl = None,
    dialect: options.Dialect = None,
    timeout: options.Timeout = None,
) -> None:
    """List the credentials that are stored; never their secrets."""
    from cadenza_async.cli import _stored_keys
    from cadenza_async.cli._client import Target

    target = Target(base_url=base_url, dialect=dialect, timeout=timeout, json=json)
    _stored_keys.list_all(
        target, credential_ids or None, credential_type=credential_type, status=status
    )


@credentials.command()
def create(
    *,
    venue: options.Venue,
    name: options.CredentialName = None,
    credential_type: options.CredentialType = None,
    credentials: options.Credentials = None,
    json: options.Json = False,
    base_url: options.BaseUrl = None,
    dialect: options.Dialect = None,
    timeout: options.Timeout = None,
) -> None:
    """Store the keys of an exchange account; nothing is connected by that."""
    from cadenza_async.cli import _stored_keys
    from cadenza_async.cli._client import Target

    target = Target(base_url=base_url, dialect=dialect, timeout=timeout, json=json)
    _stored_keys.create(
        target, venue=venue, name=name, credential_type=credential_type, credentials=credentials
    )


@credentials.command()
def verify(
    credential_id: options.CredentialId,
    *,
    json: options.Json = False,
    base_url: options.BaseUrl = None,
    dialect: options.Dialect = None,
    timeout: options.Timeout = None,
) -> None:
    """List the exchange accounts that a credential reaches: new, yours, or somebody else's."""
    from cadenza_async.cli import _stored_keys
    from cadenza_async.cli._client import Target

    target = Target(base_url=base_url, dialect=dialect, timeout=timeout, json=json)
    _stored_keys.verify(target, credential_id)


@credentials.command()
def connect(
    credential_id: options.CredentialId,
    external_trading_account_id: options.ExternalId,
    *,
    name: options.Name = None,
    json: options.Json = False,
    base_url: options.BaseUrl = None,
    dialect: options.Dialect = None,
    timeout: options.Timeout = None,
) -> None:
    """Connect an exchange account that a credential reaches."""
    from cadenza_async.cli import _stored_keys
    from cadenza_async.cli._client import Target

    target = Target(base_url=base_url, dialect=dialect, timeout=timeout, json=json)
    _stored_keys.connect(target, credential_id, external_trading_account_id, name=name)


@credentials.command()
def rotate(
    credential_id: options.CredentialId,
    *,
    credentials: options.Credentials = None,
    json: options.Json = False,
    base_url: options.BaseUrl = None,
    dialect: options.Dialect = None,
    timeout: options.Timeout = None,
) -> None:
    """Put new keys in place of a credential's old ones, which stop at once."""
    from cadenza_async.cli import _stored_keys
    from cadenza_async.cli._client import Target

    target = Target(base_url=base_url, dialect=dialect, timeout=timeout, json=json)
    _stored_keys.rotate(target, credential_id, credentials=credentials)


@credentials.command()
def revoke(
    credential_id: options.CredentialId,
    *,
    yes: options.Yes = False,
    json: options.Json = False,
    base_url: options.BaseUrl = None,
    dialect: options.Dialect = None,
    timeout: options.Timeout = None,
) -> None:
    """Revoke a credential for good."""
    from cadenza_async.cli import _stored_keys
    from cadenza_async.cli._client import Target

    target = Target(base_url=base_url, dialect=dialect, timeout=timeout, json=json)
    _stored_keys.revoke(target, credential_id, sure=yes)
