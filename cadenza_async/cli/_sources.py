"""Where keys come from: a file, the environment, standard input or a prompt."""

from __future__ import annotations

import os
import sys
from getpass import getpass
from typing import IO, Final

from cadenza_async._private import can_tell, exposure
from cadenza_async.cli._credentials import Credentials, from_environment, parse
from cadenza_async.errors import UsageError

_STDIN: Final = 0
_LONGEST: Final = 64 * 1024


def read_credentials(file: str | None) -> Credentials:
    """Take the keys from the first place that has them.

    Args:
        file: A file that only its owner can read, or ``-`` for standard input. Without it: the
            environment, then standard input if it is no terminal, then prompts without echo.

    Raises:
        UsageError: If they cannot be read, or others can read them, too.
    """
    terminal = os.isatty(_STDIN)
    if file == "-" and terminal:
        raise UsageError("a terminal would show the keys: leave --credentials out to be asked")
    if file is not None:
        return parse(_read(_STDIN if file == "-" else file))
    given = from_environment()
    if given is not None:
        return given
    return _ask() if terminal else parse(_read(_STDIN))


def _read(source: str | int) -> str:
    try:
        with open(source, "rb", closefd=source != _STDIN) as file:  # or a descriptor
            if source != _STDIN:
                _check_private(os.fstat(file.fileno()))
            return _text(file)
    except OSError as error:
        problem = error.strerror
    raise UsageError(f"the credentials cannot be read: {problem}")


def _check_private(status: os.stat_result) -> None:
    if not can_tell():
        sys.stderr.write("Windows: nothing checks who else can read the credentials file.\n")
    exposed = exposure(status)
    if exposed is not None:
        raise UsageError(f"the credentials file {exposed}")


def _text(file: IO[bytes]) -> str:
    content = file.read(_LONGEST + 1)
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError:
        text = None
    if text is None or len(content) > _LONGEST:
        raise UsageError("the credentials are not UTF-8 text of at most 64 KiB")
    return text


def _ask() -> Credentials:
    try:
        return Credentials(
            api_key=getpass("API key: "),
            api_secret=getpass("API secret: "),
            api_passphrase=getpass("API passphrase (Enter for none): ") or None,
        )
    except EOFError:
        sys.stderr.write("\n")
    raise UsageError("no keys were given")
