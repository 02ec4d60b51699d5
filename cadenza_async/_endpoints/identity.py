"""The endpoints of logging in and out, of who is logged in, and of Cadenza's health."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cadenza_async._answers import nothing, read_health, read_session, read_user
from cadenza_async._calls import Call, RateClass
from cadenza_async._checks import check_text

if TYPE_CHECKING:
    from cadenza_async.auth import PasswordLogin
    from cadenza_async.models import Health, LoginSession, User
    from cadenza_async.secret import Secret


def login(login: PasswordLogin) -> Call[LoginSession]:
    """``POST /api/v3/auth/login``; logging in twice does no harm."""
    return Call(
        method="POST",
        path="auth/login",
        body={"email": login.email, "password": login.password},
        read=read_session,
        write=False,
        rate_class=RateClass.AUTHENTICATION,
        authenticated=False,
    )


def refresh(refresh_token: Secret) -> Call[LoginSession]:
    """``POST /api/v3/auth/token/refresh``; it spends the refresh token."""
    check_text("refresh_token", refresh_token)
    return Call(
        method="POST",
        path="auth/token/refresh",
        body={"refreshToken": refresh_token},
        read=read_session,
        write=True,
        rate_class=RateClass.AUTHENTICATION,
        authenticated=False,
        remedy="Log in again: the refresh token may be spent.",
    )


def logout() -> Call[None]:
    """``POST /api/v3/auth/logout``; it ends the access and the refresh token."""
    return Call(
        method="POST",
        path="auth/logout",
        body={},
        read=nothing,
        write=True,
        rate_class=RateClass.SESSION,
        remedy="Log out again: an AuthenticationError then means that it was done.",
    )


def user() -> Call[User]:
    """``GET /api/v3/auth/user``."""
    return Call(
        method="GET",
        path="auth/user",
        read=read_user,
        write=False,
        rate_class=RateClass.SESSION,
    )


def health() -> Call[Health]:
    """``GET /api/v3/health``: for everybody, and without an envelope."""
    return Call(
        method="GET",
        path="health",
        read=read_health,
        write=False,
        rate_class=None,
        authenticated=False,
        enveloped=False,
    )
