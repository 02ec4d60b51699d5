"""Login, refresh and logout: a session whose refresh token works once."""

from __future__ import annotations

import asyncio
import secrets
from typing import TYPE_CHECKING, Any

import pytest

from .api import golden, serving

if TYPE_CHECKING:
    from .api import Answer, Api

EMAIL = "ops@example.test"


async def login(api: Api) -> dict[str, Any]:
    """Add a user and log in."""
    password = secrets.token_hex(8)
    api.sandbox.add_user(EMAIL, password, "u-9")
    answer = await api.post("auth/login", {"email": EMAIL, "password": password})
    assert answer.status == 200
    session: dict[str, Any] = answer.data
    return session


async def refresh(api: Api, token: str) -> Answer:
    """Ask for a new session."""
    return await api.post("auth/token/refresh", {"refreshToken": token})


async def test_login_answers_a_session_of_the_golden_shape() -> None:
    """The session counts in seconds, names the user, and its access token works."""
    async with serving(clock=lambda: 1_750_000_000.0, session_lifetime=600) as api:
        session = await login(api)
        expected = golden("constructed/login.200.json")["data"]
        assert list(session) == list(expected)
        assert session["user"].keys() == expected["user"].keys()
        assert session["tokenType"] == "bearer"
        assert (session["expiresIn"], session["expiresAt"]) == (600, 1_750_000_600)
        assert session["user"]["createdAt"] == "2025-06-15T15:06:40Z"
        account = (await api.connect(token=session["accessToken"])).data
        assert account["userId"] == session["user"]["id"] == "u-9"


@pytest.mark.parametrize("email", [EMAIL, "nobody@example.test"])
async def test_login_refuses_a_wrong_password_and_an_unknown_user_alike(
    api: Api, email: str
) -> None:
    """Nothing in the answer tells which of the two was wrong."""
    api.sandbox.add_user(EMAIL, secrets.token_hex(8))
    answer = await api.post("auth/login", {"email": email, "password": "wrong"})
    assert answer.verdict == (401, -100001)
    assert answer.body["error"] == "Invalid email or password"


async def test_a_refresh_token_works_once(api: Api) -> None:
    """The new session has a new refresh token, and the old one is dead."""
    first = await login(api)
    second = (await refresh(api, first["refreshToken"])).data
    assert second.keys() == first.keys()
    tokens = {each[name] for each in (first, second) for name in ("accessToken", "refreshToken")}
    assert len(tokens) == 4
    answer = await refresh(api, first["refreshToken"])
    assert answer.status == 401
    assert answer.body == golden("constructed/refresh_invalid.401.json")
    assert (await refresh(api, second["refreshToken"])).status == 200
    assert (await api.list(token=second["accessToken"])).status == 200


async def test_tokens_expire_by_the_sandboxs_clock() -> None:
    """The access token lives an hour, the refresh token a week."""
    now = 1_750_000_000.0
    async with serving(clock=lambda: now) as api:
        session = await login(api)
        now += 3599.9
        assert (await api.list(token=session["accessToken"])).status == 200
        now += 0.1
        assert (await api.list(token=session["accessToken"])).verdict == (401, -100000)
        session = (await refresh(api, session["refreshToken"])).data
        now += 7 * 24 * 3600 - 0.1
        session = (await refresh(api, session["refreshToken"])).data
        now += 7 * 24 * 3600
        assert (await refresh(api, session["refreshToken"])).verdict == (401, -100003)
        assert (await api.list()).status == 200


async def test_refresh_takes_no_authorization_header(api: Api) -> None:
    """The token has no business there; a client that sends it is told."""
    session = await login(api)
    body = {"refreshToken": session["refreshToken"]}
    answer = await api.post("auth/token/refresh", body, token=session["accessToken"])
    assert answer.verdict == (400, -19001)


async def test_logout_ends_the_whole_session(api: Api) -> None:
    """Every access and refresh token of the session dies; other sessions go on."""
    first, other = await login(api), await login(api)
    second = (await refresh(api, first["refreshToken"])).data
    answer = await api.call("POST", "auth/logout", token=second["accessToken"])
    assert (answer.status, answer.data) == (200, "ok")
    for session in (first, second):
        assert (await api.list(token=session["accessToken"])).verdict == (401, -100000)
    assert (await refresh(api, second["refreshToken"])).verdict == (401, -100003)
    assert (await api.list(token=other["accessToken"])).status == 200


async def test_two_logouts_at_once_are_both_done(api: Api) -> None:
    """The second finds the token gone in the middle of its work, and does not mind."""
    token = api.sandbox.token()
    api.sandbox.script("slow-commit:50ms", "slow-commit:50ms")
    calls = [api.call("POST", "auth/logout", token=token) for _ in range(2)]
    assert [answer.status for answer in await asyncio.gather(*calls)] == [200, 200]


async def test_logout_of_a_plain_token_kills_that_token_alone(api: Api) -> None:
    """A token made by hand has no session around it; a body may be there, and must be empty."""
    token = api.sandbox.token()
    assert (await api.post("auth/logout", {"all": True}, token=token)).verdict == (400, -19004)
    assert (await api.post("auth/logout", {}, token=token)).status == 200
    assert (await api.list(token=token)).verdict == (401, -100000)
    assert (await api.list()).status == 200


async def test_the_user_is_who_the_token_speaks_for(api: Api) -> None:
    """Somebody who logged in has their address; a token made by hand has one made up."""
    session = await login(api)
    user = (await api.call("GET", "auth/user", token=session["accessToken"])).data
    assert user == {**session["user"], "role": "TRADER"}
    token = api.sandbox.token("u-3", rights=False)
    made_up = (await api.call("GET", "auth/user", token=token)).data
    assert made_up == {"id": "u-3", "email": "u-3@sandbox.test", "role": "VIEWER"}
    assert (await api.call("GET", "auth/user", token=None)).verdict == (401, -19002)
