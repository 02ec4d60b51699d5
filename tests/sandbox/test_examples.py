"""Clients that know nothing of us: the contract's own curl and requests examples."""

from __future__ import annotations

import asyncio
import shlex
import shutil
from typing import TYPE_CHECKING, Any

import pytest

from .api import GOLDEN

if TYPE_CHECKING:
    from .api import Api

LIVE = "https://cadenza-api-uat.algo724.com"


@pytest.mark.skipif(shutil.which("curl") is None, reason="curl is not installed")
async def test_the_curl_example_connects_an_account(api: Api) -> None:
    """Only host and token are changed."""
    text = (GOLDEN / "connect.curl.sh").read_text().replace(LIVE, api.sandbox.url)
    text = text.replace("eyJhbGciOiJIUzI1NiIs...", api.sandbox.access_token)
    command = shlex.split(text.replace("\\\n", " "))
    process = await asyncio.create_subprocess_exec(*command, stdout=-1, stderr=-1)
    out, _ = await process.communicate()
    assert process.returncode == 0
    (account,) = api.sandbox.accounts
    assert account["name"] == "My Trading Account"
    assert account["tradingAccountId"] in out.decode()


async def test_the_requests_example_connects_two_accounts(
    api: Api, capsys: pytest.CaptureFixture[str]
) -> None:
    """Only host and token are changed; what the example prints is the first account's id."""
    code = (GOLDEN / "connect_requests.py.txt").read_text().replace(LIVE, api.sandbox.url)
    names: dict[str, Any] = {"access_token": api.sandbox.access_token}
    await asyncio.to_thread(exec, code, names)
    first, second = api.sandbox.accounts
    assert (first["venue"], second["venue"]) == ("BINANCE", "COINBASE")
    assert names["trading_account_id"] == first["tradingAccountId"]
    assert first["tradingAccountId"] in capsys.readouterr().out
    assert names["response"].status_code == 200
