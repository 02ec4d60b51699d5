"""The accounts that are connected, and what was done to them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cadenza_async import _endpoints
from cadenza_async._checks import check_text
from cadenza_async._methods import Methods
from cadenza_async._paging import Cursor

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator
    from datetime import datetime

    from cadenza_async.models import Operation, TradingAccount


class Accounts(Methods):
    """An account's life after it was connected."""

    async def list_accounts(
        self,
        *,
        venue: str | None = None,
        status: str | None = None,
        timeout: float | None = None,
    ) -> AsyncGenerator[TradingAccount, None]:
        """Iterate over the accounts of this identity (``GET /api/v3/tradingAccount/list``).

        Pages are fetched as they are needed; an account that moves between two of them while
        they are read is given once. Accounts may be disabled or disconnected as they come.

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
            call = _endpoints.list_accounts(
                venue=venue, status=status, offset=cursor.offset, dialect=self._dialect
            )
            for account in cursor.advance(await self._open_session.send(call, timeout=timeout)):
                yield account

    async def get_account(
        self, trading_account_id: str, *, timeout: float | None = None
    ) -> TradingAccount | None:
        """Look an account up (``GET /api/v3/tradingAccount/list``).

        Args:
            trading_account_id: The account's identifier.
            timeout: Seconds for each page; the client's default when not given.

        Returns:
            The account, or `None` when the list does not show it.

        Raises:
            UsageError: If the id is empty; nothing was sent.
            CadenzaError: As for `list_accounts`.
        """
        check_text("trading_account_id", trading_account_id)
        cursor = Cursor()
        while not cursor.finished:
            call = _endpoints.list_accounts(
                trading_account_id=trading_account_id, offset=cursor.offset
            )
            for account in cursor.advance(await self._open_session.send(call, timeout=timeout)):
                if account.trading_account_id == trading_account_id:
                    return account
        return None

    async def enable_account(
        self, trading_account_id: str, *, timeout: float | None = None
    ) -> TradingAccount:
        """Let an account trade again (``POST /api/v3/tradingAccount/enable``).

        Args:
            trading_account_id: The account's identifier.
            timeout: Seconds for the whole call; the client's default when not given.

        Returns:
            The account as it is now.

        Raises:
            CadenzaError: As for `disconnect_account`.
        """
        call = _endpoints.enable_account(trading_account_id)
        return await self._open_session.send(call, timeout=timeout)

    async def disable_account(
        self, trading_account_id: str, *, timeout: float | None = None
    ) -> TradingAccount:
        """Block new orders of an account (``POST /api/v3/tradingAccount/disable``).

        Open orders stay. `enable_account` undoes it.

        Args:
            trading_account_id: The account's identifier.
            timeout: Seconds for the whole call; the client's default when not given.

        Returns:
            The account as it is now.

        Raises:
            CadenzaError: As for `disconnect_account`.
        """
        call = _endpoints.disable_account(trading_account_id)
        return await self._open_session.send(call, timeout=timeout)

    async def rename_account(
        self, trading_account_id: str, name: str, *, timeout: float | None = None
    ) -> TradingAccount:
        """Give an account another custom name (``POST /api/v3/tradingAccount/update``).

        Args:
            trading_account_id: The account's identifier.
            name: The new name; keep names unique, as for `connect_account`.
            timeout: Seconds for the whole call; the client's default when not given.

        Returns:
            The account as it is now.

        Raises:
            CadenzaError: As for `disconnect_account`.
        """
        call = _endpoints.rename_account(trading_account_id, name)
        return await self._open_session.send(call, timeout=timeout)

    async def disconnect_account(
        self, trading_account_id: str, *, timeout: float | None = None
    ) -> TradingAccount:
        """Disconnect an account for good (``POST /api/v3/tradingAccount/disconnect``).

        Open orders are not cancelled. If its keys are connected again, that is another trading
        account, with another id.

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
        return await self._open_session.send(call, timeout=timeout)

    async def list_operations(
        self,
        *,
        trading_account_id: str | None = None,
        operation_type: str | None = None,
        since: datetime | None = None,
        until: datetime | None = None,
        timeout: float | None = None,
    ) -> AsyncGenerator[Operation, None]:
        """Iterate over what was done to accounts.

        Pages (``GET /api/v3/tradingAccount/operation/list``) are fetched as they are needed.

        Args:
            trading_account_id: Only operations on this account.
            operation_type: Only operations of this kind, for example ``CONNECT``.
            since: Only operations from then on (aware).
            until: Only operations up to then (aware).
            timeout: Seconds for each page; the client's default when not given.

        Yields:
            The operations, in the server's order.

        Raises:
            UsageError: If a time has no time zone, or since is later than until.
            CadenzaError: As for `list_accounts`.
        """
        cursor = Cursor()
        while not cursor.finished:
            call = _endpoints.list_operations(
                trading_account_id=trading_account_id,
                operation_type=operation_type,
                since=since,
                until=until,
                offset=cursor.offset,
            )
            for operation in cursor.advance(await self._open_session.send(call, timeout=timeout)):
                yield operation
