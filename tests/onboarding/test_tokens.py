"""What a user's token source raises is that user's trouble: no row's, and nobody else's."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from cadenza_async import RowState, Secret
from cadenza_async.errors import CadenzaError, NotFoundError, OutcomeUnknownError, UsageError
from tests.loops import on_every_loop

from .jobs import row

if TYPE_CHECKING:
    from .jobs import Job

pytestmark = on_every_loop


@pytest.mark.parametrize(
    ("error", "state"),
    [
        (NotFoundError("no such user", status=404), RowState.PENDING),
        (UsageError("no such user"), RowState.PENDING),
        (OutcomeUnknownError("lost"), RowState.DONE),
    ],
)
async def test_a_token_that_cannot_be_renewed_refuses_no_row(
    job: Job, error: CadenzaError, state: RowState
) -> None:
    """The row that met the old token was not done, and not refused: it was not looked at."""
    renewals: list[Secret] = []

    class Source:
        async def token(self, *, rejected: Secret | None = None) -> Secret:
            if rejected is not None:
                renewals.append(rejected)
                if len(renewals) == 1:
                    raise error
            return Secret(job.tokens["u-1"] if renewals else job.sandbox.access_token)

    job.sandbox.script("expired-token@connect")
    (outcome,) = (await job.run([row(1)], tokens={"u-1": Source()})).values()
    assert outcome.state is state
    assert (outcome.error is error) is (state is RowState.PENDING)
    assert len(job.calls("list")) == 1  # the baseline: there was no doubt to look into
