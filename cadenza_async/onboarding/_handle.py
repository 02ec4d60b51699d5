"""What a caller of `onboard` holds: an async iterator and a context manager in one."""
# What pools and clients share with this module is no business of their users:
# pyright: reportPrivateUsage=false

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterable, Iterable, Mapping
from functools import partial
from inspect import iscoroutine
from typing import TYPE_CHECKING, Any, Literal, Self, cast

from cadenza_async._sessions import token_source
from cadenza_async.client import AsyncCadenza
from cadenza_async.config import seconds
from cadenza_async.errors import ConfigError, UsageError
from cadenza_async.onboarding._desk import Options
from cadenza_async.onboarding._run import Run
from cadenza_async.onboarding._schema import path_of
from cadenza_async.onboarding._states import Flavour, RowState
from cadenza_async.pool import SessionPool
from cadenza_async.secret import Secret

if TYPE_CHECKING:
    import os
    from collections.abc import Callable, Coroutine
    from types import TracebackType

    from cadenza_async._session import Session
    from cadenza_async.auth import Token
    from cadenza_async.errors import InvalidRowError
    from cadenza_async.models import NewAccount
    from cadenza_async.onboarding._states import RowOutcome

    Rows = Iterable[NewAccount | InvalidRowError] | AsyncIterable[NewAccount | InvalidRowError]
    LookUp = Callable[[str], Token | None]


class Onboarding:
    """A run over many rows; `onboard` makes it. Iterate over it to get the outcome of each row.

    Use it with ``async with`` to stop at once on leaving: nothing more is sent, what is in flight
    gets the pool's ``grace`` seconds, and the journal is closed.

    Args:
        start: Begins the run.
    """

    def __init__(self, start: Callable[[], Coroutine[Any, Any, Run]]) -> None:
        self._start = start
        self._run: Run | None = None
        self._beginning = asyncio.Lock()
        self._closed = False

    async def __aenter__(self) -> Self:
        await self._running()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        await self.aclose()

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> RowOutcome:
        run = None if self._closed else await self._running()
        outcome = None if run is None else await run.next()
        if outcome is None:
            raise StopAsyncIteration
        return outcome

    async def aclose(self) -> None:
        """Stop. Nothing more is sent; what is in flight gets the pool's grace period."""
        self._closed = True
        async with self._beginning:
            run = self._run
        if run is not None:
            await run.stop()

    def __del__(self) -> None:
        if self._run is not None:
            self._run.abandon()

    @property
    def counts(self) -> dict[RowState, int]:
        """How many of the rows read so far are in each state now, those in flight as INTENT."""
        return dict.fromkeys(RowState, 0) if self._run is None else self._run.counts

    @property
    def missing(self) -> int | None:
        """How many keys of the journal were not among the rows; None until all were met.

        `JournalReader.rows` tells which.
        """
        return None if self._run is None else self._run.missing

    async def _running(self) -> Run | None:
        """Begin, if that has not been done; None if this was closed before."""
        if self._run is None:
            async with self._beginning:
                if self._run is None and not self._closed:
                    self._run = await self._start()
        return self._run


