"""What was received, without its secrets: a list of records and one log line each."""

from __future__ import annotations

import json
import logging
from collections import deque
from contextlib import suppress
from typing import TYPE_CHECKING, Any, cast

from attrs import define, field

if TYPE_CHECKING:
    from cadenza_async.sandbox._platform import Call

logger = logging.getLogger("cadenza_async.sandbox")

KEPT = 100_000
_MASK = "***"
_SHOWN = frozenset(
    {
        "venue",
        "name",
        "nickname",
        "accountType",
        "credentialType",
        "operationType",
        "tradingAccountId",
        "externalTradingAccountId",
        "credentialId",
        "email",
        "status",
        "startTime",
        "endTime",
        "limit",
        "offset",
    }
)

Record = dict[str, Any]


@define
class Ledger:
    """The newest requests, oldest first."""

    _records: deque[Record] = field(factory=lambda: deque(maxlen=KEPT), init=False)

    def open(self, call: Call, user: str | None, at: int) -> Record:
        """Note a request before it is worked on."""
        record: Record = {
            "method": call.method,
            "path": call.path,
            "query": {name: _shown(name, value) for name, value in call.query},
            "user": user,
            "body": _redacted(call.body),
            "receivedAt": at,
            "status": None,
            "fault": "+".join(each.name for each in call.faults) or None,
        }
        self._records.append(record)
        return record

    def close(self, record: Record, status: int | None, seconds: float) -> None:
        """Note how a request was answered; without a status it was not."""
        record["status"] = status
        logger.info(
            "%s %s user=%s %s %.0f ms%s",
            record["method"],
            record["path"],
            record["user"] or "-",
            status or "no answer",
            seconds * 1000,
            f" fault={record['fault']}" if record["fault"] else "",
        )

    def copy(self) -> list[Record]:
        """All records, as they are now."""
        return [dict(each) for each in self._records]


def _redacted(body: bytes) -> dict[str, object] | str | None:
    """The body's fields, masked but for the harmless ones; of anything else only the size."""
    if not body:
        return None
    given: object = None
    with suppress(ValueError, RecursionError):
        given = json.loads(body)
    if not isinstance(given, dict):
        return f"{len(body)} bytes"
    fields = cast("dict[str, object]", given)
    return {name: _shown(name, value) for name, value in fields.items()}


def _shown(name: str, value: object) -> object:
    return value if name in _SHOWN and isinstance(value, str) else _MASK
