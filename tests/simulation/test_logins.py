"""The session of a `PasswordLogin` over hours, which pass at once."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

import pytest

from cadenza_async import AsyncCadenza, PasswordLogin
from cadenza_async.errors import RateLimitedError
from cadenza_async.sandbox import Sandbox

from .network import run

if TYPE_CHECKING:
    from collections.abc import AsyncIterator


def _wall() -> float:
    return 1_700_000_000.0 + asyncio.get_running_loop().time()


@asynccontextmanager
async def _logged_in(lifetime: int) -> AsyncIterator[tuple[Sandbox, AsyncCadenza]]:
    """A client whose session has just begun."""
    login = PasswordLogin(email="desk@desk.test", password="a password")
    async with Sandbox(clock=_wall, seed=0, session_lifetime=lifetime) as sandbox:
        sandbox.add_user("desk@desk.test", "a password")
        async with AsyncCadenza(login, base_url=sandbox.url, retries=0) as client:
            await client.user()
            yield sandbox, client


def _asked(sandbox: Sandbox, path: str) -> int:
    return sum(request["path"].endswith(path) for request in sandbox.requests)


@pytest.mark.parametrize(("lifetime", "due"), [(3600, 3300), (600, 300), (200, 100)])
def test_a_token_is_refreshed_in_good_time(lifetime: int, due: int) -> None:
    """Five minutes before its end, or halfway if it does not live for ten; once, and for all.

    Each time with the refresh token that came last: there is no other login.
    """
    first, second = ((1, 0), (due - 10, 0), (10, 1)), ((1, 1), (due - 10, 1), (20, 2), (1, 2))

    async def main() -> None:
        async with _logged_in(lifetime) as (sandbox, client):
            for wait, refreshed in (*first, *second):
                await asyncio.sleep(wait)
                await asyncio.gather(*(client.user() for _ in range(5)))
                assert _asked(sandbox, "refresh") == refreshed
            assert _asked(sandbox, "login") == 1

    run(main)


def test_a_refresh_that_fails_is_tried_again_after_a_while() -> None:
    """As long as the token is good, not with each call."""

    async def main() -> None:
        async with _logged_in(3600) as (sandbox, client):
            sandbox.script("503-lock:100%@refresh")
            for wait, tried in ((3301, 1), (1, 1), (1, 1), (30, 2), (1, 2)):
                await asyncio.sleep(wait)
                await client.user()
                await asyncio.sleep(0.5)
                assert _asked(sandbox, "refresh") == tried

    run(main)


def test_a_refresh_token_that_may_be_spent_is_not_used_again() -> None:
    """There is a new login to make, now or later."""

    async def main() -> None:
        async with _logged_in(600) as (sandbox, client):
            await asyncio.sleep(601)
            sandbox.script("drop@refresh", "503-lock@login")
            with pytest.raises(RateLimitedError):
                await client.user()
            await client.user()
            assert (_asked(sandbox, "refresh"), _asked(sandbox, "login")) == (1, 3)
            assert not [each for each in sandbox.requests if each["status"] == 401]

    run(main)
