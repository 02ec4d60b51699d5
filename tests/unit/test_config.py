"""Settings are checked when they are given, and the text of a refusal names the setting."""

from __future__ import annotations

import math
import re
import ssl
from typing import Any

import pytest

from cadenza_async import __version__
from cadenza_async.config import Config, Settings, seconds
from cadenza_async.errors import ConfigError, UsageError

from .samples import marker
from .showing import failure

UAT, PRODUCTION = "https://cadenza-api-uat.algo724.com", "https://cadenza-api.algo724.com"


def test_the_defaults() -> None:
    """What is not given is what the documentation says."""
    config = Config()
    assert config.base_url == UAT
    assert (config.timeout, config.retries, config.grace) == (30.0, 3, 10.0)
    assert (config.max_connections, config.rate_scope) == (100, "identity")
    assert (config.proxy, config.ssl_context, config.on_attempt) == (None, None, None)
    assert config.user_agent == f"cadenza-async/{__version__}"


@pytest.mark.parametrize("name", ["timeout", "retries", "grace", "max_connections"])
def test_the_numbers_that_the_docstring_tells(name: str) -> None:
    """Keyword options show no defaults, so `Settings` tells those of `Config`."""
    told = re.search(rf"{name}: [^:]*; default (\d+)\.", Settings.__doc__ or "")
    assert told is not None
    assert int(told[1]) == getattr(Config(), name)


@pytest.mark.parametrize(
    ("given", "base_url"),
    [
        ("uat", UAT),
        ("UAT", UAT),
        ("production", PRODUCTION),
        ("Production", PRODUCTION),
        (UAT, UAT),
        (f"{UAT}/", UAT),
        ("https://host:8443", "https://host:8443"),
        ("https://gateway/cadenza/", "https://gateway/cadenza"),
        ("https://10.0.0.1", "https://10.0.0.1"),
        ("HTTPS://Host", "https://Host"),
        ("http://localhost:8080", "http://localhost:8080"),
        ("http://LOCALHOST", "http://LOCALHOST"),
        ("http://127.0.0.1:1", "http://127.0.0.1:1"),
        ("http://127.8.9.10", "http://127.8.9.10"),
        ("http://[::1]:8080/", "http://[::1]:8080"),
    ],
)
def test_base_urls(given: str, base_url: str) -> None:
    """Two words, https anywhere, http on this machine alone; no slash at the end."""
    assert Config(base_url=given).base_url == base_url


@pytest.mark.parametrize(
    ("given", "why"),
    [
        ("http://cadenza-api.algo724.com", "must use https"),
        ("http://10.0.0.1", "must use https"),
        ("http://0.0.0.0", "must use https"),
        ("http://127.0.0.1.evil.test", "must use https"),
        ("http://localhost.evil.test", "must use https"),
        ("http://[2001:db8::1]", "must use https"),
        ("https://user@host", "must not carry a user name or a password"),
        ("https://user:pass@host", "must not carry a user name or a password"),
        ("https://@host", "must not carry a user name or a password"),
        ("http://localhost@evil.test", "must use https|must not carry a user name"),
        ("https://host?a=b", "must not carry a query or a fragment"),
        ("https://host/#top", "must not carry a query or a fragment"),
        ("https://host/api/v3", "must not end in /api/v3"),
        ("https://gateway/cadenza/api/v3/", "must not end in /api/v3"),
        ("https://", "is not an http"),
        ("https:///path", "is not an http"),
        ("https://host:0", "is not an http"),
        ("https://host:99999", "is not an http"),
        ("https://host:port", "is not an http"),
        ("https://[::1", "is not an http"),
        ("ftp://host", "is not an http"),
        ("host", "is not an http"),
        ("host:443", "is not an http"),
        ("", "is not an http"),
        ("staging", "is not an http"),
        ("https://host ", "is not an http"),
        ("https://ho st/cadenza", "is not an http"),
        (5, "is not an http"),
        (b"https://host", "is not an http"),
        (None, "is not an http"),
    ],
    ids=lambda value: repr(value)[:40],
)
def test_base_urls_that_are_refused(given: str, why: str) -> None:
    """A base URL that could send secrets astray is no base URL."""
    with pytest.raises(ConfigError, match=rf"^base_url.*({why})"):
        Config(base_url=given)


