"""Results as Markdown."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from workloads import WORKLOADS

if TYPE_CHECKING:
    from figures import Figure, Figures

NAMES: Final = {
    "ours": "**cadenza_async**",
    "careful": "aiohttp with care",
    "idiomatic": "aiohttp as documented",
    "vendor": "cadenza-sdk",
}
_HEAD: Final = """\
| {title} | CPU per call, µs | quartiles | to careful aiohttp | time per call, µs |
|---|---:|---:|---:|---:|
"""


def table(figures: Figures, workload: str) -> str:
    """Show who took how long for a workload."""
    rows = [_row(figures, workload, rival) for rival in figures.rivals(workload)]
    return _HEAD.format(title=WORKLOADS[workload].title) + "".join(rows)


def _row(figures: Figures, workload: str, rival: str) -> str:
    cpu, wall = (figures.cost(workload, rival, value) for value in ("cpu", "wall"))
    ratio = figures.ratio((workload, rival), (workload, "careful"))
    return (
        f"| {NAMES.get(rival, rival)} | {cpu.middle:,.0f} | {cpu.low:,.0f} to {cpu.high:,.0f} "
        f"| {_times(ratio)} | {wall.middle:,.0f} |\n"
    )


def _times(ratio: Figure | None) -> str:
    return "" if ratio is None else f"{ratio.middle:.2f}"
