"""The states of a row, and what moves it from one to the next. No I/O."""

from __future__ import annotations

from enum import Enum, StrEnum, auto
from typing import TYPE_CHECKING, Final

from attrs import frozen

from cadenza_async.errors import (
    AuthenticationError,
    CadenzaError,
    ClosedError,
    ConfigError,
    ConflictError,
    DeadlineExceededError,
    InvalidRowError,
    NotSentError,
    OutcomeUnknownError,
    PermissionDeniedError,
    RateLimitedError,
    ServerError,
    TransportError,
    UnreadableAnswerError,
    VenueError,
)
from cadenza_async.models import TradingAccount

if TYPE_CHECKING:
    from collections.abc import Mapping


class Flavour(StrEnum):
    """How accounts are connected."""

    DIRECT = "direct"
    """In one call, which carries the keys."""
    CREDENTIAL = "credential"
    """In three: store the keys, verify them, connect what they reach."""

    @property
    def calls(self) -> int:
        """Calls that a row takes when all goes well."""
        return 1 if self is Flavour.DIRECT else 3

    @property
    def baseline(self) -> int:
        """Lists that are read, at least, before anything is sent for a user."""
        return 1 if self is Flavour.DIRECT else 2


class RowState(StrEnum):
    """What is known of a row."""

    PENDING = "PENDING"
    """Nothing was sent for it, or nothing came of what was sent: the next run goes on with it."""
    INTENT = "INTENT"
    """It is being sent, or was when the job died: UNKNOWN to the next run. No outcome says so."""
    UNKNOWN = "UNKNOWN"
    """It was sent, and may have been done; the next run finds out."""
    DONE = "DONE"
    """The account is connected."""
    STORED = "STORED"
    """Its keys are stored at Cadenza, and nothing is connected: the next run goes on with it."""
    FAILED = "FAILED"
    """It was refused; nothing was connected."""
    CONFLICT = "CONFLICT"
    """Several accounts may be this one, or one that was changed since: a person decides."""


@frozen(kw_only=True)
class RowOutcome:
    """What became of one row in this run.

    Attributes:
        key: The row's key.
        state: Anything but `RowState.INTENT`.
        account: The connected account, when it is DONE.
        error: Why it is not DONE.
        attempts: How often something was sent for it in this run that may change something; 0
            for what was settled before.
        user: Whose account it is.
        venue: Its venue; None when the row could not be read.
        name: The name it has at Cadenza, or would have had; None if that was taken, or the row
            could not be read.
        credential_id: The credential that holds its keys at Cadenza, connected or not; with the
            flavour ``credential`` only.
    """

    key: str
    state: RowState
    account: TradingAccount | None = None
    error: CadenzaError | None = None
    attempts: int = 0
    user: str | None = None
    venue: str | None = None
    name: str | None = None
    credential_id: str | None = None


class Fate(Enum):
    """What comes of one sending of a row."""

    DONE = auto()
    STEP_DONE = auto()
    """There is more to send until the account is connected."""
    REFUSED = auto()
    THROTTLED = auto()
    """The user has to wait."""
    UNREACHABLE = auto()
    """Everybody has to wait."""
    VENUE_DOWN = auto()
    """Everybody who wants to that exchange has to wait."""
    USER_OUT = auto()
    """Nothing can be done for the user."""
    DOUBTFUL = auto()
    """It may have been done, or may be there already because of an earlier sending."""


_FATES: Final[tuple[tuple[tuple[type[CadenzaError], ...], Fate], ...]] = (
    ((OutcomeUnknownError,), Fate.DOUBTFUL),
    ((NotSentError, DeadlineExceededError), Fate.UNREACHABLE),
    ((RateLimitedError, ServerError), Fate.THROTTLED),
    ((VenueError,), Fate.VENUE_DOWN),
    ((AuthenticationError, PermissionDeniedError, ConfigError), Fate.USER_OUT),
)

_AFTER: Final[Mapping[Fate, RowState]] = {
    Fate.DONE: RowState.DONE,
    Fate.STEP_DONE: RowState.STORED,
    Fate.REFUSED: RowState.FAILED,
    Fate.DOUBTFUL: RowState.UNKNOWN,
}


def fate(error: CadenzaError | None, *, doubted: bool) -> Fate:
    """Say what comes of a sending.

    Args:
        error: What it raised, if it did.
        doubted: Whether it may have been done by an earlier one: what exists already is then
            perhaps ours.
    """
    if error is None:
        return Fate.DONE
    if isinstance(error, ConflictError):
        return Fate.DOUBTFUL if doubted else Fate.REFUSED
    return next((fate for kinds, fate in _FATES if isinstance(error, kinds)), Fate.REFUSED)


