"""Exchange credentials that Cadenza keeps, to connect accounts by reference."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, cast

from cadenza_async import _endpoints
from cadenza_async._methods import Methods
from cadenza_async._paging import Cursor
from cadenza_async.errors import UsageError
from cadenza_async.secret import hide

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator

    from cadenza_async.models import Credential, ReachableAccount
    from cadenza_async.secret import Secret


class Credentials(Methods):
    """A credential's life."""

    async def create_credential(
        self,
        *,
        venue: str,
        api_key: str | Secret | None = None,
        api_secret: str | Secret | None = None,
        api_passphrase: str | Secret | None = None,
        credential_type: str | None = None,
        name: str | None = None,
        timeout: float | None = None,
    ) -> Credential:
        """Store an exchange's credential (``POST /api/v3/credential/create``).

        Nothing is connected by it: `verify_credential` tells which accounts it reaches, and
        `connect_with_credential` connects one. The call is repeated only when it provably changed
        nothing.

        Args:
            venue: The exchange venue, e.g. ``BINANCE``; sent as given.
            api_key: The exchange API key. FERMATA knows none: see `connect_venue`.
            api_secret: The exchange API secret; may span lines, as RSA and ED25519 keys do.
            api_passphrase: The key's passphrase, as for `connect_account`.
            credential_type: For example ``HMAC``; a plain API key when it is left out.
            name: A custom name. A unique one tells, after an unknown outcome, whether the
                credential is stored.
            timeout: Seconds for the whole call; the client's default when not given.

        Returns:
            The credential, without its secret.

        Raises:
            UsageError: If an argument is known to be refused; nothing was sent.
            OutcomeUnknownError: If the credential may have been stored: `list_credentials` shows.
            CadenzaError: As for `connect_account`.
        """
        api_key, api_secret = _hidden(api_key), _hidden(api_secret)
        api_passphrase = _hidden(api_passphrase)
        call = _endpoints.create_credential(
            venue=venue,
            api_key=api_key,
            api_secret=api_secret,
            api_passphrase=api_passphrase,
            credential_type=credential_type,
            name=name,
            dialect=self._dialect,
        )
        return await self._open_session.send(call, timeout=timeout)

    async def list_credentials(
        self,
        *,
        credential_type: str | None = None,
        status: str | None = None,
        credential_ids: Iterable[str] | None = None,
        timeout: float | None = None,
    ) -> AsyncGenerator[Credential, None]:
        """Iterate over the stored credentials (``GET /api/v3/credential/list``).

        Args:
            credential_type: Only credentials of this kind.
            status: Only credentials in this state.
            credential_ids: Only these credentials.
            timeout: Seconds for each page; the client's default when not given.

        Yields:
            The credentials, in the server's order, without their secrets.

        Raises:
            UsageError: If an argument cannot be used, an empty list or more ids than a URL holds
                for example; nothing was sent.
            CadenzaError: As for `list_accounts`.
        """
        ids = None if credential_ids is None else _all(credential_ids)
        cursor = Cursor()
        while not cursor.finished:
            call = _endpoints.list_credentials(
                credential_type=credential_type,
                status=status,
                credential_ids=ids,
                offset=cursor.offset,
                dialect=self._dialect,
            )
            for credential in cursor.advance(await self._open_session.send(call, timeout=timeout)):
                yield credential

    async def verify_credential(
        self, credential_id: str, *, timeout: float | None = None
    ) -> tuple[ReachableAccount, ...]:
        """Ask which accounts a credential reaches (``POST /api/v3/credential/verify``).

        Cadenza asks the exchange during the call, which can take seconds; nothing is connected.

        Args:
            credential_id: The stored credential.
            timeout: Seconds for the whole call; the client's default when not given.

        Returns:
            The accounts; each tells whether it is new, ours or somebody else's.

        Raises:
            CredentialsRejectedError: If the exchange refuses the credential.
            VenueError: If the exchange failed.
            NotFoundError: If there is no such credential.
            ServerError: If Cadenza is not done with verifying it.
            CadenzaError: As for `list_accounts`.
        """
        call = _endpoints.verify_credential(credential_id, dialect=self._dialect)
        return await self._open_session.send(call, timeout=timeout)

    async def rotate_credential(
        self,
        credential_id: str,
        *,
        api_key: str | Secret | None = None,
        api_secret: str | Secret | None = None,
        api_passphrase: str | Secret | None = None,
        timeout: float | None = None,
    ) -> Credential:
        """Replace the keys of a credential (``POST /api/v3/credential/rotate``).

        The old ones stop working at once. What is left out stays as it is.

        Args:
            credential_id: The stored credential.
            api_key: The new exchange API key.
            api_secret: The new exchange API secret; may span lines.
            api_passphrase: The new passphrase.
            timeout: Seconds for the whole call; the client's default when not given.

        Returns:
            The credential as it is now, without its secret.

        Raises:
            UsageError: If nothing is given, or something that cannot be sent; nothing was sent.
            OutcomeUnknownError: If it may have been done; rotating again with the same keys
                changes nothing then.
            CadenzaError: As for `connect_account`.
        """
        api_key, api_secret = _hidden(api_key), _hidden(api_secret)
        api_passphrase = _hidden(api_passphrase)
        call = _endpoints.rotate_credential(
            credential_id, api_key=api_key, api_secret=api_secret, api_passphrase=api_passphrase
        )
        return await self._open_session.send(call, timeout=timeout)

    async def revoke_credential(
        self, credential_id: str, *, timeout: float | None = None
    ) -> Credential:
        """Revoke a credential for good (``POST /api/v3/credential/revoke``).

        Args:
            credential_id: The stored credential.
            timeout: Seconds for the whole call; the client's default when not given.

        Returns:
            The credential as it is now.

        Raises:
            InvalidRequestError: If it was revoked before (errno -130001).
            NotFoundError: If there is no such credential.
            OutcomeUnknownError: If it may have been done: `list_credentials` shows.
            CadenzaError: As for `connect_account`.
        """
        call = _endpoints.revoke_credential(credential_id)
        return await self._open_session.send(call, timeout=timeout)


def _hidden(value: str | Secret | None) -> Secret | None:
    return None if value is None else hide(value)


def _all(ids: object) -> tuple[str, ...]:
    if isinstance(ids, str) or not isinstance(ids, Iterable):
        raise UsageError("credential_ids must be a list, be it of one id")
    return tuple(cast("Iterable[str]", ids))
