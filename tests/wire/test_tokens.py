"""The access token: asked for when it is needed, renewed once for all who need another."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any, cast

import pytest
from attrs import Factory, define

from cadenza_async import Secret
from cadenza_async.errors import (
    AuthenticationError,
    ConfigError,
    CredentialsRejectedError,
    DeadlineExceededError,
)
from tests.raw import RawServer, answers, done, envelope, later

from .line import CALLS, check_told, failure, line_to, settle

if TYPE_CHECKING:
    from cadenza_async.auth import Token
    from tests.raw import Exchange

EXPIRED = answers(401, envelope(-100000))
CALLERS = 100

Ask = Callable[[], Awaitable[str]]


@define
class Issuer:
    """Issues tokens; a server that asks it knows the newest one only."""

    issued: int = 0
    rejected: list[Secret | None] = Factory(list)

    @property
    def newest(self) -> str:
        return f"token.{self.issued}"

    async def ask(self) -> str:
        """Issue a new token; it takes a moment."""
        await asyncio.sleep(0)
        self.issued += 1
        return self.newest

    async def check(self, exchange: Exchange) -> None:
        """Serve whoever has the newest token."""
        await (done if self.knows(exchange) else EXPIRED)(exchange)

    def knows(self, exchange: Exchange) -> bool:
        """Whether somebody has the newest token."""
        return exchange.request.header("Authorization") == f"Bearer {self.newest}"


class Source:
    """A token source of the user's own over an issuer."""

    def __init__(self, issuer: Issuer) -> None:
        self._issuer = issuer
        self._token = Secret(issuer.newest)

    async def token(self, *, rejected: Secret | None = None) -> Secret:
        self._issuer.rejected.append(rejected)
        if rejected is not None:
            self._token = Secret(await self._issuer.ask())
        return self._token


def as_callable(issuer: Issuer) -> Token:
    """Give its tokens through an async callable."""
    return issuer.ask


def as_source(issuer: Issuer) -> Token:
    """Give its tokens through a token source."""
    return Source(issuer)


@pytest.mark.parametrize("kind", CALLS)
async def test_a_fixed_token_is_not_tried_again(server: RawServer, kind: str) -> None:
    """A string that the server refuses is final: there is no other."""
    server.play(EXPIRED)
    async with line_to(server) as line:
        error = await failure(line.call(kind))
    assert type(error) is AuthenticationError
    assert line.verdicts == ["refused"]
    check_told(line, server)


