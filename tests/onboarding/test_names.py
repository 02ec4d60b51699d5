"""Names tell accounts apart, so each is given once."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from cadenza_async import RowState

from .jobs import row

if TYPE_CHECKING:
    from .jobs import Job


async def connect(job: Job, name: str, **given: Any) -> str:
    """Connect an account outside of any job."""
    async with job.connect() as pool:
        account = row(1, **given)
        client = pool.client(access_token=job.sandbox.token(account.user or "u-1"))
        connected = await client.connect_account(
            venue=account.venue,
            api_key=account.api_key,
            api_secret=account.api_secret,
            name=name,
        )
        return connected.trading_account_id


async def test_a_row_without_a_name_gets_one(job: Job) -> None:
    """It shows venue and key, differs from all others, and stays the same."""
    outcomes = await job.run([row(n, name=["", None][n % 2]) for n in range(20)])
    names = {key: outcome.name for key, outcome in outcomes.items()}
    assert all(str(name).startswith(f"BINANCE {key} ") for key, name in names.items())
    assert len({*names.values()}) == 20
    assert {name for _, name in job.names()} == {*names.values()}


async def test_a_row_with_neither_name_nor_key_gets_a_name(job: Job) -> None:
    """It shows the venue and a part of the key."""
    ((key, outcome),) = (await job.run([row(1, key=None)])).items()
    assert outcome.name == f"BINANCE {key[:8]}"


async def test_the_same_name_twice_is_refused(job: Job) -> None:
    """Of two rows of one user and venue, in whatever case it is written, one goes out."""
    rows = [
        row(1, name="Desk"),
        row(2, name="Desk", venue="binance"),
        row(3, name="Desk", user="u-2"),
        row(4, name="Desk", venue="BYBIT"),
    ]
    for _ in range(2):
        outcomes = await job.run(rows)
        assert [outcomes[f"desk-{n}"].state.value for n in (1, 2, 3, 4)] == [
            "DONE",
            "FAILED",
            "DONE",
            "DONE",
        ]
        assert "same name" in str(outcomes["desk-2"].error)
    assert len(job.sandbox.accounts) == 3


async def test_the_same_name_twice_is_told_apart_on_demand(job: Job) -> None:
    """With ``unique_names`` the later ones get a suffix, and keep it."""
    rows = [row(n, name="Desk") for n in range(5)]
    first = await job.run(rows, unique_names=True)
    second = await job.run(rows, unique_names=True)
    assert {o.state for o in first.values()} == {RowState.DONE}
    assert {key: o.name for key, o in first.items()} == {key: o.name for key, o in second.items()}
    assert len({o.name for o in first.values()}) == 5
    assert all(str(o.name).startswith("Desk") for o in first.values())
    assert len(job.sandbox.accounts) == 5


async def test_two_of_the_same_api_key_cannot_be_told_apart(job: Job) -> None:
    """A suffix comes from what the row is; rows that are the same but for their keys clash."""
    rows = [row(1, name="Desk", key=f"key-{n}") for n in range(4)]
    states = await job.states(rows, unique_names=True)
    assert sorted(states.values()) == ["DONE", "DONE", "DONE", "FAILED"]


@pytest.mark.parametrize("unique", [False, True])
async def test_a_name_that_is_there_already(job: Job, *, unique: bool) -> None:
    """An account that was there before the job keeps its name to itself."""
    await connect(job, "Desk")
    outcomes = await job.run([row(1, name="Desk"), row(2, name="Desk 2")], unique_names=unique)
    assert outcomes["desk-2"].state is RowState.DONE
    assert outcomes["desk-1"].state is (RowState.DONE if unique else RowState.FAILED)
    assert unique or "before" in str(outcomes["desk-1"].error)
    assert set(job.names().values()) == {1}


async def test_the_name_of_an_account_that_is_gone_is_free(job: Job) -> None:
    """What is disconnected blocks no name."""
    gone = await connect(job, "Desk")
    async with job.connect() as pool:
        await pool.client(access_token=job.tokens["u-1"]).disconnect_account(gone)
    assert await job.states([row(1, name="Desk")]) == {"desk-1": "DONE"}


async def test_a_row_that_clashed_is_judged_anew(job: Job) -> None:
    """When the other row has another name, the first may have it."""
    rows = [row(1, name="Desk", api_key="invalid" + "x" * 9), row(2, name="Desk")]
    assert await job.states(rows) == {"desk-1": "FAILED", "desk-2": "FAILED"}
    rows[0] = row(1, name="Desk 1")
    assert await job.states(rows) == {"desk-1": "DONE", "desk-2": "DONE"}


async def test_a_corrected_api_key_makes_a_new_row_of_the_same_name(job: Job) -> None:
    """Without keys of their own, a corrected row takes the name from the one that it replaces."""
    bad, good = (
        row(1, key=None, name="Desk", api_key="invalid" + "x" * 9),
        row(1, key=None, name="Desk"),
    )
    assert [*(await job.states([bad])).values()] == ["FAILED"]
    assert [*(await job.states([good])).values()] == ["DONE"]
    states = await job.run([bad, good])
    assert sorted(o.state.value for o in states.values()) == ["DONE", "FAILED"]
    assert len(job.sandbox.accounts) == 1


async def test_a_new_journal_does_not_connect_again(job: Job) -> None:
    """If the journal is lost, made-up names are found among the accounts that are there."""
    rows = [row(n) for n in range(3)]
    await job.run(rows)
    again = await job.run(rows, journal=job.journal.with_suffix(".new"))
    assert {o.state for o in again.values()} == {RowState.FAILED}
    assert len(job.sandbox.accounts) == 3
