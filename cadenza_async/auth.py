"""Where access tokens come from."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any, Protocol, TypeAlias, runtime_checkable

from attrs import Attribute, field, frozen

from cadenza_async._checks import check_text
from cadenza_async.errors import AuthenticationError, ConfigError
from cadenza_async.secret import Secret, hide

_BEARER = re.compile(r"[A-Za-z0-9._~+/-]+=*")
_LONGEST = 12_000  # all headers together may take 16 KB


@runtime_checkable
class TokenSource(Protocol):
    """Whatever can give the access token of one identity."""

    async def token(self, *, rejected: Secret | None = None) -> Secret:
        """Return the token to use now.

        Args:
            rejected: A token the server has just refused. The source must then return another
                one or raise.
        """
        ...


def _text(_: object, attribute: Attribute[Any], value: str | Secret) -> None:
    check_text(attribute.name, value)


@frozen(kw_only=True, init=False)
class PasswordLogin:
    """Logs in with e-mail and password, and refreshes (``POST /api/v3/auth/login``).

    Give it as ``access_token``. The access token is refreshed five minutes before it runs out
    (halfway, if it lives for less than ten), and whenever the server refuses it. A login that is
    refused is not tried again for half a minute: who asks meanwhile gets the same answer.

    Args:
        email: The user's e-mail address.
        password: The user's password.

    Raises:
        UsageError: If one of them cannot be sent. The text names it.
    """

    email: str = field(validator=_text)
    password: Secret = field(validator=_text)

    def __init__(self, *, email: str, password: str | Secret) -> None:
        password = hide(password)
        self.__attrs_init__(email=email, password=password)

    if TYPE_CHECKING:

        def __attrs_init__(self, **fields: object) -> None: ...


Token: TypeAlias = (
    str | Secret | Callable[[], Awaitable[str | Secret]] | TokenSource | PasswordLogin
)


def check_token(token: str | Secret) -> Secret:
    """Return the token as a `Secret` fit for a header (RFC 6750).

    Raises:
        ConfigError: If it is no such token. The text does not show it.
    """
    token = hide(token)
    if not token.holds_text():
        msg = (
            "the access token must be a string, a Secret, an async callable, a TokenSource or a"
            " PasswordLogin"
        )
    elif not token.check(bool):
        msg = "the access token is empty"
    elif not token.check(lambda text: bool(_BEARER.fullmatch(text)) and len(text) < _LONGEST):
        msg = (
            "the access token is no bearer token: only letters, digits and -._~+/= may be in it"
            " (is there a line break, a quote or the word 'Bearer'?)"
        )
    else:
        return token
    raise ConfigError(msg)


@frozen
class FixedToken:
    """A token that never changes."""

    value: Secret = field(converter=hide)

    def __attrs_post_init__(self) -> None:
        check_token(self.value)

    async def token(self, *, rejected: Secret | None = None) -> Secret:
        """Return the token; there is no other."""
        if rejected is not None:
            raise AuthenticationError("the access token was refused, and is fixed", status=401)
        return self.value


@frozen
class NoToken:
    """Stands where there is no token, for the calls that need none.

    Attributes:
        why: What whoever asks for the token is told.
    """

    why: str

    async def token(self, *, rejected: Secret | None = None) -> Secret:  # noqa: ARG002  # part of the protocol
        """Say that there is none.

        Raises:
            ConfigError: Always.
        """
        raise ConfigError(self.why)
