"""The commands about credentials that are stored at Cadenza."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from cadenza_async.cli._credentials import in_shell_words
from cadenza_async.cli._exits import reporting
from cadenza_async.cli._kinds import ACCOUNTS, CREDENTIALS, REACHABLE
from cadenza_async.cli._output import Output
from cadenza_async.cli._questions import confirm
from cadenza_async.cli._sources import read_credentials

if TYPE_CHECKING:
    from collections.abc import Sequence

    from cadenza_async.cli._client import Target
    from cadenza_async.client import AsyncCadenza
    from cadenza_async.secret import Secret

_LOOK: Final = "Do not repeat it: look with 'cadenza credentials' whether it was done."
_HARMLESS: Final = "Do it again with the same keys: if it was done, that changes nothing."


def list_all(
    target: Target,
    credential_ids: Sequence[str] | None,
    *,
    credential_type: str | None,
    status: str | None,
) -> None:
    """List credentials."""
    output = Output(json=target.json)

    async def work(client: AsyncCadenza) -> None:
        found = client.list_credentials(
            credential_type=credential_type, status=status, credential_ids=credential_ids
        )
        with output.listing(CREDENTIALS) as add:
            async for credential in found:
                add(credential)

    with reporting(output, unsure=None):
        target.call(work)


def create(
    target: Target,
    *,
    venue: str,
    name: str | None,
    credential_type: str | None,
    credentials: str | None,
) -> None:
    """Store keys.

    Args:
        target: Where.
        venue: The exchange; it must be that of the keys, if they name one.
        name: What to call the credential, instead of what the keys say.
        credential_type: What kind of keys they are.
        credentials: The file with the keys, ``-`` for standard input.
    """
    output = Output(json=target.json)
    with reporting(output, unsure=_LOOK), in_shell_words():
        given = read_credentials(credentials, venue=venue)
        credential = target.call(
            lambda client: client.create_credential(
                venue=venue,
                api_key=_if_given(given.api_key),
                api_secret=_if_given(given.api_secret),
                api_passphrase=given.api_passphrase,
                credential_type=credential_type,
                name=given.name if name is None else name,
            )
        )
        output.done("Stored", CREDENTIALS, credential)


def verify(target: Target, credential_id: str) -> None:
    """List the accounts that a credential reaches."""
    output = Output(json=target.json)
    with reporting(output, unsure=None), output.listing(REACHABLE) as add:
        for account in target.call(lambda client: client.verify_credential(credential_id)):
            add(account)


def connect(
    target: Target, credential_id: str, external_trading_account_id: str, *, name: str | None
) -> None:
    """Connect an account that a credential reaches."""
    output = Output(json=target.json)
    with reporting(output):
        account = target.call(
            lambda client: client.connect_with_credential(
                credential_id, external_trading_account_id, name=name
            )
        )
        output.done("Connected", ACCOUNTS, account)


def rotate(target: Target, credential_id: str, *, credentials: str | None) -> None:
    """Replace the keys of a credential."""
    output = Output(json=target.json)
    with reporting(output, unsure=_HARMLESS):
        given = read_credentials(credentials, changing=True)
        credential = target.call(
            lambda client: client.rotate_credential(
                credential_id,
                api_key=_if_given(given.api_key),
                api_secret=_if_given(given.api_secret),
                api_passphrase=given.api_passphrase,
            )
        )
        output.done("Rotated", CREDENTIALS, credential)


def revoke(target: Target, credential_id: str, *, sure: bool) -> None:
    """Revoke a credential, if its owner is sure."""
    output = Output(json=target.json)
    with reporting(output, unsure=_LOOK):
        if not sure:
            confirm(f"Revoke {credential_id} for good?")
        credential = target.call(lambda client: client.revoke_credential(credential_id))
        output.done("Revoked", CREDENTIALS, credential)


def _if_given(key: Secret) -> Secret | None:
    return key if key.check(bool) else None
