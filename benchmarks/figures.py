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

    def told(self, workload: str, value: str) -> bool:
        """Tell whether anybody's turn at a workload told this."""
        return any(key[::2] == (workload, value) for key in self._values)

    def rivals(self, workload: str) -> list[str]:
        """Return who took part, the cheapest first."""
        first: dict[str, float] = {}
        for (done, rival, _), laps in self._values.items():
            if done == workload:
                first.setdefault(rival, Figure.of([*laps.values()]).middle)
        return sorted(first, key=first.__getitem__)

    def figure(self, workload: str, rival: str, value: str) -> Figure | None:
        """Sum up what a rival's turns told; None if they did not."""
        laps = self._values.get((workload, rival, value))
        return Figure.of([*laps.values()]) if laps else None

    def ratio(self, of: tuple[str, str], to: tuple[str, str], value: str) -> Figure | None:
        """Compare two pairs of workload and rival, round by round; None if one was not measured."""
        mine, theirs = (self._values.get((*pair, value), {}) for pair in (of, to))
        both = mine.keys() & theirs.keys()
        return Figure.of([mine[lap] / theirs[lap] for lap in both]) if both else None
