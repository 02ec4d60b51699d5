"""What the simulation has found once, told in a few lines each."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest

from cadenza_async import AsyncCadenza, PasswordLogin, Secret
from cadenza_async.errors import (
    AuthenticationError,
    DeadlineExceededError,
    NotSentError,
    OutcomeUnknownError,
    RateLimitedError,
)
from cadenza_async.sandbox import Sandbox

from .network import run

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

    from cadenza_async.auth import Token

_EPOCH = 1_700_000_000.0
_KEYS: Any = {"api_key": "a key", "api_secret": "a secret"}


def _wall() -> float:
    return _EPOCH + asyncio.get_running_loop().time()


@asynccontextmanager
async def _opened(
    token: Callable[[Sandbox], Token] | None = None, **options: Any
) -> AsyncIterator[tuple[Sandbox, AsyncCadenza]]:
    async with Sandbox(clock=_wall, seed=0, **options) as sandbox:
        sandbox.add_user("desk@desk.test", "a password")
        login = PasswordLogin(email="desk@desk.test", password="a password")
        client = AsyncCadenza(token(sandbox) if token else login, base_url=sandbox.url, retries=0)
        client._shared.wall = _wall
        async with client:
            yield sandbox, client


def test_a_gateways_429_at_a_windows_begin_shuts_nobody_out_for_ever() -> None:
    """A refusal without rate headers, as the first answer of a window, is waited out."""

    async def main() -> None:
        async with _opened(rate_limit=30) as (sandbox, client):
            await client.connect_account(venue="BINANCE", name="Desk 1", **_KEYS)
            await asyncio.sleep(61)
            sandbox.script("429-html@connect")
            with pytest.raises(RateLimitedError):
                await client.connect_account(venue="BINANCE", name="Desk 2", **_KEYS)
            await client.connect_account(venue="BINANCE", name="Desk 2", **_KEYS)

    run(main)


def test_a_gateways_retry_after_is_believed_though_the_window_has_room() -> None:
    """Whoever comes back when the error says so is let through, not kept until the window ends."""

    async def main() -> None:
        async with _opened(rate_limit=30) as (sandbox, client):
            await client.connect_account(venue="BINANCE", name="Desk 1", **_KEYS)
            sandbox.script("429:2s@connect")
            with pytest.raises(RateLimitedError) as refused:
                await client.connect_account(venue="BINANCE", name="Desk 2", **_KEYS)
            assert refused.value.retry_after == 2
            await asyncio.sleep(2)
            began = asyncio.get_running_loop().time()
            await client.connect_account(venue="BINANCE", name="Desk 2", **_KEYS)
            assert asyncio.get_running_loop().time() - began < 1

    run(main)


def test_an_absurd_retry_after_shuts_nobody_out_for_ever() -> None:
    """A gateway that gives a date in seconds where seconds are meant is asked again, some day."""

    async def main() -> None:
        async with _opened() as (sandbox, client):
            sandbox.script(f"429:{_EPOCH:.0f}s@connect")
            with pytest.raises(RateLimitedError) as refused:
                await client.connect_account(venue="BINANCE", name="Desk 1", **_KEYS)
            assert refused.value.retry_after == _EPOCH
            with pytest.raises(DeadlineExceededError):
                await client.connect_account(venue="BINANCE", name="Desk 1", **_KEYS)
            await asyncio.sleep(3600)
            await client.connect_account(venue="BINANCE", name="Desk 1", **_KEYS)

    run(main)


@pytest.mark.parametrize("lost", ["drop@login", "reset@login", "garbage@login"])
def test_a_lost_login_leaves_no_doubt_about_a_connect(lost: str) -> None:
    """Without a token the connect was not sent, whatever became of the login."""

    async def main() -> None:
        async with _opened() as (sandbox, client):
            sandbox.script(lost)
            with pytest.raises(NotSentError, match="nothing was done"):
                await client.connect_account(venue="BINANCE", name="Desk 1", **_KEYS)

    run(main)


def test_a_refused_login_is_not_tried_by_everybody() -> None:
    """All who want a token learn why there is none, and Cadenza is not asked once for each."""
    wrong = PasswordLogin(email="desk@desk.test", password="a wrong password")

    async def main() -> None:
        async with _opened(lambda _: wrong, auth_rate_limit=10) as (sandbox, client):
            for round_ in (1, 2):
                calls = [
                    client.connect_account(venue="BINANCE", name=f"Desk {n}", **_KEYS)
                    for n in range(20)
                ]
                ends = await asyncio.gather(*calls, return_exceptions=True)
                assert {type(end) for end in ends} == {AuthenticationError}
                assert len({id(end) for end in ends}) == len(ends)
                assert len(sandbox.requests) == round_
                await asyncio.sleep(31)
            sandbox.add_user("desk@desk.test", "a wrong password")
            await client.connect_account(venue="BINANCE", name="Desk 1", **_KEYS)

    run(main)


class _Hanging:
    """Gives tokens, but the one time that it gives no answer at all."""

    def __init__(self, sandbox: Sandbox, hangs_at: int) -> None:
        self._sandbox = sandbox
        self._hangs_at = hangs_at
        self._asked = 0
        self._newest = Secret("none.yet")

    async def ask(self) -> Secret:
        self._asked += 1
        if self._asked == self._hangs_at:
            await asyncio.Event().wait()
        self._newest = Secret(self._sandbox.token(f"user {self._asked}"))
        return self._newest

    async def token(self, *, rejected: Secret | None = None) -> Secret:
        return await self.ask() if rejected or not self._asked else self._newest


@pytest.mark.parametrize(("kind", "hangs_at"), [("ask", 1), ("ask", 2), ("source", 2)])
def test_a_token_source_that_hung_once_is_asked_again(kind: str, hangs_at: int) -> None:
    """Calls that wait for an answer that never comes fail, but not for ever."""

    def token(sandbox: Sandbox) -> Token:
        source = _Hanging(sandbox, hangs_at)
        return source.ask if kind == "ask" else source

    async def main() -> None:
        async with _opened(token) as (sandbox, client):
            failed = 0
            for _ in range(20):
                if hangs_at > 1:
                    sandbox.script("expired-token")
                try:
                    await client.user()
                except (AuthenticationError, DeadlineExceededError):
                    failed += 1
                    await asyncio.sleep(1)
            assert 5 < failed < 15

    run(main)


def test_a_row_that_the_pages_of_a_drifting_list_skip_is_found() -> None:
    """A list that lost a row while it was read is read again: "not there" would be a lie."""

    async def main() -> None:
        async with _opened() as (sandbox, client):
            since = datetime.fromtimestamp(_wall(), UTC)
            for number in range(2):
                await client.connect_account(venue="BINANCE", name=f"Desk {number}", **_KEYS)
            sandbox.script("drop-after-commit@connect")
            with pytest.raises(OutcomeUnknownError):
                await client.connect_account(venue="BINANCE", name="Desk 2", **_KEYS)
            await client.connect_account(venue="BINANCE", name="Desk 3", **_KEYS)
            sandbox.script("capped-list:3:100%", "drifting-list", "drifting-list")
            found = await client.resolve(venue="BINANCE", name="Desk 2", since=since)
            assert found is not None
            assert found.name == "Desk 2"

    run(main)
