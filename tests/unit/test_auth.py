"""Tokens and logins: what fits a header, and what never shows."""

from __future__ import annotations

import inspect

import pytest

from cadenza_async import PasswordLogin, Secret, TokenSource
from cadenza_async.auth import FixedToken, check_token
from cadenza_async.errors import AuthenticationError, ConfigError, UsageError

from .samples import marker
from .showing import failure, shown
from .virtual import run


@pytest.mark.parametrize(
    "token",
    ["a", "eyJhbGciOi.eyJzdWIi.c2ln", "A-z_0.9~+/", "abc=", "abc==", "x" * 11_999],
    ids=["letter", "jwt", "alphabet", "padding", "more padding", "long"],
)
def test_bearer_tokens_pass(token: str) -> None:
    """What RFC 6750 allows is taken, as a string or as a secret."""
    assert check_token(token).reveal() == token
    assert check_token(Secret(token)).reveal() == token


@pytest.mark.parametrize(
    ("token", "why"),
    [
        ("", "is empty"),
        (" ", "is no bearer token"),
        ("two words", "is no bearer token"),
        ("line\n", "is no bearer token"),
        ("\nline", "is no bearer token"),
        ("inject\r\nX-Evil: 1", "is no bearer token"),
        ("Bearer abc", "is no bearer token"),
        ('"quoted"', "is no bearer token"),
        ("a=b", "is no bearer token"),
        ("=", "is no bearer token"),
        ("tökén", "is no bearer token"),
        ("١٢٣", "is no bearer token"),
        ("nul\0", "is no bearer token"),
        ("\ud800", "is no bearer token"),
        ("x" * 12_000, "is no bearer token"),
        (None, "must be a string"),
        (5, "must be a string"),
        (b"abc", "must be a string"),
    ],
    ids=lambda value: repr(value)[:20],
)
def test_what_is_no_token_is_refused(token: str, why: str) -> None:
    """A token that would break the header is a setting to correct."""
    with pytest.raises(ConfigError, match=why):
        check_token(token)


@pytest.mark.parametrize("flaw", ["\n", " ", "\0", "é"], ids=repr)
def test_a_refused_token_does_not_show(flaw: str) -> None:
    """Neither the text, nor a chained error, nor the locals of our frames hold it."""
    for check in (
        lambda: check_token(marker("token") + flaw),
        lambda: FixedToken(Secret(marker("token") + flaw)),
    ):
        error = failure(check, ConfigError)
        assert marker("token") not in shown(error)
        assert error.__context__ is None


def test_a_fixed_token_has_no_other() -> None:
    """It is given when asked, and once refused there is nothing else to give."""
    source = FixedToken(marker())
    assert run(source.token).reveal() == marker()
    with pytest.raises(AuthenticationError, match="is fixed") as refused:
        run(lambda: source.token(rejected=Secret(marker())))
    assert refused.value.status == 401
    assert marker() not in shown(refused.value)
    assert marker() not in repr(source)


def test_equal_tokens_make_equal_sources() -> None:
    """A pool knows an identity again by its token."""
    assert FixedToken("a") == FixedToken(Secret("a"))
    assert FixedToken("a") != FixedToken("b")


@pytest.mark.parametrize(
    ("given", "argument"),
    [
        ({"email": ""}, "email"),
        ({"email": "a\nb@c"}, "email"),
        ({"email": None}, "email"),
        ({"password": ""}, "password"),
        ({"password": "\t" + marker()}, "password"),
        ({"password": None}, "password"),
    ],
    ids=lambda value: str(value).replace(marker(), "…"),
)
def test_a_login_is_checked_when_it_is_made(given: dict[str, str], argument: str) -> None:
    """What is wrong is named, and the password does not show."""
    login = {"email": "ops@example.test", "password": marker("pass"), **given}
    error = failure(lambda: PasswordLogin(**login), UsageError)
    assert str(error).startswith(argument)
    assert not [role for role in ("", "pass") if marker(role) in shown(error)]


def test_a_login_hides_its_password() -> None:
    """Strings and secrets are taken, and the repr shows neither."""
    login = PasswordLogin(email="ops@example.test", password=marker())
    assert login == PasswordLogin(email="ops@example.test", password=Secret(marker()))
    assert marker() not in repr(login)


class Vault:
    """A token source as a user writes it."""

    async def token(self, *, rejected: Secret | None = None) -> Secret:
        return Secret("from the vault")


def test_a_token_source_is_known_by_its_method() -> None:
    """Nobody has to inherit from us; a string and a function are no sources."""
    assert isinstance(Vault(), TokenSource)
    assert isinstance(FixedToken("a"), TokenSource)
    assert not isinstance("token", TokenSource)
    assert not isinstance(Vault().token, TokenSource)
    assert inspect.iscoroutinefunction(TokenSource.token)
