"""The sandbox itself: it opens a port, keeps time, and hands every request to the platform."""

from __future__ import annotations

import asyncio
import logging
import time
from random import Random
from typing import TYPE_CHECKING, Any, Self, cast

from aiohttp import web
from attrs import evolve

from cadenza_async.sandbox._checks import BAD_REQUEST
from cadenza_async.sandbox._dialects import (
    DIALECTS,
    Dialect,
    DialectName,
    spell_credential,
    spell_operation,
)
from cadenza_async.sandbox._faults import Fault
from cadenza_async.sandbox._keeper import Keeper
from cadenza_async.sandbox._ledger import Ledger, logger
from cadenza_async.sandbox._limits import FixedWindows
from cadenza_async.sandbox._persistence import persist, restore
from cadenza_async.sandbox._platform import Call, Platform
from cadenza_async.sandbox._replies import Refusal, Reply
from cadenza_async.sandbox._routes import Route, find_route
from cadenza_async.sandbox._script import Script
from cadenza_async.sandbox._service import answer, wire_fault
from cadenza_async.sandbox._sessions import Grant, Sessions
from cadenza_async.sandbox._wire import deliver, pack

if TYPE_CHECKING:
    import os
    from collections.abc import Callable
    from types import TracebackType

_UNANSWERED = frozenset({"hang", "drop", "reset", "garbage"})
_MOMENT = 0.05
_BACKLOG = 1024
_LONGEST_LINE = 8192 + len("POST  HTTP/1.1\r\n")  # around the longest URL
_LONGEST_HEADER = 16 * 1024
_http_logger = logging.getLogger("cadenza_async.sandbox.http")
_http_logger.setLevel(logging.CRITICAL)  # aiohttp.web quotes the headers it cannot read


