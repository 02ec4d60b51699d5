"""The asynchronous client: every endpoint a method."""

from __future__ import annotations

from typing import TYPE_CHECKING, Self, Unpack

from cadenza_async import _endpoints
from cadenza_async._paging import Cursor
from cadenza_async._reconcile import Question, resolve
from cadenza_async._sessions import Options, Sessions, configure, token_source
from cadenza_async.errors import ClosedError
from cadenza_async.models import NewAccount
from cadenza_async.secret import Secret, hide

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator
    from datetime import datetime
    from types import TracebackType

    from cadenza_async._session import Session
    from cadenza_async.auth import Token
    from cadenza_async.errors import OutcomeUnknownError
    from cadenza_async.models import TradingAccount


class AsyncCadenza:
    """Cadenza for one identity, in an asyncio event loop.

    Use it with ``async with``: that opens connections of its own, and closing waits for the
    calls in flight. For many identities over the same connections see `SessionPool`.

    Args:
        access_token: A string, a `Secret`, an async callable that returns one, or a
            `TokenSource`. ``CADENZA_ACCESS_TOKEN`` when it is not given.
        **options: See `Options` and `Settings`.

    Raises:
        ConfigError: If an option or the token cannot be used.
    """

    def __init__(self, access_token: Token | None = None, **options: Unpack[Options]) -> None:
        access_token = Secret(access_token) if isinstance(access_token, str) else access_token
        self._source = token_source(access_token)
        self._shared = configure(options)
        self._sessions = Sessions(self._shared)
        self._session: Session | None = None

    async def __aenter__(self) -> Self:
        self._shared.open()
        self._session = self._sessions.get(self._source)
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        await self.aclose()

    async def aclose(self) -> None:
        """Wait for the calls in flight, at most ``grace`` seconds, and close for good.

        A client that came from a pool closes nothing, as it opened nothing.
        """
        await self._shared.close()

    @property
    def _sending(self) -> Session:
        if self._session is None:
            raise ClosedError("the client is not open: use it inside its 'async with' block")
        return self._session

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
            DeadlineExceededError: If the time ran out before anything was sent.
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
        return await self._sending.send(_endpoints.connect_account(account), timeout=timeout)

    async def resolve(
        self,
        error: OutcomeUnknownError | None = None,
        *,
        venue: str | None = None,
        name: str | None = None,
        since: datetime | None = None,
        timeout: float | None = None,
    ) -> TradingAccount | None:
        """Find out what became of a connect whose answer was lost.

        All accounts are listed (``GET /api/v3/tradingAccount/list``); the one of that venue and
        name that was created since the connect was sent is the answer. A late request may still
        land: ask again after two minutes before you take "not there" for a no.

        Args:
            error: What `connect_account` raised.
            venue: Instead of the error, after a cancellation: the venue.
            name: The name that was sent, if there was one.
            since: When the call was made (aware).
            timeout: Seconds for each page of the list.

        Returns:
            The account, whatever its status is now, or `None` when it is not there (yet).

        Raises:
            UsageError: If it is not clear which connect is meant.
            AmbiguousOutcomeError: If several accounts fit, or the connect had no name and some
                account of that venue is new.
            CadenzaError: As for `list_accounts`.
        """
        question = Question.about(error, venue=venue, name=name, since=since)
        return await resolve(self._sending, question, timeout=timeout)

    async def disconnect_account(
        self, trading_account_id: str, *, timeout: float | None = None
    ) -> TradingAccount:
        """Disconnect an account for good (``POST /api/v3/tradingAccount/disconnect``).

        Open orders are not cancelled. Connecting the same exchange account again makes a new
        trading account.

        Args:
            trading_account_id: The account's identifier.
            timeout: Seconds for the whole call; the client's default when not given.

        Returns:
            The account as it is now.

        Raises:
            UsageError: If the id is empty; nothing was sent.
            NotFoundError: If there is no such account.
            PermissionDeniedError: If the account is not yours.
            CadenzaError: As for `connect_account`.
        """
        call = _endpoints.disconnect_account(trading_account_id)
        return await self._sending.send(call, timeout=timeout)

    async def list_accounts(
        self,
        *,
        venue: str | None = None,
        status: str | None = None,
        timeout: float | None = None,
    ) -> AsyncGenerator[TradingAccount, None]:
        """Iterate over the accounts of this identity (``GET /api/v3/tradingAccount/list``).

        Pages are fetched as they are needed; an account that moves between two of them while
        they are read is given once.

        Args:
            venue: Only accounts of this venue.
            status: Only accounts in this state. Without it the server decides whether
                disconnected ones are listed.
            timeout: Seconds for each page; the client's default when not given.

        Yields:
            The accounts, in the server's order.

        Raises:
            CadenzaError: As for `connect_account`; reading is repeated after a lost answer.
        """
        cursor = Cursor()
        while not cursor.finished:
            call = _endpoints.list_accounts(venue=venue, status=status, offset=cursor.offset)
            for account in cursor.advance(await self._sending.send(call, timeout=timeout)):
                yield account


class PoolClient(AsyncCadenza):
    """A client of a pool.

    Args:
        session: The identity's session.
        sessions: The sessions of the pool.
    """

    def __init__(self, session: Session, sessions: Sessions) -> None:
        self._session = session
        self._sessions = sessions
        self._shared = session.shared

    async def __aenter__(self) -> Self:
        return self

    async def aclose(self) -> None:
        """Do nothing: the pool closes what it opened."""
