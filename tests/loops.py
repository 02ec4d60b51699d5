"""The event loops that people run this in: asyncio's own, and uvloop where there is one."""

from __future__ import annotations

import asyncio
from importlib import import_module
from importlib.util import find_spec
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable

LOOPS: dict[str, Callable[[], asyncio.AbstractEventLoop]] = {"asyncio": asyncio.new_event_loop}
if find_spec("uvloop"):
    LOOPS["uvloop"] = import_module("uvloop").new_event_loop

on_every_loop = pytest.mark.asyncio(loop_factories=list(LOOPS))
"""For tests of what a loop decides, too: when a close is seen, when a timer rings."""
