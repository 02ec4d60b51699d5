"""A circuit breaker for each exchange: which are down, and when to try them again. No I/O."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from attrs import define

from cadenza_async.errors import CadenzaError

if TYPE_CHECKING:
    from collections.abc import Callable


_ANOTHER_LOOK: Final = 0.25  # seconds, while one call finds out


@define
class _Trouble:
    error: CadenzaError
    failures: int = 0
    until: float = 0.0
    probing: bool = False


class Venues:
    """Backs off from each exchange: while one is down, one call at a time finds out about it.

    Args:
        pause_after: Says how many seconds to wait after an error, and how many there were before.
    """

    def __init__(self, pause_after: Callable[[CadenzaError, int], float]) -> None:
        self._pause_after = pause_after
        self._down: dict[str, _Trouble] = {}

    def wait(self, venue: str, now: float) -> float:
        """Return how many seconds a call to a venue has to wait; 0 is leave to make one."""
        trouble = self._down.get(venue.upper())
        if trouble is None:
            return 0.0
        if trouble.probing:
            return _ANOTHER_LOOK
        trouble.probing = now >= trouble.until
        return max(0.0, trouble.until - now)

    def up(self, venue: str) -> None:
        """Note that a venue has answered."""
        self._down.pop(venue.upper(), None)

    def error(self, venue: str) -> CadenzaError | None:
        """Return why a venue is down, if it is."""
        trouble = self._down.get(venue.upper())
        return None if trouble is None else trouble.error

    def down(self, venue: str, error: CadenzaError, now: float) -> None:
        """Note that a venue has failed."""
        trouble = self._down.setdefault(venue.upper(), _Trouble(error))
        trouble.until = now + self._pause_after(error, trouble.failures)
        trouble.failures += 1
        trouble.probing = False

    def no_news(self, venue: str) -> None:
        """Note that a call to a venue did not tell anything about it."""
        trouble = self._down.get(venue.upper())
        if trouble is not None:
            trouble.probing = False
