"""A marker to plant, and every place where what was planted might show up."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import logging
import pickle
import secrets
import traceback
from typing import TYPE_CHECKING, Any, Final

from attrs import Factory, define
from rich.traceback import Traceback
from sentry_sdk import Client
from sentry_sdk.scrubber import EventScrubber
from sentry_sdk.transport import Transport
from sentry_sdk.utils import event_from_exception

from cadenza_async import Attempt

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sentry_sdk.envelope import Envelope

ENOUGH: Final = 100_000


class Marker:
    """Stands for every secret there is; it is made at run time, and no local variable holds it."""

    def __init__(self) -> None:
        self.__text = f"mrk{secrets.token_hex(20)}"

    def __call__(self, pattern: str = "{}") -> str:
        """The marker, in a text if one is given."""
        return pattern.format(self.__text)

    def account(self, **fields: Any) -> dict[str, Any]:
        """What connects an account whose every secret is the marker."""
        planted = dict.fromkeys(("api_key", "api_secret", "api_passphrase"), self.__text)
        return {"venue": "COINBASE", **planted, "name": "Desk 1", **fields}

    def is_in(self, text: str | bytes) -> bool:
        """Tell whether it shows: a quarter of it is enough."""
        piece = self.__text[:13]
        return (piece in text) if isinstance(text, str) else (piece.encode() in text)


@define
class Hunt:
    """Everything that was seen somewhere, and what of it shows the marker."""

    marker: Marker = Factory(Marker)
    searched: int = 0
    hits: list[str] = Factory(list)
    attempts: list[Attempt] = Factory(list)

    def search(self, where: str, text: str | bytes) -> None:
        """Look for the marker in a text."""
        self.searched += 1
        if self.marker.is_in(text):
            at = text.find(self.marker("{:.13}")) if isinstance(text, str) else 0
            self.hits.append(f"{where}: {text[max(0, at - 200) : at]!r}")

    def search_error(self, error: BaseException) -> None:
        """Look at an error in every way that people and tools look at errors."""
        self.search("str", str(error))
        self.search("repr", repr(error))
        for link in _chain(error):
            self.search("args", repr(link.args))
            self.search("attributes", repr(vars(link)))
            self.search("notes", repr(getattr(link, "__notes__", ())))
        seen = traceback.TracebackException.from_exception(error, capture_locals=True)
        self.search("traceback", "".join(seen.format()))
        with contextlib.suppress(AttributeError):  # it stumbles on what is not yet complete
            self.search("rich", show_richly(error))
        self.search("sentry", _sentry(error))
        with contextlib.suppress(TypeError):  # a chain may hold what cannot be pickled
            self.search("pickle", pickle.dumps(error))

    def search_records(self, records: list[logging.LogRecord]) -> None:
        """Look at what was logged, by whomever."""
        formatter = logging.Formatter()
        for record in records:
            self.search(f"log {record.name}", formatter.format(record))
            self.search(f"log {record.name} args", repr(record.args))

    def search_memory(self) -> None:
        """Look at how everything of ours that lives describes itself, and all tasks."""
        for each in gc.get_objects():
            if str(type(each).__module__).startswith("cadenza_async"):
                with contextlib.suppress(AttributeError):  # not complete yet
                    self.search("object", repr(each))
        with contextlib.suppress(RuntimeError):  # no loop, no tasks
            for task in asyncio.all_tasks():
                self.search("task", repr(task))

    def finish(self) -> None:
        """Fail if anything was found, or nothing was looked at."""
        for attempt in self.attempts:
            self.search("on_attempt", repr(attempt))
            self.search("on_attempt pickled", pickle.dumps(attempt))
        assert self.searched > 0
        assert not self.hits, "\n".join(self.hits)


def _chain(error: BaseException) -> Iterator[BaseException]:
    """The error and everything it hangs on to."""
    waiting, seen = [error], set[int]()
    while waiting:
        link = waiting.pop()
        if id(link) not in seen:
            seen.add(id(link))
            yield link
            waiting += [each for each in (link.__cause__, link.__context__) if each is not None]


def show_richly(error: BaseException) -> str:
    """Everything that rich's traceback would show, without the time it takes to draw it."""
    trace = Traceback.extract(
        type(error),
        error,
        error.__traceback__,
        show_locals=True,
        locals_max_length=ENOUGH,
        locals_max_string=ENOUGH,
    )
    shown = [stack.exc_value for stack in trace.stacks]
    for stack in trace.stacks:
        for frame in stack.frames:
            shown += [f"{name} = {value}" for name, value in (frame.locals or {}).items()]
    return "\n".join(shown)


class _Captured(Transport):
    """Keeps what would be sent."""

    def __init__(self) -> None:
        super().__init__({"dsn": None})
        self.sent = b""

    def capture_envelope(self, envelope: Envelope) -> None:
        self.sent += envelope.serialize()


def _sentry(error: BaseException) -> bytes:
    transport = _Captured()
    client = Client(
        dsn="https://public@sentry.invalid/1",
        transport=transport,
        include_local_variables=True,
        event_scrubber=EventScrubber(denylist=[], pii_denylist=[]),  # it would hide our leaks
        max_value_length=ENOUGH,
        default_integrations=False,
        auto_session_tracking=False,
        enable_backpressure_handling=False,
    )
    event, hint = event_from_exception(error, client_options=client.options)
    client.capture_event(event, hint)
    assert b"stacktrace" in transport.sent
    return transport.sent
