"""Measure what connecting an account costs, here and with what one would otherwise write."""

from __future__ import annotations

import json
from argparse import ArgumentParser, ArgumentTypeError, Namespace
from pathlib import Path
from typing import TYPE_CHECKING

from attrs import asdict
from cores import shares
from environments import NEEDS, Environments
from figures import Figures
from report import table
from rounds import Harness
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
    parser.add_argument("--json", type=Path, help="where raw results go")
    return parser.parse_args()


def main() -> None:
    """Measure, and print tables."""
    options = _options()
    samples = []
    server_core, client_core = shares()
    with serving(server_core) as server:
        print(f"Answered by {server.name}.\n")
        harness = Harness(server, Environments(options.environments), client_core)
        for name in options.only:
            measured = list(harness.measure(name, options.rivals, options.rounds))
            print(table(Figures(measured), name), flush=True)
            samples += measured
    if options.json:
        options.json.write_text(json.dumps([asdict(sample) for sample in samples], indent=1))


if __name__ == "__main__":
    main()
