"""What is measured: how many calls at a time, for how many identities, over what."""

from __future__ import annotations

from typing import Final

from attrs import frozen

_HEAVY: Final = {"vendor": 10, "httpx": 4, "requests": 8, "niquests": 8, "ours": 1}
_ASYNC: Final = ("ours", "careful", "idiomatic", "pyreqwest", "httpx", "niquests", "vendor")
_BLOCKING: Final = ("ours", "careful", "requests", "pyreqwest", "httpx", "niquests", "vendor")
_OUR_KIND: Final = ("ours", "careful", "idiomatic")


@frozen(kw_only=True)
class Workload:
    """One way to make calls.

    Attributes:
        title: What tables call it.
        calls: How many are measured in one round; rivals that are slow make fewer.
        at_once: How many are in flight at a time.
        identities: How many access tokens take turns.
        tls: Whether they are encrypted.
        blocking: Whether threads make them, not tasks.
        rivals: Who takes part.
    """

    title: str
    calls: int = 4000
    at_once: int = 32
    identities: int = 1
    tls: bool = False
    blocking: bool = False
    rivals: tuple[str, ...] = _ASYNC

    def calls_of(self, rival: str) -> int:
        """Tell how many calls a rival makes in a round."""
        return max(self.calls // _HEAVY.get(rival, 1), 2 * self.at_once)


WORKLOADS: Final = {
    "connect-1": Workload(title="one call at a time", at_once=1, calls=3000),
    "connect-32": Workload(title="32 in flight"),
    "connect-256": Workload(title="256 in flight", at_once=256),
    "connect-2000": Workload(title="2,000 in flight", at_once=2000, calls=8000, rivals=_OUR_KIND),
    "identities-1": Workload(title="one identity", calls=10_000, rivals=_OUR_KIND[:2]),
    "identities-100": Workload(
        title="100 identities", identities=100, calls=10_000, rivals=_OUR_KIND[:2]
    ),
    "identities-10000": Workload(
        title="10,000 identities", identities=10_000, calls=10_000, rivals=_OUR_KIND[:2]
    ),
    "tls-32": Workload(title="32 in flight, TLS", tls=True),
    "blocking-1": Workload(
        title="blocking, 1 thread", at_once=1, calls=1500, blocking=True, rivals=_BLOCKING
    ),
    "blocking-8": Workload(
        title="blocking, 8 threads", at_once=8, calls=3000, blocking=True, rivals=_BLOCKING
    ),
}
"""By the name that ``--only`` takes."""
