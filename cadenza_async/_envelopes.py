"""An answer, read as far as it can be: the envelope, its number, its text, its request id."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlsplit

from attrs import field, frozen

from cadenza_async._headers import reset_in, retry_after
from cadenza_async._wire import as_object, decode

if TYPE_CHECKING:
    from cadenza_async._calls import Answer

_BREAKS: Final = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\s]+")
_MARKS: Final = frozenset({"errno", "success"})
_LONGEST_TEXT = 300  # characters
_ENDLESS = 1_000_000_000
_NUMBER: Final = re.compile(r"-?[0-9]{1,9}")


@frozen(kw_only=True, slots=False)  # as for `Call`
class Reading:
    """What can be known of an answer.

    Attributes:
        status: The HTTP status.
        envelope: The JSON object, or ``None`` when the body is no envelope of Cadenza's.
        text: The server's own words, or what is wrong with the body; one line.
        errno: The error number as it came, ``None`` when there is none that can be read.
        numbered: Whether the number, if there is one, can be read.
        request_id: The server's id of the request.
        retry_after: Seconds until ``Retry-After``, if the answer has one.
        wait: The same, or else until the rate limit is reset if that is what it ran into.
        accepted: Whether Cadenza says that it did what was asked.
    """

    status: int
    envelope: Mapping[str, Any] | None = field(repr=False)
    text: str
    errno: int | None = None
    numbered: bool = True
    request_id: str | None = None
    retry_after: float | None = None
    wait: float | None = None
    accepted: bool = False

    @property
    def number(self) -> int:
        """The error number without its sign; 0 when there is none."""
        return abs(self.errno or 0)


def read(
    answer: Answer, *, now: float, redact: Callable[[str], str], enveloped: bool = True
) -> Reading:
    """Read an answer.

    Args:
        answer: What came back.
        now: The wall clock in Unix seconds, for a ``Retry-After`` date without a ``Date``.
        redact: Hides what the server repeats of the secrets it was sent.
        enveloped: Whether Cadenza wraps this answer, if it is no refusal.
    """
    bare = None if enveloped else _bare(answer)
    if bare is not None:
        return Reading(status=answer.status, envelope=bare, text="", accepted=True)
    envelope, problem = _envelope(answer)
    known = envelope or {}
    done = answer.status // 100 == 2 and envelope is not None and known.get("success") is not False
    if done and known.get("errno") == 0:
        return Reading(status=answer.status, envelope=envelope, text="", errno=0, accepted=True)
    errno, request_id = _errno(known), _request_id(known)
    numbered = errno is not None or known.get("errno") is None
    asked = retry_after(answer.headers, now)
    reset = reset_in(answer.headers, now) if answer.status == 429 else None
    return Reading(
        status=answer.status,
        envelope=envelope,
        text=one_line(redact(problem or _text(known))),
        errno=errno,
        numbered=numbered,
        request_id=one_line(redact(request_id)) if request_id else None,
        retry_after=asked,
        wait=reset if asked is None else asked,
        accepted=done and numbered and not errno,
    )


def _bare(answer: Answer) -> Mapping[str, Any] | None:
    """Return the body of an answer that is not wrapped; a 503 may have the same as a 200."""
    if answer.body is None or not (answer.status // 100 == 2 or answer.status == 503):
        return None
    try:
        body = as_object(decode(answer.body))
    except ValueError:
        return None
    return None if body is None or not _MARKS.isdisjoint(body) else body


def _envelope(answer: Answer) -> tuple[Mapping[str, Any] | None, str]:
    """Return the envelope, or what is wrong with the body."""
    if answer.status // 100 == 3:  # any redirect
        return None, f"a redirect to {_origin(answer.headers.get('Location', ''))}"
    if answer.body is None:
        return None, "an answer longer than any of Cadenza's"
    if not answer.body or answer.body.isspace():
        return None, "an empty answer"
    try:
        parsed = decode(answer.body)
    except ValueError:
        return None, "an answer that is not JSON"
    envelope = as_object(parsed)
    if envelope is None or _MARKS.isdisjoint(envelope):
        return None, "an answer that is not Cadenza's"
    return envelope, ""


def _errno(envelope: Mapping[str, Any]) -> int | None:
    given = envelope.get("errno")
    if isinstance(given, str) and _NUMBER.fullmatch(given):
        return int(given)
    return given if type(given) is int and abs(given) < _ENDLESS else None


def _text(envelope: Mapping[str, Any]) -> str:
    given = envelope.get("error")
    return given if isinstance(given, str) and given.strip() else "no reason given"


def _request_id(envelope: Mapping[str, Any]) -> str | None:
    given = (as_object(envelope.get("details")) or {}).get("request_id")
    return given if isinstance(given, str) and given else None


def one_line(text: str) -> str:
    """Return the text on one line, printable anywhere, and not endless."""
    line = _BREAKS.sub(" ", text).strip()
    if not line.isprintable():  # a character that turns the direction of writing, for example
        line = "".join(each if each.isprintable() else _escape(each) for each in line)
    return line if len(line) <= _LONGEST_TEXT else f"{line[:_LONGEST_TEXT]}…"


def _escape(character: str) -> str:
    return character.encode("unicode_escape").decode()


def _origin(location: str) -> str:
    """Return scheme and host of a redirect's target: the rest may repeat what was sent."""
    if not location:
        return "nowhere"
    try:
        parts = urlsplit(location)
        host, port = parts.hostname or "", parts.port
    except ValueError:
        return "an unreadable address"
    origin = f"{parts.scheme}://{host}{f':{port}' if port else ''}"
    return origin if host else "another path of the same server"
