"""The states of a row, as a table and as a machine. No I/O."""

from __future__ import annotations

from typing import TYPE_CHECKING

import hypothesis.strategies as st
import pytest
from hypothesis import given, settings
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from cadenza_async.errors import (
    ApiError,
    AuthenticationError,
    CadenzaError,
    ClosedError,
    ConfigError,
    ConflictError,
    CredentialsRejectedError,
    DeadlineExceededError,
    InvalidRequestError,
    InvalidRowError,
    NotFoundError,
    NotSentError,
    OutcomeUnknownError,
    OutcomeUnknownTimeoutError,
    PermissionDeniedError,
    RateLimitedError,
    ServerError,
    UnreadableAnswerError,
    UsageError,
    VenueError,
)
from cadenza_async.onboarding._states import (
    MOVES,
    Fate,
    Known,
    RowState,
    after,
    as_cadenza_error,
    fate,
    fate_of_others,
    meet,
    refused,
    unread,
    waiting,
)

if TYPE_CHECKING:
    from collections.abc import Callable

FATES = {
    OutcomeUnknownError: Fate.DOUBTFUL,
    OutcomeUnknownTimeoutError: Fate.DOUBTFUL,
    NotSentError: Fate.UNREACHABLE,
    DeadlineExceededError: Fate.UNREACHABLE,
    RateLimitedError: Fate.THROTTLED,
    ServerError: Fate.THROTTLED,
    VenueError: Fate.VENUE_DOWN,
    AuthenticationError: Fate.USER_OUT,
    PermissionDeniedError: Fate.USER_OUT,
    ConfigError: Fate.USER_OUT,
    ConflictError: Fate.REFUSED,
    CredentialsRejectedError: Fate.REFUSED,
    InvalidRequestError: Fate.REFUSED,
    NotFoundError: Fate.REFUSED,
    UnreadableAnswerError: Fate.REFUSED,
    UsageError: Fate.REFUSED,
}
STATES = {
    Fate.DONE: RowState.DONE,
    Fate.STEP_DONE: RowState.STORED,
    Fate.REFUSED: RowState.FAILED,
    Fate.DOUBTFUL: RowState.UNKNOWN,
    Fate.UNREACHABLE: RowState.PENDING,
    Fate.THROTTLED: RowState.PENDING,
    Fate.VENUE_DOWN: RowState.PENDING,
    Fate.USER_OUT: RowState.PENDING,
}


def make(kind: type[CadenzaError]) -> CadenzaError:
    """An error of a kind."""
    return kind("no", status=400) if issubclass(kind, ApiError) else kind("no")


@pytest.mark.parametrize("doubted", [False, True])
@pytest.mark.parametrize("kind", FATES)
def test_what_comes_of_a_sending(kind: type[CadenzaError], *, doubted: bool) -> None:
    """Each error has its meaning; only a conflict means something else after a doubt."""
    expected = Fate.DOUBTFUL if doubted and kind is ConflictError else FATES[kind]
    assert fate(make(kind), doubted=doubted) is expected


@pytest.mark.parametrize("doubted", [False, True])
def test_without_an_error_it_is_done(*, doubted: bool) -> None:
    """An account is an account."""
    assert fate(None, doubted=doubted) is Fate.DONE


@pytest.mark.parametrize("came", Fate)
def test_where_each_fate_leads(came: Fate) -> None:
    """Nothing but an answer settles a row, and every way there is allowed from INTENT."""
    assert after(came) is STATES[came]
    assert after(came) in MOVES[RowState.INTENT]


@pytest.mark.parametrize("came", Fate)
def test_where_each_fate_leads_a_row_that_has_a_credential(came: Fate) -> None:
    """As others, but never back to where its keys would be stored once more."""
    expected = RowState.STORED if STATES[came] is RowState.PENDING else STATES[came]
    assert after(came, stored=True) is expected
    assert after(came, stored=True) in MOVES[RowState.INTENT]


@pytest.mark.parametrize("kind", FATES)
def test_what_fails_before_sending_never_settles_a_row(kind: type[CadenzaError]) -> None:
    """It is about the user: to wait, or nothing can be done."""
    passing = {Fate.DOUBTFUL, Fate.UNREACHABLE, Fate.THROTTLED, Fate.VENUE_DOWN}
    waits = FATES[kind] in passing or kind is UnreadableAnswerError
    assert fate_of_others(make(kind)) is (Fate.THROTTLED if waits else Fate.USER_OUT)


