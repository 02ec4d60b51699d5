"""The settings of a client or a pool, checked."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from inspect import iscoroutinefunction
from ipaddress import ip_address
from ssl import SSLContext
from typing import Any, Final, Literal, TypeAlias, TypedDict
from urllib.parse import SplitResult, urlsplit

from attrs import Attribute, field, frozen

from cadenza_async import __version__
from cadenza_async._checks import check_text
from cadenza_async.errors import ConfigError, UsageError
from cadenza_async.models import Attempt

_HIGHEST = 1e9  # finite, and more than anybody waits
_BASE_URL = "base_url (or CADENZA_BASE_URL)"
_DIALECT = "dialect (or CADENZA_DIALECT)"

RateScope: TypeAlias = Literal["identity", "pool"]
Dialect: TypeAlias = Literal["pages", "openapi"]

ENVIRONMENTS: Final[Mapping[str, str]] = {
    "uat": "https://cadenza-api-uat.algo724.com",
    "production": "https://cadenza-api.algo724.com",
}


def _loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False


def _split(setting: str, url: object, *, nor: str = "") -> SplitResult:
    """Take a URL apart.

    Args:
        setting: What it is called.
        url: What should be one.
        nor: What else it could have been.

    Raises:
        ConfigError: If it is none, or holds what a URL of ours must not hold.
    """
    try:
        parts = urlsplit(url if isinstance(url, str) else "")
        well_formed = bool(parts.hostname) and parts.scheme in {"http", "https"}
        well_formed = well_formed and (parts.port is None or parts.port > 0)
        well_formed = well_formed and not any(map(str.isspace, parts.geturl()))
    except ValueError:
        parts, well_formed = urlsplit(""), False
    if not well_formed:
        raise ConfigError(
            f"{setting} is not an http(s) URL such as https://host or https://host:8443{nor}"
        )
    if parts.username is not None or parts.password is not None:
        raise ConfigError(f"{setting} must not carry a user name or a password")
    if parts.query or parts.fragment:
        raise ConfigError(f"{setting} must not carry a query or a fragment")
    return parts


def _base_url(given: object) -> str:
    """Return the origin, with the path it may be mounted at, and no slash at its end.

    Raises:
        ConfigError: If there is none, or it would send tokens in clear text over a network.
    """
    if isinstance(given, str) and given.lower() in ENVIRONMENTS:
        return ENVIRONMENTS[given.lower()]
    parts = _split(_BASE_URL, given, nor=', nor "uat" or "production"')
    if parts.scheme == "http" and not _loopback(parts.hostname or ""):
        raise ConfigError(f"{_BASE_URL} must use https: http is only for loopback addresses")
    url = parts.geturl().rstrip("/")
    if url.endswith("/api/v3"):
        raise ConfigError(f"{_BASE_URL} must not end in /api/v3: each call adds it")
    return url


def _proxy(given: object) -> str | None:
    return None if given is None else _split("proxy", given).geturl()


def _number(lowest: float, unit: str, *, whole: bool = False) -> Callable[..., None]:
    def check(_: object, attribute: Attribute[Any], value: Any) -> None:  # noqa: ANN401  # whatever a user gives
        kinds = int if whole else (int, float)
        fits = isinstance(value, kinds) and not isinstance(value, bool)
        if not (fits and lowest <= value <= _HIGHEST):
            kind = "a whole number" if whole else "a number"
            raise ConfigError(
                f"{attribute.name} must be {kind} of {unit}, from {lowest:g} to {_HIGHEST:,.0f}"
            )

    return check


def seconds(argument: str, given: object) -> float:
    """Return a duration that makes sense.

    Raises:
        UsageError: If it does not. The text names the argument.
    """
    if isinstance(given, bool) or not isinstance(given, int | float) or not 0 < given <= _HIGHEST:
        raise UsageError(
            f"{argument} must be a number of seconds above 0 and up to {_HIGHEST:,.0f}"
        )
    return float(given)


def _one_of(setting: str, *words: str) -> Callable[[object, Attribute[Any], Any], None]:
    def check(_: object, __: Attribute[Any], value: object) -> None:
        if value not in words:
            raise ConfigError(f"{setting} must be one of {', '.join(words)}")

    return check


def _context(_: object, attribute: Attribute[Any], value: object) -> None:
    if value is not None and not isinstance(value, SSLContext):
        raise ConfigError(f"{attribute.name} must be an ssl.SSLContext")


def _hook(_: object, attribute: Attribute[Any], value: object) -> None:
    if value is not None and (not callable(value) or iscoroutinefunction(value)):
        raise ConfigError(f"{attribute.name} must be a function, and not async: nobody awaits it")


def _header(_: object, attribute: Attribute[Any], value: str) -> None:
    check_text(attribute.name, value, error=ConfigError)


class Settings(TypedDict, total=False):
    """The keyword options that pools and clients share.

    Attributes:
        base_url: ``"uat"``, ``"production"`` or a URL; ``CADENZA_BASE_URL``, else UAT, when it
            is not given.
        timeout: Seconds a whole call may take, waits, retries and refresh included; default 30.
        retries: How often an attempt that provably changed nothing is repeated; default 3. A
            renewed token and, unless it is 0, a connection found closed give one more each.
        grace: Seconds that closing waits for what is in flight; default 10.
        max_connections: Sockets open at a time; default 100.
        proxy: The URL of an HTTP proxy. Proxies of the environment are not used.
        ssl_context: Instead of the default one, for example for a private authority.
        user_agent: How the client introduces itself; its name and version when not given.
        on_attempt: Called after every attempt with an `Attempt`; must not block.
        rate_scope: Whether the server's limits are counted for each ``"identity"``, the default,
            or for the whole ``"pool"``.
        dialect: Where Cadenza's reference pages and its OpenAPI document spell a field
            differently: which spelling is sent, ``"pages"`` or ``"openapi"``.
            ``CADENZA_DIALECT``, else the pages', when it is not given. All are understood.
    """

    base_url: str | None
    timeout: float
    retries: int
    grace: float
    max_connections: int
    proxy: str | None
    ssl_context: SSLContext | None
    user_agent: str
    on_attempt: Callable[[Attempt], None] | None
    rate_scope: RateScope
    dialect: Dialect | None


@frozen(kw_only=True)
class Config:
    """Checked settings; `Settings` tells what each means.

    Raises:
        ConfigError: If one cannot be used. The text names it.
    """

    base_url: str = "uat"
    timeout: float = field(default=30.0, validator=_number(0.001, "seconds"))
    retries: int = field(default=3, validator=_number(0, "retries", whole=True))
    grace: float = field(default=10.0, validator=_number(0, "seconds"))
    max_connections: int = field(default=100, validator=_number(1, "sockets", whole=True))
    proxy: str | None = None
    ssl_context: SSLContext | None = field(default=None, validator=_context)
    user_agent: str = field(default=f"cadenza-async/{__version__}", validator=_header)
    on_attempt: Callable[[Attempt], None] | None = field(default=None, validator=_hook)
    rate_scope: RateScope = field(
        default="identity", validator=_one_of("rate_scope", "identity", "pool")
    )
    dialect: Dialect = field(default="pages", validator=_one_of(_DIALECT, "pages", "openapi"))

    def __attrs_post_init__(self) -> None:
        # Not converters: while one fails, the object is half built, and its repr breaks whoever
        # reports the traceback with its locals.
        object.__setattr__(self, "base_url", _base_url(self.base_url))
        object.__setattr__(self, "proxy", _proxy(self.proxy))

    @classmethod
    def from_env(cls, settings: Settings) -> Config:
        """Build a config from what was given and, where nothing was, from the environment.

        Args:
            settings: What was given; else ``CADENZA_BASE_URL`` and ``CADENZA_DIALECT``.

        Raises:
            ConfigError: If a setting cannot be used, wherever it comes from.
        """
        given: dict[str, Any] = dict(settings)
        for name, default in (("base_url", "uat"), ("dialect", "pages")):
            if given.get(name) is None:
                given[name] = os.environ.get(f"CADENZA_{name.upper()}") or default
        return cls(**given)
