"""The endpoints that need no account: login, refresh, logout, user, health."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from cadenza_async.sandbox._checks import BAD_REQUEST, Body, Field
from cadenza_async.sandbox._dialects import iso
from cadenza_async.sandbox._replies import Refusal, Reply, document, success

if TYPE_CHECKING:
    from cadenza_async.sandbox._platform import Call, Platform
    from cadenza_async.sandbox._sessions import Grant

LOGIN = Body(Field("email"), Field("password"))
REFRESH = Body(Field("refreshToken"))
LOGOUT = Body(optional=True)


async def login(platform: Platform, _call: Call, _caller: Grant, given: dict[str, Any]) -> Reply:
    """`POST auth/login`: a session for an e-mail address and a password."""
    return success(platform.sessions.login(given["email"], given["password"]))


async def refresh(platform: Platform, call: Call, _caller: Grant, given: dict[str, Any]) -> Reply:
    """`POST auth/token/refresh`: a new session; the refresh token that was sent is spent."""
    if "Authorization" in call.headers:
        raise Refusal(400, BAD_REQUEST, "Authorization header is not allowed here")
    return success(platform.sessions.refresh(given["refreshToken"]))


async def logout(platform: Platform, call: Call, caller: Grant, _given: dict[str, Any]) -> Reply:
    """`POST auth/logout`: the end of the session; a body may be left out."""
    platform.sessions.logout(call.token or "", caller.session)
    return success("ok")


async def user(platform: Platform, _call: Call, caller: Grant, _given: dict[str, Any]) -> Reply:
    """`GET auth/user`: who calls; somebody who cannot log in has an address all the same."""
    known = platform.sessions.profile(caller.user)
    who = {"id": caller.user, "email": f"{caller.user}@sandbox.test", **known}
    return success({**who, "role": "TRADER" if caller.rights else "VIEWER"})


async def health(platform: Platform, call: Call, _caller: Grant, _given: dict[str, Any]) -> Reply:
    """`GET health`: how the platform is, without an envelope."""
    status = next((each for each in ("unhealthy", "degraded") if call.fault(each)), "healthy")
    now = platform.now_ms()
    said = {
        "status": status,
        "timestamp": now,
        "isoDateTime": iso(now),
        "version": "3.0.1",
        "checks": {"database": {"status": status}, "redis": {"status": "healthy"}},
    }
    return document(said, status=503 if status == "unhealthy" else 200)
