"""Secrets in files: written out, or kept elsewhere (``env:``, ``file:``, ``keyring:``)."""

from __future__ import annotations

import os
import stat
from importlib import import_module
from importlib.util import find_spec
from typing import TYPE_CHECKING, Final

from attrs import field, frozen

from cadenza_async._private import exposure
from cadenza_async.errors import UsageError
from cadenza_async.secret import Secret

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

_LONGEST: Final = 64 * 1024
_AT_ONCE: Final[int] = getattr(os, "O_NONBLOCK", 0)  # or a named pipe would be waited for


@frozen
class Reference:
    """Where a secret is kept.

    Attributes:
        keeper: ``env``, ``file`` or ``keyring``.
        place: Which one; not shown, as it may be a secret by mistake.
    """

    keeper: str
    place: str = field(repr=False)

    def look_up(self, folder: Path) -> Secret:
        """Return the secret.

        Args:
            folder: Where relative paths begin.

        Raises:
            UsageError: If it is not there.
        """
        return Secret(_KEEPERS[self.keeper](self.place, folder))


def read_secret(text: str) -> Secret | Reference:
    """Tell a secret from a reference to one.

    What begins with ``plain:`` is a secret whatever follows, be it nothing.
    """
    keeper, _, place = text.partition(":")
    return Reference(keeper, place) if keeper in _KEEPERS else Secret(text.removeprefix("plain:"))


def _from_environment(name: str, _: Path) -> str:
    value = os.environ.get(name)
    if not value:
        raise UsageError("refers to an environment variable that is not set")
    return value


def _from_file(path: str, folder: Path) -> str:
    try:
        content, problem = _read(folder / path)
    except OSError as error:
        content, problem = b"", f"cannot be read ({error.strerror})"
    except ValueError:  # a NUL in a path
        content, problem = b"", "cannot be read"
    text = content.decode("utf-8-sig", "replace")
    if problem is None and (len(content) > _LONGEST or "\ufffd" in text):
        problem = "is not UTF-8 text of at most 64 KiB"
    if problem is not None:
        raise UsageError(f"refers to a file that {problem}")
    return text.removesuffix("\n").removesuffix("\r")


def _read(path: Path) -> tuple[bytes, str | None]:
    """Return what is in a file, or else what is wrong with it."""
    file = os.open(path, os.O_RDONLY | _AT_ONCE)
    try:
        status = os.fstat(file)
        problem = exposure(status) if stat.S_ISREG(status.st_mode) else "is no regular file"
        return (b"" if problem else os.read(file, _LONGEST + 1)), problem
    finally:
        os.close(file)


def _from_keyring(place: str, __: Path) -> str:
    service, _, name = place.rpartition("/")
    if not (service and name):
        raise UsageError("refers to the keyring, but not as keyring:service/name")
    if find_spec("keyring") is None:
        raise UsageError(
            "refers to the keyring, which is an extra: pip install 'cadenza_async[keyring]'"
        )
    value: str | None = None
    try:
        value = import_module("keyring").get_password(service, name)
        problem = "an entry that is not in the keyring"
    except Exception:  # noqa: BLE001  # backends raise what they like
        problem = "a keyring that cannot be read"
    if not value:
        raise UsageError(f"refers to {problem}")
    return value


_KEEPERS: Final[Mapping[str, Callable[[str, Path], str]]] = {
    "env": _from_environment,
    "file": _from_file,
    "keyring": _from_keyring,
}