class Sandbox:
    """An embedded Cadenza on a loopback port, strict by the contract, that shows no secret.

    An async context manager; nothing is opened before `async with`, and leaving it ends every
    request that is still being worked on. What was connected is there for as long as the
    object is, or for as long as its state file is. Every user, token and fault can be added
    before as well as while it runs.

    Args:
        dialect: The vocabulary it speaks and expects. `"pages"` connects by the keys
            themselves, `"openapi"` by reference to credentials that were stored before; each
            refuses what only the other knows.
        host: The address to listen on.
        port: The port to listen on; 0 takes a free one.
        rate_limit: Requests a user may make to account management per period; None: no limit,
            and no rate headers.
        rate_period: Seconds, whole; windows begin at multiples of it since the epoch.
        auth_rate_limit: The same for login, refresh, logout and user.
        session_lifetime: Seconds that the access token of a login is good for.
        slow: Seconds that the exchange takes for an api key that begins with `slow`.
        clock: Seconds since the epoch; dates, expiry and rate windows go by it.
        seed: Makes ids, tokens and chance repeatable; beside a state file only chance, because
            an id must not come again.
        state: A file that keeps accounts, credentials, operations, users and tokens for the
            next sandbox that is opened with it; made when it is not there. It has whatever was
            answered, however the process ends, and all of it encrypted, for which the extra
            `sandbox` is needed. The list of requests, faults and rate windows are not kept.
        state_key: The file with its key. Without one it is the environment's
            `CADENZA_SANDBOX_KEY`, 32 bytes in base64, or else the file beside `state` whose
            name ends in `.key`. A key file that is missing is made with a new state file; one
            that others can read is refused (which is not checked on Windows).

    Raises:
        ValueError: A limit or period below 1, another dialect, or a key without a state file.
        StateError: At `async with`: the file is in use, is no state file, is not as it was
            written, or does not open with the key; or the key or the extra is missing.
            Nothing was changed then. At its end: the file could not be written.
        OSError: At `async with`: it cannot listen there.
    """

    def __init__(
        self,
        *,
        dialect: DialectName = "pages",
        host: str = "127.0.0.1",
        port: int = 0,
        rate_limit: int | None = None,
        rate_period: int = 60,
        auth_rate_limit: int | None = None,
        session_lifetime: int = 3600,
        slow: float = 2.0,
        clock: Callable[[], float] = time.time,
        seed: int | None = None,
        state: str | os.PathLike[str] | None = None,
        state_key: str | os.PathLike[str] | None = None,
    ) -> None:
        _check(rate_limit=rate_limit, rate_period=rate_period, auth_rate_limit=auth_rate_limit)
        self._host, self._port = host, port
        self._ids = _chance(seed if state is None else None)
        self._script = Script(_chance(seed))
        self._ledger = Ledger()
        self._platform = Platform(
            clock=clock,
            ids=self._ids,
            sessions=Sessions(clock, self._new_token, session_lifetime),
            limits={
                "account": FixedWindows(rate_limit, rate_period),
                "auth": FixedWindows(auth_rate_limit, rate_period),
            },
            slow=slow,
            dialect=_dialect(dialect),
        )
        if state is None and state_key is not None:
            raise ValueError("state_key is given, but no state file that it is for")
        self._keeper = None if state is None else Keeper(state, state_key)
        if self._keeper is not None:
            persist(self._platform, self._keeper)
        self._runner: web.ServerRunner | None = None
        self._working: set[asyncio.Task[Any]] = set()
        self._access_token = ""

    @property
    def url(self) -> str:
        """Where it listens, such as `http://127.0.0.1:54321`.

        Raises:
            RuntimeError: It does not listen.
        """
        host, port = self._running().addresses[0][:2]
        return f"http://{f'[{host}]' if ':' in host else host}:{port}"

    @property
    def dialect(self) -> DialectName:
        """The vocabulary it speaks."""
        return self._platform.dialect.name

    @property
    def access_token(self) -> str:
        """A token of the user `u-1` that never expires."""
        if not self._access_token:
            lasting = self._platform.sessions.lasting("u-1")
            self._access_token = lasting or self.token(expires_in=None)
        return self._access_token

    @property
    def accounts(self) -> list[dict[str, Any]]:
        """Every account that is connected, of all users, in wire spelling, oldest first."""
        platform = self._platform
        return [
            platform.spell(each) for each in platform.accounts.everything() if each.is_connected
        ]

    @property
    def archive(self) -> list[dict[str, Any]]:
        """Every account that was disconnected, as `accounts`."""
        platform, everything = self._platform, self._platform.accounts.everything()
        return [platform.spell(each) for each in everything if not each.is_connected]

    @property
    def credentials(self) -> list[dict[str, Any]]:
        """Every credential of all users, revoked ones included, as `accounts`; no secrets."""
        everything = self._platform.credentials.everything()
        return [spell_credential(self._platform.dialect, each) for each in everything]

    @property
    def operations(self) -> list[dict[str, Any]]:
        """All that was done to accounts, and tried, as `accounts`."""
        return [spell_operation(each) for each in self._platform.operations.everything()]

    @property
    def requests(self) -> list[dict[str, Any]]:
        """What was received, oldest first, the newest 100,000, with everything secret masked.

        Each has `method`, `path`, `query`, `user`, `body`, `receivedAt` (ms), `status` (None:
        not answered, or not yet) and `fault` (None, or names joined by `+`).
        """
        return self._ledger.copy()

    def token(
        self, user: str = "u-1", *, expires_in: float | None = 3600, rights: bool = True
    ) -> str:
        """A new access token.

        Args:
            user: The user it speaks for.
            expires_in: Seconds that it is good for; None means for ever.
            rights: Whether it may change anything; without, it can only read.
        """
        expires = None if expires_in is None else self._platform.clock() + expires_in
        grant = Grant(user=user, expires=expires, rights=rights)
        return self._platform.sessions.issue(grant)

    def add_user(self, email: str, password: str, user: str = "u-1") -> None:
        """Let somebody log in as a user; the password is kept as a digest."""
        self._platform.sessions.add_user(email, password, user)

    def script(self, *faults: Fault | str) -> None:
        """Make requests go wrong.

        Faults without a rate are met once each, in order, by the next requests that they are
        for; `"ok"` lets one pass. A fault with a rate stands as a rule until `behave()`, and
        may fall together with others.

        Args:
            faults: `Fault`s, or lines that `Fault.parse` reads.

        Raises:
            ValueError: A line is no fault; none of them is added then.
            TypeError: Something is neither; likewise.
        """
        for each in [_fault(each) for each in faults]:
            self._script.add(each)

    def behave(self) -> None:
        """Forget every fault that was not met yet, rules included."""
        self._script.clear()

    async def __aenter__(self) -> Self:
        if self._runner is not None:
            raise RuntimeError("the sandbox is running already")
        try:
            await self._open_state()
            self._runner = await self._listen()
        except BaseException:
            await self._close_state()
            raise
        return self

    async def _open_state(self) -> None:
        if self._keeper is not None:
            restore(self._platform, await self._keeper.open())
            _ = self.access_token  # made now if there is none, so that it lasts from now on
            await self._keeper.settled()

    async def _close_state(self) -> None:
        if self._keeper is not None:
            await self._keeper.close()

    async def _listen(self) -> web.ServerRunner:
        server = web.Server(
            self._handle,
            access_log=None,
            logger=_http_logger,
            max_line_size=_LONGEST_LINE,
            max_field_size=_LONGEST_HEADER,
        )
        runner = web.ServerRunner(server, shutdown_timeout=_MOMENT)
        await runner.setup()
        await web.TCPSite(runner, self._host, self._port, backlog=_BACKLOG).start()
        return runner

    async def __aexit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        runner, self._runner = self._running(), None
        try:
            await self._stop_working()
            await runner.cleanup()
            await self._stop_working()
        finally:
            await self._close_state()

    def _running(self) -> web.ServerRunner:
        if self._runner is None:
            raise RuntimeError("the sandbox is not running: use it in `async with`")
        return self._runner

    async def _stop_working(self) -> None:
        """End what is being worked on now; whoever calls without pause has more in a moment."""
        for task in self._working:
            task.cancel()
        if self._working:
            await asyncio.wait(self._working)

    def _new_token(self) -> str:
        return f"sandbox-{self._ids.getrandbits(128):032x}"

    async def _handle(self, request: web.BaseRequest) -> web.Response:
        """Work on one request in a task that we end with the sandbox, and nobody by leaving."""
        task = cast("asyncio.Task[Any]", asyncio.current_task())
        self._working.add(task)
        task.add_done_callback(self._working.discard)
        return await self._serve(request)

    async def _serve(self, request: web.BaseRequest) -> web.Response:
        began = asyncio.get_running_loop().time()
        call = await _read(request)
        route = find_route(call.method, call.path)
        call = evolve(call, faults=self._script.draw(route.name))
        user, now = self._platform.whoever_calls(call), self._platform.now_ms()
        record = self._ledger.open(call, user, now)
        try:
            reply = await self._answer(route, call)
        except asyncio.CancelledError:  # the sandbox ends
            self._ledger.close(record, None, asyncio.get_running_loop().time() - began)
            raise
        wire = wire_fault(call)
        unanswered = wire is not None and wire.kind in _UNANSWERED
        took = asyncio.get_running_loop().time() - began
        self._ledger.close(record, None if unanswered else reply.status, took)
        return await deliver(
            request, pack(reply, self._platform.dialect, self._platform.clock()), wire
        )

    async def _answer(self, route: Route, call: Call) -> Reply:
        try:
            return await answer(self._platform, route, call)
        except Exception:  # noqa: BLE001 - a server outlives its mistakes, and tells them
            logger.exception("%s failed", route.name)
            return Refusal(500, -19000, "Internal server error").reply()


