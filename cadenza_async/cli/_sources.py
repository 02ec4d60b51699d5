"""Where keys and passwords come from: a file, the environment, standard input or a prompt."""

from __future__ import annotations

import os
import sys
from getpass import getpass
from typing import IO, Final

from cadenza_async._checks import wants_passphrase
from cadenza_async._private import can_tell, exposure
from cadenza_async.cli._credentials import Credentials, from_environment, parse
from cadenza_async.cli._questions import UNREADABLE
from cadenza_async.errors import UsageError
from cadenza_async.secret import Secret

_STDIN: Final = 0
_LONGEST: Final = 64 * 1024


def read_credentials(
    file: str | None, *, venue: str | None = None, changing: bool = False
) -> Credentials:
    """Take the keys from the first place that has them.

    Args:
        file: A file that only its owner can read, or ``-`` for standard input. Without it: the
            environment, then standard input if it is no terminal, then prompts without echo.
        venue: What the keys are for, if that is known.
        changing: Whether they replace others, which stay as far as nothing is given.

    Raises:
        UsageError: If they cannot be read, others can read them, too, or they are for another
            venue.
    """
    _mind_echo(file, "--credentials")
    given = _find(file, venue, changing=changing)
    if venue is not None and given.venue not in (None, venue):  # no set: a file may hold a list
        raise UsageError("--venue is not the venue that the credentials are for")
    return given


def _find(file: str | None, venue: str | None, *, changing: bool) -> Credentials:
    if file is not None:
        return parse(_read("credentials", file))
    given = from_environment()
    if given is not None:
        return given
    if not os.isatty(_STDIN):
        return parse(_read("credentials", "-"))
    return _ask_for_changes() if changing else _ask_keys(venue)


def read_password(file: str | None) -> Secret:
    """Take a password from the first place that has it.

    Args:
        file: As for keys, but for the environment. A line break at its end is no part of it.

    Raises:
        UsageError: If it cannot be read, or others can read it, too.
    """
    _mind_echo(file, "--password-file")
    if file is None and os.isatty(_STDIN):
        return Secret(_ask("Password"))
    return Secret(_read("password", file or "-").removesuffix("\n").removesuffix("\r"))


def _mind_echo(file: str | None, option: str) -> None:
    if file == "-" and os.isatty(_STDIN):
        raise UsageError(f"a terminal would show it: leave {option} out to be asked")


def _read(what: str, file: str) -> str:
    source = _STDIN if file == "-" else file
    try:
        with open(source, "rb", closefd=source != _STDIN) as opened:  # or a descriptor
            if source != _STDIN:
                _check_private(what, os.fstat(opened.fileno()))
            return _text(what, opened)
    except OSError as error:
        problem = error.strerror
    raise UsageError(f"the {what} cannot be read: {problem}")


def _check_private(what: str, status: os.stat_result) -> None:
    if not can_tell():
        sys.stderr.write(f"Windows: nothing checks who else can read the {what} file.\n")
    exposed = exposure(status)
    if exposed is not None:
        raise UsageError(f"the {what} file {exposed}")


def _text(what: str, file: IO[bytes]) -> str:
    content = file.read(_LONGEST + 1)
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError:
        text = None
    if text is None or len(content) > _LONGEST:
        raise UsageError(f"the {what} cannot be read: it is not UTF-8 text of at most 64 KiB")
    return text


def _ask_keys(venue: str | None) -> Credentials:
    return Credentials(
        api_key=_ask("API key"),
        api_secret=_ask("API secret"),
        api_passphrase=_ask_passphrase(venue),
    )


def _ask_for_changes() -> Credentials:
    hint = " (Enter to leave it as it is)"
    return Credentials(
        api_key=_ask("API key", hint),
        api_secret=_ask("API secret", hint),
        api_passphrase=_ask("API passphrase", hint) or None,
    )


def _ask_passphrase(venue: str | None) -> Secret | None:
    """Ask for it; where each key is known to have one, Enter says that this one has none."""
    said = Secret(_ask("API passphrase", " (Enter for none)"))
    meant = said.check(bool) or (venue is not None and wants_passphrase(venue))
    return said if meant else None


def _ask(what: str, hint: str = "") -> str:
    try:
        return getpass(f"{what}{hint}: ")
    except EOFError:
        problem = "nothing was given"
    except UnicodeDecodeError:  # which holds what was typed
        problem = UNREADABLE
    sys.stderr.write("\n")
    raise UsageError(f"{what}: {problem}")
