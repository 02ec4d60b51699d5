"""Encryption at rest: AES-256-GCM, and the key for it from a private file or the environment."""

from __future__ import annotations

import base64
import os
import secrets
import stat
from contextlib import suppress
from importlib import import_module
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any, Final

from cadenza_async.sandbox._records import StateError

if TYPE_CHECKING:
    from pathlib import Path

KEY_VARIABLE: Final = "CADENZA_SANDBOX_KEY"
_KEY, _NONCE = 32, 12  # bytes
_LONGEST: Final = 1024
_OTHERS: Final = stat.S_IRWXG | stat.S_IRWXO


def require_library() -> None:
    """Ask for what encrypts before anything is touched.

    Raises:
        StateError: It is not installed.
    """
    if find_spec("cryptography") is None:
        raise StateError(
            "keeping state needs encryption, which is an extra: "
            "pip install 'cadenza_async[sandbox]'"
        )


class Seal:
    """Closes and opens texts under one key, each bound to what it is about.

    Args:
        key: 32 bytes, or None for what is no key.
        source: Where it comes from, for errors.

    Raises:
        StateError: It is no key.
    """

    def __init__(self, key: bytes | None, source: str) -> None:
        if key is None:
            raise StateError(f"{source} holds no key, which is the base64 of {_KEY} bytes")
        self.source = source
        self._invalid: Any = import_module("cryptography.exceptions").InvalidTag
        aead: Any = import_module("cryptography.hazmat.primitives.ciphers.aead")
        self._cipher = aead.AESGCM(key)

    def close(self, text: bytes, about: bytes) -> tuple[bytes, bytes]:
        """A nonce of its own, and the text sealed under it."""
        nonce = secrets.token_bytes(_NONCE)
        return nonce, self._cipher.encrypt(nonce, text, about)

    def open(self, nonce: object, sealed: object, about: bytes) -> bytes | None:
        """The text; None if any of the three, or the key, is another than it was."""
        try:
            text: bytes = self._cipher.decrypt(nonce, sealed, about)
        except (self._invalid, TypeError, ValueError):
            return None
        return text


def find_seal(state: Path, key_file: Path | None, *, new: bool) -> Seal:
    """The seal of a state file: the key file named, else the environment, else the file beside it.

    Args:
        state: The state file.
        key_file: The key file, if one was named.
        new: Whether nothing was sealed yet, so that a key file that is missing is made.

    Raises:
        StateError: There is no key, or others can read it.
    """
    if key_file is None and KEY_VARIABLE in os.environ:
        return Seal(_decoded(os.environ[KEY_VARIABLE].encode(errors="replace")), KEY_VARIABLE)
    path = key_file or state.with_name(f"{state.name}.key")
    try:
        if new:
            _make(path)
        return Seal(_decoded(_read(path)), str(path))
    except OSError as error:
        problem = error.strerror or type(error).__name__
    raise StateError(f"the key of {state} cannot be read from {path}: {problem}")


def _decoded(text: bytes) -> bytes | None:
    try:
        key = base64.b64decode(text.strip(), validate=True)
    except ValueError:
        return None
    return key if len(key) == _KEY else None


def _make(path: Path) -> None:
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        return
    with os.fdopen(descriptor, "wb") as file:
        file.write(base64.b64encode(secrets.token_bytes(_KEY)) + b"\n")
        file.flush()
        os.fsync(descriptor)
    _sync_folder(path.parent)


def _sync_folder(folder: Path) -> None:
    """See to it that what was made there is there after a power failure."""
    with suppress(PermissionError):  # which is what Windows says
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


def _read(path: Path) -> bytes:
    with path.open("rb") as file:
        _check_private(path, os.fstat(file.fileno()))
        return file.read(_LONGEST)


def _check_private(path: Path, status: os.stat_result) -> None:
    if not hasattr(os, "geteuid"):  # Windows has other rules
        return
    if status.st_uid not in {os.geteuid(), 0}:
        raise StateError(f"the key file {path} belongs to somebody else")
    if status.st_mode & _OTHERS:
        mode = stat.S_IMODE(status.st_mode)
        raise StateError(f"the key file {path} is open to others ({mode:04o}): chmod 600 it")