def _check(**limits: int | None) -> None:
    for name, number in limits.items():
        if number is not None and number < 1:
            raise ValueError(f"{name} must be at least 1")


def _fault(given: object) -> Fault:
    if isinstance(given, Fault):
        return given
    if not isinstance(given, str):
        raise TypeError(f"a fault is a Fault or a line of text such as '429', not {given!r}")
    return Fault.parse(given)


def _dialect(name: str) -> Dialect:
    if name not in DIALECTS:
        raise ValueError(f"dialect must be one of {', '.join(DIALECTS)}")
    return DIALECTS[name]


def _chance(seed: int | None) -> Random:
    return Random(seed)  # noqa: S311 - repeatable, not unguessable, is what is wanted here


async def _read(request: web.BaseRequest) -> Call:
    """The whole request; a body that cannot be read is noted as the refusal it leads to."""
    body, unreadable = b"", None
    try:
        body = await request.read()
    except web.HTTPRequestEntityTooLarge:
        unreadable = Refusal(413, BAD_REQUEST, "Request body too large")
    except web.RequestPayloadError:
        unreadable = Refusal(400, BAD_REQUEST, "Request body could not be read")
    return Call(
        method=request.method,
        path=request.rel_url.raw_path,
        url=str(request.url),
        headers=request.headers,
        query=tuple(request.query.items()),
        content_type=request.content_type,
        body=body,
        unreadable=unreadable,
    )
