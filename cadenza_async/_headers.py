"""What the headers of an answer say about time and limits."""

from __future__ import annotations

import math
from datetime import UTC
from email.utils import parsedate_to_datetime
from functools import lru_cache
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Mapping

_LONGEST_NUMBER = 15  # characters
_LONGEST_WINDOW = 3600.0  # seconds
_LATEST = 1e11  # beyond the year 5000: milliseconds, not seconds


class RateReport(NamedTuple):
    """A fixed window as the server reports it.

    Attributes:
        limit: Calls per window.
        remaining: Calls left in this one.
        reset: When it ends, in Unix seconds of the server's clock.
    """

    limit: int
    remaining: int
    reset: float


def rate_report(headers: Mapping[str, str], date: float | None) -> RateReport | None:
    """Read ``X-RateLimit-*``; None unless all three are there and make sense.

    Args:
        headers: Of the answer.
        date: Their `server_time`.
    """
    limit = _number(headers.get("X-RateLimit-Limit"))
    if limit is None:
        return None
    remaining = _number(headers.get("X-RateLimit-Remaining"))
    reset = _number(headers.get("X-RateLimit-Reset"))
    if limit < 1 or remaining is None or reset is None:
        return None
    if reset > _LATEST or (date is not None and reset > date + _LONGEST_WINDOW):
        return None
    return RateReport(int(limit), int(remaining), reset)


def server_time(headers: Mapping[str, str]) -> float | None:
    """Return the ``Date`` of an answer in Unix seconds; it is cut to a whole second."""
    return _http_date(headers.get("Date"))


def reset_in(headers: Mapping[str, str], now: float) -> float | None:
    """Return how many seconds are left of the window that ``X-RateLimit-Reset`` tells of.

    Args:
        headers: Of the answer.
        now: The time when the answer has no ``Date``, in Unix seconds.
    """
    date = server_time(headers)
    report = rate_report(headers, date)
    return None if report is None else max(0.0, report.reset - (now if date is None else date))


def retry_after(headers: Mapping[str, str], now: float) -> float | None:
    """Return how many seconds the server asks to wait: ``Retry-After``, as a number or a date.

    Args:
        headers: Of the answer.
        now: The time to count dates from when the answer has no ``Date``, in Unix seconds.
    """
    given = headers.get("Retry-After")
    seconds = _number(given)
    if seconds is not None:
        return seconds
    until = _http_date(given)
    if until is None:
        return None
    date = server_time(headers)
    return max(0.0, until - (now if date is None else date))


@lru_cache(maxsize=64)  # limit and reset are read again and again
def _number(text: str | None) -> float | None:
    """Read a number that is finite and not negative."""
    if text is None or len(text) > _LONGEST_NUMBER:
        return None
    try:
        value = float(text)
    except ValueError:
        return None
    return value if math.isfinite(value) and value >= 0 else None


@lru_cache(maxsize=16)  # the same second is read again and again
def _http_date(text: str | None) -> float | None:
    if text is None:
        return None
    try:
        date = parsedate_to_datetime(text)
        return date.replace(tzinfo=date.tzinfo or UTC).timestamp()
    except (ValueError, OverflowError):
        return None
