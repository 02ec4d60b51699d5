"""What a run would refuse because of what its journal knows, found out without running."""

from __future__ import annotations

import hmac
from typing import TYPE_CHECKING, Self

from cadenza_async.onboarding._entry import enter
from cadenza_async.onboarding._reader import JournalReader
from cadenza_async.onboarding._register import Register

if TYPE_CHECKING:
    import os

    from cadenza_async.errors import InvalidRowError
    from cadenza_async.models import NewAccount


class Foresight(JournalReader):
    """A journal that is asked beforehand; use it with ``with``.

    Args:
        path: Where the journal is.
        unique_names: As for `onboard`.
        retry_failed: Likewise.
    """

    def __init__(
        self, path: str | os.PathLike[str], *, unique_names: bool, retry_failed: bool
    ) -> None:
        super().__init__(path)
        self._unique_names = unique_names
        self._retry_failed = retry_failed

    def __enter__(self) -> Self:
        super().__enter__()
        run, secret = self._file.execute("SELECT run + 1, secret FROM journal").fetchone()
        self._keyed = hmac.new(secret, digestmod="sha256")
        self._register = Register(self._file, run=run, retry_failed=self._retry_failed)
        return self

    def object_to(self, account: NewAccount) -> InvalidRowError | None:
        """Say why the next run would refuse a row, if it would."""
        entry = enter(account, self._keyed, unique_names=self._unique_names)
        with self._reading():
            return self._register.object_to(entry)
