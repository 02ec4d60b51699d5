"""`Attempt`: what an observer is given."""

from __future__ import annotations

from typing import TYPE_CHECKING, assert_type

if TYPE_CHECKING:
    from cadenza_async import Attempt


def observing(attempt: Attempt) -> None:
    """Plain data, for counters and labels."""
    assert_type(attempt.number, int)
    assert_type(attempt.verdict, str)
    assert_type(attempt.seconds, float)
    assert_type(attempt.status, int | None)
    assert_type(attempt.errno, int | None)
    assert_type(attempt.identity, str | None)
    attempt.number = 2  # type: ignore[misc]  # pyright: ignore[reportAttributeAccessIssue]
