"""The blocking client: the asynchronous one's methods, lifted over an anyio portal."""
# The lifters are part of the class that they are defined before:
# pyright: reportPrivateUsage=false

from __future__ import annotations

import os
import sys
from contextlib import ExitStack, suppress
from functools import partial, wraps
from typing import (
    TYPE_CHECKING,
    Any,
    Concatenate,
    Final,
    ParamSpec,
    Protocol,
    Self,
    TypeVar,
    Unpack,
    cast,
    overload,
)

from cadenza_async._portal import closed, opened, portals, wait
from cadenza_async.client import AsyncCadenza
from cadenza_async.errors import ClosedError, UsageError
from cadenza_async.onboarding import onboard
from cadenza_async.secret import Secret

if TYPE_CHECKING:
    from collections.abc import (
        AsyncGenerator,
        AsyncIterable,
        Callable,
        Coroutine,
        Iterator,
    )
    from types import TracebackType

    from cadenza_async._sessions import Options
    from cadenza_async.auth import Token
    from cadenza_async.onboarding import Onboarding, RowOutcome, RowState

_NOT_YET_OPEN: Final = "the client is not open: use it inside its 'with' block"
_SHUT: Final = "the client is closed, and stays closed: make another one"

P = ParamSpec("P")
T = TypeVar("T")
T_co = TypeVar("T_co", covariant=True)


class _Method(Protocol[P, T_co]):
    """A method as type checkers bind it; a plain callable is not bound by all of them."""

    @overload
    def __get__(self, instance: None, owner: type) -> Callable[Concatenate[Cadenza, P], T_co]: ...
    @overload
    def __get__(self, instance: object, owner: type) -> Callable[P, T_co]: ...


def _blocking(
    method: Callable[Concatenate[AsyncCadenza, P], Coroutine[Any, Any, T]],
) -> _Method[P, T]:
    """Lift a coroutine method."""

    @wraps(method)
    def call(self: Cadenza, *args: P.args, **kwargs: P.kwargs) -> T:
        try:
            self._check()
            job = method(self._async, *args, **kwargs)
        finally:
            del args, kwargs  # a traceback may show the locals of this frame
        return wait(job)

    return cast("_Method[P, T]", call)


def _iterating(
    method: Callable[Concatenate[AsyncCadenza, P], AsyncGenerator[T, None]],
) -> _Method[P, Iterator[T]]:
    """Lift a method that is an asynchronous generator; its loop closes what is left early."""

    @wraps(method)
    def call(self: Cadenza, *args: P.args, **kwargs: P.kwargs) -> Iterator[T]:
        rows = method(self._async, *args, **kwargs)
        while True:
            self._check()
            step = wait(_next(rows))
            if step is None:
                return
            yield step[0]

    return cast("_Method[P, Iterator[T]]", call)


async def _next(rows: AsyncIterable[T]) -> tuple[T] | None:
    async for row in rows:
        return (row,)
    return None


class BlockingOnboarding:
    """A run over many rows, in blocking code; `Cadenza.onboard` makes it.

    Iterate over it to get the outcome of each row. Use it with ``with`` to stop at once on leaving:
    nothing more is sent, what is in flight gets ``grace`` seconds, and the journal is closed.

    Args:
        check: Raises unless the client is open.
        run: The run.
    """

    def __init__(self, check: Callable[[], None], run: Onboarding) -> None:
        self._check = check
        self._run = run

    def __enter__(self) -> Self:
        self._check()
        wait(self._run.__aenter__())
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    def __iter__(self) -> Self:
        return self

    def __next__(self) -> RowOutcome:
        self._check()
        step = wait(_next(self._run))
        if step is None:
            raise StopIteration
        return step[0]

    def close(self) -> None:
        """Stop. Nothing more is sent; what is in flight gets the client's grace period."""
        with suppress(ClosedError):  # the run has ended with the client
            self._check()
            wait(self._run.aclose(), again=self._run.aclose)

    @property
    def counts(self) -> dict[RowState, int]:
        """How many of the rows read so far are in each state; see `Onboarding.counts`."""
        return self._run.counts

    @property
    def missing(self) -> int | None:
        """How many keys of the journal were not among the rows; see `Onboarding.missing`."""
        return self._run.missing


