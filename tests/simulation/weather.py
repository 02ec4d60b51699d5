"""What goes wrong in one run: drawn from a seed, in the sandbox's own words."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from attrs import field, frozen

from cadenza_async.sandbox import Fault

if TYPE_CHECKING:
    from collections.abc import Sequence
    from random import Random

SLOWEST_COMMIT = 20.0
"""Seconds that a request may take to have its effect, whoever still waits for it."""

_MISHAPS = (
    "drop-before-commit",
    "drop-after-commit",
    "reset-before-commit",
    "reset-after-commit",
    "hang-before-commit",
    "hang-after-commit",
    "truncated",
    "garbage",
    "wrong-length",
    "slow-drip:50ms@connect",
    "slow-drip:300ms",
    "gzip-bomb:2MiB",
    "close-idle",
    "close-idle:50ms",
    "latency:4s",
    "latency:40s",
    "html-200-before-commit",
    "html-200-after-commit",
    "429:2s",
    "429:150s",
    "429-bare",
    "429-html",
    "429-venue@connect",
    "500-before-commit",
    "500-after-commit",
    "502-html-before-commit",
    "502-html-after-commit",
    "503-before-commit",
    "503-html-after-commit",
    "504-before-commit",
    "504-html-after-commit",
    "503-retry:3s",
    "503-lock",
    "301-before-commit",
    "302-after-commit",
    "307-before-commit",
    "308-after-commit",
    "expired-token@connect",
    "expired-token@list",
    "echo-secret",
)


@frozen(kw_only=True)
class Weather:
    """The faults and limits of one run.

    Attributes:
        faults: Standing rules for the sandbox.
        options: Of the sandbox.
        outages: When connections are refused or swallowed, by the loop's clock: begin, end, kind.
        trims: Whether the server keeps names to some length only.
    """

    faults: tuple[Fault, ...]
    options: dict[str, Any]
    outages: tuple[tuple[float, float, str], ...] = ()
    trims: bool = field(default=False)


def forecast(dice: Random, makers: Sequence[str] = ("connect",)) -> Weather:
    """Draw the weather of a run.

    Args:
        dice: Decides.
        makers: The endpoints that make something of value.
    """
    chosen = dice.sample(_MISHAPS, dice.randint(3, 16))
    lines = [_rule(line, dice.uniform(0.5, 6)) for line in chosen]
    slow = dice.uniform(0, SLOWEST_COMMIT)
    lines += [
        f"slow-commit:{slow * 1000:.0f}ms:{dice.uniform(2, 20):.2f}%@{maker}" for maker in makers
    ]
    lines.append(f"slow-commit:{slow * 100:.0f}ms:{dice.uniform(2, 20):.2f}%@login")
    if dice.random() < 0.4:
        lines.append(f"capped-list:{dice.randint(5, 20)}:100%")
    if dice.random() < 0.4:
        lines.append(f"drifting-list:{dice.uniform(5, 30):.2f}%")
    trims = dice.random() < 0.2
    if trims:
        length = dice.randint(26, 30)
        lines += [f"trimmed-names:{length}:100%@{maker}" for maker in makers]
    return Weather(
        faults=tuple(map(Fault.parse, lines)),
        options={
            "rate_limit": dice.choice((None, 30, 60, 300)),
            "auth_rate_limit": 10,
            "session_lifetime": dice.choice((90, 700, 3600)),
        },
        outages=tuple(_outage(dice) for _ in range(dice.randint(0, 2))),
        trims=trims,
    )


def _rule(line: str, percent: float) -> str:
    head, at, endpoint = line.partition("@")
    return f"{head}:{percent:.2f}%{at}{endpoint}"


def _outage(dice: Random) -> tuple[float, float, str]:
    begin = dice.uniform(0, 300)
    return begin, begin + dice.uniform(1, 60), dice.choice(("refused", "swallowed"))
