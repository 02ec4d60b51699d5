"""Rounds of measurements: in each, everybody has a turn, in a process of its own."""

from __future__ import annotations

import json
import random
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from attrs import frozen
from processes import environment
from workloads import WORKLOADS, Workload

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from environments import Environments
    from server import Server

_HERE = Path(__file__).parent


@frozen(kw_only=True)
class Sample:
    """What one turn told.

    Attributes:
        workload: What was done.
        rival: Who did it.
        lap: In which round.
        values: Figures by name, in the units that `report` knows.
    """

    workload: str
    rival: str
    lap: int
    values: dict[str, float]


class Harness:
    """Runs workloads against a server.

    Args:
        server: Who answers.
        environments: Where the rivals are installed.
        core: The core that they run on, if they are kept on one.
    """

    def __init__(self, server: Server, environments: Environments, core: int | None) -> None:
        self._server = server
        self._environments = environments
        self._core = core

    def measure(
        self, workloads: Sequence[str], rivals: Sequence[str], rounds: int
    ) -> Iterator[Sample]:
        """Let those who take part take turns, in another order in every round."""
        turns = [
            (name, rival)
            for name in workloads
            for rival in WORKLOADS[name].rivals
            if rival in rivals
        ]
        for lap in range(rounds):
            random.shuffle(turns)  # nobody always follows the same neighbour
            for name, rival in turns:
                if values := self._turn(rival, WORKLOADS[name]):
                    yield Sample(workload=name, rival=rival, lap=lap, values=values)

    def _turn(self, rival: str, workload: Workload) -> dict[str, float]:
        """Return what a turn told: nothing if it failed, which is shown and ends nothing."""
        command = [
            self._environments.python(rival),
            str(_HERE / workload.script),
            json.dumps(self._order(rival, workload)),
        ]
        done = subprocess.run(
            command, env=environment(), capture_output=True, text=True, check=False
        )
        if done.returncode:
            print(f"{workload.title}, {rival}: failed\n{done.stderr[-500:]}", file=sys.stderr)
            return {}
        values: dict[str, float] = json.loads(done.stdout)
        return values

    def _order(self, rival: str, workload: Workload) -> dict[str, Any]:
        target = {
            "url": self._server.tls if workload.tls else self._server.plain,
            "authority": self._server.authority if workload.tls else None,
            "identities": workload.identities,
        }
        load = {
            "calls": workload.calls_of(rival),
            "at_once": workload.at_once,
            "blocking": workload.blocking,
        }
        return {"rival": rival, "core": self._core, "target": target, "load": load}
