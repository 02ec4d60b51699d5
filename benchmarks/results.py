"""Raw results: kept as JSON, so that one workload can be measured again without the others."""

from __future__ import annotations

import json
import os
import platform
import re
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

from attrs import asdict, field, frozen
from rounds import Sample

if TYPE_CHECKING:
    from collections.abc import Iterable

_MODEL = re.compile(r"^model name\s*:\s*(.+)$", re.MULTILINE)


@frozen(kw_only=True)
class Results:
    """What was measured, and where.

    Attributes:
        about: The machine, by what matters of it.
        samples: All of them.
    """

    about: dict[str, str]
    samples: list[Sample] = field(factory=list)

    @classmethod
    def load(cls, file: Path) -> Results:
        """Read results; there are none if there is no file."""
        if not file.exists():
            return cls(about={})
        stored: dict[str, Any] = json.loads(file.read_text())
        samples = [Sample(**each) for each in stored["samples"]]
        return cls(about=stored["about"], samples=samples)

    def replaced(self, about: dict[str, str], samples: Iterable[Sample]) -> Results:
        """Return these, but for what has been measured again."""
        new = list(samples)
        again = {(sample.workload, sample.rival) for sample in new}
        kept = [each for each in self.samples if (each.workload, each.rival) not in again]
        return Results(about=about, samples=kept + new)

    def save(self, file: Path) -> None:
        """Write them, a sample to a line."""
        lines = ",\n".join(f"  {json.dumps(asdict(sample))}" for sample in self.samples)
        about = json.dumps(self.about, indent=1)
        file.write_text(f'{{"about": {about},\n "samples": [\n{lines}\n]}}\n')


def machine(server: str) -> dict[str, str]:
    """Tell what machine this is, without its name, and how busy it has been lately."""
    cpuinfo = Path("/proc/cpuinfo")
    model = _MODEL.search(cpuinfo.read_text()) if cpuinfo.exists() else None
    return {
        "processor": model[1] if model else platform.machine(),
        "cores": str(os.cpu_count()),
        "system": platform.system(),
        "python": platform.python_version(),
        "aiohttp": version("aiohttp"),
        "server": server,
        "load": f"{os.getloadavg()[1]:.0f}",
        "day": datetime.now(UTC).date().isoformat(),
    }
