"""What headers say about time and limits, and what they only seem to say."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st
from multidict import CIMultiDict

from cadenza_async._envelopes import read
from cadenza_async._headers import RateReport, rate_report, server_time

from .samples import answer

DATE = "Fri, 02 Jan 2026 03:04:05 GMT"
AT = 1767323045.0
LATER = "Fri, 02 Jan 2026 03:04:15 GMT"
FULL = {"X-RateLimit-Limit": "30", "X-RateLimit-Remaining": "29", "X-RateLimit-Reset": "1767323100"}


def report(**changes: str | None) -> RateReport | None:
    """Read a full set of headers with some replaced, or left out."""
    named = {f"X-RateLimit-{name.title()}": value for name, value in changes.items()}
    merged = {**FULL, "Date": DATE, **named}
    headers = CIMultiDict({name: text for name, text in merged.items() if text})
    return rate_report(headers, server_time(headers))


def test_a_full_set() -> None:
    """Three numbers make a report; names are read without case."""
    wanted = RateReport(limit=30, remaining=29, reset=1767323100.0)
    assert report() == wanted
    shouted = CIMultiDict({name.upper(): text for name, text in FULL.items()})
    assert rate_report(shouted, None) == wanted


@pytest.mark.parametrize("missing", ["limit", "remaining", "reset"])
@pytest.mark.parametrize("odd", [None, "many", "-1", "nan", "inf", "1e400", "9" * 16, "1,000"])
def test_two_and_a_half_numbers_make_none(missing: str, odd: str | None) -> None:
    """A report is whole or there is none."""
    assert report(**{missing: odd}) is None


@pytest.mark.parametrize("limit", ["0", "0.0", "0.5"])
def test_a_limit_of_nothing_is_no_limit(limit: str) -> None:
    """A window without room would never open again."""
    assert report(limit=limit) is None


def test_nothing_may_be_left() -> None:
    """An empty window is what teaches to wait, and one call at a time is a limit."""
    assert report(limit="1", remaining="0") == RateReport(limit=1, remaining=0, reset=1767323100.0)
    assert report(remaining="0") == RateReport(limit=30, remaining=0, reset=1767323100.0)


@pytest.mark.parametrize(
    ("reset", "known"),
    [
        (AT - 5, True),
        (AT + 3600, True),
        (AT + 3601, False),
        (AT * 1000, False),
        (1e11 + 1, False),
        (42, True),
    ],
    ids=["past", "an hour", "beyond", "milliseconds", "far", "seconds left"],
)
def test_a_reset_must_be_near(reset: float, *, known: bool) -> None:
    """A reset in another unit, or far away, would stop everything for years."""
    assert (report(reset=f"{reset:.0f}") is not None) is known


def test_without_a_date_only_the_unit_is_checked() -> None:
    """Nothing is known about the server's clock then."""
    headers = {**FULL, "X-RateLimit-Reset": "100000000000"}
    assert rate_report(headers, None) is not None
    assert rate_report({**headers, "X-RateLimit-Reset": "100000000001"}, None) is None


@pytest.mark.parametrize(
    ("date", "seconds"),
    [
        (DATE, AT),
        ("Friday, 02-Jan-26 03:04:05 GMT", AT),
        ("Fri Jan  2 03:04:05 2026", AT),
        ("Fri, 02 Jan 2026 04:04:05 +0100", AT),
        ("Fri, 02 Jan 2026 03:04:05 -0000", AT),
        ("Fri, 02 Jan 2026 03:04:05", AT),
        (None, None),
        ("", None),
        (" ", None),
        ("yesterday", None),
        ("Fri, 32 Jan 2026 03:04:05 GMT", None),
        ("Fri, 02 Jan 99999 03:04:05 GMT", None),
        ("Fri, 02 Jan 2026 03:04:05 +9999", None),
        ("1767323045", None),
    ],
)
def test_dates(date: str | None, seconds: float | None) -> None:
    """Every date that HTTP allows is read, in UTC, and no other text breaks anything."""
    assert server_time({"Date": date} if date is not None else {}) == seconds


@pytest.mark.parametrize(
    ("headers", "wait"),
    [
        ({}, None),
        ({"Retry-After": "7"}, 7.0),
        ({"Retry-After": " 7 "}, 7.0),
        ({"Retry-After": "0"}, 0.0),
        ({"Retry-After": "1.5"}, 1.5),
        ({"Retry-After": LATER}, 20.0),
        ({"Retry-After": LATER, "Date": DATE}, 10.0),
        ({"Retry-After": DATE, "Date": LATER}, 0.0),
        ({"Retry-After": "7", **FULL, "Date": DATE}, 7.0),
        ({"Retry-After": "-7"}, None),
        ({"Retry-After": "soon"}, None),
        ({"Retry-After": "nan"}, None),
        ({"Retry-After": "soon", **FULL, "Date": DATE}, 55.0),
        ({**FULL, "Date": DATE}, 55.0),
        (FULL, 65.0),
        ({**FULL, "X-RateLimit-Reset": "1767323000", "Date": DATE}, 0.0),
        ({**FULL, "X-RateLimit-Limit": "x"}, None),
    ],
    ids=str,
)
def test_how_long_to_wait(headers: dict[str, str], wait: float | None) -> None:
    """`Retry-After` counts, in seconds or as a date, else the reset; on the server's clock."""
    assert read(answer(429, b"", headers), now=AT - 10, redact=str).wait == wait


HEADERS = st.fixed_dictionaries(
    {},
    optional=dict.fromkeys(
        ("Date", "Retry-After", *FULL),
        st.text(max_size=40)
        | st.integers().map(str)
        | st.floats().map(str)
        | st.sampled_from([DATE, LATER])
        | st.builds(
            "{}, {} {} {} {}:{}:{} {}".format,
            *[st.sampled_from(["Fri", "Jan", "", "99", "2", "2026", "+9999", "-0000", "GMT"])] * 8,
        ),
    ),
)


@given(HEADERS, st.floats(0, 4e9))
def test_no_header_breaks_anything(headers: dict[str, str], now: float) -> None:
    """Whatever a server or a proxy writes, there is a sensible number or none."""
    found = CIMultiDict(headers)
    date = server_time(found)
    limits = rate_report(found, date)
    wait = read(answer(429, b"", headers), now=now, redact=str).wait
    assert date is None or math.isfinite(date)
    assert wait is None or 0 <= wait < math.inf
    assert limits is None or (limits.limit > 0 and limits.remaining >= 0 and limits.reset >= 0)
