"""Users' code that ends the program from within: whoever waits for it is told, and nobody else."""

from __future__ import annotations

import asyncio
from threading import Event, Thread
from typing import TYPE_CHECKING, Any

import pytest

from cadenza_async import (
    AsyncCadenza,
    Cadenza,
    NewAccount,
    PasswordLogin,
    Secret,
    onboard,
)

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
    from pathlib import Path

    from cadenza_async.sandbox import Sandbox

    Handler = Callable[[object], Awaitable[object]]
    Options = dict[str, Any]
    Make = Callable[["Exiting"], Options]


class AbortError(BaseException):
    """What test frameworks and schedulers end things with."""


class Exiting:
    """Code of a user's, of every kind, that raises what ends a program.

    Args:
        kind: What it raises.
    """

    def __init__(self, kind: type[BaseException]) -> None:
        self._kind = kind

    def hook(self, _: object) -> None:
        raise self._kind("enough")

    async def ask(self) -> str:
        raise self._kind("enough")

    async def ask_in_a_task(self) -> str:
        answer, _ = await asyncio.gather(self.ask(), asyncio.sleep(0))
        return answer

    async def token(self, *, rejected: Secret | None = None) -> Secret:
        raise self._kind("enough")

    async def middleware(self, request: object, handler: Handler) -> object:
        await handler(request)
        raise self._kind("enough")

    def rows(self) -> Iterator[NewAccount]:
        yield row(1)
        raise self._kind("enough")

    async def rows_async(self) -> AsyncIterator[NewAccount]:
        yield row(1)
        raise self._kind("enough")


def row(number: int) -> NewAccount:
    """A row of the sandbox's default user."""
    name = f"Desk {number}"
    return NewAccount(
        key=name, user="u-1", venue="BINANCE", api_key="key", api_secret="secret", name=name
    )


CALLS: dict[str, Make] = {
    "a token callable": lambda code: {"access_token": code.ask},
    "a token callable's task": lambda code: {"access_token": code.ask_in_a_task},
    "a token source": lambda code: {"access_token": code},
    "the hook of a login": lambda code: {
        "access_token": PasswordLogin(email="u-1@sandbox.test", password="a password"),
        "on_attempt": code.hook,
    },
    "a hook": lambda code: {"on_attempt": code.hook},
    "a middleware": lambda code: {"middlewares": [code.middleware]},
}
RUNS: dict[str, Make] = {
    "a look-up of tokens": lambda code: {"tokens": code.hook},
    "a token callable": lambda code: {"tokens": {"u-1": code.ask}},
    "a token callable's task": lambda code: {"tokens": {"u-1": code.ask_in_a_task}},
    "a token source": lambda code: {"tokens": {"u-1": code}},
    "a hook": lambda code: {"on_attempt": code.hook},
    "a middleware": lambda code: {"middlewares": [code.middleware]},
    "rows": lambda code: {"rows": code.rows()},
    "async rows": lambda code: {"rows": code.rows_async()},
}
every_kind = pytest.mark.parametrize("kind", [SystemExit, KeyboardInterrupt, AbortError])


@pytest.fixture
def others(served: Sandbox) -> Iterator[None]:
    """Wait for another client's call all the while: it has to end well, and so does a new one."""
    begun, exited = Event(), Event()
    ended: list[str] = []

    async def token() -> str:
        begun.set()
        await asyncio.to_thread(exited.wait, 10)
        return served.token("u-2")

    def call() -> None:
        with Cadenza(token, base_url=served.url) as client:
            ended.append(client.user().user_id)
            ended.append(client.health().status)

    thread = Thread(target=call)
    thread.start()
    begun.wait(10)
    yield
    exited.set()
    thread.join(10)
    assert ended == ["u-2", "healthy"]


@pytest.mark.usefixtures("others")
@every_kind
@pytest.mark.parametrize("make", CALLS.values(), ids=CALLS)
def test_a_call(served: Sandbox, make: Make, kind: type[BaseException]) -> None:
    """What a call's token source, hook or middleware raises is raised by the call."""
    options: Options = {"access_token": served.access_token, "base_url": served.url}
    options |= make(Exiting(kind))
    with pytest.raises(kind, match="enough"), Cadenza(**options) as client:
        client.user()


@pytest.mark.usefixtures("others")
@every_kind
@pytest.mark.parametrize("make", RUNS.values(), ids=RUNS)
def test_a_run(served: Sandbox, tmp_path: Path, make: Make, kind: type[BaseException]) -> None:
    """What ends a run is raised by the iteration over it, and the journal is closed then."""
    options: Options = {"rows": [row(1), row(2)], "tokens": {"u-1": served.token("u-1")}}
    options |= make(Exiting(kind))
    rows, tokens = options.pop("rows"), options.pop("tokens")
    with Cadenza(served.access_token, base_url=served.url, **options) as client:
        run = client.onboard(rows, tokens=tokens, journal=tmp_path / "journal")
        with pytest.raises(kind, match="enough"), run:
            list(run)
        assert list(run) == []
        with client.onboard([], journal=tmp_path / "journal") as another:  # refused while in use
            assert list(another) == []


@every_kind
@pytest.mark.parametrize("place", ["a look-up of tokens", "a token source", "a hook", "rows"])
async def test_a_run_in_a_loop_of_the_users(
    sandbox: Sandbox, tmp_path: Path, place: str, kind: type[BaseException]
) -> None:
    """Without threads, too, a run ends well before it raises what ended it."""
    options: Options = {"rows": [row(1), row(2)], "tokens": {"u-1": sandbox.token("u-1")}}
    options |= RUNS[place](Exiting(kind))
    rows, tokens = options.pop("rows"), options.pop("tokens")
    async with AsyncCadenza(base_url=sandbox.url, **options) as client:
        run = onboard(client, rows, tokens=tokens, journal=tmp_path / "journal")
        with pytest.raises(kind, match="enough"):
            [outcome async for outcome in run]
