"""Pages of a list: which rows a caller gets, and what is said of the rest."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeVar

from cadenza_async.sandbox._checks import Param, invalid
from cadenza_async.sandbox._state import Kept

if TYPE_CHECKING:
    from collections.abc import Sequence

    from cadenza_async.sandbox._dialects import Dialect
    from cadenza_async.sandbox._platform import Call

_LARGEST_OFFSET = 10**9

T = TypeVar("T", bound=Kept)


def page_params(dialect: Dialect) -> tuple[Param, Param]:
    """The parameters of every list that has pages."""
    limit = Param("limit", bounds=(1, dialect.largest_page), default=dialect.page)
    return limit, Param("offset", bounds=(0, _LARGEST_OFFSET))


def cut(rows: Sequence[T], call: Call, given: dict[str, Any]) -> tuple[Sequence[T], dict[str, Any]]:
    """A page of rows and its `pagination`; a cap that was scripted makes it smaller.

    Raises:
        Refusal: 400, -19004, for a cursor that no answer gave, or an offset beside one.
    """
    offset = _begin(rows, given)
    limit = given["limit"]
    if cap := call.fault("capped-list"):
        limit = min(limit, cap.size or limit)
    page = rows[offset : offset + limit]
    more = offset + len(page) < len(rows)
    return page, {"offset": offset, "limit": limit, "total": len(rows), "hasNext": more}


def _begin(rows: Sequence[Kept], given: dict[str, Any]) -> int:
    if "cursor" not in given:
        return int(given.get("offset", 0))
    if "offset" in given:
        invalid("offset and cursor exclude each other")
    for index, row in enumerate(rows):
        if row.key == given["cursor"]:
            return index + 1
    return invalid("cursor is not known")
