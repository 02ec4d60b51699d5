"""What is measured: how many calls at a time, for how many identities, over what."""

from __future__ import annotations

from typing import Final

from attrs import frozen

_SLOW: Final = {"vendor": 10, "httpx": 8, "requests": 4, "niquests": 4}
_ASYNC: Final = ("ours", "careful", "idiomatic", "pyreqwest", "httpx", "niquests", "vendor")
_BLOCKING: Final = ("ours", "careful", "requests", "pyreqwest", "httpx", "niquests", "vendor")
_AIOHTTP: Final = ("ours", "careful", "idiomatic")


@frozen(kw_only=True)
class Workload:
    """Something to do, and who does it.

    Attributes:
        title: What tables call it.
        script: What does it.
        rivals: Who takes part.
        against: Whom the others are compared with.
        calls: How many are measured in one round; rivals that are slow make fewer.
        at_once: How many are in flight at a time.
        identities: How many access tokens take turns.
        tls: Whether they are encrypted.
        blocking: Whether threads make them, not tasks.
    """

    title: str
    script: str = "calls.py"
    rivals: tuple[str, ...] = _ASYNC
    against: str = "careful"
    calls: int = 3000
    at_once: int = 32
    identities: int = 1
    tls: bool = False
    blocking: bool = False

    def calls_of(self, rival: str) -> int:
        """Tell how many calls a rival makes in a round."""
        return max(self.calls // _SLOW.get(rival, 1), 2 * self.at_once)


WORKLOADS: Final = {
    "connect-1": Workload(title="One call at a time", at_once=1, calls=1500, rivals=_AIOHTTP),
    "connect-32": Workload(title="32 in flight"),
    "connect-256": Workload(title="256 in flight", at_once=256, rivals=_AIOHTTP),
    "connect-2000": Workload(
        title="2,000 in flight over 100 connections", at_once=2000, calls=6000, rivals=_AIOHTTP
    ),
    "identities-100": Workload(
        title="32 in flight, 100 identities", identities=100, rivals=_AIOHTTP
    ),
    "identities-10000": Workload(
        title="32 in flight, 10,000 identities", identities=10_000, calls=10_000, rivals=_AIOHTTP
    ),
    "tls-32": Workload(title="32 in flight, TLS", tls=True),
    "blocking-1": Workload(
        title="Blocking, 1 thread", at_once=1, calls=1000, blocking=True, rivals=_BLOCKING
    ),
    "blocking-8": Workload(
        title="Blocking, 8 threads", at_once=8, calls=2000, blocking=True, rivals=_BLOCKING
    ),
    "onboard": Workload(
        title="Onboarding from a file",
        script="onboard.py",
        rivals=("journal", "bare"),
        against="bare",
    ),
    "import": Workload(
        title="Import, and what is imported",
        script="imports.py",
        rivals=("ours", "libraries", "command"),
        against="libraries",
    ),
    "instructions": Workload(
        title="32 in flight, counted by callgrind",
        script="instructions.py",
        rivals=("ours", "careful", "idiomatic"),
    ),
    "memory": Workload(title="Memory", script="memory.py", rivals=("ours", "careful")),
    "stalls": Workload(
        title="A task that ticks every millisecond",
        script="stalls.py",
        rivals=("ours", "careful", "nobody"),
        tls=True,
    ),
}
"""By the name that ``--only`` takes."""
