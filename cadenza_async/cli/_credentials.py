"""An exchange account's keys, and the two ways to write them down."""

from __future__ import annotations

import json
import os
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Final

from attrs import field, frozen
from attrs.converters import optional

from cadenza_async._checks import SAYING_NONE
from cadenza_async.errors import UsageError
from cadenza_async.secret import Secret

if TYPE_CHECKING:
    from collections.abc import Generator

_VARIABLES: Final = {
    "CADENZA_API_KEY": "api_key",
    "CADENZA_API_SECRET": "api_secret",
    "CADENZA_API_PASSPHRASE": "api_passphrase",
}
_FIELDS: Final = {
    "apiKey": "api_key",
    "apiSecret": "api_secret",
    "apiPassphrase": "api_passphrase",
    "venue": "venue",
    "name": "name",
    "accountType": "account_type",
}
_SAYING_NONE: Final = (
    "if this key really has none, give --credentials with the line CADENZA_API_PASSPHRASE= in it,"
    ' or "apiPassphrase": "" in JSON'
)


@frozen(kw_only=True)
class Credentials:
    """What `AsyncCadenza.connect_account` takes, as far as it was written down."""

    api_key: Secret = field(default=Secret(""), converter=Secret)
    api_secret: Secret = field(default=Secret(""), converter=Secret)
    api_passphrase: Secret | None = field(default=None, converter=optional(Secret))
    venue: str | None = None
    name: str | None = None
    account_type: str | None = None


@contextmanager
def in_shell_words() -> Generator[None]:
    """Say how to tell at a shell, instead of in Python, that a key has no passphrase.

    Raises:
        UsageError: If one is missing.
    """
    told: str | None = None
    try:
        yield
    except UsageError as error:
        told = str(error)
        if SAYING_NONE not in told:
            raise
    if told is not None:
        raise UsageError(told.replace(SAYING_NONE, _SAYING_NONE))


def from_environment() -> Credentials | None:
    """Read the variables; an empty one is none, and without any there are no credentials."""
    given: dict[str, Any] = {
        argument: os.environ[name] for name, argument in _VARIABLES.items() if os.environ.get(name)
    }
    return Credentials(**given) if given else None


def parse(text: str) -> Credentials:
    """Read a JSON object with the contract's fields, or the variables in ``NAME=value`` lines.

    Raises:
        UsageError: If the text is neither. The error shows nothing of it.
    """
    fields = _from_json(text) if text.lstrip().startswith("{") else _from_lines(text)
    return Credentials(**fields)


def _from_json(text: str) -> dict[str, Any]:
    try:
        given: dict[str, Any] = json.loads(text)
    except (ValueError, RecursionError):
        given = {"": None}
    if not given.keys() <= _FIELDS.keys():
        raise UsageError(
            f"the credentials are not a JSON object with only the fields {', '.join(_FIELDS)}"
        )
    return {_FIELDS[name]: value for name, value in given.items() if value is not None}


def _from_lines(text: str) -> dict[str, Any]:
    lines = [(number, line.strip()) for number, line in enumerate(text.splitlines(), start=1)]
    pairs = [_pair(*line) for line in lines if line[1] and not line[1].startswith("#")]
    if not pairs:
        raise UsageError(
            "there are no credentials: set CADENZA_API_KEY and CADENZA_API_SECRET, or give"
            " --credentials FILE"
        )
    return dict(pairs)


def _pair(number: int, line: str) -> tuple[str, str]:
    name, _, value = line.removeprefix("export ").partition("=")
    argument = _VARIABLES.get(name.strip())
    if argument is None:
        raise UsageError(
            f"line {number} of the credentials sets none of {', '.join(_VARIABLES)}"
            " (a secret of several lines needs the JSON form)"
        )
    return argument, _unquoted(value.strip())


def _unquoted(value: str) -> str:
    quoted = len(value) > 1 and value[0] == value[-1] and value[0] in "\"'"
    return value[1:-1] if quoted else value
