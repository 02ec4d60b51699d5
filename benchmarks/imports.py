"""What an import costs, in processes of their own."""

from __future__ import annotations

import json
import os
import resource
import subprocess
import sys
from pathlib import Path
from typing import Final

from processes import pin

_TIMES: Final = 5
_WAYS: Final = {
    "ours": ["-c", "import cadenza_async; cadenza_async.AsyncCadenza"],
    "libraries": ["-c", "import aiohttp, attrs, cattrs, anyio"],
    "command": [str(Path(sys.executable).with_name("cadenza")), "--help"],
}


def spent() -> float:
    """Return the seconds of processor time of all processes that were waited for."""
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime


def main() -> None:
    """Do as told on the command line."""
    order = json.loads(sys.argv[1])
    pin(0, order["core"])
    command = [sys.executable, *_WAYS[order["rival"]]]
    os.environ["PYTHONDONTWRITEBYTECODE"] = ""  # what has to be compiled is compiled once
    subprocess.run(command, stdout=subprocess.DEVNULL, check=True)
    before = spent()
    for _ in range(_TIMES):
        subprocess.run(command, stdout=subprocess.DEVNULL, check=True)
    print(json.dumps({"process": (spent() - before) / _TIMES * 1e3}))


if __name__ == "__main__":
    main()
