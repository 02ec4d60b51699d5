"""What a state file keeps: one record for each thing that the platform knows."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from attrs import field, frozen


class StateError(Exception):
    """The state file or its key cannot be used, or not be written; the text says why."""


@frozen(kw_only=True)
class Record:
    """A thing as it is now, in words that JSON has; without a value it is to be forgotten.

    Kind and id can be read by whoever reads the file; the value cannot, so secrets go there.
    """

    kind: str
    id: str
    value: Mapping[str, Any] | None = field(default=None, repr=False)


Keep = Callable[[Record], object]


def keep_nothing(_thing: object) -> None:
    """What is told of every change when there is no state file."""


async def nothing_to_settle() -> None:
    """What is waited for before an answer when there is no state file."""
