"""What can be known of an answer before anybody judges it."""

from __future__ import annotations

from typing import Any

import pytest

from cadenza_async._envelopes import Reading, one_line, read

from .samples import answer, refusal


def reading(status: int, body: object = b"", **headers: str) -> Reading:
    """Read an answer in which there is nothing to hide."""
    return read(answer(status, body, **headers), now=0.0, redact=str)


@pytest.mark.parametrize(
    ("body", "problem"),
    [
        (None, "an answer longer than any of Cadenza's"),
        (b"", "an empty answer"),
        (b" \r\n\t", "an empty answer"),
        (b"<html>", "an answer that is not JSON"),
        (b'{"errno": 0', "an answer that is not JSON"),
        (b"\xff", "an answer that is not JSON"),
        ([], "an answer that is not Cadenza's"),
        ("ok", "an answer that is not Cadenza's"),
        (0, "an answer that is not Cadenza's"),
        ({}, "an answer that is not Cadenza's"),
        ({"status": "healthy"}, "an answer that is not Cadenza's"),
        ({"data": {"tradingAccountId": "a"}}, "an answer that is not Cadenza's"),
    ],
    ids=lambda value: repr(value)[:24],
)
@pytest.mark.parametrize("status", [200, 400, 401, 429, 500, 503])
def test_bodies_that_are_no_envelope(status: int, body: object, problem: str) -> None:
    """The text says what is wrong, and none of the body."""
    found = reading(status, body)
    assert (found.envelope, found.text, found.errno, found.number) == (None, problem, None, 0)
    assert not found.accepted


@pytest.mark.parametrize(
    ("location", "target"),
    [
        ("https://other.test/login?apiKey=k", "https://other.test"),
        ("http://other.test:8080/x", "http://other.test:8080"),
        ("https://user:pass@other.test/", "https://other.test"),
        ("//other.test/x", "://other.test"),
        ("/login?apiKey=k", "another path of the same server"),
        ("", "nowhere"),
        ("https://[::1", "an unreadable address"),
        ("https://other.test:port/", "an unreadable address"),
    ],
)
@pytest.mark.parametrize("status", [300, 301, 302, 303, 304, 307, 308, 399])
def test_redirects(status: int, location: str, target: str) -> None:
    """A redirect names the origin it leads to and nothing more, whatever its body says."""
    found = reading(status, {"errno": 0, "data": {}}, Location=location)
    assert (found.text, found.envelope) == (f"a redirect to {target}", None)
    assert not found.accepted


@pytest.mark.parametrize(
    ("given", "errno"),
    [
        (0, 0),
        (-120001, -120001),
        (18011, 18011),
        ("-22016", -22016),
        ("18011", 18011),
        (10**9 - 1, 10**9 - 1),
        (-(10**9), None),
        (10**40, None),
        ("9999999999", None),
        ("", None),
        ("E18011", None),
        ("-", None),
        ("\uff11\uff18\uff10\uff11\uff11", None),
        (None, None),
        (True, None),
        (1.5, None),
        ([18011], None),
        ({}, None),
    ],
    ids=repr,
)
def test_error_numbers(given: object, errno: int | None) -> None:
    """Whole numbers are read, also as text, and kept as they came."""
    assert reading(400, refusal(given)).errno == errno


@pytest.mark.parametrize(
    ("status", "body", "accepted"),
    [
        (200, {"errno": 0}, True),
        (201, {"errno": 0, "success": True}, True),
        (204, {"errno": 0}, True),
        (200, {"success": True}, True),
        (200, {"errno": "0", "success": True}, True),
        (200, {"errno": None, "success": None}, True),
        (200, {"errno": 0, "success": False}, False),
        (200, {"success": False}, False),
        (200, {"errno": -1, "success": True}, False),
        (200, {"errno": "18012", "success": True}, False),
        (400, {"errno": 0, "success": True}, False),
        (500, {"errno": 0, "success": True}, False),
        (304, {"errno": 0, "success": True}, False),
    ],
)
def test_what_is_accepted(status: int, body: dict[str, Any], *, accepted: bool) -> None:
    """Done is any 2xx with number 0 that does not deny it."""
    assert reading(status, body).accepted is accepted


@pytest.mark.parametrize(
    ("error", "text"),
    [
        ("Invalid credentials", "Invalid credentials"),
        ("two\r\nlines", "two lines"),
        ("  much \t space \u2028 here ", "much space here"),
        ("\x1b[31mred\x07", "[31mred"),
        ("half \ud800 a pair", "half \\ud800 a pair"),
        ("y" * 301, "y" * 300 + "…"),
        ("x" * 300, "x" * 300),
        ("", "no reason given"),
        (" \n", "no reason given"),
        (None, "no reason given"),
        (5, "no reason given"),
        ({"message": "no"}, "no reason given"),
    ],
    ids=lambda value: repr(value)[:20],
)
def test_the_server_s_text(error: object, text: str) -> None:
    """It becomes one printable line of bounded length; who gives none may have done it, too."""
    assert reading(400, refusal(1, error)).text == text


@pytest.mark.parametrize("status", [200, 201])
def test_the_text_of_a_denial_without_a_number(status: int) -> None:
    """`success: false` beside number 0 is a refusal, with text, id and wait of its own."""
    body = refusal(0, "not now", details={"request_id": "r-1"})
    found = reading(status, body, Retry_After="3")
    assert (found.text, found.request_id, found.wait) == ("not now", "r-1", 3.0)


@pytest.mark.parametrize(
    ("details", "request_id"),
    [
        ({"request_id": "req-1"}, "req-1"),
        ({"request_id": "a\nb" + "x" * 400}, "a b" + "x" * 297 + "…"),
        ({"request_id": ""}, None),
        ({"request_id": 5}, None),
        ({"requestId": "req-1"}, None),
        ({}, None),
        (None, None),
        ("req-1", None),
        ([{"request_id": "req-1"}], None),
    ],
    ids=lambda value: repr(value)[:60],
)
def test_request_ids(details: object, request_id: str | None) -> None:
    """The id in the details is the only one there is."""
    assert reading(400, refusal(1, details=details)).request_id == request_id


def test_a_reading_does_not_show_the_envelope() -> None:
    """What a server repeats of a request stays out of a repr."""
    assert "hush" not in repr(reading(200, {"errno": 0, "data": "hush"}))


@pytest.mark.parametrize("text", ["a\x85b", "a\x0bb", "a\u2029b", "a\u00a0\u3000b", "a\x00\x7fb"])
def test_one_line_has_no_breaks(text: str) -> None:
    """Whatever some program takes for the end of a line becomes a space."""
    assert one_line(text) == "a b"


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("a\u202eb", "a\\u202eb"),
        ("a\u200bb", "a\\u200bb"),
        ("a\uea6fb", "a\\uea6fb"),
        ("a\ud800b", "a\\ud800b"),
        ("a\U000e0001b", "a\\U000e0001b"),
        ("机构 🚀 é", "机构 🚀 é"),
    ],
    ids=["turned", "no width", "private", "half a pair", "a tag", "people's words"],
)
def test_one_line_can_be_printed(text: str, shown: str) -> None:
    """What no terminal prints, or what would mislead its reader, is written out."""
    assert one_line(text) == shown
    assert one_line(text).isprintable()
