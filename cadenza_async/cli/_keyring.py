"""The keyring's entry for the session of `cadenza login`."""

from __future__ import annotations

import json
from importlib import import_module
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any, Final, TypeVar

from attrs import frozen

from cadenza_async.auth import check_token
from cadenza_async.errors import ConfigError
from cadenza_async.secret import Secret

if TYPE_CHECKING:
    from collections.abc import Callable

T = TypeVar("T")

_SERVICE: Final = "cadenza"
_INSTEAD: Final = "or set CADENZA_ACCESS_TOKEN instead"
_HINT: Final = f"choose another ('keyring --list-backends'), {_INSTEAD}"
_NO_KEYRINGS: Final = ("keyring.backends.fail", "keyring.backends.null")


@frozen(kw_only=True)
class Kept:
    """A session as it is stored.

    Attributes:
        email: Who logged in.
        access_token: For the header of every call.
        refresh_token: Good for one refresh; None if there is none, or it may be spent.
        due: When to refresh, in Unix seconds of this machine's clock.
        ends: When the access token runs out, likewise.
    """

    email: str
    access_token: Secret
    refresh_token: Secret | None
    due: float
    ends: float


@frozen
class Entry:
    """The place for the session of one base URL.

    Whatever a keyring raises stays behind: it may hold what was to be stored.

    Args:
        url: The base URL.
    """

    url: str

    def check(self) -> None:
        """See whether there is a keyring.

        Raises:
            ConfigError: If there is none.
        """
        if find_spec("keyring") is None:
            raise ConfigError(
                "a session is kept in the keyring, which is an extra:"
                f" pip install 'cadenza_async[keyring]', {_INSTEAD}"
            )
        if _ask(_backend) in _NO_KEYRINGS:
            raise ConfigError(f"this machine has no keyring that can keep a session: {_HINT}")

    def read(self) -> Kept | None:
        """Return what is stored, if there is a keyring, and something of ours in it.

        Raises:
            ConfigError: If it cannot be read.
        """
        if find_spec("keyring") is None:
            return None
        return _parse(_ask(self._look_up))

    def write(self, kept: Kept) -> None:
        """Store a session in place of what was there, in one step.

        Raises:
            ConfigError: If the keyring has not kept it.
        """
        _ask(lambda keyring: keyring.set_password(_SERVICE, self.url, _text(kept)))
        if self.read() != kept:
            raise ConfigError(f"the keyring does not keep what it is given: {_HINT}")

    def delete(self) -> None:
        """Remove what is stored.

        Raises:
            ConfigError: If the keyring does not.
        """
        _ask(lambda keyring: keyring.delete_password(_SERVICE, self.url))

    def _look_up(self, keyring: Any) -> str | None:  # noqa: ANN401  # the package may be missing
        try:
            found: str | None = keyring.get_password(_SERVICE, self.url)
        except keyring.errors.NoKeyringError:
            return None
        return found


def _ask(do: Callable[[Any], T]) -> T:
    try:
        return do(import_module("keyring"))
    except Exception as error:  # noqa: BLE001  # backends raise what they like
        problem = type(error).__name__
    raise ConfigError(f"the keyring cannot be used ({problem}): unlock it, {_INSTEAD}")


def _backend(keyring: Any) -> str:  # noqa: ANN401  # likewise
    return type(keyring.get_keyring()).__module__


def _text(kept: Kept) -> str:
    """Return what is stored: one of the few places that reveal a secret."""
    refresh = kept.refresh_token
    return json.dumps(
        {
            "email": kept.email,
            "accessToken": kept.access_token.reveal(),
            "refreshToken": None if refresh is None else refresh.reveal(),
            "due": kept.due,
            "ends": kept.ends,
        }
    )


def _parse(text: str | None) -> Kept | None:
    try:
        stored: dict[str, Any] = json.loads(text or "{}")
        refresh = stored["refreshToken"]
        if not isinstance(refresh, str | None):
            return None
        return Kept(
            email=str(stored["email"]),
            access_token=check_token(stored["accessToken"]),
            refresh_token=None if refresh is None else Secret(refresh),
            due=float(stored["due"]),
            ends=float(stored["ends"]),
        )
    except (ValueError, TypeError, KeyError, OverflowError):
        return None  # nothing of ours
