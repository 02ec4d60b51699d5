"""The endpoints that need no account: login, refresh, logout, health."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

from cadenza_async.sandbox._checks import BAD_REQUEST, Field, read_fields
from cadenza_async.sandbox._replies import Refusal, Reply, document, success

if TYPE_CHECKING:
    from cadenza_async.sandbox._platform import Call, Platform
    from cadenza_async.sandbox._sessions import Grant

_LOGIN = (Field("email"), Field("password"))
_REFRESH = (Field("refreshToken"),)


async def login(platform: Platform, call: Call, _caller: Grant) -> Reply:
    """`POST auth/login`: a session for an e-mail address and a password."""
    given = read_fields(call.content_type, call.body, _LOGIN)
    return success(platform.sessions.login(given["email"], given["password"]))


async def refresh(platform: Platform, call: Call, _caller: Grant) -> Reply:
    """`POST auth/token/refresh`: a new session; the refresh token that was sent is spent."""
    if "Authorization" in call.headers:
        raise Refusal(400, BAD_REQUEST, "Authorization header is not allowed here")
    given = read_fields(call.content_type, call.body, _REFRESH)
    return success(platform.sessions.refresh(given["refreshToken"]))


async def logout(platform: Platform, call: Call, caller: Grant) -> Reply:
    """`POST auth/logout`: the end of the session; a body may be left out."""
    if call.body:
        read_fields(call.content_type, call.body, ())
    platform.sessions.logout(call.token or "", caller.session)
    return success("ok")


async def health(platform: Platform, _call: Call, _caller: Grant) -> Reply:
    """`GET health`: how the platform is, without an envelope."""
    now = platform.now_ms()
    moment = datetime.fromtimestamp(now // 1000, UTC).strftime("%Y-%m-%dT%H:%M:%S")
    checks = {"database": {"status": "healthy"}, "redis": {"status": "healthy"}}
    return document(
        {
            "status": "healthy",
            "timestamp": now,
            "isoDateTime": f"{moment}.{now % 1000:03d}Z",
            "version": "3.0.1",
            "checks": checks,
        }
    )
