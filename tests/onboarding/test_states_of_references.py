"""A row whose keys are stored first, as a machine against a server that refuses no repetition."""

from __future__ import annotations

import hypothesis.strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from cadenza_async.errors import CadenzaError, OutcomeUnknownError
from cadenza_async.onboarding._states import (
    MOVES,
    Fate,
    RowState,
    after,
    fate,
    meet,
    waiting,
)

from .test_states import FATES, known, make

LANDED = st.sampled_from(["now", "later", "never"])
ERRORS = st.sampled_from([None, *FATES])


class Machine(RuleBasedStateMachine):
    """Stored, connected, answered or not, looked for, crashed, begun again."""

    def __init__(self) -> None:
        super().__init__()
        self.state = RowState.PENDING
        self.held = self.doubted = False
        self.there = {"credential": 0, "account": 0}
        self.late = {"credential": 0, "account": 0}

    @property
    def next(self) -> str:
        """What the next write makes, or the last one may have made."""
        return "account" if self.held else "credential"

    def go(self, state: RowState) -> None:
        assert state in MOVES[self.state]
        self.state = state

    @precondition(lambda self: self.state in {RowState.PENDING, RowState.STORED})
    @rule(error=ERRORS, landed=LANDED)
    def send(self, error: type[CadenzaError] | None, landed: str) -> None:
        """Store the keys, or connect; an answer tells whether it landed, a lost one does not."""
        self.go(RowState.INTENT)
        came = fate(make(error) if error else None, doubted=self.doubted)
        lost = error is not None and issubclass(error, OutcomeUnknownError)
        made = self.next
        if came is Fate.DONE:
            self.there[made] += 1
            self.doubted = False
            self.held = True
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
        self.go(RowState.DONE if self.held else RowState.STORED)
        self.held, self.doubted = True, False

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
