"""Logging in and out, clients without a token, and Cadenza's health."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING

import pytest
from aiohttp import ClientSession

from cadenza_async import AsyncCadenza, PasswordLogin, Secret, SessionPool
from cadenza_async.errors import (
    AuthenticationError,
    CadenzaError,
    ConfigError,
    OutcomeUnknownError,
    RateLimitedError,
    ServerError,
    UsageError,
)
from cadenza_async.sandbox import Sandbox
from tests.raw import Act, RawServer, answers, envelope, hang_up

from .methods import EACH, Sample, answer, every_method

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

EMAIL = "ops@example.test"
PASSWORD = "correct horse"
FREE = {"login", "refresh", "health"}


@pytest.fixture
async def house() -> AsyncIterator[Sandbox]:
    """Give a sandbox that somebody can log in to."""
    async with Sandbox() as sandbox:
        sandbox.add_user(EMAIL, PASSWORD, user="ops")
        yield sandbox


async def whose(client: AsyncCadenza) -> str | None:
    """Ask whose token a client has."""
    return (await client.user()).email


async def test_a_session_from_its_begin_to_its_end(house: Sandbox) -> None:
    """Log in without a token, use the session, go on with its successor, and log out."""
    async with AsyncCadenza(base_url=house.url) as nobody:
        session = await nobody.login(EMAIL, PASSWORD)
        assert session.user is not None
        assert (session.user.email, session.expires_in) == (EMAIL, 3600)
        assert session.refresh_token is not None
        async with AsyncCadenza(session.access_token, base_url=house.url) as client:
            assert await whose(client) == EMAIL
        later = await nobody.refresh(session.refresh_token)
        assert later.access_token != session.access_token
        with pytest.raises(AuthenticationError, match="100003"):
            await nobody.refresh(session.refresh_token)
        async with AsyncCadenza(later.access_token, base_url=house.url) as client:
            await client.logout()
        async with AsyncCadenza(later.access_token, base_url=house.url) as client:
            with pytest.raises(AuthenticationError):
                await whose(client)
        with pytest.raises(ConfigError, match="no access token"):
            await whose(nobody)


@pytest.mark.parametrize(
    ("refresh_token", "refusal"),
    [
        ("", None),
        ("r-1", answers(400, envelope(-19004))),
        ("r-1", answers(403, envelope(22018))),
        ("r-1", answers(404, envelope(-22016))),
    ],
)
async def test_a_session_that_cannot_be_refreshed(refresh_token: str, refusal: Act | None) -> None:
    """Whatever is wrong with the refresh token, e-mail and password are good for a new one."""
    grants = [{"accessToken": f"a-{n}", "refreshToken": refresh_token} for n in range(2)]
    async with RawServer(default=answers(200, envelope(data={"id": "u-1"}))) as server:
        server.play(answers(200, envelope(data=grants[0])), answers(401, envelope(-100000)))
        server.play(*([refusal] if refusal else []), answers(200, envelope(data=grants[1])))
        login = PasswordLogin(email=EMAIL, password=PASSWORD)
        async with AsyncCadenza(login, retries=0, **server.options) as client:
            assert (await client.user()).user_id == "u-1"
    refreshes = ["refresh"] if refusal else []
    called = [request.target.rpartition("/")[2] for request in server.requests]
    assert called == ["login", "user", *refreshes, "login", "user"]


async def test_a_throttled_refresh_is_no_refusal() -> None:
    """Nothing was done, and the refresh token is as good as before."""
    grant = {"accessToken": "a-1", "refreshToken": "r-1"}
    later = {"accessToken": "a-2", "refreshToken": "r-2"}
    async with RawServer(default=answers(200, envelope(data={"id": "u-1"}))) as server:
        server.play(answers(200, envelope(data=grant)), answers(401, envelope(-100000)))
        server.play(answers(503, envelope(-22014)), answers(401, envelope(-100000)))
        server.play(answers(200, envelope(data=later)))
        login = PasswordLogin(email=EMAIL, password=PASSWORD)
        async with AsyncCadenza(login, retries=0, **server.options) as client:
            with pytest.raises(RateLimitedError):
                await client.user()
            assert (await client.user()).user_id == "u-1"
    called = [request.target.rpartition("/")[2] for request in server.requests]
    assert called == ["login", "user", "refresh", "user", "refresh", "user"]


@pytest.mark.parametrize("sample", [each for each in EACH if each.method in FREE])
async def test_a_lent_session_s_authorization_is_not_sent(sample: Sample) -> None:
    """What needs no token carries none, not even somebody else's: a refresh is refused with one."""
    async with (
        RawServer() as server,
        ClientSession(headers={"Authorization": "Bearer theirs"}) as lent,
        AsyncCadenza("token", session=lent, base_url=server.url, retries=0) as client,
    ):
        with suppress(CadenzaError):
            await sample.call(client)
        assert [request.header("Authorization") for request in server.requests] == [None]


@pytest.mark.parametrize("password", ["wrong", Secret("wrong")], ids=["string", "secret"])
async def test_a_wrong_password(house: Sandbox, password: str | Secret) -> None:
    """It is refused once, and not tried again."""
    async with AsyncCadenza(base_url=house.url) as client:
        with pytest.raises(AuthenticationError, match="100001"):
            await client.login(EMAIL, password)
    assert len(house.requests) == 1


