"""What the requests of several endpoints are made of."""

from __future__ import annotations

from typing import Any, Final

from cadenza_async._calls import MIB

PAGE_LIMIT: Final = 100  # the highest that every description of the lists allows
LONGEST_LIST: Final = 16 * MIB


def given(**fields: Any) -> dict[str, Any]:
    """Return the fields that were given."""
    return {name: value for name, value in fields.items() if value is not None}
