"""How many instructions a call takes, counted by callgrind: slow, but no noise on any machine."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

_FEW, _MANY = 200, 600
_COUNTED = re.compile(r"Collected : (\d+)")
_VALGRIND = ("valgrind", "--tool=callgrind", "--callgrind-out-file=/dev/null")


def counted(order: dict[str, Any], calls: int) -> int:
    """Return the instructions of a process that makes so many calls, and of all around them."""
    told = json.dumps({**order, "load": {**order["load"], "calls": calls}})
    script = str(Path(__file__).with_name("calls.py"))
    done = subprocess.run(
        [*_VALGRIND, sys.executable, script, told],
        env={**os.environ, "PYTHONHASHSEED": "0"},
        capture_output=True,
        text=True,
        check=True,
    )
    found = _COUNTED.search(done.stderr)
    if found is None:
        raise RuntimeError("callgrind says nothing")
    return int(found[1])


def main() -> None:
    """Do as told on the command line."""
    order = json.loads(sys.argv[1])
    more = counted(order, _MANY) - counted(order, _FEW)
    print(json.dumps({"instructions": more / (_MANY - _FEW) / 1e3}))


if __name__ == "__main__":
    main()
