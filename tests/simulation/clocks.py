"""The clocks of a world: each is wrong in its own way, and some are set while it lives."""

from __future__ import annotations

from email.utils import formatdate
from random import Random
from typing import TYPE_CHECKING

from attrs import define, field

from .network import VirtualLoop

if TYPE_CHECKING:
    from collections.abc import Callable


_EPOCH = 1_700_000_000.25
_MINUTE, _HOUR = 60.0, 3600.0


@define
class Clocks:
    """What the clocks of one world show, in Unix seconds.

    Args:
        loop: Its clock is the client's monotonic one, which stands still while the machine sleeps.
        dice: Decides how wrong they are, and when they are set.
        farthest: Seconds that the clock of the client's machine may be wrong.
        dated: Whether each answer has a ``Date``, and of the clock that dates accounts.

    Attributes:
        client: Seconds that the clock of the client's machine is ahead.
        server: Seconds that the clock which dates accounts is ahead.
        gateway: Seconds that the clock of the ``Date`` is ahead of that; None without a ``Date``.
        slept: Seconds that the client's machine was asleep.
        steps: How often a clock was set, or the machine fell asleep.
    """

    loop: VirtualLoop
    dice: Random
    farthest: float
    dated: bool
    client: float = field(init=False)
    server: float = field(init=False)
    gateway: float | None = field(init=False)
    slept: float = field(default=0.0, init=False)
    steps: int = field(default=0, init=False)
    _pause: float | None = field(init=False)

    def __attrs_post_init__(self) -> None:
        dice = self.dice
        self.client = dice.choice((0.0, dice.uniform(-15, 15) * _MINUTE))
        self.server = dice.choice((0.0, 0.0, dice.uniform(-5, 5) * _HOUR))
        gateway = dice.choice((0.0, 0.0, 0.0, None, dice.uniform(-10, 10) * _MINUTE))
        self.gateway = 0.0 if self.dated else gateway
        self._pause = dice.choice((None, dice.uniform(20, 600)))

    def of_client(self) -> float:
        """Return what the client's wall clock shows."""
        return self._now() + self.client

    def of_server(self) -> float:
        """Return what the clock shows by which the server dates what it makes."""
        return self._now() + self.server

    def date(self, now: float, *, usegmt: bool) -> str:
        """Return the ``Date`` of an answer."""
        return "" if self.gateway is None else formatdate(now + self.gateway, usegmt=usegmt)

    def begin(self, asleep: Callable[[], None]) -> None:
        """Set clocks from time to time, in some worlds.

        Args:
            asleep: Is called when the client's machine falls asleep.
        """
        if self._pause is not None:
            self.loop.call_later(self.dice.expovariate(1 / self._pause), self._step, asleep)

    def settle(self) -> None:
        """Set them no more."""
        self._pause = None

    def _step(self, asleep: Callable[[], None]) -> None:
        if self._pause is None:
            return
        dice = self.dice
        what = dice.choice(("client", "client", "server", "sleep"))
        if what == "client":
            self.client = dice.choice((0.0, _some(dice, _MINUTE, self.farthest)))
        elif what == "server":
            self.server = dice.choice((0.0, _some(dice, 5, 5 * _HOUR)))
        else:
            self.slept += abs(_some(dice, _MINUTE, 12 * _HOUR))
            asleep()
        self.steps += 1
        self.begin(asleep)

    def _now(self) -> float:
        return _EPOCH + self.loop.time() + self.slept


def _some(dice: Random, least: float, most: float) -> float:
    """Draw seconds, back or forth, as often few as many."""
    seconds: float = least * (most / least) ** dice.random()
    return dice.choice((-1, 1)) * seconds
