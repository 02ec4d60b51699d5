"""The commands about who is calling, and whether Cadenza is well."""

from __future__ import annotations

import asyncio
import contextlib
from typing import TYPE_CHECKING, Final

from cadenza_async.cli._exits import reporting
from cadenza_async.cli._output import Output
from cadenza_async.cli._questions import ask
from cadenza_async.cli._sources import read_password
from cadenza_async.cli._stored_session import StoredSession, entry_for, to_be_kept
from cadenza_async.client import AsyncCadenza
from cadenza_async.errors import AuthenticationError, CadenzaError, ConfigError
from cadenza_async.models import HealthStatus

if TYPE_CHECKING:
    from cadenza_async.cli._client import Target
    from cadenza_async.models import LoginSession

_HARMLESS: Final = "Do it again: that does no harm."


def login(target: Target, *, email: str | None, password_file: str | None) -> None:
    """Begin a session, and store it.

    Args:
        target: Where.
        email: Who; asked for, when it is not given.
        password_file: The file with the password, ``-`` for standard input.
    """
    output = Output(json=target.json)
    with reporting(output, unsure=_HARMLESS):
        entry = entry_for(target.settings)
        entry.check()
        email = ask("E-mail", option="--email") if email is None else email
        password = read_password(password_file)

        async def work(client: AsyncCadenza) -> LoginSession:
            session = await client.login(email, password)
            try:
                await asyncio.to_thread(entry.write, to_be_kept(session, email))
            except ConfigError as error:
                problem = error
            else:
                return session
            await _end(target, session)
            raise problem

        session = target.call(work)
        output.say(
            f"Logged in: {email} at {entry.url}",
            baseUrl=entry.url,
            email=email,
            expiresIn=session.expires_in,
        )


def logout(target: Target) -> None:
    """End the session, and remove what is stored of it."""
    output = Output(json=target.json)
    with reporting(output, unsure=_HARMLESS):
        entry = entry_for(target.settings)
        with contextlib.suppress(AuthenticationError):  # it has ended already
            session = StoredSession(entry, target.settings)
            target.call(lambda client: client.logout(), source=session)
        entry.delete()
        output.say(f"Logged out of {entry.url}", baseUrl=entry.url)


def user(target: Target) -> None:
    """Show who is calling."""
    output = Output(json=target.json)
    with reporting(output, unsure=None):
        output.show(target.call(lambda client: client.user()))


def health(target: Target) -> None:
    """Show how Cadenza is.

    Raises:
        SystemExit: If it is not well.
    """
    output = Output(json=target.json)
    with reporting(output, unsure=None):
        found = target.call(lambda client: client.health())
        output.show(found)
    if found.status not in {HealthStatus.HEALTHY, HealthStatus.DEGRADED}:
        raise SystemExit(1)


async def _end(target: Target, session: LoginSession) -> None:
    """End a session that nobody will be able to use."""
    with contextlib.suppress(CadenzaError):
        async with AsyncCadenza(session.access_token, **target.settings) as client:
            await client.logout()
