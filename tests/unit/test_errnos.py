"""Every published error number, in both styles and signs, for a write and for a read."""

from __future__ import annotations

import pytest

from cadenza_async import errors
from cadenza_async._outcomes import Verdict
from cadenza_async.errors import ApiError, OutcomeUnknownError
from tests.errnos import NUMBERS

from .samples import CONNECT, LIST, answer, judged, refusal


@pytest.mark.parametrize(("number", "status", "verdict", "name"), NUMBERS)
@pytest.mark.parametrize("kind", [CONNECT, LIST])
@pytest.mark.parametrize("spelling", ["{}", "-{}"])
@pytest.mark.parametrize("style", [int, str])
def test_numbers(
    *, number: int, status: int, verdict: str, name: str, kind: str, spelling: str, style: type
) -> None:
    """The verdict and the class follow from the number, whatever its sign and spelling."""
    errno = style(spelling.format(number))
    outcome = judged(kind, answer(status, refusal(errno, "because")))
    error = outcome.error
    assert outcome.verdict is Verdict(verdict)
    if verdict == "unknown" and kind == CONNECT:
        assert type(error) is OutcomeUnknownError
    else:
        assert type(error) is getattr(errors, name)
        assert isinstance(error, ApiError)
        assert (error.errno, error.status, error.message) == (int(errno), status, "because")


def test_the_table_is_complete() -> None:
    """Every number that a class claims is published, and the other way round."""
    published = {number for number, *_ in NUMBERS}
    by_family = {26000, 26042}
    by_status = {18000, 19000, 22000}
    assert published - by_family - by_status == errors._BY_NUMBER.keys()
