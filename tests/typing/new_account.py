"""`NewAccount`: made of strings or secrets, and holds secrets."""

from __future__ import annotations

from typing import assert_type

from cadenza_async import AccountType, NewAccount, Secret, Venue


def making() -> None:
    """Strings and secrets are taken, by name only."""
    account = NewAccount(venue="MOON", api_key="key", api_secret="secret")
    assert_type(account, NewAccount)
    NewAccount(
        venue=Venue.OKX,
        api_key=Secret("key"),
        api_secret=Secret("secret"),
        api_passphrase="",
        name="desk",
        account_type=AccountType.SPOT,
        key="row-7",
        user="u-17",
    )
    NewAccount(venue="MOON", api_key="key")  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
    NewAccount(venue="MOON", api_key="k", api_secret="s", nickname="n")  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
    NewAccount("MOON", "key", "secret")  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]


def fields(account: NewAccount) -> None:
    """What was given as a string is hidden from then on."""
    assert_type(account.venue, str)
    assert_type(account.api_key, Secret)
    assert_type(account.api_secret, Secret)
    assert_type(account.api_passphrase, Secret | None)
    assert_type(account.name, str | None)
    account.name = "other"  # type: ignore[misc]  # pyright: ignore[reportAttributeAccessIssue]