def test_errors_of_others_become_ours() -> None:
    """By their kind, not by their text."""
    error = NotSentError("no")
    assert as_cadenza_error(error) is error
    assert isinstance(as_cadenza_error(KeyError("secret")), ConfigError)
    assert "secret" not in str(as_cadenza_error(KeyError("secret")))
    assert isinstance(as_cadenza_error(ClosedError("closed")), ConfigError)


def known(state: RowState, **facts: bool) -> Known:
    """What the journal knows of a row."""
    given = {"same": True, "met": False, "provisional": False} | facts
    return Known(state=state, **given)


def refuse(state: RowState, **facts: bool) -> Callable[[], object]:
    """A row that must not take part."""
    return lambda: meet(known(state, **facts), retry_failed=False)


@pytest.mark.parametrize("state", RowState)
def test_the_same_row_again(state: RowState) -> None:
    """It goes on where it was; what was being sent is in doubt."""
    expected = RowState.UNKNOWN if state is RowState.INTENT else state
    assert meet(known(state), retry_failed=False) is expected


@pytest.mark.parametrize("state", RowState)
def test_a_changed_row(state: RowState) -> None:
    """It replaces the old one only where nothing was connected."""
    if state in {RowState.PENDING, RowState.FAILED, RowState.STORED}:
        expected = RowState.STORED if state is RowState.STORED else RowState.PENDING
        assert meet(known(state, same=False), retry_failed=False) is expected
    else:
        doubtful = state in {RowState.INTENT, RowState.UNKNOWN}
        way_out = "let it be as it was" if doubtful else "give the changed one a key of its own"
        with pytest.raises(InvalidRowError, match=way_out):
            refuse(state, same=False)()


@pytest.mark.parametrize("state", [RowState.FAILED, RowState.STORED])
def test_a_row_that_has_left_its_credential_behind(state: RowState) -> None:
    """Its keys do not go into the credential of another user or venue, not even on demand."""
    facts = known(state, same=False, stored=True, moved=True)
    with pytest.raises(InvalidRowError, match="give the changed one a key of its own"):
        meet(facts, retry_failed=True)


@pytest.mark.parametrize("state", RowState)
def test_a_row_that_must_not_take_part(state: RowState) -> None:
    """It has failed, unless it may have been done, and this is not said of it already."""
    doubtful = state in {RowState.INTENT, RowState.UNKNOWN}
    assert refused(known(state)) is (RowState.UNKNOWN if doubtful else RowState.FAILED)
    assert refused(known(state, met=True)) is RowState.FAILED


@pytest.mark.parametrize("state", RowState)
def test_a_row_that_cannot_be_read(state: RowState) -> None:
    """It has failed, unless it may have been done; what is at Cadenza already is told of."""
    error = InvalidRowError("no venue", key="desk-1")
    now, reason = unread(state, error)
    doubtful = state in {RowState.INTENT, RowState.UNKNOWN}
    assert now is (RowState.UNKNOWN if doubtful else RowState.FAILED)
    there = state in {RowState.DONE, RowState.STORED, RowState.CONFLICT}
    assert str(reason) == (f"{error}; it is {state} as it was" if there else str(error))
    assert reason.key == "desk-1"


@pytest.mark.parametrize("state", [RowState.DONE, RowState.FAILED, RowState.CONFLICT])
def test_what_is_settled_stays_so(state: RowState) -> None:
    """Within a run; whatever else is open until then."""
    assert not MOVES[state]


@pytest.mark.parametrize("state", RowState)
def test_a_row_met_twice(state: RowState) -> None:
    """Whatever it is, the second one is refused."""
    with pytest.raises(InvalidRowError, match="same key"):
        refuse(state, met=True)()


def test_failed_rows_take_part_again() -> None:
    """On demand, or when the reason lay in other rows."""
    assert meet(known(RowState.FAILED), retry_failed=True) is RowState.PENDING
    assert meet(known(RowState.FAILED, provisional=True), retry_failed=False) is RowState.PENDING
    assert meet(known(RowState.FAILED, stored=True), retry_failed=True) is RowState.STORED


