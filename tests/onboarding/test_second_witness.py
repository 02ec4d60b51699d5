"""What the exchange's answer is worth when the lists and it do not agree, against a raw server."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING, Any

import pytest
from attrs import evolve

from cadenza_async import ReachableAccount, RowState
from cadenza_async.errors import AmbiguousOutcomeError, ConflictError, InvalidRequestError
from cadenza_async.onboarding._credential_steps import Verify
from cadenza_async.onboarding._credentials import Held
from cadenza_async.onboarding._row import Row
from tests.raw import Act, Exchange, RawServer, answers, envelope, hang_up

from .jobs import Job, row
from .stored import OPENAPI

if TYPE_CHECKING:
    from collections.abc import Sequence

    from cadenza_async import NewAccount, RowOutcome

STORED = {"credentialId": "c-1", "venue": "BINANCE", "nickname": "Desk", "status": "CREATED"}
REACHED = {"externalTradingAccountId": "e-1", "venue": "BINANCE"}
NEW, OURS = REACHED | {"status": "NEW"}, REACHED | {"status": "ACTIVE", "tradingAccountId": "a-1"}
ACCOUNT = {"tradingAccountId": "a-1", "venue": "BINANCE", "nickname": "Desk", "status": "ACTIVE"}
EXISTS = answers(409, envelope(-22010))


def says(data: object) -> Act:
    """An answer."""
    return answers(200, envelope(data=data))


async def play_all(
    job: Job,
    rows: Sequence[NewAccount],
    *,
    lists: list[Any],
    verified: list[Any],
    connect: list[Act],
    stored: Sequence[dict[str, str]],
) -> dict[str, RowOutcome]:
    """Run a job, a call at a time.

    Args:
        job: Where its journal is.
        rows: Its rows.
        lists: What each list of accounts shows, after the first; the last one from then on.
        verified: What the key reaches, each time that is asked.
        connect: What comes of each connect.
        stored: The credentials, one by one.
    """
    acts = {
        "credential/list": deque([says([])]),
        "credential/create": deque(says(each) for each in stored),
        "credential/verify": deque(says([reached]) for reached in verified),
        "tradingAccount/connect": deque(connect),
        "tradingAccount/list": deque([says([]), *map(says, lists)]),
    }

    async def act(exchange: Exchange) -> None:
        path = exchange.request.target.partition("?")[0].removeprefix("/api/v3/")
        left = acts[path]
        await (left[0] if path.endswith("list") and len(left) == 1 else left.popleft())(exchange)

    async with RawServer(default=act) as server:
        raw = Job(sandbox=job.sandbox, journal=job.journal, pool=OPENAPI | {"base_url": server.url})
        outcomes = await raw.run(rows, tokens={"u-1": "t"}, flavour="credential", concurrency=1)
    assert all(path.endswith("list") or not left for path, left in acts.items())
    return outcomes


async def play(
    job: Job,
    lists: list[Any],
    verified: list[Any],
    connect: list[Act],
    stored: dict[str, str] = STORED,
) -> RowOutcome:
    """Run a job of one row, as `play_all` does."""
    outcomes = await play_all(
        job,
        [row(1, name="Desk")],
        lists=lists,
        verified=verified,
        connect=connect,
        stored=[stored],
    )
    return outcomes["desk-1"]


def _account(**facts: Any) -> list[dict[str, Any]]:
    return [ACCOUNT | facts]


@pytest.mark.parametrize(
    "late",
    [
        _account(),
        _account(externalTradingAccountId="e-1", nickname="Another name"),
        _account(credentials=[{"credentialId": "c-1"}], nickname="Another name"),
    ],
    ids=["by name", "by the exchange's account", "by credential"],
)
async def test_it_calls_for_another_look(job: Job, late: list[dict[str, Any]]) -> None:
    """An account that the lists did not show is adopted when they do; nothing is sent again."""
    outcome = await play(job, [[], [], late], [NEW, OURS], [hang_up])
    assert (outcome.state, outcome.attempts) == (RowState.DONE, 2)
    assert outcome.account is not None
    assert outcome.account.trading_account_id == "a-1"


@pytest.mark.parametrize(
    "other",
    [
        _account(externalTradingAccountId="e-2"),
        _account(externalTradingAccountId="e-1", credentials=[{"credentialId": "c-2"}]),
    ],
    ids=["another account", "another credential"],
)
async def test_what_others_connected_is_not_ours(job: Job, other: list[dict[str, Any]]) -> None:
    """Whatever its name is: the row fails as a duplicate."""
    outcome = await play(job, [[], [], other], [NEW, OURS], [hang_up])
    assert (outcome.state, outcome.attempts) == (RowState.FAILED, 2)
    assert isinstance(outcome.error, ConflictError)
    assert outcome.credential_id == "c-1"


async def test_one_account_is_not_adopted_for_two_rows(job: Job) -> None:
    """Both have keys of the same account at the exchange, and both connects were lost."""
    late = _account(externalTradingAccountId="e-1", nickname="Another name")
    rows = [row(1, name="Desk"), row(2, name="Twin")]
    stored = [STORED, STORED | {"credentialId": "c-2", "nickname": "Twin"}]
    outcomes = await play_all(
        job,
        rows,
        lists=[late],
        verified=[NEW, NEW, OURS],
        connect=[hang_up, hang_up],
        stored=stored,
    )
    assert sorted(outcome.state for outcome in outcomes.values()) == ["DONE", "FAILED"]


async def test_against_lists_that_do_not_show_it(job: Job) -> None:
    """It is connected, and no list says as what: nobody but a person can tell whose it is."""
    outcome = await play(job, [[]], [NEW, OURS], [hang_up])
    assert outcome.state is RowState.CONFLICT
    assert isinstance(outcome.error, AmbiguousOutcomeError)
    assert "as a-1" in str(outcome.error)
    assert (await job.journaled())["desk-1"].state is RowState.CONFLICT


async def test_what_was_renamed_meanwhile_may_be_it(job: Job) -> None:
    """The key is connected as an account that nothing but its name speaks against: no refusal."""
    renamed = _account(nickname="Another name")
    outcome = await play(job, [renamed], [NEW, OURS], [hang_up])
    assert outcome.state is RowState.CONFLICT
    assert isinstance(outcome.error, AmbiguousOutcomeError)
    assert [each.trading_account_id for each in outcome.error.accounts] == ["a-1"]


async def test_a_refusal_after_a_doubt_is_looked_into(job: Job) -> None:
    """As the connect is said to have been done before, it may have been by this row."""
    outcome = await play(job, [[], [], _account()], [NEW, NEW], [hang_up, EXISTS])
    assert (outcome.state, outcome.attempts) == (RowState.DONE, 3)


async def test_a_refusal_without_a_doubt_is_one(job: Job) -> None:
    """Nothing of this row was ever in doubt, so it is somebody else's."""
    outcome = await play(job, [], [NEW], [EXISTS])
    assert outcome.state is RowState.FAILED
    assert isinstance(outcome.error, ConflictError)