@pytest.mark.parametrize("given", [as_callable, as_source])
async def test_a_hundred_tasks_meet_an_expired_token(
    server: RawServer, given: Callable[[Issuer], Token]
) -> None:
    """One of them gets a new one for all, whenever their refusals arrive; each then is done."""
    issuer = Issuer()
    late, at_once = asyncio.Event(), iter(range(CALLERS // 2))

    async def check_half_of_them_late(exchange: Exchange) -> None:
        if not issuer.knows(exchange) and next(at_once, None) is None:
            await late.wait()
        await issuer.check(exchange)

    async with line_to(server, token=given(issuer)) as line:
        server.default = issuer.check
        await line.learn()
        before, told = issuer.issued, len(line.attempts)
        issuer.issued += 1  # the server forgets the token that the client has
        server.default = check_half_of_them_late
        calls = [asyncio.create_task(line.connect(f"Desk {n}")) for n in range(CALLERS)]
        await server.until(lambda: len(server.requests) >= told + CALLERS)
        late.set()
        await asyncio.gather(*calls)
    assert issuer.issued == before + 2
    verdicts = line.verdicts[told:]
    assert (verdicts.count("refused"), verdicts.count("done")) == (CALLERS, CALLERS)
    check_told(line, server)


async def test_a_refused_token_tells_nothing_of_a_limit(plain: RawServer) -> None:
    """Whoever waits for the first answer that may tell of one goes on waiting."""
    gate = asyncio.Event()
    plain.play(EXPIRED, later(gate, done))
    async with line_to(plain, token=Issuer().ask) as line:
        calls = [asyncio.create_task(line.connect(f"Desk {n}")) for n in range(3)]
        await plain.until(lambda: len(plain.requests) == 2)
        await settle()
        assert len(plain.requests) == 2
        gate.set()
        await asyncio.gather(*calls)
    assert line.verdicts == ["refused", "done", "done", "done"]


@pytest.mark.parametrize("kind", CALLS)
async def test_asked_once_for_many_calls(plain: RawServer, kind: str) -> None:
    """A callable's token is kept until the server refuses it."""
    issuer = Issuer()
    plain.default = issuer.check
    async with line_to(plain, token=issuer.ask) as line:
        await asyncio.gather(*[line.call(kind) for _ in range(10)])
    assert issuer.issued == 1


@pytest.mark.parametrize("errno", [-18005, -18022])
@pytest.mark.parametrize("given", [as_callable, as_source])
async def test_the_exchanges_401_is_not_ours(
    plain: RawServer, errno: int, given: Callable[[Issuer], Token]
) -> None:
    """A 401 about the exchange's key refreshes nothing."""
    issuer = Issuer(issued=1)
    async with line_to(plain, token=given(issuer)) as line:
        plain.play(answers(401, envelope(errno)))
        error = await failure(line.connect())
    assert type(error) is CredentialsRejectedError
    assert issuer.issued == (2 if given is as_callable else 1)
    assert not any(issuer.rejected)
    check_told(line, plain)


@pytest.mark.parametrize("kind", CALLS)
async def test_the_same_token_again_is_final(plain: RawServer, kind: str) -> None:
    """A source that has no other token ends in the server's refusal."""

    async def ask() -> str:
        return "always.the.same"

    plain.play(EXPIRED, EXPIRED)
    async with line_to(plain, token=ask) as line:
        error = await failure(line.call(kind))
    assert type(error) is AuthenticationError
    assert line.verdicts == ["refused"]
    check_told(line, plain)


@pytest.mark.parametrize("kind", CALLS)
async def test_one_new_token_is_tried_not_ten(plain: RawServer, kind: str) -> None:
    """A new token that is refused as well is final."""
    issuer = Issuer()
    plain.play(EXPIRED, EXPIRED, EXPIRED)
    async with line_to(plain, token=issuer.ask) as line:
        error = await failure(line.call(kind))
    assert type(error) is AuthenticationError
    assert line.verdicts == ["refused", "refused"]
    assert issuer.issued == 2
    check_told(line, plain)


@pytest.mark.parametrize("kind", CALLS)
async def test_a_refresh_that_hangs(plain: RawServer, kind: str) -> None:
    """Whoever waits for another token gives up at the deadline, and is told that none came."""
    issuer = Issuer()

    async def ask() -> str:
        if issuer.issued:
            await asyncio.Event().wait()
        return await issuer.ask()

    plain.play(EXPIRED)
    async with line_to(plain, token=ask) as line:
        error = await failure(line.call(kind, timeout=0.6))
    assert type(error) is DeadlineExceededError
    assert error.remedy.endswith("nothing was done.")  # but something was sent, and refused
    assert line.verdicts == ["refused"]
    check_told(line, plain)


async def test_a_source_that_fails(plain: RawServer) -> None:
    """What a token source raises reaches the caller as it is; the next call asks again."""
    issuer = Issuer()

    async def ask() -> str:
        if not issuer.rejected:
            issuer.rejected.append(None)
            raise LookupError("the vault is sealed")
        return await issuer.ask()

    async with line_to(plain, token=ask) as line:
        error = await failure(line.connect())
        assert isinstance(error, LookupError)
        assert plain.requests == []
        await line.connect()
    check_told(line, plain)


class Sync:
    """A token source whose method is not async."""

    def token(self, *, rejected: Secret | None = None) -> Secret:
        return Secret("in.vain")


NOT_ASYNC = {"text": lambda: "in.vain", "nothing": lambda: None, "source": Sync()}


@pytest.mark.parametrize("given", NOT_ASYNC.values(), ids=NOT_ASYNC)
@pytest.mark.parametrize("kind", CALLS)
async def test_a_source_that_is_not_async(plain: RawServer, kind: str, given: Any) -> None:
    """It is told to be, whatever it returned, and nothing is sent."""
    async with line_to(plain, token=given) as line:
        for _ in range(2):
            error = await failure(line.call(kind))
            assert type(error) is ConfigError
            assert "must be async" in str(error)
    assert (plain.requests, line.attempts) == ([], [])


@pytest.mark.parametrize("given", [None, 5])
async def test_a_callable_that_returns_no_token(plain: RawServer, given: Any) -> None:
    """What is wrong is what it returned, not what it is."""

    async def fetch() -> str:
        return cast("str", given)

    async with line_to(plain, token=fetch) as line:
        error = await failure(line.connect())
    assert type(error) is ConfigError
    assert "must return a string or a Secret" in str(error)
    assert (plain.requests, line.attempts) == ([], [])


class Hasty:
    """A token source that forgets to be async where a token was refused."""

    def token(self, *, rejected: Secret | None = None) -> Awaitable[Secret] | Secret:
        return self._first() if rejected is None else Secret("in.vain")

    async def _first(self) -> Secret:
        return Secret("the.first")


async def test_a_source_that_is_not_always_async(plain: RawServer) -> None:
    """The refusal has led to nothing else, and the error tells why."""
    source: Any = Hasty()
    plain.play(EXPIRED)
    async with line_to(plain, token=source) as line:
        error = await failure(line.connect())
    assert type(error) is ConfigError
    assert "must be async" in str(error)
    check_told(line, plain)


async def test_the_one_who_asked_may_go(plain: RawServer) -> None:
    """Cancelling the task that began a refresh takes nothing from the others that wait for it."""
    issuer = Issuer()
    gate, asked = asyncio.Event(), asyncio.Event()

    async def ask() -> str:
        asked.set()
        await gate.wait()
        return await issuer.ask()

    plain.default = issuer.check
    gate.set()
    async with line_to(plain, token=ask) as line:
        await line.learn()
        issuer.issued += 1  # the server forgets the token that the client has
        gate.clear()
        asked.clear()
        first = asyncio.create_task(line.connect("first"))
        await asked.wait()
        others = [asyncio.create_task(line.connect(f"Desk {n}")) for n in range(5)]
        await plain.until(lambda: len(plain.requests) == 8)
        await settle()
        first.cancel()
        await settle()
        gate.set()
        await asyncio.gather(*others)
        assert first.cancelled()
    assert issuer.issued == 3
    assert line.verdicts == ["done"] * 2 + ["refused"] * 6 + ["done"] * 5
    check_told(line, plain)


async def test_an_error_that_nobody_waits_for(plain: RawServer) -> None:
    """What a source raises when all who asked are gone is nobody's news; the next call asks."""
    issuer = Issuer()
    gate = asyncio.Event()

    async def ask() -> str:
        if not gate.is_set():
            await gate.wait()
            raise LookupError("the vault is sealed")
        return await issuer.ask()

    plain.default = issuer.check
    async with line_to(plain, token=ask) as line:
        gone = [asyncio.create_task(line.connect(f"gone {n}")) for n in range(2)]
        await settle()
        for task in gone:
            task.cancel()
        await settle()
        gate.set()
        await settle()
        await line.connect()
    assert [request.sent["name"] for request in plain.requests] == ["Desk 1"]
