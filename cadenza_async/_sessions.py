"""The sessions of a pool, one for each identity."""

from __future__ import annotations

import os
import secrets
from collections import OrderedDict
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, TypeAlias, cast
from weakref import WeakValueDictionary

from cadenza_async._limits import Limits
from cadenza_async._login import LoginTokens
from cadenza_async._session import Session
from cadenza_async._shared import Shared
from cadenza_async._tokens import CachedCallable, Tokens
from cadenza_async._transport import ClientSession
from cadenza_async.auth import FixedToken, NoToken, PasswordLogin, TokenSource
from cadenza_async.config import Config, Settings
from cadenza_async.errors import ConfigError, UsageError
from cadenza_async.secret import Secret

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping

    from cadenza_async._transport import Middleware
    from cadenza_async.auth import Token

    Source: TypeAlias = TokenSource | PasswordLogin | Callable[[], Awaitable[str | Secret]]

_NO_TOKEN = NoToken("no access token: give access_token= or set CADENZA_ACCESS_TOKEN")
_LINGER = 3600.0  # seconds that an identity nobody holds is remembered with its rate budget


class Options(Settings, total=False):
    """The keyword options of pools and clients; see `AsyncCadenza`."""

    session: ClientSession | None
    middlewares: Sequence[Middleware]


def configure(options: Options) -> Shared:
    """Check the options and build what the sessions of a pool share. Nothing is opened.

    Raises:
        ConfigError: If an option cannot be used.
        UsageError: If options contradict one another.
    """
    settings = cast("dict[str, Any]", dict(options))
    session = settings.pop("session", None)
    middlewares = settings.pop("middlewares", ())
    _check_middlewares(middlewares)
    if session is not None:
        _check_lent(session, settings)
    config = Config.from_env(cast("Settings", settings))
    return Shared(config, session=session, middlewares=middlewares)


def _check_middlewares(given: object) -> None:
    if not isinstance(given, Sequence) or not all(map(callable, cast("Sequence[object]", given))):
        raise ConfigError("middlewares must be a list of aiohttp middlewares, which are functions")


def _check_lent(session: object, settings: Mapping[str, Any]) -> None:
    if not isinstance(session, ClientSession):
        raise ConfigError("session must be an aiohttp.ClientSession")
    beside = {"max_connections", "proxy", "ssl_context"} & settings.keys()
    if beside:
        raise UsageError(f"{min(beside)} cannot be given with session=: set it on your session")
    if session.trust_env:
        raise UsageError("session= must not have trust_env: a .netrc would replace the token")


def token_source(given: Token | None) -> Source:
    """Return where an identity's tokens come from: given, from the environment, or nowhere.

    Raises:
        ConfigError: If what was given cannot be a token.
    """
    if given is None:
        given = Secret(os.environ.get("CADENZA_ACCESS_TOKEN", ""))
        if not given.check(bool):
            return _NO_TOKEN
    if isinstance(given, TokenSource | PasswordLogin) or callable(given):
        return given
    return FixedToken(given)


class _Itself:
    """An object as a key: equal to nothing else, and kept, so that no other has its id."""

    __slots__ = ("_thing",)

    def __init__(self, thing: object) -> None:
        self._thing = thing

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Itself) and other._thing is self._thing

    def __hash__(self) -> int:
        return id(self._thing)


class Sessions:
    """Finds or makes the session of an identity.

    Args:
        shared: What they share. It must be open when one is asked for.
    """

    def __init__(self, shared: Shared) -> None:
        self._shared = shared
        self._spawn = shared.spawn  # bound once: each identity holds it
        self._key = secrets.token_bytes(16)
        self._known: WeakValueDictionary[object, Session] = WeakValueDictionary()
        self._recent: OrderedDict[object, tuple[float, Session]] = OrderedDict()
        self._common: Limits | None = None

    def get(self, source: Source, label: str | None = None) -> Session:
        """Return the session of a label, or of a token source when there is no label.

        Args:
            source: Where tokens come from; it replaces the one of an equal label, and one that was
                logged out.
            label: What the user calls the identity.
        """
        key = self._identify(source) if label is None else ("label", label)
        session = self._known.get(key)
        if session is None:
            limits = self._limits()
            tokens = self._tokens(source, limits, label)
            session = self._known[key] = Session(self._shared, tokens, limits, label=label)
        elif not session.tokens.come_from(source):
            session.tokens = self._tokens(source, session.limits, label)
        self._remember(key, session)
        return session

    def labelled(self, label: str | None) -> Session | None:
        """Return the session of a label, if it is known and has a token."""
        key = ("label", label)
        session = self._known.get(key)
        if session is None or session.tokens.come_from(_NO_TOKEN):
            return None
        self._remember(key, session)
        return session

    def _identify(self, source: Source) -> object:
        if isinstance(source, FixedToken):
            return ("token", source.value.digest(self._key))
        return _Itself(source)

    def _tokens(self, source: Source, limits: Limits, label: str | None) -> Tokens:
        spawn = self._spawn
        if isinstance(source, PasswordLogin):
            asking = LoginTokens(self._shared, limits, source, label=label)
            return Tokens(source, asking, spawn)
        asked = source if isinstance(source, TokenSource) else CachedCallable(source, spawn)
        return Tokens(source, asked, spawn)

    def _limits(self) -> Limits:
        shared = self._shared
        limits = self._common or Limits(shared.clock, shared.waits, shared.loop)
        if shared.config.rate_scope == "pool":
            self._common = limits
        return limits

    def _remember(self, key: object, session: Session) -> None:
        """Keep what an identity has learned, even if its client is thrown away after each call."""
        now = self._shared.loop.time()
        self._recent[key] = now, session
        self._recent.move_to_end(key)
        while now - next(iter(self._recent.values()))[0] > _LINGER:
            self._recent.popitem(last=False)
