"""What a row of `onboard` costs with a journal, and what its call costs without."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Final

from instant import serving
from processes import pin

_ROWS: Final = 5000
_WAYS: Final = {"journal": "with_journal", "bare": "without"}


def measured(way: str, url: str) -> dict[str, float]:
    """Return what a process that does nothing else tells."""
    script = Path(__file__).with_name("many_rows.py")
    command = [sys.executable, str(script), "--way", way, "--url", url, "--rows", str(_ROWS)]
    told = json.loads(subprocess.run(command, check=True, stdout=subprocess.PIPE).stdout)
    return {"row": told["work"]}


def main() -> None:
    """Do as told on the command line."""
    order = json.loads(sys.argv[1])
    with serving() as url:  # on any core: what is measured has one to itself
        pin(0, order["core"])
        print(json.dumps(measured(_WAYS[order["rival"]], url)))


if __name__ == "__main__":
    main()
