"""A session on its way to the keyring: whatever goes wrong there, its tokens are not shown."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import keyring
import pytest
from keyring.backend import KeyringBackend
from keyring.compat import properties

from cadenza_async import Secret
from cadenza_async.cli._keyring import Entry, Kept
from cadenza_async.errors import ConfigError

from .hunt import Hunt

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


class Forgetful(KeyringBackend):
    """A keyring that gives back something else."""

    kept = ""

    @properties.classproperty
    def priority(self) -> float:
        return 1.0

    def get_password(self, service: str, username: str) -> str | None:
        return f"{self.kept} and more"

    def set_password(self, service: str, username: str, password: str) -> None:
        self.kept = password

    def delete_password(self, service: str, username: str) -> None:
        raise ValueError(self.kept)


class Loud(Forgetful):
    """A keyring that fails, and says with what."""

    def set_password(self, service: str, username: str, password: str) -> None:
        super().set_password(service, username, password)
        raise OSError(password)


@pytest.fixture(params=[Forgetful, Loud])
def entry(request: pytest.FixtureRequest) -> Iterator[Entry]:
    """Give a place in a keyring that does not work."""
    before = keyring.get_keyring()
    keyring.set_keyring(request.param())
    yield Entry("https://cadenza.test")
    keyring.set_keyring(before)


def test_a_session_that_is_not_kept_is_not_shown(
    entry: Entry, capfd: pytest.CaptureFixture[str]
) -> None:
    """Not even by a keyring's own words, in no traceback and with no locals."""
    hunt = Hunt()
    kept = Kept(
        email="desk@example.com",
        access_token=Secret(hunt.marker()),
        refresh_token=Secret(hunt.marker()),
        due=time.time(),
        ends=time.time(),
    )
    uses: list[Callable[[], None]] = [lambda: entry.write(kept), entry.delete]
    for use in uses:
        with pytest.raises(ConfigError) as caught:
            use()
        hunt.search_error(caught.value)
    hunt.search("repr", repr(kept))
    for text in capfd.readouterr():
        hunt.search("output", text)
    hunt.finish()
