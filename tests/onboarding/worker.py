"""A process that runs a job: ``python -m tests.onboarding.worker URL JOURNAL ROWS QUARANTINE``.

Tokens come from standard input, one ``user token`` a line.
"""

from __future__ import annotations

import asyncio
import sys

from cadenza_async import SessionPool, onboard

from .jobs import row


async def main(url: str, journal: str, number: int, quarantine: float) -> None:
    """Run the job to its end, unless somebody minds."""
    tokens = dict(line.split() for line in sys.stdin)
    users = sorted(tokens)
    rows = (row(n, user=users[n % len(users)]) for n in range(number))
    async with SessionPool(base_url=url, timeout=0.5) as pool:
        async for outcome in onboard(
            pool, rows, tokens=tokens, journal=journal, quarantine=quarantine
        ):
            print(outcome.key, outcome.state, flush=True)  # noqa: T201


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], sys.argv[2], int(sys.argv[3]), float(sys.argv[4])))
