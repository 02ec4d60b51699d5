"""Rounds of measurements: in each, every rival has its turn, in a process of its own."""

from __future__ import annotations

import json
import os
import random
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING, Any

from attrs import frozen
from workloads import WORKLOADS, Workload

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from environments import Environments
    from server import Server

_WORKER = Path(__file__).with_name("worker.py")


@frozen(kw_only=True)
class Sample:
    """What one rival's turn told.

    Attributes:
        workload: What was done.
        rival: Who did it.
        lap: In which round.
        values: Figures by name: ``cpu`` and ``wall`` are microseconds per call.
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

    def measure(self, name: str, rivals: Sequence[str], rounds: int) -> Iterator[Sample]:
        """Let those rivals that take part in a workload take turns at it."""
        workload = WORKLOADS[name]
        order = [rival for rival in workload.rivals if rival in rivals]
        for lap in range(rounds):
            random.shuffle(order)  # nobody always follows the same neighbour
            for rival in order:
                values = self._turn(rival, workload)
                yield Sample(workload=name, rival=rival, lap=lap, values=values)

    def _turn(self, rival: str, workload: Workload) -> dict[str, float]:
        told = json.dumps({"rival": rival, "core": self._core, **self._orders(rival, workload)})
        python = self._environments.python(rival)
        done = subprocess.run(
            [python, _WORKER, told], env=_environment(), stdout=subprocess.PIPE, check=True
        )
        values: dict[str, float] = json.loads(done.stdout)
        return values

    def _orders(self, rival: str, workload: Workload) -> dict[str, Any]:
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
        return {"target": target, "load": load}


def _environment() -> dict[str, str]:
    """Return this process's environment, less what keeps a script from its neighbours."""
    return {name: value for name, value in os.environ.items() if name != "PYTHONSAFEPATH"}
