"""The pytest plugin, used as users do: by tests of their own, in a pytest of its own."""

from __future__ import annotations

import os
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

DIALECTS = """
import asyncio

import pytest
from anyio.from_thread import start_blocking_portal

from cadenza_async.sandbox import Sandbox


@pytest.fixture(params=["pages", "openapi"])
def cadenza_sandbox(request):
    with start_blocking_portal() as portal:
        with portal.wrap_async_context_manager(Sandbox(dialect=request.param)) as sandbox:
            yield sandbox


def test_both_clients_speak_the_dialect_of_the_sandbox(cadenza_blocking_client, cadenza_client):
    async def lists():
        async with cadenza_client as client:
            return [each async for each in client.list_accounts(status="ACTIVE")]

    assert asyncio.run(lists()) == list(cadenza_blocking_client.list_accounts(status="ACTIVE"))
"""


@pytest.mark.parametrize(("source", "passed"), [(ENGINE, 3), (IMPORTS, 1), (DIALECTS, 2)])
def test_fixtures_work_in_a_suite_of_the_users(tmp_path: Path, source: str, passed: int) -> None:
    """Without any async plugin, whatever the shell has set, they give all that a test needs."""
    (tmp_path / "conftest.py").write_text(PLUGIN)
    (tmp_path / "test_engine.py").write_text(source)
    absent = [f"-pno:{name}" for name in ("asyncio", "anyio", "aiohttp", "cacheprovider")]
    alone = ["-c", "/dev/null", "--rootdir", str(tmp_path), str(tmp_path)]
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-W", "error", *absent, *alone],
        env={**os.environ, "CADENZA_DIALECT": "nobody's"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert f"{passed} passed" in done.stdout, done.stdout + done.stderr
    assert done.returncode == 0, done.stdout
