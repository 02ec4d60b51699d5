"""`PasswordLogin`: an e-mail address and a password, as a token."""

from __future__ import annotations

from typing import assert_type

from cadenza_async import AsyncCadenza, Cadenza, PasswordLogin, Secret, SessionPool


def making(pool: SessionPool) -> None:
    """The password is a string or a secret; the login goes wherever a token goes."""
    login = PasswordLogin(email="ops@example.test", password="words")
    PasswordLogin(email="ops@example.test", password=Secret("words"))
    assert_type(login.password, Secret)
    assert_type(login.email, str)
    AsyncCadenza(access_token=login)
    Cadenza(login)
    pool.client(access_token=login)
    PasswordLogin("ops@example.test", "words")  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
    PasswordLogin(email="ops@example.test")  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
