"""The methods of a client, by subject, and what they stand on."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cadenza_async.errors import ClosedError

if TYPE_CHECKING:
    from cadenza_async._session import Session
    from cadenza_async.config import Dialect


class Methods:
    """The base of all groups of methods: it has a session once the client is open."""

    _session: Session | None

    @property
    def _open_session(self) -> Session:
        """The session that sends the calls.

        Raises:
            ClosedError: If the client was not opened yet.
        """
        if self._session is None:
            raise ClosedError("the client is not open: use it inside its 'async with' block")
        return self._session

    @property
    def _dialect(self) -> Dialect:
        return self._open_session.shared.config.dialect
