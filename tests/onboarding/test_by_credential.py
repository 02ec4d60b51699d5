"""Rows whose keys are stored first: each stored once, connected once, and never left untold."""

from __future__ import annotations

import asyncio
import re
from typing import TYPE_CHECKING, Any

import pytest
from attrs import evolve

from cadenza_async import RowState
from cadenza_async.errors import (
    AmbiguousOutcomeError,
    ConflictError,
    CredentialsRejectedError,
    InvalidRowError,
)
from cadenza_async.sandbox import Fault

from .jobs import QUARANTINE, row
from .stored import OPENAPI, run, run_one, steps

if TYPE_CHECKING:
    from .jobs import Job

STEPS = ("credential-create", "credential-verify", "connect")
WRITES = ("credential-create", "connect")


async def test_three_calls_connect_an_account(references: Job) -> None:
    """The keys go out once; the account is connected by reference, under the row's name."""
    outcome = await run_one(references)
    assert (outcome.state, outcome.attempts, outcome.error) == (RowState.DONE, 2, None)
    assert outcome.account is not None
    assert outcome.account.credential_ids == (outcome.credential_id,)
    assert outcome.account.name == "Desk"
    assert steps(references) == ["create", "verify", "connect"]
    journaled = (await references.journaled())["desk-1"]
    assert (journaled.state, journaled.attempts) == (RowState.DONE, 2)
    assert journaled.credential_id == outcome.credential_id
    again = await run_one(references)
    assert (again.state, again.attempts, again.account) == (RowState.DONE, 0, outcome.account)
    assert again.credential_id == outcome.credential_id
    assert len(steps(references)) == 3


async def test_many_rows_of_many_users(references: Job) -> None:
    """Each with a credential and an account of its own."""
    rows = [row(n, user=f"u-{n % 3 + 1}") for n in range(60)]
    outcomes = await run(references, *rows)
    assert {o.state for o in outcomes.values()} == {RowState.DONE}
    assert len(references.stored()) == len(references.sandbox.accounts) == 60


async def test_a_credential_that_was_found_is_written_down_at_once(references: Job) -> None:
    """A run that ends before more is sent for its row leaves the next one to go on with it."""
    references.sandbox.script(*(f"{fault}@credential-create" for fault in (LOST[0], UNDONE[1])))
    rows = [row(n, name=f"Desk {n}", user=f"u-{n}") for n in (1, 2)]
    async with references.running(rows, flavour="credential", concurrency=1) as job:
        while not job.counts[RowState.STORED]:  # the other row keeps the only slot
            await asyncio.sleep(0.01)
    (found,) = (await references.journaled(RowState.STORED)).values()
    assert {found.name: found.credential_id} == references.stored()


LOST = ["drop-after-commit", "reset-after-commit", "truncated", "garbage", "hang-after-commit"]
LOST += ["500-after-commit", "503-html-after-commit", "html-200-after-commit", "slow-drip"]
UNDONE = ["drop-before-commit", "hang-before-commit", "502-before-commit", "302-before-commit"]


@pytest.mark.parametrize("step", WRITES)
@pytest.mark.parametrize("fault", LOST)
async def test_what_was_done_is_found(references: Job, fault: str, step: str) -> None:
    """The credential, or the account, is adopted, and nothing is sent a second time."""
    references.sandbox.script(f"{fault}@{step}")
    outcome = await run_one(references)
    assert (outcome.state, outcome.attempts) == (RowState.DONE, 2)
    assert steps(references) == ["create", "verify", "connect"]
    assert len(references.calls("list")) == 3  # both before it was sent, and one to look for it


@pytest.mark.parametrize("step", WRITES)
@pytest.mark.parametrize("fault", UNDONE)
async def test_what_was_not_done_is_sent_again(references: Job, fault: str, step: str) -> None:
    """After the quarantine and two lists that agree; the exchange is asked again before that."""
    references.sandbox.script(f"{fault}@{step}")
    outcome = await run_one(references)
    assert (outcome.state, outcome.attempts) == (RowState.DONE, 3)
    sent = {
        "credential-create": ["create", "create", "verify", "connect"],
        "connect": ["create", "verify", "connect", "verify", "connect"],
    }
    assert steps(references) == sent[step]
    path = "create" if step == "credential-create" else "connect"
    first, second = (r["receivedAt"] for r in references.calls(f"/{path}"))
    lists = references.calls("credential/list" if path == "create" else "tradingAccount/list")
    assert len([r for r in lists if first + QUARANTINE * 1000 <= r["receivedAt"] <= second]) == 2