async def test_a_password_that_cannot_be_sent(house: Sandbox) -> None:
    """What `PasswordLogin` refuses, `login` refuses, with the same words."""
    async with AsyncCadenza(base_url=house.url) as client:
        for given in (("", PASSWORD), (EMAIL, ""), (EMAIL, "\0")):
            with pytest.raises(UsageError) as of_method:
                await client.login(*given)
            with pytest.raises(UsageError) as of_source:
                PasswordLogin(email=given[0], password=given[1])
            assert str(of_method.value) == str(of_source.value)
    assert house.requests == []


async def test_too_many_tries() -> None:
    """Cadenza's own limit is told as such."""
    async with RawServer(default=answers(429, envelope(-19000), retry_after="60")) as server:
        async with AsyncCadenza(**server.options, timeout=2) as client:
            with pytest.raises(RateLimitedError) as limited:
                await client.login(EMAIL, PASSWORD)
        assert limited.value.retry_after == 60


@every_method
async def test_without_a_token(sample: Sample) -> None:
    """A client without one can be opened; what needs one says that it is missing, unsent."""
    async with RawServer(default=hang_up) as server:
        async with AsyncCadenza(**server.options, retries=0) as client:
            expected = OutcomeUnknownError if sample.method in FREE else ConfigError
            with pytest.raises(expected) as failed:
                await sample.call(client)
        assert ("CADENZA_ACCESS_TOKEN" in str(failed.value)) is (sample.method not in FREE)
        assert len(server.requests) == (sample.method in FREE)


async def test_a_pool_s_client_without_a_token(house: Sandbox) -> None:
    """A pool lends clients without one, too."""
    async with SessionPool(base_url=house.url) as pool:
        assert (await pool.client().health()).status == "healthy"
        session = await pool.client().login(EMAIL, PASSWORD)
        assert await whose(pool.client(access_token=session.access_token)) == EMAIL
        with pytest.raises(ConfigError, match="no access token"):
            await whose(pool.client())


@every_method
async def test_after_logging_out(sample: Sample) -> None:
    """Nothing is sent that needs the token, and the error says why; the rest still works."""
    async with RawServer(default=answers(*answer("logout.200.json"))) as server:
        async with AsyncCadenza("token", **server.options, retries=0) as client:
            await client.logout()
            server.default = hang_up
            expected = OutcomeUnknownError if sample.method in FREE else ConfigError
            with pytest.raises(expected) as failed:
                await sample.call(client)
        assert ("was logged out" in str(failed.value)) is (sample.method not in FREE)
        assert len(server.requests) == 1 + (sample.method in FREE)


async def test_logging_out_ends_all_clients_of_an_identity(house: Sandbox) -> None:
    """They share the token; a new client may log in again, with the same login or another token."""
    login = PasswordLogin(email=EMAIL, password=PASSWORD)
    async with SessionPool(base_url=house.url) as pool:
        one, two = (pool.client(access_token=login, identity="ops") for _ in range(2))
        await one.logout()
        with pytest.raises(ConfigError, match="was logged out"):
            await whose(two)
        assert await whose(pool.client(access_token=login, identity="ops")) == EMAIL
        await one.logout()
        token = house.access_token
        assert await whose(pool.client(access_token=token, identity="ops")) != EMAIL


async def test_a_login_begins_anew_after_logging_out(house: Sandbox) -> None:
    """Without a label it is the same, for a login and for a token that is void."""
    login = PasswordLogin(email=EMAIL, password=PASSWORD)
    async with SessionPool(base_url=house.url) as pool:
        await pool.client(access_token=login).logout()
        assert await whose(pool.client(access_token=login)) == EMAIL
        token = (await pool.client().login(EMAIL, PASSWORD)).access_token
        await pool.client(access_token=token).logout()
        with pytest.raises(AuthenticationError):
            await whose(pool.client(access_token=token))


async def test_a_logout_that_may_be_done_leaves_the_token() -> None:
    """It may be asked for again; an AuthenticationError then tells that it was done."""
    async with RawServer(default=answers(401, envelope(-100000))) as server:
        server.play(hang_up)
        async with AsyncCadenza("token", **server.options) as client:
            with pytest.raises(OutcomeUnknownError) as lost:
                await client.logout()
            assert "AuthenticationError then means" in lost.value.remedy
            with pytest.raises(AuthenticationError):
                await client.logout()
        assert len(server.requests) == 2


@pytest.mark.parametrize("name", ["health.200.json", "health.503.json"])
async def test_health_waits_for_nobody(name: str) -> None:
    """It counts against no limit: even while that is used up, it is asked at once and once."""
    spent = {
        "x_ratelimit_limit": "30",
        "x_ratelimit_remaining": "0",
        "x_ratelimit_reset": "4102444800",
    }
    async with RawServer(default=answers(*answer(name))) as server:
        server.play(answers(200, envelope(data=[], pagination={"hasNext": False}), **spent))
        async with AsyncCadenza("token", **server.options, timeout=5) as client:
            assert [a async for a in client.list_accounts()] == []
            health = await client.health()
        assert health.status == ("healthy" if "200" in name else "unhealthy")
        assert server.requests[1].header("Authorization") is None
        assert len(server.requests) == 2


async def test_health_of_a_gateway() -> None:
    """A gateway's 503 is no health, and is asked again like any read."""
    async with RawServer(default=answers(503, b"<html>")) as server:
        async with AsyncCadenza(**server.options, retries=2) as client:
            client._shared.jitter = lambda: 0.0
            with pytest.raises(ServerError):
                await client.health()
        assert len(server.requests) == 3


def test_what_needs_no_token() -> None:
    """The tests above know all methods that need none."""
    assert {sample.method for sample in EACH} >= FREE
