"""`Secret`: a text that is only given to who asks for it."""

from __future__ import annotations

from typing import assert_type

from cadenza_async import Secret


def asking(secret: Secret) -> None:
    """What others need to know is asked of it."""
    assert_type(secret.reveal(), str)
    assert_type(secret.masked(), str)
    assert_type(secret.check(str.isalpha), bool)
    assert_type(secret.digest(b"key"), str)
    assert_type(secret == secret.reveal(), bool)


def making() -> None:
    """A text or a secret is taken."""
    assert_type(Secret(Secret("text")), Secret)
    Secret(5)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    Secret(b"text")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]


def using(secret: Secret) -> None:
    """It is no string, so that none of a string's ways out is open."""
    len(secret)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    text: str = secret  # type: ignore[assignment]  # pyright: ignore[reportAssignmentType]
    text.join(secret)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    secret + "x"  # type: ignore[operator]  # pyright: ignore[reportOperatorIssue, reportUnusedExpression]
