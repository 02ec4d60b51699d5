"""A folder of results: the raw figures, what they say, and two plots."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from figures import Figures
from plots import costs, scaling
from report import goals, table
from results import Results
from workloads import WORKLOADS

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

_ABOUT: Final = (
    "Measured with Python {python} and aiohttp {aiohttp} on {day}: {processor}, {cores} cores, "
    "{system}, on average {load} processes that want them; {server} answers on one core, the "
    "client runs on another.\n"
)
_TITLE: Final = """\
# Results

Medians over rounds in which everybody had a turn in a process of its own; in parentheses the
quartiles. Ratios are taken within a round. On a busy machine everybody's figures are higher than
on an idle one, and the more code runs, the more so. `results.json` has all that was measured;
`nox -s bench -- --save benchmarks/results` measures it again, and `--only NAMES` a part of it.

![CPU per call](costs.svg)

![CPU per call and calls in flight](scaling.svg)

{summary}"""


def summary(about: Mapping[str, str], figures: Figures) -> str:
    """Show everything that was measured."""
    parts = [_ABOUT.format(**about)]
    for name, workload in WORKLOADS.items():
        if figures.rivals(name):
            parts.append(f"## {workload.title} (`{name}`)\n\n{table(figures, name)}")
    parts.append(f"## Goals\n\n{goals(figures)}")
    return "\n".join(parts)


def publish(folder: Path, measured: Results) -> None:
    """Bring a folder of results up to date with what was measured."""
    folder.mkdir(parents=True, exist_ok=True)
    file = folder / "results.json"
    results = Results.load(file).replaced(measured.about, measured.samples)
    results.save(file)
    figures = Figures(results.samples)
    (folder / "README.md").write_text(_TITLE.format(summary=summary(results.about, figures)))
    (folder / "costs.svg").write_text(costs(figures))
    (folder / "scaling.svg").write_text(scaling(figures))