@pytest.mark.parametrize("setting", ["base_url", "proxy"])
@pytest.mark.parametrize(
    "url", ["https://user:{}@host", "https://host?token={}", "https://host:{}", "http://[{}"]
)
def test_a_refused_url_does_not_show(setting: str, url: str) -> None:
    """What somebody put into a URL may be a secret, and no chained error shows it either."""
    given: dict[str, Any] = {setting: url.format(marker())}
    error = failure(lambda: Config(**given), ConfigError)
    assert marker() not in f"{error}{error.args}{vars(error)}"
    assert (error.__cause__, error.__context__) == (None, None)


@pytest.mark.parametrize(
    "proxy", ["http://proxy:3128", "https://proxy", "http://10.0.0.1:3128/path", None]
)
def test_proxies(proxy: str | None) -> None:
    """A proxy may be reached over http: what goes through it is encrypted."""
    assert Config(proxy=proxy).proxy == proxy


@pytest.mark.parametrize("proxy", ["", "proxy:3128", "socks5://proxy", "http://a:b@proxy", 5])
def test_proxies_that_are_refused(proxy: str) -> None:
    """A proxy is an http(s) URL without a password."""
    with pytest.raises(ConfigError, match=r"^proxy "):
        Config(proxy=proxy)


NUMBERS = ("timeout", "grace", "retries", "max_connections")
ODD = {
    "nan": math.nan,
    "infinity": math.inf,
    "minus infinity": -math.inf,
    "huge": 10**400,
    "negative": -1,
    "true": True,
    "text": "5",
    "none": None,
    "complex": 5j,
}


@pytest.mark.parametrize("setting", NUMBERS)
@pytest.mark.parametrize("odd", ODD.values(), ids=ODD)
def test_numbers_that_are_refused(setting: str, odd: Any) -> None:
    """No setting takes what is no sensible number."""
    with pytest.raises(ConfigError, match=rf"^{setting} must be a"):
        Config(**{setting: odd})


@pytest.mark.parametrize(
    ("setting", "lowest", "too_low"),
    [("timeout", 0.001, 0), ("grace", 0, -0.001), ("retries", 0, -1), ("max_connections", 1, 0)],
)
def test_the_bounds_of_numbers(setting: str, lowest: float, too_low: float) -> None:
    """Each number has a least and a greatest value, and both are named when one is missed."""
    values: dict[str, Any] = {setting: lowest}
    assert getattr(Config(**values), setting) == lowest
    for odd in (too_low, 10**10):
        values[setting] = odd
        with pytest.raises(ConfigError, match=rf"^{setting} .*, from {lowest:g} to 1,000,000,000$"):
            Config(**values)


@pytest.mark.parametrize("setting", ["retries", "max_connections"])
def test_counts_are_whole(setting: str) -> None:
    """There is no half retry."""
    values: dict[str, Any] = {setting: 2.5}
    with pytest.raises(ConfigError, match=rf"^{setting} must be a whole number"):
        Config(**values)


@pytest.mark.parametrize("odd", [*ODD.values(), 0, 0.0], ids=[*ODD, "zero", "zero point zero"])
def test_a_duration_of_a_call_is_checked_too(odd: float) -> None:
    """The timeout of one call is refused by the argument's name."""
    with pytest.raises(UsageError, match=r"^timeout must be .* above 0 and up to 1,000,000,000$"):
        seconds("timeout", odd)


def test_durations_are_floats() -> None:
    """Whole seconds may be given as a whole number."""
    assert [seconds("timeout", given) for given in (1, 0.5)] == [1.0, 0.5]


@pytest.mark.parametrize("agent", ["", " ", "a\r\nX-Evil: 1", "nul\0", 5, None, b"x"], ids=repr)
def test_user_agents_that_are_refused(agent: str) -> None:
    """What would break the header is a setting to correct."""
    error = failure(lambda: Config(user_agent=agent), ConfigError)
    assert str(error).startswith("user_agent ")
    assert error.__context__ is None


@pytest.mark.parametrize("odd", [False, True, 0, "", "/etc/ssl/cert.pem"], ids=repr)
def test_contexts_that_are_refused(odd: Any) -> None:
    """Nothing turns verification off, and who tries to is told that it stays on."""
    with pytest.raises(ConfigError, match=r"^ssl_context must be an ssl.SSLContext"):
        Config(ssl_context=odd)


async def _awaited(_: object) -> None:
    """Be what nobody awaits."""


