"""aioresponses for aiohttp 3.14, which asks more of a response than aioresponses 0.7.9 gives it."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

from aiohttp import ClientResponse
from aioresponses import aioresponses


class CannedResponse(ClientResponse):
    """A response to a request that was never written."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **{"stream_writer": SimpleNamespace(output_size=0), **kwargs})


class Canned(aioresponses):
    """Answers with `CannedResponse`; callbacks pass it on as their result's `response_class`."""

    def add(self, *args: Any, **kwargs: Any) -> None:
        super().add(*args, **{"response_class": CannedResponse, **kwargs})
