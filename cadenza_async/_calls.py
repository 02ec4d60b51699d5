"""A request as a value, and what came of sending it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from enum import Enum, StrEnum, auto
from typing import Any, Generic, TypeVar

from attrs import field, frozen

T = TypeVar("T")

MIB = 1024 * 1024


class RateClass(StrEnum):
    """Which of the server's per-minute limits a call counts against."""

    ACCOUNTS = auto()
    READS = auto()
    AUTHENTICATION = auto()


@frozen(kw_only=True)
class Call(Generic[T]):
    """One request, before it is sent.

    Attributes:
        method: The HTTP verb.
        path: The path below ``/api/v3/``.
        read: Makes the answer's value out of its envelope; raises `ValueError` when it cannot.
        write: Whether it changes something, so that it is not repeated after an unknown outcome.
        rate_class: The limit it counts against.
        body: What becomes the JSON body; ``None`` for none.
        query: The query string, without what was not given.
        authenticated: Whether it carries the access token.
        longest: How many bytes of an answer are read.
        venue, name: Of the account that it connects, for reports and for reconciling.
    """

    method: str
    path: str
    read: Callable[[Mapping[str, Any]], T]
    write: bool
    rate_class: RateClass
    body: object = None
    query: Mapping[str, str] = field(factory=dict[str, str])
    authenticated: bool = True
    longest: int = MIB
    venue: str | None = None
    name: str | None = None

    @property
    def title(self) -> str:
        """How messages and log lines name the call, for example ``POST tradingAccount/connect``."""
        return f"{self.method} {self.path}"


@frozen(kw_only=True)
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
