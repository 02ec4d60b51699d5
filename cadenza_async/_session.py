"""One identity's calls: where token, rate budget, retry policy and transport meet."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any, Generic, TypeVar, cast

from cadenza_async import _report
from cadenza_async._calls import Answer, Call, NoAnswer
from cadenza_async._headers import rate_report, server_time
from cadenza_async._outcomes import Outcome, Verdict, judge
from cadenza_async._retry import Tried, plan
from cadenza_async._tokens import Tokens
from cadenza_async.auth import NoToken
from cadenza_async.config import seconds
from cadenza_async.errors import (
    AuthenticationError,
    CadenzaError,
    DeadlineExceededError,
)
from cadenza_async.models import Attempt, TradingAccount

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Coroutine

    from cadenza_async._budget import Ticket
    from cadenza_async._calls import RateClass
    from cadenza_async._headers import RateReport
    from cadenza_async._limits import Limits
    from cadenza_async._shared import Shared
    from cadenza_async._transport import Progress
    from cadenza_async.secret import Secret

T = TypeVar("T")
R = TypeVar("R")

_UNTRIED = Tried()
_REMEMBERED = 31  # accounts, a minute's worth at the published rate limit
_WRITE_MARGIN = 5.0  # seconds a write must have left for its answer


class Session:
    """Sends the calls of one identity.

    Args:
        shared: What it shares with the other sessions of its pool.
        tokens: Its access token.
        limits: The server's rate limits that it counts against.
        label: What its user calls it.

    Attributes:
        connected: The ids of the accounts it connected last.
        renames: Whether the server has answered a connect with another name than was sent.
    """

    __slots__ = ("__weakref__", "connected", "label", "limits", "renames", "shared", "tokens")

    def __init__(
        self, shared: Shared, tokens: Tokens, limits: Limits, *, label: str | None = None
    ) -> None:
        self.shared = shared
        self.tokens = tokens
        self.limits = limits
        self.label = label
        self.connected: tuple[str, ...] = ()
        self.renames = False

    def note(self, call: Call[Any], value: object) -> None:
        """Remember what a connect made, so that no other one is credited with it."""
        if call.connects and isinstance(value, TradingAccount):
            self.connected = (*self.connected[-_REMEMBERED:], value.trading_account_id)
            self.shared.credit(value, call.name)
            self.renames |= call.name is not None and value.name != call.name

    def end(self) -> None:
        """Forget the token, as the server has."""
        gone = NoToken("the client was logged out: open one with another access token")
        self.tokens = Tokens(gone, gone, self.shared.spawn)

    def send(
        self,
        call: Call[T],
        *,
        timeout: float | None = None,
        patience: float | None = None,
        before_attempt: Callable[[], Awaitable[None]] | None = None,
        before_retry: Callable[[], None] | None = None,
    ) -> Coroutine[Any, Any, T]:
        """Send a call until it is answered, refused, or not worth repeating.

        Args:
            call: What to send.
            timeout: Seconds for all of it; the pool's default when not given.
            patience: Seconds to wait for room in the rate limit, instead of within the timeout.
            before_attempt: Awaited before each attempt, once there is room for it; its time does
                not count. Only what can be repeated at once is repeated then: to wait and repeat
                is left to the caller.
            before_retry: Called when an attempt is over and another one may follow. An error of
                waiting for that one (for its time, its token, its room) says nothing of the
                attempt before.

        Raises:
            CadenzaError: As the outcome says.
        """
        timeout = self.shared.config.timeout if timeout is None else seconds("timeout", timeout)
        sending = _Sending(
            self, call, timeout, patience, before_attempt=before_attempt, before_retry=before_retry
        )
        return sending.run()


class _Sending(Generic[T]):
    """One call on its way, through all its attempts."""

    __slots__ = (
        "_ahead",
        "_before_attempt",
        "_before_retry",
        "_begin_by",
        "_call",
        "_deadline",
        "_first_sent",
        "_number",
        "_offset",
        "_patience",
        "_renewed",
        "_session",
        "_shared",
        "_throttled",
        "_timeout",
        "_token",
        "_tried",
    )

    def __init__(
        self,
        session: Session,
        call: Call[T],
        timeout: float,
        patience: float | None,
        *,
        before_attempt: Callable[[], Awaitable[None]] | None,
        before_retry: Callable[[], None] | None,
    ) -> None:
        self._session = session
        self._shared = session.shared
        self._call = call
        self._timeout = timeout
        self._patience = patience
        self._before_attempt = before_attempt
        self._before_retry = before_retry
        self._start_clock()
        self._number = 0
        self._renewed = False
        self._first_sent = self._offset = self._ahead = 0.0
        self._token: Secret | None = None
        self._tried = _UNTRIED
        self._throttled: CadenzaError | None = None

    def _start_clock(self) -> None:
        self._deadline = self._shared.loop.time() + self._timeout
        margin = min(_WRITE_MARGIN, self._timeout / 2) if self._call.write else 0.0
        self._begin_by = self._deadline - margin

    async def run(self) -> T:
        """Make attempts until there is nothing to be had from another one."""
        with self._shared:
            while True:
                outcome = await self._attempt()
                if outcome.error is None:
                    break
                if not await self._again(outcome):
                    raise outcome.error
        self._shared.retry_budget.credit()
        self._session.note(self._call, outcome.value)
        return cast("T", outcome.value)

    async def _attempt(self) -> Outcome[T]:
        """Wait for room in the rate limit and for the token, then send once."""
        shared, call = self._shared, self._call
        ticket = None
        if call.rate_class is not None:
            ticket = self._session.limits.enter_nowait(call.rate_class)
            ticket = ticket or await self._enter(call.rate_class)
        try:
            if self._patience is not None:
                self._start_clock()
            if call.authenticated:
                tokens = self._session.tokens
                self._token = tokens.fixed or await self._in_time(tokens.current())
            if self._before_attempt is not None:
                await self._before_attempt()
                self._start_clock()
            progress = shared.transport.begin(deadline=self._deadline, begin_by=self._begin_by)
        except BaseException:
            self._session.limits.refund(ticket)
            raise
        sent = self._count()
        try:
            reply = await shared.transport.exchange(call, token=self._token, progress=progress)
        except BaseException:
            self._abandon(ticket, progress, sent)
            raise
        return self._conclude(ticket, reply, sent)

    def _count(self) -> float:
        """Count the attempt that begins now; return the loop's time, and keep that of the first."""
        now = self._shared.loop.time()
        if not self._number:
            self._first_sent = self._shared.wall()
            self._offset = self._first_sent - now
            self._ahead = self._shared.clock.ahead_of(self._offset)
        self._number += 1
        return now

    async def _in_time(self, asked: Awaitable[R]) -> R:
        """Wait for what has to do with the token until it is too late to send."""
        try:
            async with self._shared.waits.at(self._begin_by):
                return await asked
        except TimeoutError:
            pass
        self._shared.check()
        raise DeadlineExceededError("no access token came in time; nothing was done")

    async def _enter(self, rate_class: RateClass) -> Ticket:
        give_up = self._begin_by
        if self._patience is not None:
            give_up = self._shared.loop.time() + self._patience
        try:
            return await self._session.limits.enter(rate_class, give_up)
        except DeadlineExceededError as error:
            late: CadenzaError = error
        self._shared.check()
        raise self._throttled or late

    def _conclude(self, ticket: Ticket | None, reply: Answer | NoAnswer, sent: float) -> Outcome[T]:
        """Judge the reply, and let clock, rate budget and observers know."""
        received = self._shared.loop.time()
        outcome = judge(self._call, reply, sent_at=self._first_sent, token=self._token)
        report = None
        if isinstance(reply, Answer):
            date = server_time(reply.headers)
            report = rate_report(reply.headers, date)
            believed = report or (outcome.reading and outcome.reading.envelope is not None)
            if date is not None and believed:  # a gateway's clock is what its limit goes by
                self._shared.clock.observe(date, sent=sent, received=received)
        self._settle(ticket, outcome, report)
        self._tell(outcome, received - sent)
        return outcome

    def _settle(
        self, ticket: Ticket | None, outcome: Outcome[T], report: RateReport | None
    ) -> None:
        if self._call.write and outcome.verdict is Verdict.UNKNOWN:
            self._shared.clock.doubt(self._offset, self._ahead)
        limits, reading = self._session.limits, outcome.reading
        if reading is not None:
            limits.settle(
                ticket,
                report,
                answered=reading.envelope is not None and reading.status != 401,
                refused=reading.status == 429 and outcome.verdict is Verdict.THROTTLED,
                wait=reading.wait,
            )
        elif outcome.verdict is Verdict.NOT_SENT:
            limits.refund(ticket)
        else:
            limits.settle(ticket, report, answered=False)

    def _abandon(self, ticket: Ticket | None, progress: Progress, sent: float) -> None:
        """Say what a cancelled attempt may have done; the cancellation itself goes on."""
        verdict = Verdict.NOT_SENT if progress.unsent else Verdict.UNKNOWN
        outcome: Outcome[T] = Outcome(verdict=verdict)
        self._settle(ticket, outcome, None)
        if self._call.write and not progress.unsent:
            _report.cancelled(self._call, self._first_sent)
        self._tell(outcome, self._shared.loop.time() - sent)

    async def _again(self, outcome: Outcome[T]) -> bool:
        """Tell whether to make another attempt, after waiting for its time."""
        if isinstance(outcome.error, AuthenticationError) and self._token is not None:
            return await self._renew(self._token)
        planned = plan(
            outcome,
            self._tried,
            write=self._call.write,
            retries=self._shared.config.retries,
            left=0.0 if self._before_attempt else self._begin_by - self._shared.loop.time(),
            jitter=self._shared.jitter,
        )
        if planned is None or not self._shared.retry_budget.spend(planned.cost):
            return False
        _report.retry(self._call, outcome, planned.wait)
        self._throttled = outcome.error if outcome.verdict is Verdict.THROTTLED else None
        self._tried = planned.tried
        self._announce_retry()
        if planned.wait:
            await self._shared.pause(planned.wait)
        return True

    async def _renew(self, refused: Secret) -> bool:
        """Get another token once: what a 401 refused was not done."""
        if self._renewed:
            return False
        self._renewed = True
        self._announce_retry()
        renewed = await self._in_time(self._session.tokens.renewed(refused))
        if renewed:
            _report.renewal(self._call)
        return renewed

    def _announce_retry(self) -> None:
        if self._before_retry is not None:
            self._before_retry()

    def _tell(self, outcome: Outcome[T], lasted: float) -> None:
        hook = self._shared.config.on_attempt
        if hook is None and not _report.log.isEnabledFor(logging.DEBUG):
            return
        reading = outcome.reading
        attempt = Attempt(
            method=self._call.method,
            path=self._call.path,
            number=self._number,
            verdict=outcome.verdict.value,
            seconds=lasted,
            status=reading.status if reading else None,
            errno=reading.errno if reading else None,
            request_id=reading.request_id if reading else None,
            venue=self._call.venue,
            name=self._call.name,
            identity=self._session.label,
        )
        _report.attempted(attempt, hook)
