"""What samples say: medians, quartiles, and ratios of what was measured in the same round."""

from __future__ import annotations

from statistics import median, quantiles
from typing import TYPE_CHECKING

from attrs import frozen

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from rounds import Sample


@frozen
class Figure:
    """A median, and the quartiles around it.

    Attributes:
        middle: The median.
        low: A quarter of all values is below.
        high: A quarter is above.
    """

    middle: float
    low: float
    high: float

    @classmethod
    def of(cls, values: Sequence[float]) -> Figure:
        """Sum up some values."""
        if len(values) < 2:
            return cls(values[0], values[0], values[0])
        low, _, high = quantiles(values, n=4, method="inclusive")
        return cls(median(values), low, high)


class Figures:
    """Sums up samples.

    Args:
        samples: Of any workloads and rivals.
    """

    def __init__(self, samples: Iterable[Sample]) -> None:
        self._values: dict[tuple[str, str, str], dict[int, float]] = {}
        for sample in samples:
            for name, value in sample.values.items():
                key = sample.workload, sample.rival, name
                self._values.setdefault(key, {})[sample.lap] = value

    def rivals(self, workload: str) -> list[str]:
        """Return who took part, the cheapest first."""
        took_part = {rival for done, rival, _ in self._values if done == workload}
        return sorted(took_part, key=lambda rival: self.cost(workload, rival).middle)

    def cost(self, workload: str, rival: str, value: str = "cpu") -> Figure:
        """Sum up what a rival's turns told."""
        return Figure.of([*self._values[workload, rival, value].values()])

    def ratio(self, of: tuple[str, str], to: tuple[str, str], value: str = "cpu") -> Figure | None:
        """Compare two pairs of workload and rival, round by round; None if one was not measured."""
        mine, theirs = (self._values.get((*pair, value), {}) for pair in (of, to))
        both = mine.keys() & theirs.keys()
        return Figure.of([mine[lap] / theirs[lap] for lap in both]) if both else None
