"""A string that does not show itself."""

from __future__ import annotations

import binascii
import hmac
import html
import json
import re
from itertools import groupby
from typing import TYPE_CHECKING, Final, NoReturn, Protocol
from urllib.parse import unquote

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

_MASK = "****"
_SHORTEST_SHOWN = 12
_SHORTEST_HIDDEN = 4
_BOTH = (True, False)  # ways in which JSON quotes what is not ASCII: with escapes, as it is
_TELLING = 8  # characters of a secret in a row give it away
_FRAME = "-----"  # begins the lines around a key, which are the same for all
_BACKSLASHED: Final = re.compile(r"""\\+(?:u([0-9A-Fa-f]{4})|(["'\\/]))""")
_BASE64: Final = re.compile(r"[A-Za-z0-9+/_-]{12,}")
_URL_SAFE: Final = str.maketrans("-_", "+/")


def _is_text(value: object) -> bool:
    return isinstance(value, str)


class Hasher(Protocol):
    """What `hashlib` makes."""

    def update(self, data: bytes, /) -> None:
        """Take in more."""


class Secret:
    """A value that prints as ``****`` and can be neither pickled nor copied.

    Whatever is put in is hidden at once and judged later, by the argument it is used for: a
    constructor that complained about a wrong type would show the value in its traceback.

    Args:
        value: The text to hide.
    """

    __slots__ = ("__value",)

    def __init__(self, value: str | Secret) -> None:
        self.__value: str = value.reveal() if isinstance(value, Secret) else value

    def reveal(self) -> str:
        """Return the text itself, for the one place that has to send it."""
        return self.__value

    def holds_text(self) -> bool:
        """Tell whether what was put in is a string, as it should be."""
        return self.check(_is_text)

    def check(self, predicate: Callable[[str], bool]) -> bool:
        """Tell whether ``predicate`` holds of the text. It must not raise."""
        return predicate(self.__value)

    def digest(self, key: bytes) -> str:
        """Return the HMAC-SHA256 of the text under ``key``, in hexadecimal."""
        return hmac.digest(key, self.__encoded(), "sha256").hex()

    def feed(self, hasher: Hasher) -> None:
        """Add the text to a hash."""
        hasher.update(self.__encoded())

    def masked(self) -> str:
        """Return the first 4 and last 2 characters, or only a mask when the text is short."""
        if len(self.__value) < _SHORTEST_SHOWN:
            return _MASK
        return f"{self.__value[:4]}{_MASK}{self.__value[-2:]}"

    @staticmethod
    def all_plain(texts: Iterable[object]) -> bool:
        """Tell, at a glance, that all are strings, hidden or not, that print and are not blank."""
        for given in texts:
            text = given.__value if isinstance(given, Secret) else given  # noqa: SLF001  # ours
            if not (isinstance(text, str) and text.isprintable() and text.strip()):
                return False
        return True

    @staticmethod
    def redact(text: str, secrets: Iterable[Secret]) -> str:
        """Return the text with whatever it repeats of the secrets, or of a line of them, masked.

        A part that is long enough counts, in capitals or not, and so does what is spelt as in
        JSON, a URL, HTML or base64: then what is returned is spelt as people do.
        """
        lines = {line for secret in secrets for line in secret.__lines()}  # noqa: SLF001  # ours
        telling = {
            run for line in lines if not line.startswith(_FRAME) for run in _runs(_lowered(line))
        }
        for spell in _SPELLINGS:
            plain = spell(text)
            masked = _mask_runs(_mask_whole(plain, lines), telling)
            text = text if masked == plain else masked
        return text

    def __lines(self) -> set[str]:
        """Return what is to be masked: what is too short is no secret, and part of any text."""
        lines = (self.__value, *self.__value.splitlines())
        return {line.strip() for line in lines if len(line.strip()) >= _SHORTEST_HIDDEN}

    def __encoded(self) -> bytes:
        return self.__value.encode("utf-8", "surrogatepass")

    def __repr__(self) -> str:
        return f"Secret({_MASK!r})"

    def __str__(self) -> str:
        return _MASK

    def __format__(self, spec: str) -> str:
        return format(_MASK, spec)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Secret):
            return NotImplemented
        return hmac.compare_digest(self.__encoded(), other.__encoded())

    if not TYPE_CHECKING:
        __hash__ = None  # a hash would let secrets be found by lookup

    def __getstate__(self) -> NoReturn:  # what pickles and copies are made of
        raise TypeError("a Secret can be neither pickled nor copied")


def hide(value: str | Secret) -> Secret:
    """Return the value as a `Secret`, as it is if it is one."""
    return value if isinstance(value, Secret) else Secret(value)


def _mask_whole(text: str, lines: set[str]) -> str:
    """Mask all that is there from its first character to its last, also as JSON quotes it."""
    quoted = {json.dumps(line, ensure_ascii=each)[1:-1] for line in lines for each in _BOTH}
    pieces = lines | quoted | {piece.replace("/", r"\/") for piece in quoted}  # as JSON may
    for piece in sorted(pieces, key=len, reverse=True):  # one may be a part of another
        text = text.replace(piece, _MASK)
    return text


def _mask_runs(text: str, telling: set[str]) -> str:
    """Mask all that is there in part."""
    hidden = bytearray(len(text))
    for at, run in enumerate(_runs(_lowered(text))):
        if run in telling:
            hidden[at : at + _TELLING] = b"*" * _TELLING
    parts = groupby(zip(text, hidden, strict=True), key=lambda each: each[1])
    return "".join(_MASK if hide else "".join(c for c, _ in part) for hide, part in parts)


def _runs(text: str) -> list[str]:
    return [text[at : at + _TELLING] for at in range(len(text) - _TELLING + 1)]


def _lowered(text: str) -> str:
    """Return the text in small letters, each at its place."""
    return "".join(low if len(low := each.lower()) == 1 else each for each in text)


def _unescaped(text: str) -> str:
    """Return the text without the escapes of URLs, HTML and JSON."""
    plain = html.unescape(unquote(text))
    return _BACKSLASHED.sub(lambda found: found[2] or chr(int(found[1], 16)), plain)


def _unpacked(text: str) -> str:
    """Return the text with what is text in base64 written out."""
    return _BASE64.sub(lambda found: _plain(found[0]), text)


def _plain(packed: str) -> str:
    whole = packed[: len(packed) // 4 * 4].translate(_URL_SAFE)
    return binascii.a2b_base64(whole).decode("utf-8", "replace")


_SPELLINGS: Final[tuple[Callable[[str], str], ...]] = (_unescaped, _unpacked, str)
"""What makes plain text of what a server repeats; as it is comes last, or would leave pieces."""
