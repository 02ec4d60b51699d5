"""The shim under every test that uses canned answers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import aiohttp
import pytest
from aioresponses import CallbackResult

from .canned import CannedResponse

if TYPE_CHECKING:
    from .canned import Canned

URL = "https://cadenza.invalid/api"


async def test_an_answer_arrives_as_it_was_given(canned: Canned) -> None:
    """Status, headers and body of a canned answer reach the caller."""
    canned.post(URL, status=201, body=b"{}", headers={"X-Request-Id": "r-1"})
    async with aiohttp.ClientSession() as session, session.post(URL, data=b"x") as response:
        assert (response.status, response.headers["X-Request-Id"]) == (201, "r-1")
        assert await response.read() == b"{}"


async def test_a_failure_is_raised(canned: Canned) -> None:
    """A canned exception takes the place of an answer."""
    canned.get(URL, exception=aiohttp.ClientConnectionError("gone"))
    async with aiohttp.ClientSession() as session:
        with pytest.raises(aiohttp.ClientConnectionError, match="gone"):
            await session.get(URL)


async def test_a_callback_answers(canned: Canned) -> None:
    """A callback's result works when it names the response class."""

    def answer(url: object, **kwargs: Any) -> CallbackResult:
        return CallbackResult(status=202, response_class=CannedResponse)

    canned.get(URL, callback=answer)
    async with aiohttp.ClientSession() as session, session.get(URL) as response:
        assert response.status == 202
