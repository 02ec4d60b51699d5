"""A string that does not show itself."""

from __future__ import annotations

import hmac
from typing import TYPE_CHECKING, NoReturn, Protocol

from cadenza_async._masking import MASK, mask

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

_SHORTEST_SHOWN = 12  # characters, six of which are shown
_SHORTEST_HIDDEN = 4  # characters


def _is_text(value: object) -> bool:
    return isinstance(value, str)


class Hasher(Protocol):
    """What `hashlib` makes."""

    def update(self, data: bytes, /) -> None:
        """Take in more."""


class Secret:  # noqa: PLW1641  # a hash would let secrets be found by lookup
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
            return MASK
        return f"{self.__value[:4]}{MASK}{self.__value[-2:]}"

    @staticmethod
    def all_plain(texts: Iterable[object]) -> bool:
        """Tell whether all are strings, hidden or not, that print and are not blank.

        It is one quick look at many: `None` counts as left out, and some text that it says no to
        (a key of several lines) can be sent all the same.
        """
        for given in texts:
            if given is None:
                continue
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
        return mask(text, lines)

    def __lines(self) -> set[str]:
        """Return what is to be masked: what is too short is no secret, and part of any text."""
        lines = (self.__value, *self.__value.splitlines())
        return {line.strip() for line in lines if len(line.strip()) >= _SHORTEST_HIDDEN}

    def __encoded(self) -> bytes:
        return self.__value.encode("utf-8", "surrogatepass")

    def __repr__(self) -> str:
        return f"Secret({MASK!r})"

    def __str__(self) -> str:
        return MASK

    def __format__(self, spec: str) -> str:
        return format(MASK, spec)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Secret):
            return NotImplemented
        return hmac.compare_digest(self.__encoded(), other.__encoded())

    def __getstate__(self) -> NoReturn:  # what pickles and copies are made of
        raise TypeError("a Secret can be neither pickled nor copied")


def hide(value: str | Secret) -> Secret:
    """Return the value as a `Secret`, as it is if it is one."""
    return value if isinstance(value, Secret) else Secret(value)
