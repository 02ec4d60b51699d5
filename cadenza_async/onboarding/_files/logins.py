"""A file of access tokens: JSON, from user to token, reference or login."""

from __future__ import annotations

import json
import os
import stat
from collections.abc import Mapping
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, Final

from attrs import define, frozen

from cadenza_async._private import exposure
from cadenza_async.auth import PasswordLogin, Token, check_token
from cadenza_async.errors import UsageError
from cadenza_async.onboarding._files.formats import Pairs
from cadenza_async.onboarding._files.references import Reference, read_secret

if TYPE_CHECKING:
    from cadenza_async.secret import Secret

_LONGEST: Final = 16 * 1024 * 1024
_FORM: Final = (
    'a JSON object like {"u-1": "env:TOKEN_OF_U1",'
    ' "u-2": {"email": "u2@example.com", "password": "keyring:cadenza/u-2"}}'
)


@frozen(kw_only=True)
class Logins:
    """Whose accounts can be connected.

    Attributes:
        tokens: From user to access token or login.
        exposure: What gives others access to a secret that is written out; None if nothing does.
    """

    tokens: Mapping[str, Token]
    exposure: str | None


def read_logins(path: Path) -> Logins:
    """Read a file of tokens, and look up those that are kept elsewhere.

    Args:
        path: Relative ``file:`` references begin in its folder.

    Raises:
        UsageError: If something in it cannot be used. Nothing of it is shown.
        OSError: If it cannot be read.
    """
    with path.open("rb") as file:
        status = os.fstat(file.fileno())
        pairs = _parse(file)
    reader = _Reader(path.parent)
    tokens = {user: reader.read(number, entry) for number, (user, entry) in enumerate(pairs, 1)}
    if len(tokens) < len(pairs):
        raise UsageError("a user is there twice")
    exposed = exposure(status) if stat.S_ISREG(status.st_mode) and reader.plain else None
    return Logins(tokens=tokens, exposure=exposed)


def _parse(file: IO[bytes]) -> Pairs:
    content = file.read(_LONGEST + 1)
    try:
        pairs = json.loads(content[:_LONGEST].decode("utf-8-sig"), object_pairs_hook=Pairs)
    except (ValueError, RecursionError):
        pairs = None
    if not isinstance(pairs, Pairs) or not pairs:
        raise UsageError(f"it is not {_FORM}")
    return pairs


@define
class _Reader:
    folder: Path
    plain: bool = False

    def read(self, number: int, entry: object) -> Token:
        try:
            return self._token(entry)
        except UsageError as error:
            problem = str(error)
        raise UsageError(f"entry {number}: {problem}")

    def _token(self, entry: object) -> Token:
        if isinstance(entry, str):
            return check_token(self._secret(entry))
        fields: dict[str, Any] = dict(entry) if isinstance(entry, Pairs) else {}
        if fields.keys() != {"email", "password"} or not all(map(_is_text, fields.values())):
            raise UsageError("it is neither a string nor an object with email and password")
        password = self._secret(fields["password"])
        return PasswordLogin(email=fields["email"], password=password)

    def _secret(self, text: str) -> Secret:
        found = read_secret(text)
        if isinstance(found, Reference):
            return found.look_up(self.folder)
        self.plain = True
        return found


def _is_text(value: object) -> bool:
    return isinstance(value, str)
