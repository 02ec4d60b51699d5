"""The access token of one identity: asked for once, however many are waiting for it."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Coroutine
from inspect import isawaitable
from typing import Any, Generic, TypeVar

from cadenza_async._cancelling import is_cancelled, spared
from cadenza_async.auth import FixedToken, TokenSource, check_token
from cadenza_async.errors import ConfigError
from cadenza_async.secret import Secret, hide

T = TypeVar("T")

_HANGS = 300.0  # seconds after which a source is taken to hang, and is asked anew

Spawn = Callable[[Coroutine[Any, Any, T]], "asyncio.Task[T]"]


class SingleFlight(Generic[T]):
    """Does a thing once for all who want it at the same time.

    Args:
        spawn: Starts a task that outlives the one who asked first.
    """

    def __init__(self, spawn: Spawn[T]) -> None:
        self._spawn = spawn
        self._task: asyncio.Task[T] | None = None

    async def do(self, job: Callable[[], Coroutine[Any, Any, T]]) -> T:
        """Start the job, or join the one that is running, and return what it returns."""
        return await spared(self.start(job))

    def start(self, job: Callable[[], Coroutine[Any, Any, T]]) -> asyncio.Task[T]:
        """Start the job, unless it is running already."""
        if self._task is None:
            self._task = self._spawn(job())
            self._task.add_done_callback(self._landed)
        return self._task

    def _landed(self, task: asyncio.Task[T]) -> None:
        self._task = None
        if not task.cancelled():
            task.exception()  # everybody who asked may be gone


async def _asked(answer: Awaitable[str | Secret]) -> Secret:
    """Wait for the answer of a token source.

    Raises:
        ConfigError: If it cannot be awaited, was cancelled though we were not, or is no token. The
            text does not show it.
    """
    if not isawaitable(answer):
        del answer  # a traceback may show the locals of this frame
        raise ConfigError("what gives the access token must be async: make it an 'async def'")
    token: Secret | None = None
    try:
        token = hide(await answer)
    except asyncio.CancelledError:
        if is_cancelled():
            raise
    if token is None:
        raise ConfigError("what gives the access token was cancelled")
    if not token.holds_text():
        raise ConfigError("what gives the access token must return a string or a Secret")
    return check_token(token)


class CachedCallable:
    """Keeps what an async callable returned until the server refuses it.

    Args:
        ask: Returns a token.
        spawn: Starts a task of the pool.
    """

    def __init__(self, ask: Callable[[], Awaitable[str | Secret]], spawn: Spawn[Secret]) -> None:
        self._ask = ask
        self._flight = SingleFlight(spawn)
        self._token: Secret | None = None

    async def token(self, *, rejected: Secret | None = None) -> Secret:
        """Return what the callable returned last, or ask it; see `TokenSource`."""
        if self._token is None or self._token == rejected:
            self._token = await self._flight.do(self._fetch)
        return self._token

    async def _fetch(self) -> Secret:
        async with asyncio.timeout(_HANGS):
            return await _asked(self._ask())


class Tokens:
    """What a session asks for its token.

    Args:
        given: What the user gave.
        source: What is asked.
        spawn: Starts a task of the pool.
    """

    __slots__ = ("_given", "_renewal", "_source", "_spawn")

    def __init__(self, given: object, source: TokenSource, spawn: Spawn[Secret]) -> None:
        self._given = given
        self._source = source
        self._spawn = spawn
        self._renewal: SingleFlight[Secret] | None = None

    def come_from(self, given: object) -> bool:
        """Tell whether this is what the user gives now."""
        return self._given is given or self._given == given

    @property
    def fixed(self) -> Secret | None:
        """The token, if it never changes."""
        return self._source.value if isinstance(self._source, FixedToken) else None

    async def current(self) -> Secret:
        """Return the token to use now."""
        return await _asked(self._source.token())

    async def renewed(self, rejected: Secret) -> bool:
        """See to it that `current` is another token than the refused one; tell whether it is."""
        if self.fixed is not None:
            return self.fixed != rejected
        if await self.current() == rejected:
            if self._renewal is None:
                self._renewal = SingleFlight(self._spawn)
            await self._renewal.do(lambda: self._ask_again(rejected))
        return await self.current() != rejected

    async def _ask_again(self, rejected: Secret) -> Secret:
        async with asyncio.timeout(_HANGS):
            return await _asked(self._source.token(rejected=rejected))
