"""Credentials that are stored already: later runs go on with them, and store no secret twice."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import pytest
from attrs import evolve

from cadenza_async import Cadenza, RowState
from cadenza_async.errors import (
    AuthenticationError,
    ConfigError,
    CredentialsRejectedError,
    InvalidRequestError,
    InvalidRowError,
    OutcomeUnknownError,
    UsageError,
    VenueError,
)

from .jobs import row
from .stored import OPENAPI, run, run_one, steps

if TYPE_CHECKING:
    from .jobs import Job

BAD = "invalid" + "x" * 9


async def _leave_stored(references: Job, given: Any = None) -> str:
    """End a run when the row's keys are stored, as its token is no good any more then."""
    references.sandbox.script("expired-token:100%@credential-verify")
    outcome = await run_one(references, given)
    references.sandbox.behave()
    assert outcome.state is RowState.STORED
    assert isinstance(outcome.error, AuthenticationError)
    assert outcome.credential_id is not None
    return outcome.credential_id


async def test_a_later_run_goes_on_with_the_credential(references: Job) -> None:
    """What is stored is said, kept in the journal, and connected by the next run."""
    stored = await _leave_stored(references)
    journaled = (await references.journaled(RowState.STORED))["desk-1"]
    assert (journaled.credential_id, journaled.account) == (stored, None)
    outcome = await run_one(references)
    assert (outcome.state, outcome.credential_id) == (RowState.DONE, stored)
    assert steps(references).count("create") == 1


async def test_an_exchange_that_is_down_leaves_the_credential(references: Job) -> None:
    """Nothing is wrong with the row: when patience ends it waits for the next run."""
    outcome = await run_one(references, row(1, name="Desk", api_key="down" + "x" * 9), patience=0.2)
    assert outcome.state is RowState.STORED
    assert isinstance(outcome.error, VenueError)
    assert outcome.credential_id is not None


@pytest.mark.parametrize("fault", ["hang-before-commit", "hang-after-commit"])
@pytest.mark.parametrize("step", ["credential-create", "credential-verify", "connect"])
async def test_a_run_that_dies_at_any_step_is_taken_up(
    references: Job, step: str, fault: str
) -> None:
    """Whatever was on its way is found out about: nothing is made twice, nothing is lost."""
    patient = evolve(references, pool=OPENAPI | {"timeout": 30, "grace": 0})
    references.sandbox.script(f"{fault}@{step}")
    async with patient.running([row(1, name="Desk")], flavour="credential"):
        while not any(r["fault"] for r in references.sandbox.requests):
            await asyncio.sleep(0.01)
    expected = RowState.STORED if step == "credential-verify" else RowState.UNKNOWN
    before = (await references.journaled())["desk-1"].state
    assert before in {expected, RowState.INTENT}
    outcome = await run_one(references)
    assert outcome.state is RowState.DONE
    assert len(references.sandbox.credentials) == len(references.sandbox.accounts) == 1
    again = fault == "hang-before-commit"
    assert steps(references).count("create") == 1 + (again and step == "credential-create")
    assert steps(references).count("connect") == 1 + (again and step == "connect")


async def test_refused_rows_are_tried_again_on_demand(references: Job) -> None:
    """With ``retry_failed``, and with the credential that is there."""
    rows = [row(1, name="Desk", api_key=BAD), row(2)]
    first = await run(references, *rows)
    before = len(steps(references))
    assert await run(references, *rows)
    assert len(steps(references)) == before
    again = await run(references, *rows, retry_failed=True)
    assert steps(references)[before:] == ["verify"]
    assert again["desk-1"].state is RowState.FAILED
    assert isinstance(again["desk-1"].error, CredentialsRejectedError)
    assert again["desk-1"].credential_id == first["desk-1"].credential_id


async def test_a_corrected_row_rotates_its_credential(references: Job) -> None:
    """The good keys take the place of the refused ones; there is one credential all the time."""
    refused = await run_one(references, row(1, name="Desk", api_key=BAD))
    outcome = await run_one(references)
    assert (outcome.state, outcome.attempts) == (RowState.DONE, 2)
    assert outcome.credential_id == refused.credential_id
    assert steps(references) == ["create", "verify", "rotate", "verify", "connect"]
    assert (await run_one(references)).attempts == 0


