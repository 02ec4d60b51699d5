"""What the command loads, and what it says when there is nothing to load."""

from __future__ import annotations

import signal
import sys
from types import SimpleNamespace
from typing import TYPE_CHECKING

import pytest

from cadenza_async.__main__ import main

from .process import ended, environment, started

if TYPE_CHECKING:
    from collections.abc import Iterator

OURS = {
    "cadenza_async",
    "cadenza_async.__main__",
    "cadenza_async.cli",
    "cadenza_async.cli._accounts_menu",
    "cadenza_async.cli._credentials_menu",
    "cadenza_async.cli._menu",
    "cadenza_async.cli._options",
}

HELP = """
import sys
from cadenza_async.__main__ import main
sys.argv = ["cadenza", "--help"]
try:
    main()
finally:
    sys.stderr.write(" ".join(sys.modules))
"""

CORES = """
import resource, sys
from cadenza_async.__main__ import main
hard = resource.getrlimit(resource.RLIMIT_CORE)[1]
resource.setrlimit(resource.RLIMIT_CORE, (hard, hard))
sys.argv = ["cadenza", "--version"]
try:
    main()
finally:
    sys.stderr.write(str(resource.getrlimit(resource.RLIMIT_CORE) == (0, hard)))
"""

WITHOUT_EXTRA = """
import sys
sys.modules["typer"] = None
from cadenza_async.__main__ import main
main()
"""


async def test_help_loads_nothing_heavy() -> None:
    """It costs what typer costs; the commands load what they need."""
    async with started("-c", HELP, env=environment()) as process:
        end = await ended(process)
    loaded = set(end.err.split())
    assert end.code == 0
    assert {each for each in loaded if each.startswith("cadenza_async")} == OURS
    assert not loaded & {"aiohttp", "anyio", "cattrs", "keyring"}
    for each in ("demo", "connect", "accounts", "credentials", "login", "3 outcome unknown"):
        assert each in " ".join(end.out.split())


async def test_no_core_is_left() -> None:
    r"""Whatever a shell allows: Ctrl-\\ would write all keys of a run to a file."""
    async with started("-c", CORES, env=environment()) as process:
        end = await ended(process)
    assert (end.code, end.err) == (0, "True")


async def test_without_the_extra_it_says_what_to_install() -> None:
    """One line, and no traceback."""
    async with started("-c", WITHOUT_EXTRA, env=environment()) as process:
        end = await ended(process)
    told = "The command line is an extra: pip install 'cadenza_async[cli]'\n"
    assert (end.code, end.out, end.err) == (2, "", told)


@pytest.fixture
def _same_sigterm() -> Iterator[None]:
    """Leave what SIGTERM does as it was."""
    before = signal.getsignal(signal.SIGTERM)
    yield
    signal.signal(signal.SIGTERM, before)


@pytest.mark.usefixtures("_same_sigterm")
@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_it_can_be_stopped_while_it_loads(
    monkeypatch: pytest.MonkeyPatch, number: signal.Signals, code: int
) -> None:
    """Whoever is that quick is shown no traceback either."""

    def app(**_: object) -> None:
        signal.raise_signal(number)

    monkeypatch.setitem(sys.modules, "cadenza_async.cli", SimpleNamespace(app=app))
    with pytest.raises(SystemExit) as caught:
        main()
    assert caught.value.code == code
