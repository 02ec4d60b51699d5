"""A request as a value, and what came of sending it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from enum import Enum, StrEnum, auto
from types import MappingProxyType
from typing import Any, Final, Generic, TypeVar

from attrs import field, frozen

T = TypeVar("T")

MIB = 1024 * 1024
CONNECT: Final = "tradingAccount/connect"
_NO_QUERY: Final[Mapping[str, str]] = MappingProxyType({})


class RateClass(StrEnum):
    """Which of the server's per-minute limits a call counts against."""

    ACCOUNTS = auto()
    READS = auto()
    AUTHENTICATION = auto()
    SESSION = auto()
    """Asking about a session, or ending it. Such a call may have to wait for a login, so the two
    must not queue for one limit."""


@frozen(kw_only=True, slots=False)  # made and thrown away: without slots that is quicker
class Call(Generic[T]):
    """One request, before it is sent.

    Attributes:
        method: The HTTP verb.
        path: The path below ``/api/v3/``.
        read: Makes the answer's value out of its envelope; raises `ValueError` when it cannot.
        write: Whether it changes something, so that it is not repeated after an unknown outcome.
        rate_class: The limit it counts against, if there is one.
        body: What becomes the JSON body; ``None`` for none.
        query: The query string, without what was not given; several values repeat the name.
        authenticated: Whether it carries the access token.
        enveloped: Whether Cadenza wraps the answer; what is not wrapped speaks for itself.
        longest: How many bytes of an answer are read.
        venue, name: Of what it makes, for reports and for reconciling.
        external_id, credential_id: What it connects by reference, likewise.
        remedy: What to do about an unknown outcome, where `resolve` cannot tell.
    """

    method: str
    path: str
    read: Callable[[Mapping[str, Any]], T]
    write: bool
    rate_class: RateClass | None
    body: object = None
    query: Mapping[str, str | Sequence[str]] = _NO_QUERY
    authenticated: bool = True
    enveloped: bool = True
    longest: int = MIB
    venue: str | None = None
    name: str | None = None
    external_id: str | None = None
    credential_id: str | None = None
    remedy: str | None = None

    @property
    def connects(self) -> bool:
        """Whether it makes a trading account."""
        return self.path == CONNECT

    @property
    def title(self) -> str:
        """How messages and log lines name the call, for example ``POST tradingAccount/connect``."""
        return f"{self.method} {self.path}"


@frozen(kw_only=True, slots=False)  # likewise
class Answer:
    """What the server answered.

    Attributes:
        status: The HTTP status.
        headers: The headers; look-ups ignore case.
        body: The decoded body, or ``None`` when it was longer than the call allows.
    """

    status: int
    headers: Mapping[str, str] = field(repr=False)
    body: bytes | None = field(repr=False)


class Evidence(Enum):
    """What a missing answer proves about the request."""

    STALE = auto()
    """Never left: the pooled connection was already closing."""
    NOT_SENT = auto()
    """Never left: no connection could be had."""
    UNKNOWN = auto()
    """The server may have read it."""


@frozen(kw_only=True)
class NoAnswer:
    """How the request failed without an answer.

    Attributes:
        evidence: What that proves.
        reason: One phrase for people, free of what was sent.
        timed_out: Whether the deadline ended it.
    """

    evidence: Evidence
    reason: str
    timed_out: bool = False
