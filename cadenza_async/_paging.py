"""When a list that is read page by page is at its end. No I/O."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from cadenza_async._wire import Page
    from cadenza_async.models import TradingAccount


class Cursor:
    """Where in a list the next page begins.

    Attributes:
        offset: How many rows have been received.
        finished: Whether there is nothing more to ask for.
    """

    def __init__(self) -> None:
        self.offset = 0
        self.finished = False
        self._seen: set[str] = set()

    def advance(self, page: Page) -> list[TradingAccount]:
        """Take a page in and return the accounts that were not on an earlier one.

        A short page alone ends nothing: the server may cap the limit lower than asked.
        """
        fresh = [a for a in page.accounts if a.trading_account_id not in self._seen]
        self._seen.update(account.trading_account_id for account in fresh)
        self.offset += len(page.accounts)
        complete = page.total is not None and self.offset >= page.total
        self.finished = page.has_next is False or complete or not fresh
        return fresh
