"""`Venue`, `AccountType` and `AccountStatus`: known words, each a string."""

from __future__ import annotations

from typing import Literal, assert_type

from cadenza_async import AccountStatus, AccountType, Venue


def words() -> None:
    """A member goes wherever a word goes, and any word may become one, or fail to."""
    texts: list[str] = [Venue.BINANCE, AccountType.SPOT, AccountStatus.ACTIVE]
    assert_type(Venue("BINANCE"), Venue)
    assert_type(Venue.BINANCE, Literal[Venue.BINANCE])
    assert_type(Venue.BINANCE.lower(), str)
    texts.append(Venue("MOON"))
    spot: AccountType = "SPOT"  # type: ignore[assignment]  # pyright: ignore[reportAssignmentType]
    texts.append(spot)
