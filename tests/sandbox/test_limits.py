"""Rate limits: fixed windows on whole seconds, for each user alone."""

from __future__ import annotations

from typing import Any

import pytest

from cadenza_async.sandbox import Sandbox

from .api import Answer, golden, serving


def rate(answer: Answer) -> tuple[int, int, int]:
    """Limit, remaining and reset, as the headers say."""
    names = ("Limit", "Remaining", "Reset")
    limit, remaining, reset = (int(answer.headers[f"X-RateLimit-{name}"]) for name in names)
    return limit, remaining, reset


async def test_windows_begin_at_multiples_of_the_period() -> None:
    """Two calls fit into a window, the third waits for the border, where two fit again."""
    now = 1_750_000_001.5
    async with serving(clock=lambda: now, rate_limit=2, rate_period=6) as api:
        assert rate(await api.connect()) == (2, 1, 1_750_000_002)
        assert rate(await api.list()) == (2, 0, 1_750_000_002)
        refused = await api.connect()
        assert refused.status == 429
        assert refused.body == golden("constructed/throttled.429.json")
        assert rate(refused) == (2, 0, 1_750_000_002)
        assert refused.headers["Retry-After"] == "1"
        now = 1_750_000_001.999
        assert (await api.connect()).status == 429
        now = 1_750_000_002.0
        assert rate(await api.connect()) == (2, 1, 1_750_000_008)
        assert rate(await api.connect()) == (2, 0, 1_750_000_008)
        assert (await api.list()).headers["Retry-After"] == "6"
        assert len(api.sandbox.accounts) == 3


async def test_every_user_has_a_budget_of_their_own() -> None:
    """Another token of the same user shares the budget; another user does not."""
    async with serving(clock=lambda: 1_750_000_000.0, rate_limit=1) as api:
        assert (await api.connect()).status == 200
        assert (await api.connect(token=api.sandbox.token("u-1"))).status == 429
        assert (await api.connect(token=api.sandbox.token("u-2"))).status == 200


async def test_refused_calls_count_as_well_but_unknown_callers_do_not() -> None:
    """A 400 and a 403 use the budget up and report it; a 401 has no budget to report."""
    async with serving(clock=lambda: 1_750_000_000.0, rate_limit=3) as api:
        assert rate(await api.connect(venue=""))[1] == 2
        assert rate(await api.connect(token=api.sandbox.token(rights=False)))[1] == 1
        assert "X-RateLimit-Limit" not in (await api.connect(token="nobody")).headers
        assert rate(await api.connect(apiKey="invalid"))[1] == 0
        assert (await api.list()).status == 429


async def test_without_a_limit_nothing_is_reported() -> None:
    """Headers are there only when they are true."""
    async with serving() as api:
        assert not [name for name in (await api.connect()).headers if "rate" in name.lower()]


async def test_authentication_has_a_limit_of_its_own() -> None:
    """Whatever is about a session is counted apart from account management; health never is."""
    async with serving(clock=lambda: 1_750_000_000.0, rate_limit=1, auth_rate_limit=2) as api:
        token = api.sandbox.token("u-2")
        assert rate(await api.call("GET", "auth/user", token=token))[:2] == (2, 1)
        assert rate(await api.call("POST", "auth/logout", token=token))[:2] == (2, 0)
        body = {"email": "a@example.test", "password": "wrong"}
        assert [(await api.post("auth/login", body)).status for _ in range(3)] == [401, 401, 429]
        assert rate(await api.connect()) == (1, 0, 1_750_000_020)
        assert (await api.call("GET", "health")).status == 200


@pytest.mark.parametrize("name", ["rate_limit", "rate_period", "auth_rate_limit"])
@pytest.mark.parametrize("number", [0, -1])
def test_limits_below_one_are_refused(name: str, number: int) -> None:
    """A limit that nobody could meet is a mistake, and the text says whose."""
    given: dict[str, Any] = {name: number}
    with pytest.raises(ValueError, match=f"^{name} must be at least 1$"):
        Sandbox(**given)
