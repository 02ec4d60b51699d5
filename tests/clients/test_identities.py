"""Who shares a token and a rate budget in a pool, and who does not."""

from __future__ import annotations

import asyncio
import gc
import os
import re
import weakref
from typing import TYPE_CHECKING, Any

import pytest
from attrs import field, frozen

from cadenza_async import AsyncCadenza, PasswordLogin, Secret, SessionPool, _sessions
from cadenza_async.errors import AuthenticationError, ClosedError, ConfigError, UsageError
from cadenza_async.sandbox import Sandbox
from tests.raw import answers, done, envelope, later

if TYPE_CHECKING:
    from cadenza_async import Attempt, TradingAccount
    from cadenza_async.auth import Token
    from tests.raw import RawServer

KEYS: dict[str, Any] = {"venue": "BINANCE", "api_key": "key", "api_secret": "secret"}
LIMIT = 3


async def connect_many(clients: list[AsyncCadenza], each: int) -> list[TradingAccount]:
    """Connect accounts with all clients at once."""
    calls = [client.connect_account(**KEYS) for client in clients for _ in range(each)]
    return await asyncio.gather(*calls)


async def test_the_token_given_last_counts_for_a_label(sandbox: Sandbox) -> None:
    """A label's client goes on with the new token, in hands that hold the old client too."""
    old, new = sandbox.token(expires_in=-1), sandbox.token()
    async with SessionPool(base_url=sandbox.url) as pool:
        first = pool.client(access_token=old, identity="u-1")
        with pytest.raises(AuthenticationError):
            await first.connect_account(**KEYS)
        second = pool.client(access_token=new, identity="u-1")
        assert len(await connect_many([first, second], 1)) == 2


async def test_a_token_that_is_replaced_while_it_is_refused(server: RawServer) -> None:
    """What the server refuses the old token goes out again with the one that was given since."""
    gate, server.default = asyncio.Event(), done
    server.play(later(gate, answers(401, envelope(-100000))))
    async with SessionPool(base_url=server.url) as pool:
        client = pool.client(access_token="old", identity="u-1")
        call = asyncio.create_task(client.connect_account(**KEYS))
        await server.until(lambda: len(server.requests) == 1)
        pool.client(access_token="new", identity="u-1")
        gate.set()
        await call
    sent = [request.header("Authorization") for request in server.requests]
    assert sent == ["Bearer old", "Bearer new"]