def onboard(
    pool: SessionPool | AsyncCadenza,
    rows: Iterable[NewAccount | InvalidRowError] | AsyncIterable[NewAccount | InvalidRowError],
    *,
    journal: str | os.PathLike[str],
    tokens: Mapping[str, Token] | Callable[[str], Token] | None = None,
    quarantine: float = 120.0,
    concurrency: int | None = None,
    unique_names: bool = False,
    retry_failed: bool = False,
    patience: float = 3600.0,
    flavour: Literal["direct", "credential"] = "direct",
) -> Onboarding:
    """Connect many accounts exactly once, as fast as the rate limits of their users allow.

    ::

        async with onboard(pool, rows, tokens=tokens, journal="accounts.journal") as run:
            async for outcome in run:
                print(outcome.key, outcome.state)

    As the method of a `Cadenza` it takes no pool, and wants ``with`` and ``for``.

    Every row yields one outcome, those that an earlier run settled included. The journal is what
    a later run with the same rows goes on from, whatever became of this one. No secret is in it.

    Args:
        pool: An open pool, or an open client: rows without a user are connected as the client.
        rows: The accounts, in any order of users; read as they are needed, at most 10,000 ahead.
            A plain iterable is read in the event loop: give an async one if reading can block.
            An `InvalidRowError` in place of a row becomes its outcome. What reading them raises
            ends the run, and is raised by it: rows that have no outcome yet are for a later run.
        journal: The path of the journal; made when it is not there.
        tokens: From a row's user to the user's access token, or what gives it.
        quarantine: Seconds after which a request that was sent has surely been carried out, or
            never will be. A row whose answer was lost is not sent again before.
        concurrency: Calls in flight at a time, at most; the pool's connections when not given.
        unique_names: Tell rows of equal names apart by a suffix, instead of refusing the later.
        retry_failed: Send the rows again that an earlier run had refused.
        patience: Seconds to go on trying. A row whose exchange is down, or whose sendings come to
            nothing, is left for a later run after that; so are the rows of a user whom Cadenza
            keeps waiting, and all rows if it cannot be reached.
        flavour: ``direct`` sends the keys with the connect. ``credential`` stores them first
            (``POST /api/v3/credential/create``), asks which account they reach
            (``POST /api/v3/credential/verify``) and connects it by reference; outcomes tell the
            ``credential_id``. A stored credential is used again by later runs, and gets the keys
            of a row that was corrected (``POST /api/v3/credential/rotate``). It is Cadenza's
            OpenAPI document that has these: give the pool ``dialect="openapi"``.

    Raises:
        UsageError: If an argument cannot be used. What is wrong with the journal is raised on
            entering: `ConfigError` if it belongs to another base URL or flavour, or to a job that
            is running.
    """
    look_up = _look_up(tokens)
    del tokens  # a traceback may show the locals of this frame
    if look_up is None:
        raise UsageError("tokens must be a mapping from user to token, or a function of the user")
    _check_pool(pool)
    _check_rows(rows)
    options = Options(
        path=path_of("journal", journal),
        quarantine=seconds("quarantine", quarantine),
        patience=seconds("patience", patience),
        concurrency=_slots(pool, concurrency),
        unique_names=_flag("unique_names", unique_names),
        retry_failed=_flag("retry_failed", retry_failed),
        flavour=_flavour(flavour),
    )
    return Onboarding(partial(_begin, pool, rows, look_up, options))


def _look_up(tokens: object) -> LookUp | None:
    """Return what looks a user's token up, and shows none; None if the tokens cannot be used."""
    if tokens is None:
        return lambda _: None
    if callable(tokens):
        return cast("LookUp", tokens)
    return cast("Mapping[str, Token]", tokens).get if isinstance(tokens, Mapping) else None


def _check_pool(pool: object) -> None:
    if not isinstance(pool, SessionPool | AsyncCadenza):
        raise UsageError(
            "pool must be a SessionPool or an AsyncCadenza (a Cadenza has a method `onboard`)"
        )


def _check_rows(rows: object) -> None:
    if isinstance(rows, str | bytes) or not isinstance(rows, Iterable | AsyncIterable):
        raise UsageError("rows must be an iterable of NewAccount, plain or async")


def _slots(pool: SessionPool | AsyncCadenza, concurrency: Any) -> int:  # noqa: ANN401  # whatever a user gives
    sockets = pool._shared.config.max_connections  # noqa: SLF001  # ours
    if concurrency is None:
        return sockets
    if isinstance(concurrency, bool) or not isinstance(concurrency, int) or concurrency < 1:
        raise UsageError("concurrency must be a whole number of calls, at least 1")
    return min(concurrency, sockets)


def _flag(name: str, given: object) -> bool:
    if not isinstance(given, bool):
        raise UsageError(f"{name} must be True or False")
    return given


def _flavour(word: str) -> Flavour:
    if word not in [*Flavour]:
        raise UsageError(f"flavour must be one of {', '.join(Flavour)}")
    return Flavour(word)


async def _begin(
    pool: SessionPool | AsyncCadenza, rows: Rows, look_up: LookUp, options: Options
) -> Run:
    pool._shared.check()  # noqa: SLF001  # ours
    return await Run.start(pool._shared, options, rows, partial(_find, pool, look_up))  # noqa: SLF001  # ours


def _find(pool: SessionPool | AsyncCadenza, look_up: LookUp, user: str) -> Session:
    """Return the session of a user.

    Raises:
        ConfigError: If there is no token for the user.
    """
    if not user and isinstance(pool, AsyncCadenza):
        return pool._open_session  # noqa: SLF001  # ours
    token = _token(look_up, user) if user else None
    return pool._sessions.get(token_source(token), user or None)  # noqa: SLF001  # ours


def _token(look_up: LookUp, user: str) -> Token:
    given: Any = None
    try:
        given = look_up(user)
        why = "the tokens have none"
    except (Exception, asyncio.CancelledError) as error:  # noqa: BLE001  # a user's own function
        why = f"looking for it failed with {type(error).__name__}"
    if iscoroutine(given):
        given.close()
        given, why = None, "tokens gave a coroutine, not a token or an async function to get one"
    if given is None:
        raise ConfigError(f"no access token for the user {user!r}: {why}")
    return Secret(given) if isinstance(given, str) else given
