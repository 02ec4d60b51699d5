"""What is known to be wrong with an argument."""

from __future__ import annotations

import re
from datetime import datetime

from cadenza_async.errors import UsageError
from cadenza_async.secret import Secret, hide

_UNSENDABLE = re.compile("[\x00-\x1f\x7f-\x9f\ud800-\udfff]")
UNSENDABLE_IN_KEYS = re.compile(
    "[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff]"
)  # they span lines


def check_text(
    argument: str,
    value: str | Secret,
    *,
    required: bool = True,
    unsendable: re.Pattern[str] = _UNSENDABLE,
    error: type[UsageError] = UsageError,
) -> None:
    """Refuse a text that cannot be sent, naming the argument and never the value.

    Args:
        argument: What the caller knows the value as.
        value: A string or a `Secret`.
        required: Whether a blank text is refused.
        unsendable: What the text must not hold.
        error: What to raise.

    Raises:
        UsageError: If the value is no text, is blank though required, or holds control characters
            or lone surrogates.
    """
    secret = hide(value)
    if not secret.holds_text():
        raise error(f"{argument} must be a string")
    if required and secret.check(_is_blank):
        raise error(f"{argument} is required and is empty")
    if secret.check(lambda text: bool(unsendable.search(text))):
        raise error(f"{argument} holds a control character or half a surrogate pair")


def check_given(*, required: bool = True, **texts: str | Secret | None) -> None:
    """Refuse those texts that are given and cannot be sent; see `check_text`.

    Raises:
        UsageError: If there is one. The text names it.
    """
    for argument, value in texts.items():
        if value is not None:
            check_text(argument, value, required=required)


def _is_blank(text: str) -> bool:
    return not text or text.isspace()


def check_moment(argument: str, moment: object) -> None:
    """Refuse what is no time, or a time without a time zone.

    Raises:
        UsageError: If it is either. The text names the argument.
    """
    if not isinstance(moment, datetime):
        raise UsageError(f"{argument} must be a datetime with a time zone")
    if moment.utcoffset() is None:
        raise UsageError(f"{argument} has no time zone: use datetime.now(timezone.utc)")


_WITH_PASSPHRASE = frozenset({"COINBASE", "OKX"})

SAYING_NONE = 'give api_passphrase="" if this key really has none'


def wants_passphrase(venue: str) -> bool:
    """Tell whether a venue is known to give a passphrase with each key."""
    return without_stage(venue) in _WITH_PASSPHRASE


def without_stage(venue: str) -> str:
    """Return a venue's name in capitals, without the ``_UAT`` of its test system."""
    return venue.upper().removesuffix("_UAT")


def check_passphrase(venue: str, passphrase: Secret | None) -> None:
    """Refuse keys without a passphrase where a venue is known to give one with each.

    Raises:
        UsageError: If it is missing.
    """
    if passphrase is None and wants_passphrase(venue):
        name = without_stage(venue)
        raise UsageError(f"api_passphrase is missing: {name} keys have one ({SAYING_NONE})")
