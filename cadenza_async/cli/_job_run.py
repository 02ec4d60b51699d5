"""One run: from its rows to their outcomes, whatever ends it."""

from __future__ import annotations

import sqlite3
from contextlib import AsyncExitStack
from functools import cache, partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, TypeAlias, cast

from attrs import define, field, frozen

from cadenza_async.cli._client import run
from cadenza_async.cli._exits import Stopped, stopped, unhurried
from cadenza_async.cli._output import write_json
from cadenza_async.cli._progress import Progress, watched
from cadenza_async.cli._rows import Source
from cadenza_async.cli._sandbox import play
from cadenza_async.cli._stored_session import default_source
from cadenza_async.cli._summary import Summary
from cadenza_async.cli._tally import Meter, Tally
from cadenza_async.client import AsyncCadenza
from cadenza_async.errors import CadenzaError, ConfigError
from cadenza_async.onboarding import RowState, onboard
from cadenza_async.onboarding._files.ahead import ReadAhead
from cadenza_async.onboarding._files.rehearsal import CALLS_A_MINUTE
from cadenza_async.onboarding._files.reports import Reports, describe
from cadenza_async.onboarding._files.tracked import TrackedRows
from cadenza_async.onboarding._states import Flavour
from cadenza_async.pool import SessionPool
from cadenza_async.sandbox import Sandbox

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from cadenza_async.auth import Token
    from cadenza_async.config import Dialect, Settings
    from cadenza_async.onboarding import RowOutcome
    from cadenza_async.onboarding._files.tracked import Origin

    Tokens: TypeAlias = Mapping[str, Token] | Callable[[str], Token] | None

_MINUTE: Final = 60
_IN_A_SANDBOX: Final = 10.0  # longer than its slowest commit
_DIALECTS: Final[Mapping[Flavour, Dialect]] = {
    Flavour.DIRECT: "pages",
    Flavour.CREDENTIAL: "openapi",
}


@frozen(kw_only=True)
class SandboxOptions:
    """What the sandbox of a run is to be like.

    Attributes:
        rate_limit: Calls of a user in a period; None: no limit.
        period: Its seconds.
        faults: What goes wrong.
    """

    rate_limit: int | None = None
    period: int = _MINUTE
    faults: tuple[str, ...] = ()


@frozen(kw_only=True)
class Plan:
    """How a run goes.

    Attributes:
        base_url: As for `AsyncCadenza`.
        dialect: Likewise; a sandbox of its own speaks the one that the flavour needs.
        grace: Likewise.
        quarantine: As for `onboard`; shorter in a sandbox, when not given.
        concurrency: As for `onboard`.
        unique_names: Likewise.
        retry_failed: Likewise.
        flavour: Likewise.
        sandbox: The sandbox it all happens in; None when it is for real.
        json: Whether scripts read the outcomes.
    """

    base_url: str | None = None
    dialect: str | None = None
    grace: float = 10.0
    quarantine: float | None = None
    concurrency: int | None = None
    unique_names: bool = False
    retry_failed: bool = False
    flavour: Flavour = Flavour.DIRECT
    sandbox: SandboxOptions | None = None
    json: bool = False

    @property
    def limit(self) -> int | None:
        """Calls that each user may make in `span` seconds."""
        return CALLS_A_MINUTE if self.sandbox is None else self.sandbox.rate_limit

    @property
    def span(self) -> int:
        """The seconds of the rate limit's window."""
        return _MINUTE if self.sandbox is None else self.sandbox.period

    def options(self) -> dict[str, Any]:
        """Return the keyword arguments of `onboard`."""
        given: dict[str, Any] = {
            "concurrency": self.concurrency,
            "unique_names": self.unique_names,
            "retry_failed": self.retry_failed,
            "flavour": self.flavour,
        }
        if self.sandbox is not None:
            given |= {"quarantine": _IN_A_SANDBOX, "patience": _IN_A_SANDBOX}
        return given if self.quarantine is None else {**given, "quarantine": self.quarantine}


