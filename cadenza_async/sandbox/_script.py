"""Which fault the next request meets: those in order first, then the standing rules."""

from __future__ import annotations

from random import Random

from attrs import define, field

from cadenza_async.sandbox._faults import Fault


@define
class Script:
    """Faults to come; the dice are given, so that the same seed plays the same run."""

    dice: Random
    _queue: list[Fault] = field(factory=list[Fault], init=False)
    _rules: list[Fault] = field(factory=list[Fault], init=False)

    def add(self, fault: Fault) -> None:
        """Append a fault: to the order, or to the rules if it has a rate."""
        (self._queue if fault.rate is None else self._rules).append(fault)

    def clear(self) -> None:
        """Forget every fault that has not been played."""
        self._queue.clear()
        self._rules.clear()

    def draw(self, endpoint: str) -> tuple[Fault, ...]:
        """What a request to this endpoint meets: the next in order, and any rule that hits."""
        ordered = [each for each in self._queue if each.endpoint in (None, endpoint)][:1]
        for each in ordered:
            self._queue.remove(each)
        rules = [each for each in self._rules if each.endpoint in (None, endpoint)]
        return (*ordered, *(each for each in rules if self.dice.random() < (each.rate or 0)))