@pytest.mark.parametrize("odd", [False, 0, "print", _awaited])
def test_hooks_that_are_refused(odd: Any) -> None:
    """What cannot be called, or does nothing then, is found out before the first call."""
    with pytest.raises(ConfigError, match=r"^on_attempt must be a function"):
        Config(on_attempt=odd)


@pytest.mark.parametrize("scope", ["Pool", "", None, 5, ["pool"]], ids=repr)
def test_rate_scopes_that_are_refused(scope: Any) -> None:
    """There are two scopes."""
    with pytest.raises(ConfigError, match=r"^rate_scope must be one of identity, pool$"):
        Config(rate_scope=scope)


@pytest.mark.parametrize("dialect", ["Pages", "", None, 5], ids=repr)
def test_dialects_that_are_refused(dialect: Any) -> None:
    """There are two dialects."""
    with pytest.raises(ConfigError, match=r"^dialect .* must be one of pages, openapi$"):
        Config(dialect=dialect)


@pytest.mark.parametrize(
    ("given", "environ", "dialect"),
    [
        ({}, None, "pages"),
        ({}, "", "pages"),
        ({}, "openapi", "openapi"),
        ({"dialect": None}, "openapi", "openapi"),
        ({"dialect": "pages"}, "openapi", "pages"),
        ({"dialect": "pages"}, "nonsense", "pages"),
    ],
)
def test_the_dialect(
    monkeypatch: pytest.MonkeyPatch,
    given: Any,
    environ: str | None,
    dialect: str,
) -> None:
    """`CADENZA_DIALECT` counts where nothing was given."""
    if environ is not None:
        monkeypatch.setenv("CADENZA_DIALECT", environ)
    assert Config.from_env(given).dialect == dialect


@pytest.mark.parametrize("setting", ["base_url", "dialect"])
def test_a_refusal_names_the_variable(monkeypatch: pytest.MonkeyPatch, setting: str) -> None:
    """Who gave nothing learns that it is the environment that is wrong."""
    variable = f"CADENZA_{setting.upper()}"
    monkeypatch.setenv(variable, "nonsense")
    with pytest.raises(ConfigError, match=rf"^{setting} \(or {variable}\) "):
        Config.from_env({})


def test_the_rest_is_taken_as_it_is() -> None:
    """A context, a hook, an agent and a scope of the user's own are kept."""
    context, hook = ssl.create_default_context(), print
    config = Config(ssl_context=context, on_attempt=hook, user_agent="desk/1", rate_scope="pool")
    assert (config.ssl_context, config.on_attempt) == (context, hook)
    assert (config.user_agent, config.rate_scope) == ("desk/1", "pool")


@pytest.mark.parametrize(
    ("given", "environ", "base_url"),
    [
        ({}, {}, UAT),
        ({}, {"CADENZA_BASE_URL": ""}, UAT),
        ({}, {"CADENZA_BASE_URL": "production"}, PRODUCTION),
        ({"base_url": None}, {"CADENZA_BASE_URL": "https://host/"}, "https://host"),
        ({"base_url": "uat"}, {"CADENZA_BASE_URL": "production"}, UAT),
        ({"base_url": "uat"}, {"CADENZA_BASE_URL": "nonsense"}, UAT),
    ],
    ids=["nothing", "empty", "word", "none is not given", "given wins", "given hides"],
)
def test_the_environment(
    monkeypatch: pytest.MonkeyPatch,
    given: Any,
    environ: dict[str, str],
    base_url: str,
) -> None:
    """`CADENZA_BASE_URL` counts where nothing was given."""
    for name, value in environ.items():
        monkeypatch.setenv(name, value)
    assert Config.from_env(given).base_url == base_url


def test_an_empty_base_url_is_not_taken_for_none() -> None:
    """Who gives an empty text has made a mistake, and must not end up somewhere else."""
    with pytest.raises(ConfigError, match=r"^base_url"):
        Config.from_env({"base_url": ""})


def test_settings_are_given_by_name() -> None:
    """Nobody remembers their order."""
    anything: Any = Config
    with pytest.raises(TypeError, match="positional"):
        anything("uat")


def test_an_unknown_option_is_refused_by_name() -> None:
    """A misspelt option is no setting."""
    misspelt: Any = {"tiemout": 3}
    with pytest.raises(TypeError, match="tiemout"):
        Config.from_env(misspelt)