@pytest.mark.parametrize("lost", [False, True])
async def test_a_credential_that_goes_before_the_connect(job: Job, *, lost: bool) -> None:
    """The row fails, and does not say that its keys are stored: nor is it looked for again."""
    gone = answers(400, envelope(-130001))
    outcome = await play(job, [[]], [NEW, NEW][: 1 + lost], [hang_up, gone][not lost :])
    assert (outcome.state, outcome.credential_id) == (RowState.FAILED, None)
    assert isinstance(outcome.error, InvalidRequestError)
    assert (await job.journaled())["desk-1"].credential_id is None


async def test_a_name_may_be_cut_where_nothing_else_is_told(job: Job) -> None:
    """An account that names neither credential nor exchange's account may be the row's."""
    outcome = await play(job, [_account(nickname="De")], [NEW], [hang_up])
    assert outcome.state is RowState.CONFLICT
    assert isinstance(outcome.error, AmbiguousOutcomeError)
    assert [each.name for each in outcome.error.accounts] == ["De"]


def test_once_chosen_no_other_account_is() -> None:
    """The one that was sent may be connected by now; what is free by now is not the row's."""
    held = Held(credential_id="c-1", external_id="e-1")
    it = Row(account=row(1), key="desk-1", held=held)
    known: dict[str, Any] = {"venue": "BINANCE", "account_type": "SPOT"}
    ours = ReachableAccount(
        external_trading_account_id="e-1", status="ACTIVE", trading_account_id="a-1", **known
    )
    free = ReachableAccount(external_trading_account_id="e-2", status="NEW", **known)
    assert isinstance(Verify().take(it, [ours, free]), ConflictError)
    assert it.held == evolve(held, told="a-1")


@pytest.mark.parametrize("status", ["LOCKED", "SOME NEW WORD"])
async def test_a_word_that_tells_nothing(job: Job, status: str) -> None:
    """What is not known to be free is not connected, and the word is told."""
    outcome = await play(job, [], [REACHED | {"status": status}], [])
    assert outcome.state is RowState.FAILED
    assert status in str(outcome.error)


@pytest.mark.parametrize("id_", ["a\nb", " "])
async def test_ids_that_cannot_be_sent_back(job: Job, id_: str) -> None:
    """The row fails, the others go on; what was stored is told as it came."""
    outcome = await play(job, [], [NEW | {"externalTradingAccountId": id_}], [])
    assert outcome.state is RowState.FAILED
    assert "the exchange's account" in str(outcome.error)
    other = Job(sandbox=job.sandbox, journal=job.journal.with_suffix(".other"))
    outcome = await play(other, [], [], [], STORED | {"credentialId": id_})
    assert (outcome.state, outcome.credential_id) == (RowState.FAILED, id_)
