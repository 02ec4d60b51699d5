"""What an answer, or its absence, proves: a value, or an error that says who must act."""

from __future__ import annotations

from datetime import UTC, datetime
from enum import StrEnum
from math import ceil
from typing import TYPE_CHECKING, Final, Generic, TypeVar

from attrs import evolve, fields_dict, frozen, has

from cadenza_async._calls import Answer, Call, Evidence, NoAnswer
from cadenza_async._envelopes import Reading, read
from cadenza_async._wire import as_object
from cadenza_async.errors import (
    ApiError,
    AuthenticationError,
    CadenzaError,
    DeadlineExceededError,
    NotSentError,
    OutcomeUnknownError,
    OutcomeUnknownTimeoutError,
    RateLimitedError,
    ServerError,
    UnreadableAnswerError,
    VenueError,
    api_error_class,
    class_of_number,
    family_of_number,
)
from cadenza_async.secret import Secret

if TYPE_CHECKING:
    from collections.abc import Callable

T = TypeVar("T")


class Verdict(StrEnum):
    """The six ways an attempt can end."""

    DONE = "done"
    REFUSED = "refused"
    THROTTLED = "throttled"
    VENUE = "venue failed"
    NOT_SENT = "not sent"
    UNKNOWN = "unknown"


@frozen(kw_only=True, slots=False)  # as for `Call`
class Outcome(Generic[T]):
    """How one attempt ended.

    Attributes:
        verdict: In one word.
        value: What the call was made for, when it is done.
        error: What to raise otherwise.
        stale: Whether nothing was sent because a pooled connection was already closing.
        reading: The answer, if there was one.
    """

    verdict: Verdict
    value: T | None = None
    error: CadenzaError | None = None
    stale: bool = False
    reading: Reading | None = None

    @property
    def asked_to_wait(self) -> float | None:
        """Seconds the server asks to wait."""
        return self.reading.wait if self.reading else None


_CONNECTOR = 18  # the family of what goes wrong between Cadenza and an exchange
_DATABASE_FAILED = 22021
_READ_ON = 4096  # characters of an error's text, of which far fewer are shown


def _is_throttled(reading: Reading) -> bool:
    if class_of_number(reading.errno) is RateLimitedError:
        return True
    if family_of_number(reading.errno) == _CONNECTOR:
        return False
    asks = reading.retry_after is not None and reading.envelope is not None
    return reading.status == 429 or (reading.status == 503 and asks)


def _is_refused(reading: Reading) -> bool:
    kind = reading.status // 100
    return kind == 4 or (kind == 2 and reading.envelope is not None and reading.numbered)


_RULES: Final[tuple[tuple[Verdict, Callable[[Reading], bool]], ...]] = (
    (Verdict.THROTTLED, _is_throttled),
    (Verdict.VENUE, lambda reading: class_of_number(reading.errno) is VenueError),
    (Verdict.UNKNOWN, lambda reading: reading.number == _DATABASE_FAILED),
    (Verdict.REFUSED, _is_refused),
    (Verdict.UNKNOWN, lambda _: True),
)
"""What an answer means that does not say "done"; first match wins. A number that `VenueError` or
`RateLimitedError` claims proves that nothing was done; its family alone does not. What reaches the
last row (another 5xx, a 3xx, a 2xx that is no envelope) may have been done."""