async def test_each_step_has_patience_of_its_own(references: Job) -> None:
    """What nothing came of at first is not counted against the step after it."""
    references.sandbox.script(
        "drop-before-commit@credential-create",
        "latency:800ms@credential-verify",
        "drop-before-commit@connect",
    )
    outcome = await run_one(references, patience=0.5)
    assert (outcome.state, outcome.attempts) == (RowState.DONE, 4)


@pytest.mark.parametrize("fault", [*LOST, *UNDONE])
async def test_asking_the_exchange_leaves_no_doubt(references: Job, fault: str) -> None:
    """A lost answer to that is asked for again, and nothing is looked for."""
    references.sandbox.script(f"{fault}@credential-verify")
    outcome = await run_one(references)
    assert (outcome.state, outcome.attempts) == (RowState.DONE, 2)
    assert steps(references) == ["create", "verify", "verify", "connect"]
    assert len(references.calls("list")) == 2


PASSING = ["429:1s", "429-bare", "503-lock", "503-retry:1s", "close-idle", "429-html"]


@pytest.mark.parametrize("step", STEPS)
@pytest.mark.parametrize("fault", PASSING)
async def test_what_was_refused_for_now_is_sent_again(
    references: Job, fault: str, step: str
) -> None:
    """With no doubt about it, and without asking the exchange a second time."""
    references.sandbox.script(f"{fault}@{step}")
    outcome = await run_one(references)
    assert outcome.state is RowState.DONE
    again = {path for path in steps(references) if steps(references).count(path) > 1}
    unnoticed = fault == "close-idle"  # no request was read and refused
    assert again == (set() if unnoticed else {step.removeprefix("credential-")})
    assert len(references.calls("list")) == 2


async def test_a_late_commit_is_waited_for(references: Job) -> None:
    """What lands within the quarantine is found, however late: no secret is stored twice."""
    slow = evolve(references, pool=OPENAPI | {"timeout": 0.2})
    lines = [Fault("slow-commit", seconds=0.6, endpoint=step) for step in WRITES]
    references.sandbox.script(*lines)
    outcomes = await run(slow, *(row(n) for n in range(20)), quarantine=1.0)
    assert {o.state for o in outcomes.values()} == {RowState.DONE}
    assert len(references.calls("create")) == len(references.calls("connect")) == 20


REFUSED = {
    "invalid": (CredentialsRejectedError, "Invalid API credentials"),
    "noperm": (CredentialsRejectedError, "lacks trading permission"),
    "empty": (CredentialsRejectedError, "reaches no account"),
    "taken": (ConflictError, "connected by another user"),
    "many": (InvalidRowError, r"reaches 3 accounts .*-spot, .*-margin, .*-futures"),
}


@pytest.mark.parametrize("key", REFUSED)
async def test_a_key_that_leads_nowhere_fails(references: Job, key: str) -> None:
    """The row says why, and which credential was stored for nothing."""
    kind, text = REFUSED[key]
    outcome = await run_one(references, row(1, name="Desk", api_key=f"{key}-{'x' * 9}"))
    assert outcome.state is RowState.FAILED
    assert isinstance(outcome.error, kind)
    assert re.search(text, str(outcome.error))
    assert outcome.credential_id == references.stored()["Desk"]
    assert (await references.journaled())["desk-1"].credential_id == outcome.credential_id
    assert steps(references) == ["create", "verify"]


async def test_the_account_type_tells_which(references: Job) -> None:
    """Where a key reaches several accounts, the row may say which one it means."""
    many = f"many-{'x' * 9}"
    outcome = await run_one(references, row(1, name="Desk", api_key=many, account_type="margin"))
    assert outcome.account is not None
    assert outcome.account.external_account_type == "MARGIN"


