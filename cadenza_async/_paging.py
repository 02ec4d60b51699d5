"""When a list that is read page by page is at its end. No I/O."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from collections.abc import Set as AbstractSet

    from cadenza_async._answers import Page

T = TypeVar("T")


class Cursor:
    """Where in a list the next page begins.

    Attributes:
        offset: How many rows have been received.
        finished: Whether there is nothing more to ask for.
        total: How many rows there are in all, as the server said last.
        shrunk: Whether that became less while pages were read, so that rows after a removed one
            may have been skipped.
        seen: The ids of all rows so far.
    """

    def __init__(self) -> None:
        self.offset = 0
        self.finished = False
        self.total: int | None = None
        self.shrunk = False
        self.seen: set[str] = set()
        self._furthest = 0
        self._news = False  # whether there were new rows since it went back last

    def advance(self, page: Page[T]) -> list[T]:
        """Take a page in and return the rows whose id was not on an earlier one.

        A page that is not full is not the last for that: a server may give fewer rows than it was
        asked for. Where rows have gone, those after them have moved up: as many are read again.
        """
        fresh = [row for id_, row in page.rows.items() if id_ not in self.seen]
        self.seen.update(page.rows)
        self._news |= bool(fresh)
        gone = self._gone(page.total)
        reread = self.offset < self._furthest
        if gone and self._news:
            self._news = False
            self._move(-gone)
            at_end = False
        else:
            self._move(page.received)
            at_end = page.has_next is False or not (fresh or reread)
        self.finished = at_end or (page.total is not None and self.offset >= page.total)
        return fresh

    def _gone(self, total: int | None) -> int:
        """Note how many rows there are now; return how many fewer that is than before."""
        gone = 0 if total is None else max(0, (self.total or 0) - total)
        self.shrunk |= gone > 0
        self.total = total
        return gone

    def _move(self, rows: int) -> None:
        self.offset = max(0, self.offset + rows)
        self._furthest = max(self._furthest, self.offset)

    def settled(self, before: AbstractSet[str] | None) -> bool:
        """Tell whether the list is complete.

        It is if no row went meanwhile, and there were as many as the server counts, or the same as
        when the list was read last.

        Args:
            before: The ids seen then; None when it was not read before.
        """
        return not self.shrunk and (self.total in {None, len(self.seen)} or self.seen == before)
