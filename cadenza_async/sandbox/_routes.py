"""The table of endpoints: path, method, what it does, who may call it, which limit counts it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Literal

from attrs import frozen

from cadenza_async.sandbox import _accounts, _auth
from cadenza_async.sandbox._platform import Call, Platform
from cadenza_async.sandbox._replies import Refusal, Reply
from cadenza_async.sandbox._sessions import Grant

PREFIX = "/api/v3/"

Handler = Callable[[Platform, Call, Grant], Awaitable[Reply]]


@frozen
class Route:
    """One endpoint; `writes` names the action that needs rights, if any."""

    name: str
    method: str
    path: str
    handle: Handler
    limit: Literal["account", "auth"] | None = "account"
    public: bool = False
    writes: str | None = None


ROUTES = (
    Route("connect", "POST", "tradingAccount/connect", _accounts.connect, writes="create"),
    Route("list", "GET", "tradingAccount/list", _accounts.list_accounts),
    Route("disconnect", "POST", "tradingAccount/disconnect", _accounts.disconnect, writes="delete"),
    Route("login", "POST", "auth/login", _auth.login, "auth", public=True),
    Route("refresh", "POST", "auth/token/refresh", _auth.refresh, "auth", public=True),
    Route("logout", "POST", "auth/logout", _auth.logout, "auth"),
    Route("health", "GET", "health", _auth.health, None, public=True),
)
_BY_PATH = {PREFIX + route.path: route for route in ROUTES}


def find_route(method: str, path: str) -> Route:
    """The endpoint at a path; where there is none, one that says so."""
    route = _BY_PATH.get(path)
    if route is None:
        return Route("nowhere", method, path, _nowhere, None, public=True)
    if route.method != method:
        return Route("nowhere", route.method, path, _wrong_method, None, public=True)
    return route


async def _nowhere(_platform: Platform, _call: Call, _caller: Grant) -> Reply:
    raise Refusal(404, -19003, "No such endpoint")


async def _wrong_method(_platform: Platform, call: Call, _caller: Grant) -> Reply:
    allowed = _BY_PATH[call.path].method
    raise Refusal(405, -19003, "Method not allowed", headers={"Allow": allowed})
