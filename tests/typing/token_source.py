"""`TokenSource`: a protocol, so that nobody has to inherit from us."""

from __future__ import annotations

from cadenza_async import AsyncCadenza, Secret, TokenSource


class Vault:
    """A source as a user writes it."""

    async def token(self, *, rejected: Secret | None = None) -> Secret:
        """Give a token."""
        return rejected or Secret("token")


class Blocking:
    """A source that would block the loop."""

    def token(self, *, rejected: Secret | None = None) -> Secret:
        """Give a token."""
        return rejected or Secret("token")


class Text:
    """A source that gives what could show."""

    async def token(self, *, rejected: Secret | None = None) -> str:
        """Give a token."""
        return "token"


class Deaf:
    """A source that does not hear that its token was refused."""

    async def token(self) -> Secret:
        """Give a token."""
        return Secret("token")


def giving() -> None:
    """Only what gives secrets, asynchronously, and can be told of a refusal, is a source."""
    source: TokenSource = Vault()
    AsyncCadenza(access_token=source)
    source = Blocking()  # type: ignore[assignment]  # pyright: ignore[reportAssignmentType]
    source = Text()  # type: ignore[assignment]  # pyright: ignore[reportAssignmentType]
    source = Deaf()  # type: ignore[assignment]  # pyright: ignore[reportAssignmentType]
