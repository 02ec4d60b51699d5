"""One run's world: a sandbox in bad weather, clocks, a pool of clients, and a log of it all.

Whoever acts in it (the engines of this package, an onboarding job) comes from outside.
"""

from __future__ import annotations

import asyncio
import json
from contextlib import AsyncExitStack
from hashlib import sha256
from random import Random
from typing import TYPE_CHECKING, Any, Literal, Self, TypeAlias, cast
from unittest import mock

from cadenza_async import PasswordLogin, SessionPool
from cadenza_async.sandbox import Sandbox

from .books import Books
from .clocks import Clocks
from .history import History
from .weather import forecast

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from types import TracebackType

    from cadenza_async import AsyncCadenza
    from cadenza_async.auth import Token
    from cadenza_async.config import Dialect
    from cadenza_async.models import Attempt

    from .network import VirtualLoop

Company: TypeAlias = Literal["nobody", "somebody", "namesakes"]

_NAMESAKES: Company = "namesakes"
_COMPANY_THAT_TELLS: tuple[Company, ...] = ("nobody", "somebody", "somebody")
_COMPANY = (*_COMPANY_THAT_TELLS * 3, _NAMESAKES)
_NEARLY_A_DAY, _DAYS = 14 * 3600.0, 10 * 86_400.0  # renames are seen if no clocks are a day apart


class World:
    """A sandbox and its weather.

    Args:
        seed: Of everything in it.
        dialect: Of the sandbox and the clients.
        makers: The endpoints that make something of value.
        tellable: Whether a list tells by itself what became of a connect: each answer has the
            ``Date`` of the clock that dates accounts, and nothing else gets the name of one.

    Attributes:
        dice: For whoever acts in it.
        books: What the clients claimed about every name.
        clocks: What time it is, and for whom.
        history: What happened at the server.
        company: Who else changes accounts.
        weather: What goes wrong.
        log: Everything that happened, a line each.
    """

    def __init__(
        self,
        seed: int,
        *,
        dialect: Dialect = "pages",
        makers: Sequence[str] = ("connect",),
        tellable: bool = False,
    ) -> None:
        self.seed = seed
        self.dialect: Dialect = dialect
        self.dice = Random(f"actors {seed}")
        self.weather = forecast(Random(f"weather {seed}"), makers)
        self.log: list[str] = []
        self.loop = cast("VirtualLoop", asyncio.get_running_loop())
        clocks = Random(f"clocks {seed}")
        company = _COMPANY_THAT_TELLS if tellable else _COMPANY
        self.company: Company = clocks.choice(company)
        farthest = _DAYS if self.company == "nobody" else _NEARLY_A_DAY
        self.clocks = Clocks(self.loop, clocks, farthest, tellable)
        options = {"seed": seed, "dialect": dialect, **self.weather.options}
        self.sandbox = Sandbox(clock=self.clocks.of_server, **options)
        self.history = History()
        self.history.watch(self.sandbox._platform)
        self.books = Books(self._names)
        self.users = [f"u-{number}" for number in range(4)]
        self._stack = AsyncExitStack()

    async def __aenter__(self) -> Self:
        date = mock.patch("cadenza_async.sandbox._wire.formatdate", self.clocks.date)
        self._stack.enter_context(date)
        await self._stack.enter_async_context(self.sandbox)
        for user in self.users:
            self.sandbox.add_user(f"{user}@desk.test", f"password of {user}", user)
        self.sandbox.script(*self.weather.faults)
        for begin, end, outage in self.weather.outages:
            self.loop.call_at(begin, self.loop.outages.add, outage)
            self.loop.call_at(end, self.loop.outages.discard, outage)
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        await self._stack.aclose()

    def pool(self, **settings: Any) -> SessionPool:
        """Make a pool that lives by the world's clock; its books watch it, if nobody else does."""
        settings.setdefault("on_attempt", self._attempted)
        pool = SessionPool(base_url=self.sandbox.url, dialect=self.dialect, **settings)
        pool._shared.wall = self.clocks.of_client
        return pool

    def client(self, pool: SessionPool, user: str) -> AsyncCadenza:
        """Return a user's client."""
        return pool.client(access_token=self.token(user), identity=user)

    def token(self, user: str) -> Token:
        """Return what gives a user's token; the users differ in where theirs come from."""
        number = self.users.index(user) % 3
        if number == 0:
            return PasswordLogin(email=f"{user}@desk.test", password=f"password of {user}")
        if number == 1:
            return self.sandbox.token(user, expires_in=None)

        async def ask() -> str:
            await asyncio.sleep(self.loop.delay())
            return self.sandbox.token(user, expires_in=120)

        return ask

    def note(self, what: str) -> None:
        """Write a line into the log."""
        self.log.append(f"{self.loop.time():.6f} {what}")

    def close_books(self) -> str:
        """Compare claims with facts for the last time, and return the digest of the whole run."""
        requests = self.sandbox.requests
        bodies = [each["body"] for each in requests if each["path"].endswith("/connect")]
        self.books.close(name_of(body) for body in bodies if isinstance(body, dict))
        facts = [*requests, *self.sandbox.accounts, *self.sandbox.archive]
        everything = [*self.log, *(json.dumps(fact) for fact in facts), *self.books.wrong]
        return sha256("\n".join(everything).encode()).hexdigest()

    def _attempted(self, attempt: Attempt) -> None:
        self.note(repr(attempt))
        self.books.attempted(attempt)

    def _names(self) -> list[str]:
        return [each.name for each in self.history.accounts.values() if not each.by_hand]


def name_of(thing: Mapping[str, Any]) -> str:
    """Return the name of what was sent or made, in either dialect."""
    name: str = thing.get("name", thing.get("nickname", ""))
    return name
