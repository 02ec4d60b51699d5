"""Secrets masked in a text that may repeat them, whole or in part, however it spells them."""

from __future__ import annotations

import binascii
import html
import json
import re
from itertools import groupby
from typing import TYPE_CHECKING, Final
from urllib.parse import unquote

if TYPE_CHECKING:
    from collections.abc import Callable

MASK: Final = "****"
_BOTH = (True, False)  # ways in which JSON quotes what is not ASCII: with escapes, as it is
_TELLING = 8  # characters of a secret in a row give it away
_FRAME = "-----"  # begins the lines around a key, which are the same for all
_BACKSLASHED: Final = re.compile(r"""\\+(?:u([0-9A-Fa-f]{4})|(["'\\/]))""")
_BASE64: Final = re.compile(r"[A-Za-z0-9+/_-]{12,}")
_URL_SAFE: Final = str.maketrans("-_", "+/")


def mask(text: str, lines: set[str]) -> str:
    """Return the text with whatever it repeats of the lines of secrets masked."""
    telling = {
        run for line in lines if not line.startswith(_FRAME) for run in _runs(_lowered(line))
    }
    for spell in _SPELLINGS:
        plain = spell(text)
        masked = _mask_runs(_mask_whole(plain, lines), telling)
        text = text if masked == plain else masked
    return text


def _mask_whole(text: str, lines: set[str]) -> str:
    """Mask each line that the text repeats from end to end, also as JSON quotes it."""
    quoted = {json.dumps(line, ensure_ascii=each)[1:-1] for line in lines for each in _BOTH}
    pieces = lines | quoted | {piece.replace("/", r"\/") for piece in quoted}  # as JSON may
    for piece in sorted(pieces, key=len, reverse=True):  # one may be a part of another
        text = text.replace(piece, MASK)
    return text


def _mask_runs(text: str, telling: set[str]) -> str:
    """Mask whatever runs of a secret the text repeats."""
    hidden = bytearray(len(text))
    for at, run in enumerate(_runs(_lowered(text))):
        if run in telling:
            hidden[at : at + _TELLING] = b"*" * _TELLING
    parts = groupby(zip(text, hidden, strict=True), key=lambda each: each[1])
    return "".join(MASK if hide else "".join(c for c, _ in part) for hide, part in parts)


def _runs(text: str) -> list[str]:
    return [text[at : at + _TELLING] for at in range(len(text) - _TELLING + 1)]


def _lowered(text: str) -> str:
    """Return the text in small letters, as many as there were, so that places stay the same."""
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
"""Ways to read what a server repeats. The text as it is comes last: once parts of a secret are
masked in it, the other ways would not find the rest."""
