"""The demo of a bulk job: made-up accounts of made-up users, some of them bad, and some mishaps."""

from __future__ import annotations

import secrets
import sys
from collections import Counter
from math import ceil
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

from cadenza_async.cli._console import open_console
from cadenza_async.cli._exits import reporting
from cadenza_async.cli._job_run import JobRun, Plan, SandboxOptions
from cadenza_async.cli._output import Output
from cadenza_async.cli._rows import Source
from cadenza_async.models import NewAccount
from cadenza_async.onboarding._files.accounts import FileRow
from cadenza_async.secret import Secret

_SANDBOX: Final = SandboxOptions(
    rate_limit=30,
    period=3,
    faults=("drop-after-commit:2%@connect", "drop-before-commit:1%@connect", "503:1%@connect"),
)
_PLAN: Final = Plan(sandbox=_SANDBOX, quarantine=2.0)
_EACH: Final = 100  # accounts of a user
_FEWEST: Final = 5  # users
_BAD_KEYS: Final = {25: "invalid", 60: "noperm"}
_VENUES: Final = ("BINANCE", "OKX", "BYBIT", "COINBASE")


def demo(accounts: int) -> None:
    """Onboard made-up accounts in a sandbox; that some fail is part of it."""
    users = max(_FEWEST, ceil(accounts / _EACH))
    source = Source(
        name="the demo",
        rows=(_make(number, users) for number in range(1, accounts + 1)),
        users=Counter(_user(number, users) for number in range(1, accounts + 1)),
    )
    console = open_console(sys.stdout)
    with reporting(Output(json=False), unsure=None), TemporaryDirectory() as folder:
        console.print(
            f"{accounts:,} accounts of {users} users, each with {_SANDBOX.rate_limit} calls in"
            f" {_SANDBOX.period} s (in earnest: a minute);"
            "\nsome keys are bad, some answers get lost."
        )
        job = JobRun(plan=_PLAN, source=source, tokens=None, journal=Path(folder) / "demo.journal")
        job.run()
        there = [] if job.sandbox is None else job.sandbox.accounts
        names = {(account["userId"], account["name"]) for account in there}
        console.print(f"The sandbox has {len(there):,} accounts, {len(names):,} of them different.")


def _user(number: int, users: int) -> str:
    return f"u-{number % users + 1}"


def _make(number: int, users: int) -> FileRow:
    key = f"{_BAD_KEYS.get(number % 80, 'good')}-{secrets.token_hex(8)}"
    account = NewAccount(
        venue=_VENUES[number % len(_VENUES)],
        api_key=Secret(key),
        api_secret=Secret(secrets.token_hex(16)),
        api_passphrase=Secret(secrets.token_hex(8)),
        name=f"Desk {number}",
        user=_user(number, users),
    )
    return FileRow(line=number, key=None, account=account)
