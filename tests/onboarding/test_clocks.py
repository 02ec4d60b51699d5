"""Clocks that disagree, or are set, while somebody renames the account of a row in doubt."""

from __future__ import annotations

import time
from email.utils import formatdate

import pytest

from cadenza_async import RowState
from cadenza_async.errors import AmbiguousOutcomeError
from tests.raw import Act, RawServer, answers, envelope, hang_up

from .jobs import EMPTY, Job, connect, row

MINUTE, HOUR = 60.0, 3600.0


def renamed(created: float, changed: float, *, date: float | None) -> Act:
    """Answer with a list of one account that has another name by now; times count from now."""
    now = time.time()
    times = {"createdAt": int((now + created) * 1000), "updatedAt": int((now + changed) * 1000)}
    account = {"tradingAccountId": "a-1", "venue": "BINANCE", "name": "Other", "status": "ACTIVE"}
    headers = {} if date is None else {"date": formatdate(now + date, usegmt=True)}
    content = envelope(data=[account | times], pagination={"hasNext": False})
    return answers(200, content, **headers)


@pytest.mark.parametrize(
    ("created", "changed", "date"),
    [
        (0, 5, 4 * MINUTE),
        (-10 * MINUTE, -9 * MINUTE, None),
        (0, HOUR, HOUR),
        (0, -HOUR, -HOUR),
    ],
    ids=["gateway ahead", "machine ahead", "server set forward", "server set back"],
)
async def test_an_account_that_was_renamed_is_not_connected_again(
    job: Job, created: float, changed: float, date: float | None
) -> None:
    """It is no older than the row, nor as it was made, because some clock says so."""
    async with RawServer() as server:
        looks = [renamed(created, changed, date=date)] * 2
        server.play(EMPTY, hang_up, *looks)
        (outcome,) = await connect(server, [row(1, name="Desk")], job)
    assert (outcome.state, outcome.attempts) == (RowState.CONFLICT, 1)
    assert isinstance(outcome.error, AmbiguousOutcomeError)
    assert [account.trading_account_id for account in outcome.error.accounts] == ["a-1"]
