"""What the requests of several endpoints are made of."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Final

from cadenza_async._calls import MIB
from cadenza_async.errors import UsageError
from cadenza_async.models._checks import check_text

PAGE_LIMIT: Final = 100  # the highest that every description of the lists allows
LONGEST_LIST: Final = 16 * MIB


def given(**fields: Any) -> dict[str, Any]:
    """Return the fields that were given."""
    return {name: value for name, value in fields.items() if value is not None}


def check_filters(**filters: str | None) -> None:
    for argument, value in filters.items():
        if value is not None:
            check_text(argument, value)


def check_moment(argument: str, moment: object) -> None:
    """Refuse what does not tell one moment everywhere.

    Raises:
        UsageError: If it is no time, or one without a time zone. The text names the argument.
    """
    if not isinstance(moment, datetime):
        raise UsageError(f"{argument} must be a datetime with a time zone")
    if moment.utcoffset() is None:
        raise UsageError(f"{argument} has no time zone: use datetime.now(timezone.utc)")
