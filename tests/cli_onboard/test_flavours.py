"""`cadenza onboard --flavour credential`: what is stored without an account is said, everywhere."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from cadenza_async.sandbox import Sandbox
from tests.cli.process import cadenza

from .files import account, private, report, table

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

BY_CREDENTIAL = ("--flavour", "credential")
HERE = (*BY_CREDENTIAL, "--dialect", "openapi")


@pytest.fixture
async def openapi() -> AsyncIterator[Sandbox]:
    """Give a Cadenza that connects by reference."""
    async with Sandbox(dialect="openapi") as sandbox:
        yield sandbox


def _file(tmp_path: Path, *rows: dict[str, str]) -> str:
    return str(private(tmp_path / "accounts.csv", table(rows)))


async def test_reports_name_the_credential(tmp_path: Path, openapi: Sandbox) -> None:
    """Of connected rows, and of failed ones, whose secret is stored for nothing."""
    rows = (account(1), account(2, apiKey="invalid-x"))
    end = await cadenza("onboard", _file(tmp_path, *rows), *HERE, sandbox=openapi)
    assert (end.code, end.err) == (1, "")
    told = "1 credential is stored at Cadenza without an account: see credentialId in the reports."
    assert told in end.out.splitlines()
    stored = {each["nickname"]: each["credentialId"] for each in openapi.credentials}
    (connected,) = report(tmp_path / "accounts.reports", "connected")
    (failed,) = report(tmp_path / "accounts.reports", "failed")
    assert connected["credentialId"] == stored["Desk 1"]
    assert failed["credentialId"] == stored["Desk 2"]


async def test_what_is_stored_is_unfinished(tmp_path: Path, openapi: Sandbox) -> None:
    """There is more to do, and the same command does it, with what is stored."""
    file = _file(tmp_path, account(1))
    openapi.script("expired-token:100%@credential-verify")
    end = await cadenza("onboard", file, *HERE, "--json", sandbox=openapi)
    stored, summary = end.json
    assert end.code == 3
    assert summary["summary"]["unusedCredentials"] == 1
    assert summary["summary"]["counts"]["STORED"] == 1
    assert stored["state"] == "STORED"
    assert stored["credentialId"] == openapi.credentials[0]["credentialId"]
    status = await cadenza("onboard", "--status", str(tmp_path / "accounts.journal"))
    assert status.code == 3
    assert "1 stored (1 row)" in status.out
    (row,) = report(tmp_path / "accounts.reports", "unfinished")
    assert row["credentialId"] == stored["credentialId"]
    assert "the credential that is stored" in row["remedy"]
    openapi.behave()
    again = await cadenza("onboard", file, *HERE, sandbox=openapi)
    assert (again.code, len(openapi.credentials), len(openapi.accounts)) == (0, 1, 1)


async def test_a_sandbox_of_its_own_speaks_the_right_dialect(tmp_path: Path) -> None:
    """Nobody has to know which."""
    end = await cadenza("onboard", _file(tmp_path, account(1)), "--sandbox", *BY_CREDENTIAL)
    assert (end.code, end.out.splitlines()) == (0, ["1 connected (1 row)"])


async def test_a_dry_run_counts_three_calls(tmp_path: Path) -> None:
    """And two lists before the first of them."""
    rows = (account(number) for number in range(10))
    end = await cadenza("onboard", _file(tmp_path, *rows), "--dry-run", *BY_CREDENTIAL)
    assert "the run takes 60 s to 2 min" in end.out


async def test_a_journal_is_of_one_flavour(tmp_path: Path, openapi: Sandbox) -> None:
    """The other flavour is refused before anything is sent."""
    file = _file(tmp_path, account(1))
    assert (await cadenza("onboard", file, *HERE, sandbox=openapi)).code == 0
    sent = len(openapi.requests)
    end = await cadenza("onboard", file, sandbox=openapi)
    assert end.code == 2
    assert "flavour credential, not direct" in end.err
    assert len(openapi.requests) == sent


async def test_there_is_no_third_flavour(tmp_path: Path) -> None:
    """It is told which there are."""
    end = await cadenza("onboard", _file(tmp_path, account(1)), "--flavour", "third")
    assert end.code == 2
    assert "direct" in end.err