@define(kw_only=True)
class JobRun:
    """A run with all that it needs.

    Attributes:
        plan: How it goes.
        source: The rows.
        tokens: The access tokens by user; None: all rows are one identity's.
        journal: The journal's path.
        reports: Where outcomes are written down, if anywhere.
        sandbox: The sandbox it happened in, if it did.
    """

    plan: Plan
    source: Source
    tokens: Tokens
    journal: Path
    reports: Reports | None = None
    sandbox: Sandbox | None = field(default=None, init=False)
    _tally: Tally = field(factory=Tally, init=False)
    _meter: Meter = field(init=False)
    _rows: TrackedRows = field(init=False)
    _missing: int | None = field(default=None, init=False)
    _unheard: OSError | None = field(default=None, init=False)
    _unwritten: ConfigError | None = field(default=None, init=False)

    def __attrs_post_init__(self) -> None:
        self._meter = Meter(self.plan.span)
        self._rows = TrackedRows(ReadAhead(self.source.rows))

    def run(self) -> int:
        """Connect the accounts, say what became of them, and return the exit code.

        Raises:
            Stopped: If somebody ended it.
            CadenzaError: If it could not begin, or go on.
            OSError: If standard output took no more; there are reports nevertheless.
        """
        ended: BaseException | None = None
        try:
            run(self._work())
        except KeyboardInterrupt as stop:
            ended = stopped(stop)
        except CadenzaError as error:
            ended = error
        except OSError as error:
            self._unheard = error
        except sqlite3.Error as error:
            ended = ConfigError(f"the journal {self.journal} cannot be used: {error}")
        if ended is None or self._rows.users:
            with unhurried():
                self._conclude()
        if isinstance(ended, Stopped):
            ended.doubtful = self._tally.states[RowState.UNKNOWN] > 0
        if ended := ended or self._unwritten or self._unheard:
            raise ended
        return self._tally.code()

    async def _work(self) -> None:
        async with AsyncExitStack() as stack:
            pool, tokens = await self._enter(stack)
            job = onboard(
                pool, self._rows, tokens=tokens, journal=self.journal, **self.plan.options()
            )
            await stack.enter_async_context(job)
            if self.reports is not None:
                self.reports.begin()  # nobody else has the journal now, and nothing is sent yet
            progress = Progress(
                counts=lambda: job.counts,
                users=self._rows.users if self.source.users is None else self.source.users,
                complete=self.source.users is not None,
                tally=self._tally,
                meter=self._meter,
                limit=self.plan.limit,
                calls=self.plan.flavour.calls,
            )
            async with watched(progress, json=self.plan.json):
                async for outcome in job:
                    self._take(outcome, self._rows.claim(outcome))
                    if self._unheard is not None:
                        break
            self._missing = job.missing

    async def _enter(self, stack: AsyncExitStack) -> tuple[SessionPool | AsyncCadenza, Tokens]:
        """Open what calls go through, and the sandbox they go to if there is one."""
        settings: Settings = {"grace": self.plan.grace, "on_attempt": self._meter.count}
        if self.plan.sandbox is not None:
            dialect = settings["dialect"] = _DIALECTS[self.plan.flavour]
            sandbox = self.sandbox = _build(self.plan.sandbox, dialect)
            settings["base_url"] = (await stack.enter_async_context(sandbox)).url
            client = AsyncCadenza(sandbox.access_token, **settings)
            return await stack.enter_async_context(client), cache(partial(_token, sandbox))
        settings["base_url"] = self.plan.base_url
        settings["dialect"] = cast("Dialect | None", self.plan.dialect)  # checked by the client
        if self.tokens is not None:
            return await stack.enter_async_context(SessionPool(**settings)), self.tokens
        source = default_source({"base_url": self.plan.base_url})
        if source is not None:
            await stack.enter_async_context(source)
            await source.token()  # nothing begins without one
        return await stack.enter_async_context(AsyncCadenza(source, **settings)), None

    def _take(self, outcome: RowOutcome, origin: Origin) -> None:
        facts = describe(outcome, origin)
        self._tally.add(outcome, facts)
        if self.reports is not None:
            self._write(partial(self.reports.add, outcome, origin))
        if self.plan.json:
            self._tell(partial(write_json, facts))

    def _write(self, write: Callable[[], None]) -> None:
        """Write to the reports; if they lack something, the rows go on, and the next run tells."""
        try:
            write()
        except ConfigError as error:
            self._unwritten = error

    def _tell(self, say: Callable[[], None]) -> None:
        """Say something, unless nobody has heard what was said before."""
        if self._unheard is None:
            try:
                say()
            except OSError as error:
                self._unheard = error

    def _conclude(self) -> None:
        """Account for every row that was read, those without an outcome included."""
        for outcome, origin in self._rows.leftovers(self.journal):
            self._take(outcome, origin)
        if self.reports is not None:
            self._write(self.reports.commit)
        name, whole = self.source.name, self._unwritten is None
        summary = Summary(
            tally=self._tally,
            missing=self._missing or 0,
            unread=None if self._rows.exhausted else f"{name} was not read to its end.",
            reports=self.reports.folder if self.reports is not None and whole else None,
            again=self.plan.sandbox is None,  # a sandbox is gone with its accounts
        )
        self._tell(partial(summary.tell, json=self.plan.json))


def _build(options: SandboxOptions, dialect: Dialect) -> Sandbox:
    sandbox = Sandbox(rate_limit=options.rate_limit, rate_period=options.period, dialect=dialect)
    play(sandbox, options.faults)
    return sandbox


def _token(sandbox: Sandbox, user: str) -> str:
    return sandbox.token(user, expires_in=None)
