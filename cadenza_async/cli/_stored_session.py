"""The session that `cadenza login` stored, as the token source of a command.

A refresh token works once. Its successor is stored in one step before anything else is done with
it, and neither Ctrl-C nor SIGTERM comes between the two. If the process is killed there, or the
answer lost, the stored access token is used to its end, and then there is a new login to make.
"""

from __future__ import annotations

import asyncio
import os
import time
from concurrent.futures import Future
from threading import Thread
from typing import TYPE_CHECKING, Any, Final, Self, TypeVar

from attrs import evolve

from cadenza_async._tokens import SingleFlight
from cadenza_async.cli._keyring import Entry, Kept
from cadenza_async.cli._output import complain
from cadenza_async.client import AsyncCadenza
from cadenza_async.config import Config
from cadenza_async.errors import (
    AuthenticationError,
    CadenzaError,
    ConfigError,
    OutcomeUnknownError,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine

    from cadenza_async.config import Settings
    from cadenza_async.models import LoginSession
    from cadenza_async.secret import Secret

T = TypeVar("T")

_EARLY: Final = 300.0  # seconds before the end at which a token is refreshed
_PATIENCE: Final = 30.0  # seconds between attempts to refresh a token that is still good
_GRACE: Final = 10.0  # seconds that the end of a command waits for a refresh
_LOOKS: Final = 15  # at what another command may be storing, and seconds between them
_BETWEEN: Final = 0.2
_ENDED: Final = "the stored session has ended: 'cadenza login' begins another"
_SOMEBODY_ELSE: Final = "another user has logged in meanwhile, for whom this must not go on"


def to_be_kept(session: LoginSession, email: str) -> Kept:
    """Return what to store of somebody's session that has just begun."""
    ends = time.time() + session.expires_in
    return Kept(
        email=email,
        access_token=session.access_token,
        refresh_token=session.refresh_token,
        due=ends - min(_EARLY, session.expires_in / 2),
        ends=ends,
    )


def entry_for(settings: Settings) -> Entry:
    """Return where the session for a Cadenza is stored."""
    return Entry(Config.from_env(settings).base_url)


def default_source(settings: Settings) -> StoredSession | None:
    """Return the stored session, unless the environment has a token, which goes before it.

    Args:
        settings: Of the client that is to be opened.
    """
    if os.environ.get("CADENZA_ACCESS_TOKEN"):
        return None
    return StoredSession(entry_for(settings), settings)


class StoredSession:
    """A token source that refreshes what is stored; it is left after the client that asks it.

    Args:
        entry: Where it is stored.
        settings: Of the client that refreshes it.
    """

    def __init__(self, entry: Entry, settings: Settings) -> None:
        self._entry = entry
        self._settings = settings
        self._kept: Kept | None = None
        self._not_before = 0.0
        self._flight: SingleFlight[Kept] = SingleFlight(self._spawn)
        self._task: asyncio.Task[Any] | None = None

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        if self._task is not None:
            await asyncio.wait([self._task], timeout=_GRACE)

    async def token(self, *, rejected: Secret | None = None) -> Secret:
        """Return a token that is good now; see `TokenSource`.

        Raises:
            ConfigError: If nobody is logged in.
            AuthenticationError: If the session has ended, or is another user's by now.
            CadenzaError: If it cannot be refreshed now, and must be.
        """
        kept = self._kept = self._kept or await self._read()
        if kept.access_token == rejected or time.time() >= max(kept.due, self._not_before):
            kept = self._kept = await self._flight.do(lambda: self._renewed(rejected))
        return kept.access_token

    def _spawn(self, job: Coroutine[Any, Any, Kept]) -> asyncio.Task[Kept]:
        self._task = task = asyncio.create_task(job)
        return task

    async def _renewed(self, rejected: Secret | None) -> Kept:
        self._not_before = time.time() + _PATIENCE
        kept = await self._read()  # another command may have been quicker
        if time.time() >= kept.due or kept.access_token == rejected:
            kept = await self._refreshed(kept, needed=not _good(kept, rejected))
        if not _good(kept, rejected):
            raise AuthenticationError(_ENDED, status=401)
        return kept

    async def _refreshed(self, kept: Kept, *, needed: bool) -> Kept:
        if kept.refresh_token is None:
            return kept
        try:
            async with AsyncCadenza(**self._settings) as client:
                session = await client.refresh(kept.refresh_token)
        except (AuthenticationError, OutcomeUnknownError):
            return await self._successor(kept)
        except CadenzaError:
            if needed:
                raise
            return kept
        return await self._replace(kept, to_be_kept(session, kept.email))

    async def _successor(self, spent: Kept) -> Kept:
        """Return what another command has stored, or else never use a refresh token again."""
        for _ in range(_LOOKS):
            await asyncio.sleep(_BETWEEN)
            kept = await self._read()
            if kept != spent:
                return kept
        return await self._replace(spent, _used_up(spent))

    async def _read(self) -> Kept:
        kept = await _unattended(self._entry.read)
        if kept is None:
            raise ConfigError(
                f"nobody is logged in at {self._entry.url}:"
                " run 'cadenza login', or set CADENZA_ACCESS_TOKEN"
            )
        if self._kept is not None and self._kept.email != kept.email:
            raise AuthenticationError(_SOMEBODY_ELSE, status=401)
        return kept

    async def _replace(self, spent: Kept, kept: Kept) -> Kept:
        """Store what goes in the place of another, unless something else is there by now."""
        try:
            found = await self._read()  # nobody may have logged out meanwhile, nor another one in
            if found not in (spent, _used_up(spent)):  # who came too late had given it up
                return found
            await asyncio.to_thread(self._entry.write, kept)
        except ConfigError as error:  # it still serves this command
            complain(f"the session is not stored: {error}", "Log in again after this.")
        return kept


async def _unattended(do: Callable[[], T]) -> T:
    """Do it in a thread that ends with the command: a keyring may wait for its owner for ever."""
    future: Future[T] = Future()
    future.set_running_or_notify_cancel()

    def work() -> None:
        try:
            future.set_result(do())
        except Exception as error:  # noqa: BLE001  # raised where it is awaited
            future.set_exception(error)

    Thread(target=work, daemon=True).start()
    return await asyncio.wrap_future(future)


def _used_up(kept: Kept) -> Kept:
    return evolve(kept, refresh_token=None)


def _good(kept: Kept, rejected: Secret | None) -> bool:
    return kept.access_token != rejected and time.time() < kept.ends
