"""A process that runs a job.

``python -m tests.onboarding.worker URL JOURNAL ROWS QUARANTINE FLAVOUR DIALECT``; tokens come from
standard input, one ``user token`` a line.
"""

from __future__ import annotations

import asyncio
import sys
from typing import Any

from cadenza_async import SessionPool, onboard

from .jobs import row


async def main(arguments: list[str]) -> None:
    """Run the job to its end, unless somebody minds."""
    url, journal, number, quarantine, flavour, dialect = arguments
    tokens = dict(line.split() for line in sys.stdin)
    users = sorted(tokens)
    rows = (row(n, user=users[n % len(users)]) for n in range(int(number)))
    options: dict[str, Any] = {"quarantine": float(quarantine), "flavour": flavour}
    settings: dict[str, Any] = {"dialect": dialect, "timeout": 0.5}
    async with SessionPool(base_url=url, **settings) as pool:
        async for outcome in onboard(pool, rows, tokens=tokens, journal=journal, **options):
            print(outcome.key, outcome.state, flush=True)  # noqa: T201  # it tells the test


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1:]))
