"""What the end of one call teaches about the others: how many to have in flight, and where to."""

from __future__ import annotations

from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, cast
from unittest.mock import Mock, call

import pytest

from cadenza_async.errors import (
    CredentialsRejectedError,
    InvalidRequestError,
    NotSentError,
    OutcomeUnknownError,
    OutcomeUnknownTimeoutError,
    RateLimitedError,
    VenueError,
)
from cadenza_async.onboarding._flight import Flight
from cadenza_async.onboarding._row import Row
from cadenza_async.onboarding._states import Fate

from .jobs import row

if TYPE_CHECKING:
    from cadenza_async.errors import CadenzaError

LEFT, NOW = 1.0, 2.0
WELL, TROUBLE = call.slots.well(), call.slots.trouble(LEFT)
UP = call.venues.up("BINANCE")
DOWN = VenueError("down", status=503)
LESSONS: list[tuple[Fate, CadenzaError | None, list[Any]]] = [
    (Fate.DONE, None, [WELL, UP]),
    (Fate.STEP_DONE, None, [WELL]),
    (Fate.REFUSED, CredentialsRejectedError("no", status=400), [WELL, UP]),
    (Fate.REFUSED, InvalidRequestError("no", status=400), [WELL]),
    (Fate.VENUE_DOWN, DOWN, [WELL, call.venues.down("BINANCE", DOWN, NOW)]),
    (Fate.THROTTLED, RateLimitedError("later", status=429), [TROUBLE]),
    (Fate.UNREACHABLE, NotSentError("refused"), [call.slots.unreachable(LEFT)]),
    (Fate.DOUBTFUL, OutcomeUnknownTimeoutError("no answer"), [TROUBLE]),
    (Fate.DOUBTFUL, OutcomeUnknownError("cut short"), []),
]


@pytest.mark.parametrize(("came", "error", "learnt"), LESSONS)
def test_what_is_learnt(came: Fate, error: CadenzaError | None, learnt: list[Any]) -> None:
    """An answer that is late says something of Cadenza's load, one that was lost does not."""
    tools = Mock()
    shared = SimpleNamespace(loop=SimpleNamespace(time=lambda: NOW))
    desk = SimpleNamespace(slots=tools.slots, venues=tools.venues, shared=shared, way=Mock())
    flight = Flight(cast("Any", desk), Mock(), "u-1", Row(row(), "desk-1"), departed=Mock())
    flight._note(came, error, LEFT)
    assert tools.mock_calls == learnt
