"""Connecting accounts, and finding out whether they are connected."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cadenza_async import _endpoints
from cadenza_async._methods import Methods
from cadenza_async._reconcile import Question, resolve
from cadenza_async.models import NewAccount
from cadenza_async.secret import hide

if TYPE_CHECKING:
    from datetime import datetime

    from cadenza_async.errors import OutcomeUnknownError
    from cadenza_async.models import TradingAccount
    from cadenza_async.secret import Secret


class Connecting(Methods):
    """Every way to connect an account."""

    async def connect_account(
        self,
        *,
        venue: str,
        api_key: str | Secret,
        api_secret: str | Secret,
        api_passphrase: str | Secret | None = None,
        name: str | None = None,
        account_type: str | None = None,
        timeout: float | None = None,
    ) -> TradingAccount:
        """Connect an exchange account (``POST /api/v3/tradingAccount/connect``).

        Cadenza checks the credentials at the exchange during the call, which can take seconds.
        The call is repeated only when it provably changed nothing.

        Args:
            venue: The exchange venue, e.g. ``BINANCE``; sent as given.
            api_key: The exchange API key.
            api_secret: The exchange API secret; may span lines.
            api_passphrase: The key's passphrase. COINBASE and OKX need one; give ``""`` for a
                key of theirs that has none.
            name: A custom name. Give each account a unique one: it is what tells, after an
                unknown outcome, whether the account is there.
            account_type: For example ``SPOT``; the server chooses when it is left out.
            timeout: Seconds for the whole call; the client's default when not given.

        Returns:
            The connected account.

        Raises:
            UsageError: If an argument is known to be refused; nothing was sent.
            CredentialsRejectedError: If the exchange refuses the credentials.
            VenueError: If the exchange failed; nothing was connected.
            ApiError: If Cadenza refuses for another reason.
            NotSentError: If the request provably never left.
            DeadlineExceededError: If the time ran out before anything was done.
            OutcomeUnknownError: If the account may have been connected.
        """
        api_key, api_secret = hide(api_key), hide(api_secret)
        api_passphrase = None if api_passphrase is None else hide(api_passphrase)
        account = NewAccount(
            venue=venue,
            api_key=api_key,
            api_secret=api_secret,
            api_passphrase=api_passphrase,
            name=name,
            account_type=account_type,
        )
        return await self._open_session.send(_endpoints.connect_account(account), timeout=timeout)

    async def connect_with_credential(
        self,
        credential_id: str,
        external_trading_account_id: str,
        *,
        name: str | None = None,
        timeout: float | None = None,
    ) -> TradingAccount:
        """Connect an exchange account with a stored credential.

        Like `connect_account` this is ``POST /api/v3/tradingAccount/connect``, and repeated only
        when it provably changed nothing; but the keys were stored by `create_credential`, and
        `verify_credential` told which accounts they reach.

        Args:
            credential_id: The stored credential.
            external_trading_account_id: What the exchange calls the account.
            name: A custom name; give each account a unique one, as for `connect_account`.
            timeout: Seconds for the whole call; the client's default when not given.

        Returns:
            The connected account.

        Raises:
            ConflictError: If somebody else has connected the account.
            NotFoundError: If there is no such credential.
            CadenzaError: As for `connect_account`.
        """
        call = _endpoints.connect_with_credential(
            credential_id, external_trading_account_id, name=name
        )
        return await self._open_session.send(call, timeout=timeout)

    async def connect_venue(
        self, venue: str, *, name: str | None = None, timeout: float | None = None
    ) -> TradingAccount:
        """Connect to a venue that knows no credentials, by its name alone: FERMATA.

        Like `connect_account` this is ``POST /api/v3/tradingAccount/connect``, and repeated only
        when it provably changed nothing. Cadenza's OpenAPI document alone describes it.

        Args:
            venue: The venue; sent as given.
            name: A custom name; give each account a unique one, as for `connect_account`.
            timeout: Seconds for the whole call; the client's default when not given.

        Returns:
            The connected account.

        Raises:
            InvalidRequestError: If the venue wants credentials.
            ConflictError: If it is connected already.
            CadenzaError: As for `connect_account`.
        """
        call = _endpoints.connect_venue(venue, name=name)
        return await self._open_session.send(call, timeout=timeout)

    async def resolve(
        self,
        error: OutcomeUnknownError | None = None,
        *,
        venue: str | None = None,
        name: str | None = None,
        since: datetime | None = None,
        external_trading_account_id: str | None = None,
        credential_id: str | None = None,
        timeout: float | None = None,
    ) -> TradingAccount | None:
        """Find out what became of a connect whose answer was lost.

        All accounts are listed (``GET /api/v3/tradingAccount/list``); the one of that venue (or
        of the exchange's id) and name that was created since the connect was sent is the answer. A
        late request may still land: ask again after two minutes before you take "not there" for a
        no.

        Args:
            error: What `connect_account`, or another connect, raised.
            venue: Instead of the error, after a cancellation: the venue.
            name: The name that was sent, if there was one.
            since: When the call was made (aware).
            external_trading_account_id: Instead of the venue, after a connect by reference: what
                the exchange calls the account.
            credential_id: The stored credential of a connect by reference.
            timeout: Seconds for each page of the list.

        Returns:
            The account, whatever its status is now, or `None` when it is not there (yet).

        Raises:
            UsageError: If it is not clear which connect is meant.
            AmbiguousOutcomeError: If several accounts fit, or a new one of that venue may be it:
                the connect had no name, Cadenza cuts or changes names, or the account was
                changed since it was made, so that its name tells nothing.
            CadenzaError: As for `list_accounts`.
        """
        question = Question.about(
            error,
            venue=venue,
            name=name,
            since=since,
            external_id=external_trading_account_id,
            credential_id=credential_id,
        )
        return await resolve(self._open_session, question, timeout=timeout)
