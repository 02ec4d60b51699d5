"""The table of endpoints: where each is, what it does, reads and answers, and who may call it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from types import MappingProxyType
from typing import Any, Literal, TypeVar

from attrs import field, frozen

from cadenza_async.sandbox import _accounts, _auth, _connecting, _credentials, _operations
from cadenza_async.sandbox._checks import Shape
from cadenza_async.sandbox._openapi import describe
from cadenza_async.sandbox._platform import Call, Platform
from cadenza_async.sandbox._replies import Refusal, Reply, document
from cadenza_async.sandbox._schemas import Schema, array, ref
from cadenza_async.sandbox._sessions import Grant

PREFIX = "/api/v3/"

T = TypeVar("T")
Handler = Callable[[Platform, Call, Grant, dict[str, Any]], Awaitable[Reply]]


@frozen
class Route:
    """One endpoint: what it reads in each dialect, and the action that needs rights, if any.

    What it answers, and the statuses that it refuses with beside those that follow from the
    rest, are for the document. Bare is an answer without an envelope.
    """

    name: str
    method: str
    path: str
    handle: Handler
    reads: Mapping[str, Shape] = MappingProxyType({})
    answers: Schema = field(factory=Schema, kw_only=True)
    refuses: Mapping[str, tuple[int, ...]] = field(default=MappingProxyType({}), kw_only=True)
    writes: str | None = field(default=None, kw_only=True)
    limit: Literal["account", "auth"] | None = field(default="account", kw_only=True)
    public: bool = field(default=False, kw_only=True)
    bare: bool = field(default=False, kw_only=True)

    @property
    def url(self) -> str:
        """Where it is."""
        return PREFIX + self.path

    @property
    def resource(self) -> str:
        """What it is about."""
        return self.path.partition("/")[0]


def _both(thing: T) -> Mapping[str, T]:
    return _either(thing, thing)


def _either(pages: T, openapi: T) -> Mapping[str, T]:
    return MappingProxyType({"pages": pages, "openapi": openapi})


_NOT_MINE = (403, 404)
_AT_EXCHANGE = (429, 503)


def _on_one(
    name: str, handle: Handler, reads: Shape = _accounts.ONE, *, writes: str = "update"
) -> Route:
    """Return an endpoint that changes an account."""
    return Route(
        name,
        "POST",
        f"tradingAccount/{name}",
        handle,
        _both(reads),
        answers=ref("Account"),
        refuses=_both(_NOT_MINE),
        writes=writes,
    )


_ACCOUNTS = (
    Route(
        "connect",
        "POST",
        "tradingAccount/connect",
        _connecting.connect,
        _either(_connecting.BY_KEYS, _connecting.BY_REFERENCE),
        answers=ref("Account"),
        refuses=_either(_AT_EXCHANGE, (*_NOT_MINE, 409, *_AT_EXCHANGE)),
        writes="create",
    ),
    Route(
        "list",
        "GET",
        "tradingAccount/list",
        _accounts.list_accounts,
        _accounts.LIST,
        answers=array(ref("Account")),
    ),
    _on_one("enable", _accounts.enable),
    _on_one("disable", _accounts.disable),
    _on_one("update", _accounts.update, _accounts.UPDATE),
    _on_one("disconnect", _accounts.disconnect, writes="delete"),
    Route(
        "operations",
        "GET",
        "tradingAccount/operation/list",
        _operations.list_operations,
        _operations.LIST,
        answers=array(ref("Operation")),
    ),
)
_CREDENTIALS = (
    Route(
        "credential-create",
        "POST",
        "credential/create",
        _credentials.create,
        _either(_credentials.CREATE_PAGES, _credentials.CREATE_OPENAPI),
        answers=ref("Credential"),
        writes="create",
    ),
    Route(
        "credential-list",
        "GET",
        "credential/list",
        _credentials.list_all,
        _either(_credentials.LIST_PAGES, _credentials.LIST_OPENAPI),
        answers=array(ref("Credential")),
    ),
    Route(
        "credential-verify",
        "POST",
        "credential/verify",
        _credentials.verify,
        _either(_credentials.ONE, _credentials.SEVERAL),
        answers=ref("Verification"),
        refuses=_both((*_NOT_MINE, *_AT_EXCHANGE)),
    ),
    Route(
        "credential-rotate",
        "POST",
        "credential/rotate",
        _credentials.rotate,
        _both(_credentials.ROTATE),
        answers=ref("Credential"),
        refuses=_both((*_NOT_MINE, *_AT_EXCHANGE)),
        writes="update",
    ),
    Route(
        "credential-revoke",
        "POST",
        "credential/revoke",
        _credentials.revoke,
        _both(_credentials.ONE),
        answers=ref("Credential"),
        refuses=_both(_NOT_MINE),
        writes="delete",
    ),
)
_REST = (
    Route(
        "login",
        "POST",
        "auth/login",
        _auth.login,
        _both(_auth.LOGIN),
        answers=ref("Session"),
        refuses=_both((401,)),
        limit="auth",
        public=True,
    ),
    Route(
        "refresh",
        "POST",
        "auth/token/refresh",
        _auth.refresh,
        _both(_auth.REFRESH),
        answers=ref("Session"),
        refuses=_both((401,)),
        limit="auth",
        public=True,
    ),
    Route(
        "logout",
        "POST",
        "auth/logout",
        _auth.logout,
        _both(_auth.LOGOUT),
        answers={"const": "ok"},
        limit="auth",
    ),
    Route("user", "GET", "auth/user", _auth.user, answers=ref("User"), limit="auth"),
    Route(
        "health",
        "GET",
        "health",
        _auth.health,
        answers=ref("Health"),
        refuses=_both((503,)),
        limit=None,
        public=True,
        bare=True,
    ),
)
ROUTES = (*_ACCOUNTS, *_CREDENTIALS, *_REST)


async def _publish(
    platform: Platform, _call: Call, _caller: Grant, _given: dict[str, Any]
) -> Reply:
    return document(describe(platform.dialect.name, ROUTES))


_DOCUMENT = Route("document", "GET", "/openapi.json", _publish, limit=None, public=True)
_BY_PATH = {_DOCUMENT.path: _DOCUMENT, **{route.url: route for route in ROUTES}}


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
