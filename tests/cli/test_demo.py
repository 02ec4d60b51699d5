"""`cadenza demo`: the tour, on a narrow terminal and in a pipe."""

from __future__ import annotations

import inspect
import re

from cadenza_async.cli._demo import tour

from .process import cadenza, environment
from .terminal import at_terminal

TOUR = r"""
.*BINANCE   Desk 1  (?P<first>\S+)
.*COINBASE  Desk 2  (?P<second>\S+)
.*Invalid API credentials for BINANCE
.*The account's owner must check
.*BINANCE .* Desk 1 .* (?P=first)
.*COINBASE .* Desk 2 .* (?P=second)
.*Disconnected: BINANCE Desk 1
.*Disconnected: COINBASE Desk 2
""".replace("\n", "")


async def test_the_demo_tells_what_it_does_and_shows_its_source() -> None:
    """In a pipe there are no colours, the source is what ran, and what the shell has set is not."""
    end = await cadenza("demo", env={"CADENZA_DIALECT": "nobody's"})
    assert (end.code, end.err) == (0, "")
    assert re.match(TOUR, end.out, re.DOTALL)
    assert end.out.endswith(inspect.getsource(tour))
    assert "\x1b" not in end.out


async def test_the_demo_fits_a_terminal_of_80_columns() -> None:
    """Nothing is broken but by itself; a sandbox of its own is all it needs."""
    async with at_terminal("demo", env={**environment(), "COLUMNS": "80", "TERM": "xterm"}) as it:
        assert await it.end() == 0
    plain = re.sub(r"\x1b\[[\d;]*m", "", it.seen)
    assert plain != it.seen
    assert "\x1b" not in plain
    assert max(len(line) for line in plain.splitlines()) <= 80
    assert plain.replace("\r", "").endswith(inspect.getsource(tour))