async def test_a_stored_row_may_be_corrected(references: Job) -> None:
    """A row that waits takes new keys and a new name; what is stored gets the keys."""
    stored = await _leave_stored(references)
    outcomes = await references.run([row(2, key="desk-1", name="New")], flavour="credential")
    outcome = outcomes["desk-1"]
    assert (outcome.state, outcome.credential_id) == (RowState.DONE, stored)
    assert [a["nickname"] for a in references.sandbox.accounts] == ["New"]
    assert steps(references)[-3:] == ["rotate", "verify", "connect"]


async def test_another_account_may_be_meant(references: Job) -> None:
    """A row that is corrected before anything was in doubt may choose once more."""
    many = {"name": "Desk", "api_key": f"many-{'x' * 9}"}
    references.sandbox.script("echo-secret@connect")
    assert (await run_one(references, row(1, account_type="SPOT", **many))).state is RowState.FAILED
    outcome = await run_one(references, row(1, account_type="MARGIN", **many))
    assert outcome.account is not None
    assert outcome.account.external_account_type == "MARGIN"


@pytest.mark.parametrize("fault", ["drop-before-commit", "drop-after-commit", "429-bare"])
async def test_a_rotation_in_doubt_is_done_again(references: Job, fault: str) -> None:
    """Doing it twice changes nothing; nothing goes on before it is certain."""
    await run_one(references, row(1, name="Desk", api_key=BAD))
    references.sandbox.script(f"{fault}@credential-rotate")
    outcome = await run_one(references)
    assert outcome.state is RowState.DONE
    assert steps(references) == ["create", "verify", "rotate", "rotate", "verify", "connect"]


async def test_a_rotation_in_doubt_outlives_the_run(references: Job) -> None:
    """The next run does not take the credential for good, though the row is what it was."""
    await run_one(references, row(1, name="Desk", api_key=BAD))
    references.sandbox.script("drop-before-commit@credential-rotate", "expired-token:100%@list")
    outcome = await run_one(references)
    assert outcome.state is RowState.UNKNOWN
    assert isinstance((await references.journaled())["desk-1"].error, OutcomeUnknownError)
    references.sandbox.behave()
    assert (await run_one(references)).state is RowState.DONE


@pytest.mark.parametrize("change", [{"user": "u-2"}, {"venue": "BYBIT"}])
@pytest.mark.parametrize("key", ["api-key-000001", BAD])
async def test_a_credential_stays_with_its_user_and_venue(
    references: Job, key: str, change: dict[str, str]
) -> None:
    """A row that was moved away from it is refused, and still says where its secret is."""
    if key == BAD:
        stored = (await run_one(references, row(1, name="Desk", api_key=key))).credential_id
    else:
        stored = await _leave_stored(references, row(1, name="Desk", api_key=key))
    moved = row(1, name="Desk", api_key=key, **change)
    outcome = (await references.run([moved], flavour="credential"))["desk-1"]
    assert outcome.state is RowState.FAILED
    assert isinstance(outcome.error, InvalidRowError)
    assert outcome.credential_id == stored
    assert len(references.sandbox.credentials) == 1


async def test_a_name_that_is_taken_meanwhile(references: Job) -> None:
    """A refused row whose name another one has by now says so, and what it has stored."""
    refused = row(1, name="Desk", api_key=BAD)
    stored = (await run_one(references, refused)).credential_id
    rows = [row(2, name="Desk"), refused]
    assert (await references.run(rows, flavour="credential"))["desk-2"].state is RowState.DONE
    again = await references.run(rows, flavour="credential", retry_failed=True)
    assert isinstance(again["desk-1"].error, InvalidRowError)
    assert again["desk-1"].credential_id == stored