async def test_of_several_one_may_be_left(references: Job) -> None:
    """What is connected is no choice any more: the next run takes what is left, by itself."""
    many = f"many-{'x' * 9}"
    rows = [row(1, name="The rest", api_key=many)]
    assert (await run_one(references, rows[0])).state is RowState.FAILED
    rows += [row(n, name=k, api_key=many, account_type=k) for n, k in ((2, "MARGIN"), (3, "SPOT"))]
    await run(references, *rows)
    outcomes = await run(references, *rows)
    assert {o.state for o in outcomes.values()} == {RowState.DONE}
    assert len(references.sandbox.credentials) == 3


@pytest.mark.parametrize("fault", ["ok", "drop-before-commit", "drop-after-commit"])
async def test_two_rows_for_one_account(references: Job, fault: str) -> None:
    """The account is connected once; the other row fails, and says that it is connected."""
    references.sandbox.script(f"{fault}@connect")
    rows = [row(1, name="Desk"), row(1, key="twin", name="Twin")]
    outcomes = await run(references, *rows, concurrency=1)
    assert sorted(o.state.value for o in outcomes.values()) == ["DONE", "FAILED"]
    (twin,) = [o for o in outcomes.values() if o.state is RowState.FAILED]
    assert isinstance(twin.error, ConflictError)
    assert "already" in str(twin.error)
    assert len(references.sandbox.accounts) == 1
    assert steps(references).count("connect") == 2


async def test_an_account_from_before_is_not_ours(references: Job) -> None:
    """Nor is a credential: what the job finds when it begins belongs to no row."""
    async with references.connect() as pool:
        client = pool.client(access_token=references.tokens["u-1"])
        given = row(1)
        keys: dict[str, Any] = {"api_key": given.api_key, "api_secret": given.api_secret}
        old = await client.create_credential(venue="BINANCE", name="Desk", **keys)
        (reached,) = await client.verify_credential(old.credential_id)
        external = reached.external_trading_account_id
        await client.connect_with_credential(old.credential_id, external, name="Old")
    references.sandbox.script("drop-before-commit@credential-create")
    outcomes = await references.run([row(1, name="Desk")], flavour="credential")
    outcome = outcomes["desk-1"]
    assert (outcome.state, outcome.attempts) == (RowState.FAILED, 2)
    assert isinstance(outcome.error, ConflictError)
    assert outcome.credential_id not in {None, old.credential_id}
    assert len(references.sandbox.credentials) == 2


async def test_names_that_are_cut_are_for_a_person(references: Job) -> None:
    """A credential that may be the row's, under a name cut short, is named in the conflict."""
    trim = Fault("trimmed-names", size=6, rate=1.0, endpoint="credential-create")
    references.sandbox.script(trim, "drop-after-commit@credential-create")
    given = row(1, name="Desk of Ms Long")
    outcome = (await references.run([given], flavour="credential"))["desk-1"]
    (credential,) = references.sandbox.credentials
    assert outcome.state is RowState.CONFLICT
    assert isinstance(outcome.error, AmbiguousOutcomeError)
    assert credential["credentialId"] in str(outcome.error)
    journaled = (await references.journaled())["desk-1"].error
    assert journaled is not None
    assert "revoke" in outcome.error.remedy
    assert journaled.remedy == outcome.error.remedy


async def test_names_that_are_changed_prove_nothing(references: Job) -> None:
    """Once a name was seen to be changed, a credential that is not found may be there."""
    references.sandbox.script(Fault("trimmed-names", size=6, endpoint="credential-create"))
    references.sandbox.script("ok@credential-create", "drop-before-commit@credential-create")
    rows = [row(n, name=f"Desk number {n}") for n in (1, 2, 3)]
    outcomes = await references.run(rows, flavour="credential", concurrency=1)
    assert sorted(o.state.value for o in outcomes.values()) == ["CONFLICT", "DONE", "DONE"]
    (conflict,) = [o for o in outcomes.values() if o.state is RowState.CONFLICT]
    assert "changes names" in str(conflict.error)


async def test_an_account_is_known_by_its_credential(references: Job) -> None:
    """Whatever its name has become: nothing about it is in doubt."""
    references.sandbox.script(Fault("trimmed-names", size=6, rate=1.0, endpoint="connect"))
    references.sandbox.script("drop-after-commit@connect", "drop-before-commit@connect")
    outcomes = await run(references, *(row(n, name=f"Desk number {n}") for n in (1, 2, 3)))
    assert {o.state for o in outcomes.values()} == {RowState.DONE}
