"""Every published error number, in both styles and signs, for a write and for a read."""

from __future__ import annotations

import pytest

from cadenza_async import errors
from cadenza_async._outcomes import Verdict
from cadenza_async.errors import ApiError, OutcomeUnknownError, ServerError

from .samples import CONNECT, LIST, answer, judged, refusal

NUMBERS = """
100000 401 refused       Authentication
100001 401 refused       Authentication
100003 401 refused       Authentication
120001 400 refused       CredentialsRejected
130001 400 refused       InvalidRequest
18000  500 unknown       Server
18004  502 venue failed  Venue
18005  401 refused       CredentialsRejected
18008  400 refused       InvalidRequest
18009  502 venue failed  Venue
18010  503 venue failed  Venue
18011  429 venue failed  Venue
18012  503 venue failed  Venue
18013  503 venue failed  Venue
18015  504 venue failed  Venue
18016  501 unknown       Server
18022  401 refused       CredentialsRejected
19000  500 unknown       Server
19001  400 refused       InvalidRequest
19002  401 refused       Authentication
19003  404 refused       NotFound
19004  400 refused       InvalidRequest
19005  400 refused       InvalidRequest
19006  503 throttled     RateLimited
22000  500 unknown       Server
22001  409 refused       Conflict
22001  400 refused       Conflict
22002  400 refused       Conflict
22006  400 refused       CredentialsRejected
22006  401 refused       CredentialsRejected
22006  403 refused       CredentialsRejected
22008  500 unknown       Server
22008  400 refused       Server
22010  409 refused       Conflict
22010  200 refused       Conflict
22011  400 refused       InvalidRequest
22012  400 refused       InvalidRequest
22014  503 throttled     RateLimited
22015  400 refused       InvalidRequest
22016  404 refused       NotFound
22017  409 refused       Conflict
22018  403 refused       PermissionDenied
22018  401 refused       PermissionDenied
22019  400 refused       InvalidRequest
22020  400 refused       InvalidRequest
22021  500 unknown       Server
22021  400 unknown       Server
26000  401 refused       Authentication
26042  400 refused       Authentication
"""
"""Number, HTTP status, verdict and class; where no status is published, likely ones."""
ROWS = [
    pytest.param(int(line[:6]), int(line[7:10]), line[11:25].strip(), line[25:] + "Error", id=line)
    for line in NUMBERS.strip().splitlines()
]


@pytest.mark.parametrize(("number", "status", "verdict", "name"), ROWS)
@pytest.mark.parametrize("kind", [CONNECT, LIST])
@pytest.mark.parametrize("spelling", ["{}", "-{}"])
@pytest.mark.parametrize("style", [int, str])
def test_numbers(  # noqa: PLR0917
    number: int, status: int, verdict: str, name: str, kind: str, spelling: str, style: type
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
    published = {number for row in ROWS if isinstance(number := row.values[0], int)}
    by_family = {26000, 26042}
    by_status = {18000, 19000, 22000}
    assert published - by_family - by_status == errors._BY_NUMBER.keys()


@pytest.mark.parametrize("number", [18000, 19000, 22000, 0])
@pytest.mark.parametrize("status", [500, 502, 503, 504])
def test_general_failures_leave_a_write_unknown(number: int, status: int) -> None:
    """A number that only says that something failed proves no more than its status."""
    assert type(judged(CONNECT, answer(status, refusal(number))).error) is OutcomeUnknownError
    assert type(judged(LIST, answer(status, refusal(number))).error) is ServerError