@pytest.mark.parametrize("corrected", [False, True])
async def test_a_credential_that_is_gone(references: Job, *, corrected: bool) -> None:
    """A row whose credential was revoked fails; its keys are stored anew when that is asked for."""
    stored = await _leave_stored(references, row(1, name="Desk"))
    async with references.connect() as pool:
        client = pool.client(access_token=references.tokens["u-1"])
        await client.revoke_credential(stored)
    given = row(2 if corrected else 1, name="Desk", key="desk-1")
    outcome = (await references.run([given], flavour="credential"))["desk-1"]
    assert (outcome.state, outcome.credential_id) == (RowState.FAILED, None)
    assert isinstance(outcome.error, InvalidRequestError)
    assert (await references.journaled())["desk-1"].credential_id is None
    outcomes = await references.run([given], flavour="credential", retry_failed=True)
    assert outcomes["desk-1"].state is RowState.DONE
    assert outcomes["desk-1"].credential_id not in {None, stored}
    assert len(references.sandbox.credentials) == 2


@pytest.mark.parametrize("fault", ["drop-before-commit", "drop-after-commit"])
async def test_a_credential_that_is_gone_is_not_taken_for_another(
    references: Job, fault: str
) -> None:
    """Where the answer is lost when the keys are stored anew: the row had it, and knows it."""
    stored = await _leave_stored(references, row(1, name="Desk"))
    async with references.connect() as pool:
        client = pool.client(access_token=references.tokens["u-1"])
        await client.revoke_credential(stored)
    given = row(1, name="Desk")
    outcomes = await references.run([given], flavour="credential")
    assert outcomes["desk-1"].state is RowState.FAILED
    references.sandbox.script(f"{fault}@credential-create")
    outcomes = await references.run([given], flavour="credential", retry_failed=True)
    assert outcomes["desk-1"].state is RowState.DONE
    assert outcomes["desk-1"].credential_id not in {None, stored}
    assert len(references.sandbox.credentials) == 2


async def test_a_connect_that_turns_up_late_is_adopted(references: Job) -> None:
    """What landed after too short a quarantine is told by the second witness: no second connect."""
    references.sandbox.script("slow-commit:1600ms@connect", "ok@credential-verify")
    references.sandbox.script("slow-commit:800ms@credential-verify")
    outcome = await run_one(references, quarantine=0.01)
    assert (outcome.state, outcome.attempts) == (RowState.DONE, 2)
    assert steps(references).count("connect") == 1


async def test_a_journal_belongs_to_its_flavour(references: Job) -> None:
    """The other one is refused, either way, and nothing is sent."""
    await run(references)
    with pytest.raises(ConfigError, match="flavour credential, not direct"):
        await references.run([row(1)])
    assert references.sandbox.requests == []


@pytest.mark.parametrize("flavour", ["by reference", "", None])
async def test_another_flavour_there_is_not(references: Job, flavour: Any) -> None:
    """It is told which there are."""
    with pytest.raises(UsageError, match="one of direct, credential"):
        await references.run([row(1)], flavour=flavour)


async def test_blocking_code_has_both_flavours(references: Job) -> None:
    """`Cadenza.onboard` takes the same argument."""

    def work() -> list[RowState]:
        token = references.sandbox.token("u-1")
        with Cadenza(token, base_url=references.sandbox.url, **OPENAPI) as client:
            rows = [row(1, user=None)]
            run = client.onboard(rows, journal=references.journal, flavour="credential")
            return [outcome.state for outcome in run]

    assert await asyncio.to_thread(work) == [RowState.DONE]


async def test_no_secret_is_in_the_journal(references: Job) -> None:
    """Nor in what an error of storing them says."""
    references.sandbox.script("echo-secret@credential-create")
    given = row(1, name="Desk", api_passphrase="pass-phrase-1")
    outcome = await run_one(references, given)
    assert outcome.state is RowState.FAILED
    content = b"".join(file.read_bytes() for file in references.journal.parent.iterdir())
    for secret in ("api-key-", "api-secret-", "pass-phrase"):
        assert secret.encode() not in content
        assert secret not in repr(outcome)
