"""The command `cadenza`, also as ``python -m cadenza_async``."""

from __future__ import annotations

import sys
from importlib.util import find_spec


def main() -> None:
    """Run the command line, or say what is missing for it."""
    if not (find_spec("typer") and find_spec("rich")):
        sys.stderr.write("The command line is an extra: pip install 'cadenza_async[cli]'\n")
        sys.exit(2)
    try:
        from cadenza_async.cli import app

        app(prog_name="cadenza")
    except KeyboardInterrupt:  # while it was still loading
        sys.exit(130)


if __name__ == "__main__":
    main()
