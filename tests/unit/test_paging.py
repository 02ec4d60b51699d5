"""When a list that is read page by page is at its end."""

from __future__ import annotations

from typing import Any

import pytest

from cadenza_async._answers import Page
from cadenza_async._paging import Cursor


def page(ids: str, **about: Any) -> Page[str]:
    """Make a page of rows with one letter for an id."""
    return Page(rows={i: i for i in ids}, received=len(ids), **about)


def read(*pages: Page[str]) -> tuple[str, int, bool]:
    """Read pages, and return the ids, the rows received and whether that was all."""
    cursor = Cursor()
    ids = ""
    for each in pages:
        assert not cursor.finished
        ids += "".join(cursor.advance(each))
    return ids, cursor.offset, cursor.finished


def test_a_list_begins_at_its_begin() -> None:
    """Nothing was received, and there is something to ask for."""
    assert read() == ("", 0, False)


@pytest.mark.parametrize(
    ("pages", "found"),
    [
        ([page("abc")], ("abc", 3, False)),
        ([page("a")], ("a", 1, False)),
        ([page("")], ("", 0, True)),
        ([page("abc"), page("")], ("abc", 3, True)),
        ([page("abc", has_next=False)], ("abc", 3, True)),
        ([page("abc", has_next=True)], ("abc", 3, False)),
        ([page("abc", total=3)], ("abc", 3, True)),
        ([page("abc", total=4)], ("abc", 3, False)),
        ([page("abc", total=4), page("d", total=4)], ("abcd", 4, True)),
        ([page("abc", total=2)], ("abc", 3, True)),
        ([page("abc", total=0)], ("abc", 3, True)),
        ([page("abc", total=9, has_next=False)], ("abc", 3, True)),
        ([page("abc", total=3, has_next=True)], ("abc", 3, True)),
        ([page("abc"), page("abc")], ("abc", 6, True)),
        ([page("abc"), page("cba")], ("abc", 6, True)),
        ([page("abc", has_next=True), page("abc", has_next=True)], ("abc", 6, True)),
        ([page("abc"), page("cde")], ("abcde", 6, False)),
        ([page("abc"), page("cde"), page("e")], ("abcde", 7, True)),
        ([page("", has_next=True)], ("", 0, True)),
    ],
    ids=[
        "a page",
        "a short page",
        "nothing",
        "an empty page",
        "no next",
        "a next",
        "complete",
        "incomplete",
        "complete later",
        "more than there are",
        "more than none",
        "no next counts",
        "total counts",
        "the same page again",
        "in another order",
        "for ever",
        "one moved",
        "nothing new",
        "empty for ever",
    ],
)
def test_pages(pages: list[Page[str]], found: tuple[str, int, bool]) -> None:
    """It advances by the rows received; it ends when told, when complete, or without a new id."""
    assert read(*pages) == found


@pytest.mark.parametrize(
    ("totals", "shrunk"),
    [
        ([None, None], False),
        ([9, 9], False),
        ([9, 12], False),
        ([9, 8], True),
        ([9, 8, 9], True),
        ([None, 9], False),
        ([9, None], False),
    ],
    ids=str,
)
def test_a_list_that_shrinks_is_noticed(totals: list[int | None], *, shrunk: bool) -> None:
    """Rows move up when one is removed, and one of them may have been skipped."""
    cursor = Cursor()
    for ids, total in zip("abc", totals, strict=False):
        cursor.advance(page(ids, total=total))
    assert (cursor.shrunk, cursor.total) == (shrunk, totals[-1])


def test_a_row_that_is_twice_on_one_page_is_given_once_at_most() -> None:
    """Whoever counts rows counts right, even if the server does not."""
    ids, rows, _ = read(page("aab"))
    assert (ids, rows) == ("ab", 3)


@pytest.mark.parametrize(
    ("last", "before", "complete"),
    [
        (page("ab"), None, True),
        (page("ab", total=2), None, True),
        (page("ab", total=3), None, False),
        (page("ab", total=1), None, False),
        (page("aab", total=3), None, False),
        (page("ab", total=3), set("a"), False),
        (page("ab", total=3), set("abc"), False),
        (page("ab", total=3), set("ac"), False),
        (page("ab", total=3), set("ab"), True),
    ],
    ids=[
        "not counted",
        "as many",
        "fewer",
        "more",
        "one of them twice",
        "fewer, and more than before",
        "fewer, and fewer than before",
        "fewer, and others than before",
        "fewer, as before",
    ],
)
def test_what_is_complete(last: Page[str], before: set[str] | None, *, complete: bool) -> None:
    """As many rows as are counted, or those that were there before, whatever is counted."""
    cursor = Cursor()
    cursor.advance(last)
    assert cursor.settled(before) is complete


def test_an_empty_list_is_not_all_there_is_if_more_is_counted() -> None:
    """It is read again, and believed when it stays so."""
    cursor = Cursor()
    assert cursor.advance(Page(rows={}, received=0, total=3)) == []
    assert not cursor.settled(None)
    assert cursor.settled(set())


def test_what_moved_up_is_read_again() -> None:
    """Where rows have gone as the list was read, those after them are not skipped."""
    first, second = page("abc", total=6), page("f", total=4)
    assert read(first, second) == ("abcf", 1, False)
    assert read(first, second, page("def", total=4)) == ("abcfde", 4, True)


def test_more_has_gone_than_was_read() -> None:
    """It is read from its begin, and there is no place before that."""
    assert read(page("a", total=9), page("b", total=2)) == ("ab", 0, False)


def test_rows_that_went_further_down() -> None:
    """What is read again may be all known: that is not the end."""
    pages = [page("abc", total=8), page("def", total=7), page("cde", total=7)]
    assert read(*pages) == ("abcdef", 5, False)
    assert read(*pages, page("fg", total=7)) == ("abcdefg", 7, True)


def test_a_list_that_gets_shorter_for_ever() -> None:
    """It is not read for ever: once for each time that there was something new."""
    assert read(page("abc", total=9), page("a", total=8), page("a", total=7)) == ("abc", 3, False)
    pages = [page("abc", total=9), page("a", total=8), page("b", total=7), page("c", total=6)]
    assert read(*pages)[:2] == ("abc", 4)


def test_an_end_that_moved_up() -> None:
    """The last page, too, may come when rows before it have gone."""
    pages = [page("abc", total=6, has_next=True), page("", total=3, has_next=False)]
    assert read(*pages) == ("abc", 0, False)
    assert read(*pages, page("def", total=3, has_next=False)) == ("abcdef", 3, True)