_PASSING: Final = (TransportError, RateLimitedError, ServerError, UnreadableAnswerError, VenueError)


def fate_of_others(error: CadenzaError) -> Fate:
    """Say what a failure that is not about a row means: getting a token, listing accounts."""
    return Fate.THROTTLED if isinstance(error, _PASSING) else Fate.USER_OUT


def as_cadenza_error(error: Exception) -> CadenzaError:
    """Return what a call raised as an error of ours: all else comes from a user's token source.

    So does a `ClosedError` while the pool is open: it is about a client of the source's own.
    """
    if isinstance(error, CadenzaError) and not isinstance(error, ClosedError):
        return error
    return ConfigError(f"getting an access token failed with {type(error).__name__}")


def after(fate: Fate, *, stored: bool = False) -> RowState:
    """Return the state of a row whose sending ended so.

    Args:
        fate: How it ended.
        stored: Whether a credential holds the row's keys at Cadenza.
    """
    return _AFTER.get(fate, waiting(stored=stored))


def waiting(*, stored: bool) -> RowState:
    """Return the state of a row that waits to be sent."""
    return RowState.STORED if stored else RowState.PENDING


@frozen(kw_only=True)
class Known:
    """What the journal knows of a row when it is met again.

    Attributes:
        state: What is known of it.
        same: Whether its content is what it was.
        met: Whether it was met before in this run.
        provisional: Whether it failed for a reason that lies outside of it.
        stored: Whether a credential holds its keys at Cadenza.
        moved: Whether that credential belongs to another user or venue than the row does now.
    """

    state: RowState
    same: bool
    met: bool
    provisional: bool
    stored: bool = False
    moved: bool = False


SAME_KEY: Final = "another row has the same key: give this one its own, if it is another account"


def meet(known: Known, *, retry_failed: bool) -> RowState:
    """Say in what state a row that the journal knows takes part in a new run.

    Raises:
        InvalidRowError: If it must not take part.
    """
    if known.met:
        raise InvalidRowError(SAME_KEY)
    if known.state is RowState.FAILED and not known.moved:
        again = retry_failed or known.provisional or not known.same
        return waiting(stored=known.stored) if again else RowState.FAILED
    if not known.same and known.state in _IN_DOUBT:
        raise InvalidRowError(
            "the row was changed after it was sent, and whether that was done is not known yet:"
            " let it be as it was until that is found out"
        )
    if not known.same and (known.moved or known.state not in OPEN):
        raise InvalidRowError(
            f"the row was changed after it was sent; it is {known.state} as it was:"
            " give the changed one a key of its own"
        )
    return RowState.UNKNOWN if known.state is RowState.INTENT else known.state


def refused(known: Known) -> RowState:
    """Return the state of a row that must not take part: what is in doubt remains so."""
    doubtful = known.state in _IN_DOUBT and not known.met
    return RowState.UNKNOWN if doubtful else RowState.FAILED


def unread(known: RowState, error: InvalidRowError) -> tuple[RowState, InvalidRowError]:
    """Return the state of a row that could not be read this time, and the reason to give.

    Args:
        known: The state that the journal has it in.
        error: Why it could not be read.
    """
    if known in _IN_DOUBT:
        return RowState.UNKNOWN, error
    if known in {RowState.PENDING, RowState.FAILED}:
        return RowState.FAILED, error
    reason = InvalidRowError(f"{error}; it is {known} as it was", key=error.key)
    return RowState.FAILED, reason


_IN_DOUBT: Final = frozenset({RowState.INTENT, RowState.UNKNOWN})

OPEN: Final = frozenset({RowState.PENDING, RowState.STORED})
"""In these a row waits to be sent."""

MOVES: Final[Mapping[RowState, frozenset[RowState]]] = {
    RowState.PENDING: frozenset({RowState.INTENT}),
    RowState.INTENT: frozenset(RowState) - {RowState.CONFLICT},
    RowState.UNKNOWN: frozenset(RowState) - {RowState.INTENT, RowState.UNKNOWN},
    RowState.STORED: frozenset(
        {RowState.STORED, RowState.INTENT, RowState.FAILED, RowState.UNKNOWN}
    ),
    RowState.DONE: frozenset(),
    RowState.FAILED: frozenset(),
    RowState.CONFLICT: frozenset(),
}
"""From what state to what others a row may go within a run."""
