"""Results as Markdown."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from goals import GOALS
from workloads import WORKLOADS

if TYPE_CHECKING:
    from figures import Figure, Figures
    from goals import Goal

NAMES: Final = {
    "ours": "cadenza_async",
    "careful": "aiohttp with care",
    "idiomatic": "aiohttp as documented",
    "vendor": "cadenza-sdk",
    "journal": "`onboard` with a journal",
    "bare": "the same calls without",
    "libraries": "aiohttp, attrs, cattrs, anyio",
    "command": "`cadenza --help`",
    "nobody": "nobody calls",
}
UNITS: Final = {
    "cpu": "CPU per call, µs",
    "wall": "time per call, µs",
    "row": "CPU per row, µs",
    "process": "CPU, ms",
    "flight": "bytes per call in flight",
    "idle": "bytes per idle identity",
    "busy": "CPU between ticks, 99.9 %, ms",
    "late": "ticks are late, 99.9 %, ms",
    "instructions": "thousand instructions per call",
}


def named(workload: str, rival: str) -> str:
    """Return what tables and plots call a rival."""
    name = NAMES.get(rival, rival)
    over_a_portal = rival == "careful" and WORKLOADS[workload].blocking
    return f"{name}, bare portal" if over_a_portal else name


def table(figures: Figures, workload: str) -> str:
    """Show who did how in a workload."""
    values = [value for value in UNITS if figures.told(workload, value)]
    against = named(workload, WORKLOADS[workload].against)
    head = ["", *(UNITS[value] for value in values), f"to {against}"]
    rows = [_row(figures, workload, rival, values) for rival in figures.rivals(workload)]
    lines = [head, ["---", *["---:"] * (len(head) - 1)], *rows]
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)


def _row(figures: Figures, workload: str, rival: str, values: list[str]) -> list[str]:
    name = named(workload, rival)
    told = [_told(figures.figure(workload, rival, value)) for value in values]
    base = (workload, WORKLOADS[workload].against)
    ratio = figures.ratio((workload, rival), base, values[0])
    return [f"**{name}**" if rival == "ours" else name, *told, _times(ratio)]


def goals(figures: Figures) -> str:
    """Show which goals are met, of those that something was measured for."""
    told = [(goal, goal.measured(figures)) for goal in GOALS]
    lines = [_goal(goal, measured) for goal, measured in told if measured]
    return "\n".join(["| what | goal | measured | |", "|---|---:|---:|---|", *lines, ""])


def _goal(goal: Goal, measured: Figure) -> str:
    limit = f"{goal.limit:,.{goal.digits}f}{goal.unit}"
    verdict = "met" if measured.middle <= goal.limit else "**missed**"
    return f"| {goal.what} | {limit} | {_show(measured, goal.digits)} | {verdict} |"


def _show(figure: Figure, digits: int) -> str:
    middle, low, high = (f"{each:,.{digits}f}" for each in (figure.middle, figure.low, figure.high))
    return f"{middle} ({low} to {high})"


def _told(figure: Figure | None) -> str:
    return "" if figure is None else _show(figure, 0 if figure.middle >= 20 else 2)


def _times(ratio: Figure | None) -> str:
    return "" if ratio is None else f"{ratio.middle:.2f}"
