"""Measure what connecting an account costs, here and with what one would otherwise write."""

from __future__ import annotations

import signal
import sys
from argparse import ArgumentParser, ArgumentTypeError, Namespace
from pathlib import Path
from typing import TYPE_CHECKING

from environments import NEEDS, Environments
from figures import Figures
from processes import shares
from publish import publish, summary
from results import Results, machine
from rounds import Harness, Sample
from server import serving
from workloads import WORKLOADS

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

_CACHE = Path.home() / ".cache" / "cadenza_async" / "rivals"


def _some_of(known: Mapping[str, object]) -> Callable[[str], list[str]]:
    def split(text: str) -> list[str]:
        names = text.split(",")
        if unknown := set(names) - known.keys():
            raise ArgumentTypeError(f"{', '.join(sorted(unknown))}: not one of {', '.join(known)}")
        return names

    return split


def _options() -> Namespace:
    parser = ArgumentParser(prog="python benchmarks", description=__doc__)
    parser.add_argument("--only", type=_some_of(WORKLOADS), default=[*WORKLOADS])
    parser.add_argument("--rivals", type=_some_of(NEEDS), default=[*NEEDS])
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--environments", type=Path, default=_CACHE, help="where rivals live")
    parser.add_argument("--save", type=Path, help="a folder of results, to be brought up to date")
    return parser.parse_args()


def _measure(options: Namespace) -> Results:
    """Take all measurements that are asked for."""
    server_core, client_core = shares()
    samples: list[Sample] = []
    with serving(server_core) as server:
        harness = Harness(server, Environments(options.environments), client_core)
        for sample in harness.measure(options.only, options.rivals, options.rounds):
            told = ", ".join(f"{name} {value:.5g}" for name, value in sample.values.items())
            print(sample.lap + 1, sample.workload, sample.rival, told, file=sys.stderr)
            samples.append(sample)
        return Results(about=machine(server.name), samples=samples)


def main() -> None:
    """Measure, print tables, and keep the results if that is wanted."""
    options = _options()
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # or the server would be left alone
    measured = _measure(options)
    print(summary(measured.about, Figures(measured.samples)))
    if options.save:
        publish(options.save, measured)


if __name__ == "__main__":
    main()
