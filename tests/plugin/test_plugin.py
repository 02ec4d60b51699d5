"""The pytest plugin, used as users do: by tests of their own, in a pytest of its own."""

from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from pathlib import Path

PLUGIN = 'pytest_plugins = ["cadenza_async.testing"]\n'

ENGINE = """
import asyncio

from cadenza_async import AsyncCadenza, errors


async def connect_once(client, **account):
    try:
        return await client.connect_account(**account)
    except errors.OutcomeUnknownError as unknown:
        return await client.resolve(unknown)


def test_async(cadenza_client, cadenza_sandbox, cadenza_faults):
    async def scenario():
        async with cadenza_client as client:
            return await connect_once(
                client, venue="BINANCE", api_key="key-1", api_secret="s" * 8, name="Desk 1"
            )

    cadenza_faults("drop-after-commit")
    account = asyncio.run(scenario())
    assert [found["tradingAccountId"] for found in cadenza_sandbox.accounts] == [
        account.trading_account_id
    ]


def test_blocking(cadenza_blocking_client):
    account = cadenza_blocking_client.connect_account(
        venue="BINANCE", api_key="key-1", api_secret="s" * 8
    )
    assert list(cadenza_blocking_client.list_accounts()) == [account]


def test_the_sandbox_is_new(cadenza_sandbox):
    assert cadenza_sandbox.accounts == []
"""

IMPORTS = """
import sys


def test_nothing_is_loaded():
    ours = {name for name in sys.modules if name.startswith("cadenza_async.")}
    assert ours == {"cadenza_async.testing"}
    assert "aiohttp" not in sys.modules
"""


@pytest.mark.parametrize(("source", "passed"), [(ENGINE, 3), (IMPORTS, 1)])
def test_fixtures_work_in_a_suite_of_the_users(tmp_path: Path, source: str, passed: int) -> None:
    """Without any async plugin, the fixtures give a sandbox, clients and faults."""
    (tmp_path / "conftest.py").write_text(PLUGIN)
    (tmp_path / "test_engine.py").write_text(source)
    absent = [f"-pno:{name}" for name in ("asyncio", "anyio", "aiohttp", "cacheprovider")]
    alone = ["-c", "/dev/null", "--rootdir", str(tmp_path), str(tmp_path)]
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-W", "error", *absent, *alone],
        capture_output=True,
        text=True,
        check=False,
    )
    assert f"{passed} passed" in done.stdout, done.stdout + done.stderr