@given(
    state=st.sampled_from(RowState),
    same=st.booleans(),
    provisional=st.booleans(),
    retry_failed=st.booleans(),
)
def test_nothing_that_may_exist_becomes_pending_by_being_met(
    *, state: RowState, same: bool, provisional: bool, retry_failed: bool
) -> None:
    """However a run begins, no row that may have been done is sent without a look."""
    facts = known(state, same=same, provisional=provisional)
    try:
        now = meet(facts, retry_failed=retry_failed)
    except InvalidRowError:
        return
    assert (now is RowState.PENDING) <= (state in {RowState.PENDING, RowState.FAILED})


class Machine(RuleBasedStateMachine):
    """A row against a server that refuses no repetition, with its keys stored first or not.

    It is sent, answered or not, looked for, crashed, begun again.
    """

    def __init__(self) -> None:
        super().__init__()
        self.state = RowState.PENDING
        self.direct = self.held = self.doubted = False
        self.there = {"credential": 0, "account": 0}
        self.late = {"credential": 0, "account": 0}

    @initialize(direct=st.booleans())
    def choose(self, *, direct: bool) -> None:
        """Connect with the keys, or store them first."""
        self.direct = direct

    @property
    def next(self) -> str:
        """What the next write makes, or the last one may have made."""
        return "account" if self.direct or self.held else "credential"

    def go(self, state: RowState) -> None:
        assert state in MOVES[self.state]
        self.state = state

    @precondition(lambda self: self.state in {RowState.PENDING, RowState.STORED})
    @rule(error=st.sampled_from([None, *FATES]), landed=st.sampled_from(["now", "later", "never"]))
    def send(self, error: type[CadenzaError] | None, landed: str) -> None:
        """Store the keys, or connect; an answer tells whether it landed, a lost one does not."""
        self.go(RowState.INTENT)
        came = fate(make(error) if error else None, doubted=self.doubted)
        lost = error is not None and issubclass(error, OutcomeUnknownError)
        made = self.next
        if came is Fate.DONE:
            self.there[made] += 1
            self.doubted = False
            self.held = not self.direct
            came = Fate.STEP_DONE if made == "credential" else came
        elif lost:
            self.there[made] += landed == "now"
            self.late[made] += landed == "later"
        state = after(came, stored=self.held)
        self.doubted |= state is RowState.UNKNOWN
        self.go(state)

    @precondition(lambda self: self.state in {RowState.PENDING, RowState.STORED})
    @rule(landed=st.booleans())
    def die_while_sending(self, *, landed: bool) -> None:
        """The process dies after the intent was written; the server may have read it."""
        self.go(RowState.INTENT)
        self.there[self.next] += landed
        self.begin_again()

    @rule(same=st.booleans(), retry_failed=st.booleans())
    def begin_again(self, *, same: bool = True, retry_failed: bool = False) -> None:
        """A new run meets the row, corrected if that is possible."""
        same = same or self.state not in {RowState.PENDING, RowState.STORED, RowState.FAILED}
        facts = known(self.state, same=same, stored=self.held)
        self.state = meet(facts, retry_failed=retry_failed)
        self.doubted |= self.state is RowState.UNKNOWN

    def find(self) -> None:
        """Adopt what is there."""
        self.go(RowState.DONE if self.next == "account" else RowState.STORED)
        self.held, self.doubted = not self.direct, False

    @precondition(lambda self: self.state is RowState.UNKNOWN)
    @rule()
    def look_early(self) -> None:
        """Before the quarantine is over only what is there counts."""
        if self.there[self.next]:
            self.find()

    @precondition(lambda self: self.state is RowState.UNKNOWN)
    @rule()
    def look_after_the_quarantine(self) -> None:
        """By now what was late has landed."""
        for made, number in self.late.items():
            self.there[made] += number
            self.late[made] = 0
        if self.there[self.next]:
            self.find()
        else:
            self.go(waiting(stored=self.held))

    @invariant()
    def at_most_one_of_each(self) -> None:
        for made, number in self.there.items():
            assert number + self.late[made] <= 1

    @invariant()
    def what_is_said_is_so(self) -> None:
        accounts, credentials = self.there["account"], self.there["credential"]
        assert (self.state is RowState.DONE) <= (accounts == 1)
        assert self.held <= (credentials == 1)
        if self.state in {RowState.PENDING, RowState.STORED, RowState.FAILED}:
            assert not accounts
            assert self.held == (credentials == 1)
            assert (self.state is RowState.STORED) <= self.held


TestMachine = Machine.TestCase
TestMachine.settings = settings(max_examples=200)
