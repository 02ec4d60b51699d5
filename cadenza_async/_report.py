"""What the log and the ``on_attempt`` hook are told: never a body, never a token."""

from __future__ import annotations

import logging
from asyncio import CancelledError
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Callable

    from cadenza_async._calls import Call
    from cadenza_async._outcomes import Outcome
    from cadenza_async.models import Attempt

log: Final = logging.getLogger("cadenza_async")


def attempted(attempt: Attempt, hook: Callable[[Attempt], None] | None) -> None:
    """Tell of one attempt. A hook that fails changes nothing of what happened."""
    log.debug(
        "%s %s: attempt %d %s (HTTP %s, errno %s, request %s) after %.0f ms",
        attempt.method,
        attempt.path,
        attempt.number,
        attempt.verdict,
        attempt.status,
        attempt.errno,
        attempt.request_id,
        attempt.seconds * 1000,
    )
    if hook is None:
        return
    try:
        hook(attempt)
    except (Exception, CancelledError) as error:  # noqa: BLE001  # whatever a user's hook may raise
        log.warning("on_attempt failed with %s; the call goes on", type(error).__name__)


def retry(call: Call[Any], outcome: Outcome[Any], wait: float) -> None:
    """Tell that a call is repeated, and why. For room in the rate limit it may wait longer."""
    because = outcome.verdict
    log.info("%s: again in %.2f s at the earliest, because it was %s", call.title, wait, because)


def renewal(call: Call[Any]) -> None:
    """Tell that a call is repeated because its access token was refused and there is another."""
    log.info("%s: again, with another access token", call.title)


def cancelled(call: Call[Any], sent_at: float) -> None:
    """Tell that a write was cancelled when the server may have read it already."""
    log.warning(
        "%s was cancelled after it was sent at %s, it may have been done%s",
        call.title,
        datetime.fromtimestamp(sent_at, UTC).isoformat(timespec="milliseconds"),
        "".join(f"; {what} {value!r}" for what, value in _subject(call).items() if value),
    )


def _subject(call: Call[Any]) -> dict[str, str | None]:
    return {
        "venue": call.venue,
        "name": call.name,
        "external account": call.external_id,
        "credential": call.credential_id,
    }