async def test_a_label_without_any_token_takes_the_one_of_the_environment(
    server: RawServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Who sets the variable, as the error says, is not told the same again."""
    monkeypatch.setenv("CADENZA_ACCESS_TOKEN", "")
    server.default = done
    async with SessionPool(base_url=server.url) as pool:
        first = pool.client(identity="u-1")
        with pytest.raises(ConfigError, match="no access token"):
            await first.connect_account(**KEYS)
        monkeypatch.setenv("CADENZA_ACCESS_TOKEN", "set.since")
        await pool.client(identity="u-1").connect_account(**KEYS)
    assert [request.header("Authorization") for request in server.requests] == ["Bearer set.since"]


@pytest.mark.parametrize("environment", ["", "somebody.else"])
async def test_a_label_without_a_token_keeps_its_own(
    server: RawServer, monkeypatch: pytest.MonkeyPatch, environment: str
) -> None:
    """Who only names an identity that is known does not take its token away."""
    monkeypatch.setenv("CADENZA_ACCESS_TOKEN", environment)
    server.default = done
    async with SessionPool(base_url=server.url) as pool:
        first = pool.client(access_token="its.own", identity="u-1")
        second = pool.client(identity="u-1")
        await connect_many([first, second], 1)
        assert pool.client(identity="u-2")._session is not first._session
    sent = {request.header("Authorization") for request in server.requests}
    assert sent == {"Bearer its.own"}


@pytest.mark.parametrize("scope", ["identity", "pool"])
async def test_whose_calls_are_counted_together(scope: Any) -> None:
    """With the scope of the pool, one identity waits for the window that another has used up."""
    async with Sandbox(rate_limit=LIMIT, rate_period=3600) as sandbox:
        tokens = [sandbox.token("u-1"), sandbox.token("u-2")]
        async with SessionPool(base_url=sandbox.url, rate_scope=scope, timeout=5) as pool:
            clients = [pool.client(access_token=token) for token in tokens]
            await connect_many(clients[:1], LIMIT)
            calls = connect_many(clients[1:], LIMIT)
            if scope == "identity":
                assert len(await calls) == LIMIT
            else:
                with pytest.raises(TimeoutError):
                    await calls
    assert {request["status"] for request in sandbox.requests} == {200}


async def test_an_identity_nobody_uses_is_forgotten(
    sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What was learned of it lingers for a while, but not for ever."""
    async with SessionPool(base_url=sandbox.url) as pool:
        pool.client(access_token="first")
        monkeypatch.setattr(_sessions, "_LINGER", 0.0)
        pool.client(access_token="second")
        assert len(pool._sessions._recent) == 1


@pytest.mark.parametrize("kind", ["callable", "source"])
async def test_a_client_that_was_logged_out_never_is_somebody_else(
    sandbox: Sandbox, kind: str
) -> None:
    """Its token source is kept, so that no other one can be made where that one is."""

    class Source:
        async def token(self, *, rejected: Secret | None = None) -> Secret:
            return Secret(sandbox.access_token)

    given: Token = Source() if kind == "source" else Source().token
    kept = weakref.ref(given)
    async with SessionPool(base_url=sandbox.url) as pool:
        client = pool.client(access_token=given)
        await client.logout()
        del given
        gc.collect()
        assert kept() is not None
        with pytest.raises(ConfigError, match="was logged out"):
            await client.user()


async def test_a_source_that_was_logged_out_is_asked_again(sandbox: Sandbox) -> None:
    """The same source object is the same identity, whatever it equals."""

    @frozen
    class Source:
        tokens: list[str] = field(hash=False)

        async def token(self, *, rejected: Secret | None = None) -> Secret:
            return Secret(self.tokens[-1])

    one, other = Source([sandbox.token()]), Source([sandbox.token()])
    other.tokens[:] = one.tokens
    async with SessionPool(base_url=sandbox.url) as pool:
        first, apart = pool.client(access_token=one), pool.client(access_token=other)
        await first.logout()
        assert apart._session is not first._session
        one.tokens.append(sandbox.token())
        assert (await pool.client(access_token=one).user()).user_id == "u-1"
        assert (await first.user()).user_id == "u-1"


async def test_a_fork_is_noticed(sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch) -> None:
    """In another process the sockets are not the client's own."""
    async with AsyncCadenza(sandbox.access_token, base_url=sandbox.url) as client:
        with monkeypatch.context() as patch:
            patch.setattr(os, "getpid", lambda: -1)
            with pytest.raises(ClosedError, match="fork"):
                await client.connect_account(**KEYS)


async def test_attempts_are_logged_without_a_hook(
    sandbox: Sandbox, caplog: pytest.LogCaptureFixture
) -> None:
    """The log tells of each attempt in one line, at DEBUG."""
    caplog.set_level("DEBUG", logger="cadenza_async")
    async with AsyncCadenza(sandbox.access_token, base_url=sandbox.url) as client:
        await client.connect_account(**KEYS)
    lines = [r.getMessage() for r in caplog.records if r.name == "cadenza_async"]
    (line,) = lines
    assert line.startswith("POST tradingAccount/connect: attempt 1 done (HTTP 200, errno 0,")


async def test_every_retry_is_told_of(sandbox: Sandbox, caplog: pytest.LogCaptureFixture) -> None:
    """At INFO, that of a renewed token too; the rate limit may make one wait longer."""
    caplog.set_level("INFO", logger="cadenza_async")

    async def token() -> str:
        return sandbox.token()

    sandbox.script("expired-token", "503-lock")
    async with AsyncCadenza(token, base_url=sandbox.url) as client:
        await client.connect_account(**KEYS)
    renewed, throttled = [r.getMessage() for r in caplog.records if r.name == "cadenza_async"]
    assert renewed == "POST tradingAccount/connect: again, with another access token"
    earliest = r"again in \d\.\d\d s at the earliest, because it was throttled"
    assert re.fullmatch(rf"POST tradingAccount/connect: {earliest}", throttled)


async def test_a_fixed_token_that_is_refused_promises_no_retry(
    sandbox: Sandbox, caplog: pytest.LogCaptureFixture
) -> None:
    """There is no other token to go on with."""
    caplog.set_level("INFO", logger="cadenza_async")
    sandbox.script("expired-token")
    async with AsyncCadenza(sandbox.access_token, base_url=sandbox.url) as client:
        with pytest.raises(AuthenticationError):
            await client.user()
    assert not [record for record in caplog.records if record.name == "cadenza_async"]


async def test_whose_an_attempt_is(sandbox: Sandbox) -> None:
    """A hook is told the label of each, of the login that comes before a call as well."""
    attempts: list[Attempt] = []
    login = PasswordLogin(email="someone@example.com", password="a password")
    async with SessionPool(base_url=sandbox.url, on_attempt=attempts.append) as pool:
        client = pool.client(access_token=login, identity="u-1")
        with pytest.raises(AuthenticationError):
            await client.user()
    assert [(attempt.path, attempt.identity) for attempt in attempts] == [("auth/login", "u-1")]


@pytest.mark.parametrize("kind", [AsyncCadenza, SessionPool])
async def test_what_is_open_is_not_opened_again(
    sandbox: Sandbox, kind: type[AsyncCadenza | SessionPool]
) -> None:
    """It is said to be open, not closed, and goes on as it was."""
    async with kind(base_url=sandbox.url) as opened:
        with pytest.raises(ClosedError, match="is open already"):
            await opened.__aenter__()
        client = opened.client() if isinstance(opened, SessionPool) else opened
        assert (await client.health()).status == "healthy"


async def test_what_is_closing_is_not_opened_again(sandbox: Sandbox) -> None:
    """While calls are waited for it is not closed yet."""
    sandbox.script("hang")
    async with AsyncCadenza(sandbox.access_token, base_url=sandbox.url, grace=5) as client:
        call = asyncio.create_task(client.connect_account(**KEYS))
        while not sandbox.requests:
            await asyncio.sleep(0.005)
        closing = asyncio.create_task(client.aclose())
        await asyncio.sleep(0)
        with pytest.raises(ClosedError, match="is closing"):
            await client.__aenter__()
        closing.cancel()
        await asyncio.gather(call, closing, return_exceptions=True)


@pytest.mark.parametrize("label", [5, b"u-1", ("u-1",)], ids=repr)
async def test_a_label_is_a_text(sandbox: Sandbox, label: Any) -> None:
    """What is none is refused by the argument's name."""
    async with SessionPool(base_url=sandbox.url) as pool:
        with pytest.raises(UsageError, match=r"^identity must be a string$"):
            pool.client(access_token=sandbox.access_token, identity=label)