def judge(
    call: Call[T], reply: Answer | NoAnswer, *, sent_at: float, token: Secret | None = None
) -> Outcome[T]:
    """Say what came of a call.

    Args:
        call: What was sent.
        reply: What came back.
        sent_at: When it was first sent, in Unix seconds.
        token: The access token it carried, so that no text repeats it.
    """
    if isinstance(reply, NoAnswer):
        return _unanswered(call, reply, sent_at)
    reading = read(
        reply,
        now=sent_at,
        redact=lambda text: _redact(call.body, token, text),
        enveloped=call.enveloped,
    )
    if reading.accepted:
        try:
            value = call.read(reading.envelope or {})
            return Outcome(verdict=Verdict.DONE, value=value, reading=reading)
        except ApiError as refused:
            return Outcome(
                verdict=Verdict.REFUSED, error=refused.with_traceback(None), reading=reading
            )
        except ValueError as unreadable:
            verdict, reading = Verdict.UNKNOWN, evolve(reading, text=str(unreadable))
    else:
        verdict = next(verdict for verdict, holds in _RULES if holds(reading))
    error = (
        _doubt(call, reading, sent_at) if verdict is Verdict.UNKNOWN else _refusal(verdict, reading)
    )
    return Outcome(verdict=verdict, error=error, reading=reading)


def _unanswered(call: Call[T], reply: NoAnswer, sent_at: float) -> Outcome[T]:
    if reply.evidence is not Evidence.UNKNOWN:
        missed = DeadlineExceededError if reply.timed_out else NotSentError
        error = missed(f"{call.title}: {reply.reason}; nothing was done")
        stale = reply.evidence is Evidence.STALE
        return Outcome(verdict=Verdict.NOT_SENT, error=error, stale=stale)
    kind = OutcomeUnknownTimeoutError if reply.timed_out else OutcomeUnknownError
    return Outcome(verdict=Verdict.UNKNOWN, error=_unknown(kind, call, reply.reason, sent_at))


def _refusal(verdict: Verdict, reading: Reading) -> ApiError:
    """Choose the class of an answer that was no."""
    kind = api_error_class(reading.status, reading.errno)
    if verdict is Verdict.THROTTLED:
        kind = RateLimitedError
    elif reading.envelope is None and kind is not AuthenticationError:
        kind = UnreadableAnswerError
    return _api_error(kind, reading)


def _doubt(call: Call[T], reading: Reading, sent_at: float) -> CadenzaError:
    """A write may have been done; a read merely failed."""
    if call.write:
        doubt = _unknown(
            OutcomeUnknownError, call, f"{reading.text} (HTTP {reading.status})", sent_at
        )
        doubt.status, doubt.request_id = reading.status, reading.request_id
        return doubt
    failed = reading.status // 100 == 5 or reading.number == _DATABASE_FAILED
    return _api_error(ServerError if failed else UnreadableAnswerError, reading)


def _api_error(kind: type[ApiError], reading: Reading) -> ApiError:
    throttled = kind is RateLimitedError
    error = kind(
        reading.text,
        status=reading.status,
        errno=reading.errno,
        request_id=reading.request_id,
        retry_after=reading.wait if throttled else reading.retry_after,
    )
    if throttled and error.retry_after is not None:
        seconds = ceil(error.retry_after)
        error.remedy = f"Wait for {seconds} s, then call again: nothing was done."
    return error


def _unknown(
    kind: type[OutcomeUnknownError], call: Call[T], reason: str, sent_at: float
) -> OutcomeUnknownError:
    """Say that a call may have been done, and how to find out."""
    error = kind(
        f"{call.title}: {reason}" + ("; it may have been done" if call.write else ""),
        venue=call.venue,
        name=call.name,
        sent_at=datetime.fromtimestamp(sent_at, UTC),
        path=call.path,
        external_trading_account_id=call.external_id,
        credential_id=call.credential_id,
    )
    if not call.connects:
        error.remedy = call.remedy or "Call again: a read changes nothing."
    return error


def _secrets(body: object) -> list[Secret]:
    kind = type(body)
    parts = {name: getattr(body, name) for name in fields_dict(kind)} if has(kind) else None
    return [part for part in (parts or as_object(body) or {}).values() if isinstance(part, Secret)]


def _redact(body: object, token: Secret | None, text: str) -> str:
    """Hide what the server repeats of the secrets it was sent."""
    return Secret.redact(text[:_READ_ON], (*_secrets(body), *([token] if token else ())))