def _onboarding(
    method: Callable[Concatenate[AsyncCadenza, P], Onboarding],
) -> _Method[P, BlockingOnboarding]:
    """Lift what makes a run over many rows."""

    @wraps(method)
    def call(self: Cadenza, *args: P.args, **kwargs: P.kwargs) -> BlockingOnboarding:
        try:
            self._check()
            run = method(self._async, *args, **kwargs)
        finally:
            del args, kwargs  # as above
        return BlockingOnboarding(self._check, run)

    return cast("_Method[P, BlockingOnboarding]", call)


class Cadenza:
    """Cadenza for one identity, in blocking code.

    Use it with ``with``. All calls run in one background thread, so clients may be shared
    between threads; Ctrl-C cancels the call that is waited for.

    Args:
        access_token: As for `AsyncCadenza`.
        **options: As for `AsyncCadenza`, but for ``session``.

    Raises:
        ConfigError: If an option or the token cannot be used.
        UsageError: If ``session`` is given: an aiohttp session belongs to its own loop.
    """

    def __init__(self, access_token: Token | None = None, **options: Unpack[Options]) -> None:
        if options.get("session") is not None:
            raise UsageError("session= belongs to an event loop of yours: use AsyncCadenza")
        access_token = Secret(access_token) if isinstance(access_token, str) else access_token
        self._async = AsyncCadenza(access_token, **options)
        self._exits = ExitStack()
        self._open = False
        self._pid = 0

    def __enter__(self) -> Self:
        with ExitStack() as exits:
            exits.enter_context(portals())
            try:
                wait(opened(self._async))
            except ClosedError:
                raise  # it was opened before
            except BaseException:
                self._close()
                raise
            exits.callback(self._close)
            self._exits = exits.pop_all()
        self._open, self._pid = True, os.getpid()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._open = False
        # After a fork thread and sockets are the parent's; at a program's end its threads stand
        # still.
        if self._pid == os.getpid() and not sys.is_finalizing():
            self._exits.__exit__(kind, error, traceback)

    def _close(self) -> None:
        wait(closed(self._async), again=partial(closed, self._async))

    def _check(self) -> None:
        if not self._open:
            raise ClosedError(_SHUT if self._pid else _NOT_YET_OPEN)
        if self._pid != os.getpid():
            raise ClosedError("the client was opened before a fork: open one in each process")
        if sys.is_finalizing():
            raise ClosedError("the program has ended, and with it the thread of the client")

    connect_account = _blocking(AsyncCadenza.connect_account)
    connect_with_credential = _blocking(AsyncCadenza.connect_with_credential)
    connect_venue = _blocking(AsyncCadenza.connect_venue)
    resolve = _blocking(AsyncCadenza.resolve)

    list_accounts = _iterating(AsyncCadenza.list_accounts)
    get_account = _blocking(AsyncCadenza.get_account)
    enable_account = _blocking(AsyncCadenza.enable_account)
    disable_account = _blocking(AsyncCadenza.disable_account)
    rename_account = _blocking(AsyncCadenza.rename_account)
    disconnect_account = _blocking(AsyncCadenza.disconnect_account)
    list_operations = _iterating(AsyncCadenza.list_operations)

    create_credential = _blocking(AsyncCadenza.create_credential)
    list_credentials = _iterating(AsyncCadenza.list_credentials)
    verify_credential = _blocking(AsyncCadenza.verify_credential)
    rotate_credential = _blocking(AsyncCadenza.rotate_credential)
    revoke_credential = _blocking(AsyncCadenza.revoke_credential)

    login = _blocking(AsyncCadenza.login)
    refresh = _blocking(AsyncCadenza.refresh)
    logout = _blocking(AsyncCadenza.logout)
    user = _blocking(AsyncCadenza.user)
    health = _blocking(AsyncCadenza.health)

    onboard = _onboarding(onboard)
