"""Every failure that aiohttp knows has been thought about."""

from __future__ import annotations

from typing import TYPE_CHECKING

import aiohttp
import pytest

from cadenza_async._transport import _FAILURES

if TYPE_CHECKING:
    from collections.abc import Iterator


def kinds_of(kind: type[Exception]) -> Iterator[type[Exception]]:
    """All subclasses, at any depth."""
    for each in kind.__subclasses__():
        yield each
        yield from kinds_of(each)


FAILURES = sorted(set(kinds_of(aiohttp.ClientError)), key=lambda kind: kind.__name__)


@pytest.mark.parametrize("kind", FAILURES, ids=lambda kind: kind.__name__)
def test_it_is_mapped(kind: type[Exception]) -> None:
    """A row of its own, or of its family, says what the failure proves."""
    assert any(issubclass(kind, kinds) for kinds, _ in _FAILURES)


def test_no_row_is_a_catch_all() -> None:
    """A row that takes everything would make the test above worthless."""
    everything = {aiohttp.ClientError, Exception, BaseException}
    assert not everything & {kind for kinds, _ in _FAILURES for kind in kinds}


@pytest.mark.parametrize("row", range(1, len(_FAILURES)))
def test_every_row_can_be_reached(row: int) -> None:
    """No row hides behind an earlier one: the first match wins."""
    earlier = tuple(kind for kinds, _ in _FAILURES[:row] for kind in kinds)
    assert not all(issubclass(kind, earlier) for kind in _FAILURES[row][0])
