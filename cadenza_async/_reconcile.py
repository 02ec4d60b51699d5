"""What became of a connect whose answer was lost, as the list of accounts tells."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from attrs import frozen

from cadenza_async import _endpoints
from cadenza_async._calls import CONNECT
from cadenza_async._checks import check_given, check_moment
from cadenza_async._paging import Cursor
from cadenza_async.errors import (
    AmbiguousOutcomeError,
    OutcomeUnknownError,
    ServerError,
    UsageError,
)

if TYPE_CHECKING:
    from collections.abc import Iterable

    from cadenza_async._clock import ServerClock
    from cadenza_async._session import Session
    from cadenza_async.models import TradingAccount

_PASSES = 5
_SHORTEST_CUT = 16  # characters; "Desk 1" is not "Desk 12" cut short
_BEFORE_ALL = datetime(2000, 1, 1, tzinfo=UTC)  # earlier: a zero, or seconds taken for ms
_SLACK = timedelta(seconds=5)
_SLACK_WITHOUT_CLOCK = timedelta(minutes=5)


@frozen(kw_only=True)
class Question:
    """A connect that may have been done.

    Attributes:
        venue: The venue it named, unless it was by reference.
        name: The name it sent, if any.
        since: When it was first sent, by this machine's clock.
        external_id: What the exchange calls the account, if it was by reference.
        credential_id: The stored credential, likewise, if it is known.
        unanswered: Whether it is certain that no answer came; a caller who was cancelled may have
            lost one that did.
    """

    venue: str | None
    name: str | None
    since: datetime
    external_id: str | None = None
    credential_id: str | None = None
    unanswered: bool = False

    @classmethod
    def about(
        cls,
        error: OutcomeUnknownError | None,
        *,
        venue: str | None,
        name: str | None,
        since: datetime | None,
        external_id: str | None = None,
        credential_id: str | None = None,
    ) -> Question:
        """Take the question from an error, or from what the caller remembers.

        Raises:
            UsageError: If neither or both say which connect is meant, or an argument cannot be
                used.
        """
        if error is not None:
            error = _of_a_connect(error, venue, name, since, external_id, credential_id)
            venue, name, since = error.venue, error.name, error.sent_at
            external_id, credential_id = error.external_trading_account_id, error.credential_id
        if since is None or (venue is None and external_id is None):
            raise UsageError(
                "give the error of a connect, or its since= and its venue=, or"
                " external_trading_account_id= if it was by reference"
            )
        check_moment("since", since)
        check_given(name=name, required=False)
        check_given(
            venue=venue, external_trading_account_id=external_id, credential_id=credential_id
        )
        return cls(
            venue=venue,
            name=name,
            since=since,
            external_id=external_id,
            credential_id=credential_id,
            unanswered=error is not None,
        )

    @property
    def target(self) -> str:
        """What was to be connected, for people."""
        return self.venue or f"the exchange's {self.external_id!r}"

    def allows(self, account: TradingAccount) -> bool:
        """Tell whether an account may be meant, by all that is known but its name and time."""
        other_venue = self.venue is not None and account.venue.casefold() != self.venue.casefold()
        told = account.external_trading_account_id
        other_id = None not in {told, self.external_id} and told != self.external_id
        ids = account.credential_ids
        other_keys = self.credential_id is not None and ids and self.credential_id not in ids
        return not (other_venue or other_id or other_keys)

    def refers_to(self, account: TradingAccount) -> bool:
        """Tell whether an account is the one at the exchange, connected with these keys."""
        return (
            self.external_id is not None
            and account.external_trading_account_id == self.external_id
            and self.credential_id in account.credential_ids
        )

    def fits(self, account: TradingAccount) -> bool:
        """Tell whether an account is called as the connect called it."""
        return self.refers_to(account) if self.name is None else account.name == self.name


def _of_a_connect(error: object, *besides: object) -> OutcomeUnknownError:
    if not isinstance(error, OutcomeUnknownError):
        raise UsageError("error must be an OutcomeUnknownError, as a connect raises it")
    if error.path not in {None, CONNECT}:
        raise UsageError(f"{error.path} connects nothing. {error.remedy}")
    if any(each is not None for each in besides):
        raise UsageError("error= says it all: leave the rest out, or the error")
    return error


async def sweep(session: Session, *, timeout: float | None = None) -> list[TradingAccount]:
    """List all accounts of an identity, whatever their venue and status.

    A list that changes while its pages are read may skip a row: then it is read again.

    Args:
        session: The identity's session.
        timeout: Seconds for each page.

    Raises:
        ServerError: If it changes every time.
        CadenzaError: If a page cannot be had.
    """
    before: set[str] | None = None
    for _ in range(_PASSES):
        cursor = Cursor()
        accounts: list[TradingAccount] = []
        while not cursor.finished:
            call = _endpoints.list_accounts(offset=cursor.offset)
            accounts += cursor.advance(await session.send(call, timeout=timeout))
        if cursor.settled(before):
            return accounts
        before = cursor.seen
    raise ServerError("the list of accounts changed each time it was read", status=200)


async def resolve(
    session: Session, question: Question, *, timeout: float | None = None
) -> TradingAccount | None:
    """Find the account that a connect made, if it made one.

    Raises:
        AmbiguousOutcomeError: If several accounts fit, or one that cannot be told apart.
    """
    accounts = await sweep(session, timeout=timeout)
    if question.unanswered:
        accounts = [a for a in accounts if a.trading_account_id not in session.connected]
    accounts = [a for a in accounts if not _of_another(question, session, a)]
    candidates = candidates_for(question, accounts, lead_of(session.shared.clock))
    found = choose(question, candidates, renames=session.renames)
    if found is not None and question.name is not None:
        session.shared.credit(found, question.name)
    return found


def lead_of(clock: ServerClock) -> timedelta:
    """Return how far the clock that dates accounts is ahead of ours, at the least."""
    slack = _SLACK if clock.known else _SLACK_WITHOUT_CLOCK
    return timedelta(seconds=clock.ahead()) - slack


def _of_another(question: Question, session: Session, account: TradingAccount) -> bool:
    """Tell whether an account is known to come from a connect of another name."""
    name = session.shared.sent_as.get(account.trading_account_id, question.name)
    return folded(name) != folded(question.name)


def candidates_for(
    question: Question, accounts: Iterable[TradingAccount], lead: timedelta
) -> list[TradingAccount]:
    """Return the accounts that may be meant and were not surely there before the connect.

    Args:
        question: What is asked.
        accounts: All there are.
        lead: How far the clock that dates them is ahead of ours, at the least.
    """
    return [
        account
        for account in accounts
        if question.allows(account) and not is_older(account.created_at, question.since, lead)
    ]


def is_older(created: datetime | None, since: datetime, lead: timedelta = timedelta()) -> bool:
    """Tell whether a time is before a moment, and one that can be meant."""
    if created is None or created < _BEFORE_ALL:
        return False
    return created - since < lead  # the sum could be beyond the last year there is


def choose(
    question: Question, candidates: list[TradingAccount], *, renames: bool
) -> TradingAccount | None:
    """Pick the account by its name, or by what it refers to if the connect had none.

    Args:
        question: What is asked.
        candidates: Accounts that the connect may have made.
        renames: Whether the server has been seen to change names.

    Raises:
        AmbiguousOutcomeError: If that does not decide.
    """
    fitting = [account for account in candidates if question.fits(account)]
    if fitting:
        doubtful = fitting if len(fitting) > 1 else []
    elif question.name is None or renames:
        doubtful = candidates
    else:
        doubtful = _alike(question, question.name, candidates)
    if doubtful:
        raise AmbiguousOutcomeError(_describe(question, len(doubtful)), accounts=doubtful)
    return fitting[0] if fitting else None


def _alike(question: Question, name: str, candidates: list[TradingAccount]) -> list[TradingAccount]:
    """Return accounts that may be meant, their name having been trimmed, cut or changed since."""
    wanted = folded(name)
    return [
        account
        for account in candidates
        if (given := folded(account.name)) == wanted
        or (len(given) >= _SHORTEST_CUT and wanted.startswith(given))
        or question.refers_to(account)
        or was_changed(account)
    ]


def was_changed(account: TradingAccount) -> bool:
    """Tell whether an account is not as it was made, so that it may have had another name.

    The clock that dates it may have been set back since.
    """
    made, changed = account.created_at, account.updated_at
    return made is not None and changed is not None and made != changed


def folded(name: str | None) -> str:
    """Return a name without case and spaces, which Cadenza might change."""
    return "".join((name or "").casefold().split())


def _describe(question: Question, number: int) -> str:
    several = "s" if number > 1 else ""
    asked = f"named {question.name!r}" if question.name else "without a name"
    return (
        f"{number} account{several} of {question.target} may come from the connect"
        f" {asked} of {question.since.isoformat(timespec='seconds')}"
    )
