"""Results as pictures: what a call costs everybody, and how that changes with their number."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Final

from attrs import frozen
from report import named
from svg import ACCENT, FAINT, INK, Drawing
from workloads import WORKLOADS

if TYPE_CHECKING:
    from collections.abc import Sequence

    from figures import Figure, Figures

_WIDTH: Final = 760
_LEFT: Final = 230
_RIGHT: Final = 90
_ROW: Final = 26
_SHOWN: Final = ("connect-32", "blocking-1")
_SCALE: Final = ("connect-1", "connect-32", "connect-256", "connect-2000")
_COMPARED: Final = ("ours", "careful", "idiomatic")
_COLOURS: Final = {"ours": ACCENT, "careful": "#3572a5", "idiomatic": "#57a35c"}


@frozen
class Axis:
    """A logarithmic axis.

    Attributes:
        least: The value at its beginning.
        most: The value at its end.
        begin: Where it begins, in pixels.
        end: Where it ends.
    """

    least: float
    most: float
    begin: float
    end: float

    def at(self, value: float) -> float:
        """Return where a value is."""
        share = math.log(value / self.least) / math.log(self.most / self.least)
        return self.begin + share * (self.end - self.begin)

    def ticks(self) -> list[float]:
        """Return round values along it: 1, 2 and 5 times the powers of ten."""
        powers = range(math.floor(math.log10(self.least)), math.ceil(math.log10(self.most)) + 1)
        rounds = [step * 10**power for power in powers for step in (1, 2, 5)]
        return [value for value in rounds if self.least <= value <= self.most]


def costs(figures: Figures) -> str:
    """Plot what a call costs everybody, on a logarithmic scale."""
    shown = [name for name in _SHOWN if figures.rivals(name)]
    rows = sum(len(figures.rivals(name)) + 2 for name in shown)
    drawing = Drawing(_WIDTH, (rows + 1) * _ROW, "CPU per call, in microseconds")
    axis, y = Axis(50, 10_000, _LEFT, _WIDTH - _RIGHT), 0.0
    for value in axis.ticks():
        drawing.line([(axis.at(value), 10), (axis.at(value), rows * _ROW)], FAINT)
        drawing.text(axis.at(value), (rows + 0.7) * _ROW, f"{value:,.0f}", anchor="middle")
    for name in shown:
        y += _ROW
        drawing.text(8, y, f"{WORKLOADS[name].title}: CPU per call, µs")
        for rival in figures.rivals(name):
            y += _ROW
            if figure := figures.figure(name, rival, "cpu"):
                colour = ACCENT if rival == "ours" else INK
                _row(drawing, axis, y, figure, name=named(name, rival), colour=colour)
        y += _ROW
    return str(drawing)


def _row(drawing: Drawing, axis: Axis, y: float, figure: Figure, *, name: str, colour: str) -> None:
    drawing.text(_LEFT - 12, y + 4, name, anchor="end", colour=colour)
    drawing.line([(axis.begin, y), (axis.at(figure.middle), y)], FAINT)
    drawing.line([(axis.at(figure.low), y), (axis.at(figure.high), y)], colour, width=3)
    drawing.dot(axis.at(figure.middle), y, colour)
    drawing.text(axis.at(figure.high) + 10, y + 4, f"{figure.middle:,.0f}", colour=colour)


def scaling(figures: Figures) -> str:
    """Plot what a call costs when more of them are in flight."""
    drawing = Drawing(_WIDTH, 320, "CPU per call, in microseconds, and calls in flight")
    lines = {rival: _line(figures, rival) for rival in _COMPARED}
    most = max((figure.high for line in lines.values() for _, figure in line), default=1.0) * 1.1
    axis = Axis(1, 2000, 60, _WIDTH - _LEFT)
    _frame(drawing, axis, most)
    taken = math.inf
    for rival, line in sorted(lines.items(), key=_last):
        if line:
            _curve(drawing, axis, most, line, _COLOURS[rival])
            taken = min(taken - _ROW * 0.6, _height(line[-1][1].middle, most) + 4)
            drawing.text(axis.end + 12, taken, named(_SCALE[0], rival), colour=_COLOURS[rival])
    return str(drawing)


def _last(drawn: tuple[str, list[tuple[int, Figure]]]) -> float:
    return drawn[1][-1][1].middle if drawn[1] else 0.0


def _line(figures: Figures, rival: str) -> list[tuple[int, Figure]]:
    points = ((WORKLOADS[name].at_once, figures.figure(name, rival, "cpu")) for name in _SCALE)
    return [(at_once, figure) for at_once, figure in points if figure]


def _height(value: float, most: float) -> float:
    return 280 - value / most * 250


def _frame(drawing: Drawing, axis: Axis, most: float) -> None:
    drawing.text(8, 16, "CPU per call, µs")
    drawing.text(axis.end, 312, "calls in flight", anchor="end")
    for value in range(0, int(most), 50):
        y = _height(value, most)
        drawing.line([(axis.begin, y), (axis.end, y)], FAINT)
        drawing.text(axis.begin - 8, y + 4, str(value), anchor="end")
    for name in _SCALE:
        at_once = WORKLOADS[name].at_once
        drawing.text(axis.at(at_once), 298, f"{at_once:,}", anchor="middle")


def _curve(
    drawing: Drawing, axis: Axis, most: float, line: Sequence[tuple[int, Figure]], colour: str
) -> None:
    points = [(axis.at(at_once), _height(figure.middle, most)) for at_once, figure in line]
    drawing.line(points, colour, width=2)
    for (x, y), (_, figure) in zip(points, line, strict=True):
        drawing.line([(x, _height(figure.low, most)), (x, _height(figure.high, most))], colour)
        drawing.dot(x, y, colour)
