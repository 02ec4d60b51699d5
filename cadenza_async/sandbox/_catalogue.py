"""The catalogue of mishaps: what each is called, when it happens, and what it takes."""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING, Literal

from attrs import frozen

if TYPE_CHECKING:
    from collections.abc import Mapping

Phase = Literal["before", "after"]
Role = Literal["answer", "wire", "delay", "view"]

ENDPOINTS = (
    "connect",
    "list",
    "enable",
    "disable",
    "update",
    "disconnect",
    "operations",
    "credential-create",
    "credential-list",
    "credential-verify",
    "credential-rotate",
    "credential-revoke",
    "login",
    "refresh",
    "logout",
    "user",
    "health",
)

_BEFORE: tuple[Phase, ...] = ("before",)
_AFTER: tuple[Phase, ...] = ("after",)
_EARLY: tuple[Phase, ...] = ("before", "after")
_LATE: tuple[Phase, ...] = ("after", "before")


@frozen
class FaultKind:
    """A mishap in general, of which a `Fault` is one.

    Attributes:
        meaning: What happens.
        role: Whether it is an answer, a matter of the wire, a delay or a view of the data.
        phases: Whether it may happen before or after the request has its effect; the usual first.
        seconds: How many it takes if nothing is said; None: it takes none.
        size: Likewise.
        target: Whether it takes a URL.
        endpoints: Where alone it may happen, the first if none is named; empty: anywhere.
    """

    meaning: str
    role: Role
    phases: tuple[Phase, ...]
    seconds: float | None = None
    size: int | None = None
    target: bool = False
    endpoints: tuple[str, ...] = ()


def _gateway(status: int) -> dict[str, FaultKind]:
    return {
        f"{status}": FaultKind(f"{status} in an envelope that proves nothing", "answer", _EARLY),
        f"{status}-html": FaultKind(f"{status} as a gateway's HTML page", "answer", _EARLY),
    }


def _redirect(status: int) -> dict[str, FaultKind]:
    meaning = f"{status} to the target, or back to the same place without one"
    return {f"{status}": FaultKind(meaning, "answer", _EARLY, target=True)}


FAULTS: Mapping[str, FaultKind] = MappingProxyType(
    {
        "ok": FaultKind("nothing goes wrong; holds a place in a script", "delay", _BEFORE),
        "latency": FaultKind("done at once, answered late", "delay", _AFTER, seconds=1.0),
        "slow-commit": FaultKind(
            "done late, even when the caller has gone by then", "delay", _BEFORE, seconds=8.0
        ),
        "hang": FaultKind("never answers", "wire", _EARLY),
        "drop": FaultKind("closes the connection without an answer", "wire", _LATE),
        "reset": FaultKind("resets the connection (RST)", "wire", _LATE),
        "truncated": FaultKind("half of the body, then the end", "wire", _AFTER),
        "garbage": FaultKind("a status line that is none", "wire", _AFTER),
        "wrong-length": FaultKind("a Content-Length of half the body", "wire", _AFTER),
        "slow-drip": FaultKind(
            "one byte at a time, so many seconds apart", "wire", _AFTER, seconds=0.1
        ),
        "gzip-bomb": FaultKind("a body of so many MiB, gzipped", "wire", _AFTER, size=512),
        "close-idle": FaultKind(
            "answers, then closes the kept connection unannounced", "wire", _AFTER, seconds=0.0
        ),
        "html-200": FaultKind("200 with an HTML page", "answer", _LATE),
        "429": FaultKind("refused, with Retry-After", "answer", _BEFORE, seconds=1.0),
        "429-bare": FaultKind("refused, without a word on when to return", "answer", _BEFORE),
        "429-html": FaultKind("refused by a gateway's HTML page", "answer", _BEFORE),
        "429-venue": FaultKind("the exchange's own rate limit (-18011)", "answer", _BEFORE),
        **_gateway(500),
        **_gateway(502),
        **_gateway(503),
        **_gateway(504),
        "503-retry": FaultKind(
            "refused before work (-19006), with Retry-After", "answer", _BEFORE, seconds=1.0
        ),
        "503-lock": FaultKind("a lock was not acquired (-22014)", "answer", _BEFORE),
        **_redirect(301),
        **_redirect(302),
        **_redirect(307),
        **_redirect(308),
        "expired-token": FaultKind("401 as for an expired token", "answer", _BEFORE),
        "echo-secret": FaultKind(
            "refused by a text that repeats the body with key and secret",
            "answer",
            _BEFORE,
            endpoints=("connect", "credential-create", "credential-rotate"),
        ),
        "capped-list": FaultKind(
            "pages of so many rows at most, whatever is asked for",
            "view",
            _BEFORE,
            size=3,
            endpoints=("list", "operations"),
        ),
        "drifting-list": FaultKind(
            "an account appears first, and is gone again on the next page",
            "view",
            _BEFORE,
            endpoints=("list",),
        ),
        "trimmed-names": FaultKind(
            "a name is kept to so many characters only",
            "view",
            _BEFORE,
            size=12,
            endpoints=("connect", "credential-create"),
        ),
        "degraded": FaultKind(
            "the platform calls itself degraded", "view", _BEFORE, endpoints=("health",)
        ),
        "unhealthy": FaultKind(
            "the platform calls itself unhealthy, by a 503 that says so",
            "view",
            _BEFORE,
            endpoints=("health",),
        ),
    }
)
"""Every fault by name, for scripts, the command line and tables."""
