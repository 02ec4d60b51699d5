"""The table of endpoints: path, method, what it does and reads, who may call it, which limit."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from types import MappingProxyType
from typing import Any, Literal

from attrs import frozen

from cadenza_async.sandbox import _accounts, _auth, _connecting, _credentials, _operations
from cadenza_async.sandbox._checks import Shape
from cadenza_async.sandbox._platform import Call, Platform
from cadenza_async.sandbox._replies import Refusal, Reply
from cadenza_async.sandbox._sessions import Grant

PREFIX = "/api/v3/"

Handler = Callable[[Platform, Call, Grant, dict[str, Any]], Awaitable[Reply]]


@frozen
class Route:
    """One endpoint: what it reads, by dialect, and the action that needs rights, if any."""

    name: str
    method: str
    path: str
    handle: Handler
    reads: Mapping[str, Shape] = MappingProxyType({})
    limit: Literal["account", "auth"] | None = "account"
    public: bool = False
    writes: str | None = None

    @property
    def resource(self) -> str:
        """What it is about."""
        return self.path.partition("/")[0]


def _get(name: str, path: str, handle: Handler, **facts: Any) -> Route:
    return Route(name, "GET", path, handle, **facts)


def _post(name: str, path: str, handle: Handler, **facts: Any) -> Route:
    return Route(name, "POST", path, handle, **facts)


def _both(shape: Shape) -> Mapping[str, Shape]:
    return _either(shape, shape)


def _either(pages: Shape, openapi: Shape) -> Mapping[str, Shape]:
    return MappingProxyType({"pages": pages, "openapi": openapi})


ROUTES = (
    _post(
        "connect",
        "tradingAccount/connect",
        _connecting.connect,
        reads=_either(_connecting.BY_KEYS, _connecting.BY_REFERENCE),
        writes="create",
    ),
    _get("list", "tradingAccount/list", _accounts.list_accounts, reads=_accounts.LIST),
    _post(
        "enable",
        "tradingAccount/enable",
        _accounts.enable,
        reads=_both(_accounts.ONE),
        writes="update",
    ),
    _post(
        "disable",
        "tradingAccount/disable",
        _accounts.disable,
        reads=_both(_accounts.ONE),
        writes="update",
    ),
    _post(
        "update",
        "tradingAccount/update",
        _accounts.update,
        reads=_both(_accounts.UPDATE),
        writes="update",
    ),
    _post(
        "disconnect",
        "tradingAccount/disconnect",
        _accounts.disconnect,
        reads=_both(_accounts.ONE),
        writes="delete",
    ),
    _get(
        "operations",
        "tradingAccount/operation/list",
        _operations.list_operations,
        reads=_operations.LIST,
    ),
    _post(
        "credential-create",
        "credential/create",
        _credentials.create,
        reads=_either(_credentials.CREATE_PAGES, _credentials.CREATE_OPENAPI),
        writes="create",
    ),
    _get(
        "credential-list",
        "credential/list",
        _credentials.list_all,
        reads=_either(_credentials.LIST_PAGES, _credentials.LIST_OPENAPI),
    ),
    _post(
        "credential-verify",
        "credential/verify",
        _credentials.verify,
        reads=_either(_credentials.ONE, _credentials.SEVERAL),
    ),
    _post(
        "credential-rotate",
        "credential/rotate",
        _credentials.rotate,
        reads=_both(_credentials.ROTATE),
        writes="update",
    ),
    _post(
        "credential-revoke",
        "credential/revoke",
        _credentials.revoke,
        reads=_both(_credentials.ONE),
        writes="delete",
    ),
    _post("login", "auth/login", _auth.login, reads=_both(_auth.LOGIN), limit="auth", public=True),
    _post(
        "refresh",
        "auth/token/refresh",
        _auth.refresh,
        reads=_both(_auth.REFRESH),
        limit="auth",
        public=True,
    ),
    _post("logout", "auth/logout", _auth.logout, reads=_both(_auth.LOGOUT), limit="auth"),
    _get("user", "auth/user", _auth.user, limit="auth"),
    _get("health", "health", _auth.health, limit=None, public=True),
)
_BY_PATH = {PREFIX + route.path: route for route in ROUTES}


def find_route(method: str, path: str) -> Route:
    """The endpoint at a path; where there is none, one that says so."""
    route = _BY_PATH.get(path)
    if route is None:
        return Route("nowhere", method, path, _nowhere, limit=None, public=True)
    if route.method != method:
        return Route("nowhere", route.method, path, _wrong_method, limit=None, public=True)
    return route


async def _nowhere(
    _platform: Platform, _call: Call, _caller: Grant, _given: dict[str, Any]
) -> Reply:
    raise Refusal(404, -19003, "No such endpoint")


async def _wrong_method(
    _platform: Platform, call: Call, _caller: Grant, _given: dict[str, Any]
) -> Reply:
    allowed = _BY_PATH[call.path].method
    raise Refusal(405, -19003, "Method not allowed", headers={"Allow": allowed})
