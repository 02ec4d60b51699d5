"""Every block of README.md runs, as it stands, against a sandbox.

Python blocks may await at top level and find the sandbox through `CADENZA_BASE_URL` and
`CADENZA_ACCESS_TOKEN`; those that name a dialect find one that speaks it. Shell blocks also find
`CADENZA_API_KEY`, `CADENZA_API_SECRET` and `CADENZA_API_PASSPHRASE`, and in `ACCOUNT_ID` an account
that exists. Those that begin with `pip install` set a machine up; they are run by `.ci/run`, on a
fresh one.
"""

from __future__ import annotations

import ast
import asyncio
import inspect
import os
import re
import signal
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from anyio.from_thread import start_blocking_portal

from cadenza_async import Cadenza
from cadenza_async.sandbox import Sandbox

if TYPE_CHECKING:
    from collections.abc import Iterator

README = Path(__file__).parent.parent / "README.md"
FENCED = re.compile(r"^```(?P<language>\w*)\n(?P<source>.*?)^```$", re.MULTILINE | re.DOTALL)


def blocks() -> Iterator[pytest.ParameterSet]:
    """Find the blocks of the README, each named by its line."""
    text = README.read_text("utf-8")
    for block in FENCED.finditer(text):
        line = text.count("\n", 0, block.start("source"))
        yield pytest.param(block["language"], block["source"], line, id=f"line {line + 1}")


@pytest.fixture
def _environment(source: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[None]:
    """Set up what the blocks find: a sandbox, one account in it, and credentials for more."""
    by_reference = 'dialect="openapi"' in source
    with (
        start_blocking_portal() as portal,
        portal.wrap_async_context_manager(
            Sandbox(dialect="openapi" if by_reference else "pages")
        ) as sandbox,
    ):
        monkeypatch.setenv("CADENZA_BASE_URL", sandbox.url)
        monkeypatch.setenv("CADENZA_ACCESS_TOKEN", sandbox.access_token)
        if not by_reference:
            with Cadenza() as client:
                account = client.connect_account(venue="BINANCE", api_key="k", api_secret="s")
            monkeypatch.setenv("ACCOUNT_ID", account.trading_account_id)
        for name in ("KEY", "SECRET", "PASSPHRASE"):
            monkeypatch.setenv(f"CADENZA_API_{name}", f"readme-{name.lower()}")
        monkeypatch.setenv("PATH", str(Path(sys.executable).parent), prepend=os.pathsep)
        monkeypatch.chdir(tmp_path)
        yield


@pytest.mark.usefixtures("_environment")
@pytest.mark.parametrize(("language", "source", "line"), [*blocks()])
def test_a_block_runs(language: str, source: str, line: int) -> None:
    """What the README shows works."""
    if source.startswith("pip install "):
        assert " && " in source, "not a command that sets up and runs something"
    elif "def test_" in source:
        run_tests(source)
    elif language == "python":
        run_python(source, line)
    elif source.startswith("cadenza sandbox"):
        run_until_interrupted(source)
    else:
        assert language == "sh", "nothing knows how to run it"
        subprocess.run(["sh", "-euc", source], check=True, stdin=subprocess.DEVNULL)


def run_python(source: str, line: int) -> None:
    """Run a block where the README has it, in a loop if it awaits."""
    code = compile(
        "\n" * line + source,
        README,
        "exec",
        flags=ast.PyCF_ALLOW_TOP_LEVEL_AWAIT,
        dont_inherit=True,
    )
    result = eval(code, {"__name__": "__main__"})  # noqa: S307  # the README's own words
    if inspect.iscoroutine(result):
        asyncio.run(result)


def run_tests(source: str) -> None:
    """Run a block that shows tests as its reader would: with pytest, and our plugin."""
    Path("test_block.py").write_text(source)
    Path("conftest.py").write_text('pytest_plugins = ["cadenza_async.testing"]')
    pytest_alone = [sys.executable, "-m", "pytest", "-q", "-c", os.devnull, "--rootdir", "."]
    subprocess.run([*pytest_alone, "test_block.py"], check=True)


def run_until_interrupted(command: str) -> None:
    """Run what runs until Ctrl-C, and press it at the first line of output."""
    with subprocess.Popen(  # noqa: S602  # the README's own commands
        f"exec {command}", shell=True, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline()
        process.send_signal(signal.SIGINT)
        assert process.wait() in {0, 130}
