"""Credentials that are stored at Cadenza, from the shell."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from cadenza_async.sandbox import Sandbox

from .process import Keys, cadenza
from .test_connect import keys_file

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

CREATE = ("credentials", "create", "--venue", "BINANCE", "--name", "Keys 1")


@pytest.fixture(params=["pages", "openapi"])
async def both(request: pytest.FixtureRequest) -> AsyncIterator[Sandbox]:
    """Give a sandbox of either vocabulary."""
    async with Sandbox(dialect=request.param) as sandbox:
        yield sandbox


@pytest.fixture
async def openapi() -> AsyncIterator[Sandbox]:
    """Give a sandbox where accounts are connected by reference."""
    async with Sandbox(dialect="openapi") as sandbox:
        yield sandbox


def spoken(sandbox: Sandbox, keys: Keys | None = None) -> dict[str, str]:
    """What makes a command speak as the sandbox does."""
    return {"CADENZA_DIALECT": sandbox.dialect} | (keys.environment() if keys else {})


async def stored(sandbox: Sandbox, keys: Keys, *more: str) -> dict[str, Any]:
    """Store keys, and give what scripts are told."""
    end = await cadenza(*CREATE, *more, "--json", sandbox=sandbox, env=spoken(sandbox, keys))
    assert (end.code, end.err) == (0, "")
    assert not keys.shown_in(end.out)
    (told,) = end.json
    return dict(told)


async def test_keys_are_stored_and_listed(both: Sandbox) -> None:
    """In the words of either dialect; what is told is the same, and never the secret."""
    keys = Keys()
    first = await stored(both, keys, "--type", "RSA")
    second = await stored(both, Keys())
    env = spoken(both)
    listed = await cadenza("credentials", "--json", sandbox=both, env=env)
    some = await cadenza("credentials", "list", "--type", "RSA", sandbox=both, env=env)
    one = await cadenza(
        "credentials", "list", second["credentialId"], "--json", sandbox=both, env=env
    )
    none = await cadenza("credentials", "--status", "REVOKED", sandbox=both, env=env)
    assert (first["venue"], first["name"], first["credentialType"]) == ("BINANCE", "Keys 1", "RSA")
    assert [each["credentialId"] for each in listed.json] == [
        first["credentialId"],
        second["credentialId"],
    ]
    assert first["credentialId"] in some.out
    assert second["credentialId"] not in some.out
    assert one.json == [second]
    assert (none.code, none.out) == (0, "No credentials.\n")
    assert not keys.shown_in(listed.out, some.out)


async def test_a_dialect_is_an_option(openapi: Sandbox) -> None:
    """One that does not exist is wrong usage."""
    command = (*CREATE, "--dialect")
    env = Keys().environment()
    end = await cadenza(*command, "openapi", sandbox=openapi, env=env)
    wrong = await cadenza(*command, "pidgin", sandbox=openapi, env=env)
    assert (end.code, openapi.requests[0]["body"]["nickname"]) == (0, "Keys 1")
    assert (wrong.code, len(openapi.requests)) == (2, 1)
    assert wrong.err.startswith("dialect (or CADENZA_DIALECT) must be one of pages, openapi")


async def test_an_account_is_connected_by_reference(openapi: Sandbox) -> None:
    """Store, look, connect; the account is ours then."""
    credential = await stored(openapi, Keys())
    known, env = credential["credentialId"], spoken(openapi)
    before = await cadenza("credentials", "verify", known, "--json", sandbox=openapi, env=env)
    (reached,) = before.json
    external = reached["externalTradingAccountId"]
    end = await cadenza(
        "credentials", "connect", known, external, "--name", "Desk 1", sandbox=openapi, env=env
    )
    after = await cadenza("credentials", "verify", known, sandbox=openapi, env=env)
    (account,) = openapi.accounts
    assert reached["reach"] == "NEW"
    assert (end.code, end.err) == (0, "")
    assert end.out.startswith("Connected: BINANCE, Desk 1, SPOT, ")
    assert account["tradingAccountId"] in end.out
    (row,) = [line.split() for line in after.out.splitlines() if external in line]
    assert (row[-3], row[-1]) == ("OURS", account["tradingAccountId"])


async def test_what_is_out_of_reach_is_told(openapi: Sandbox) -> None:
    """Somebody else's account, or none at all."""
    env = spoken(openapi)
    taken = await stored(openapi, Keys(key=f"taken-{Keys().key}"))
    empty = await stored(openapi, Keys(key=f"empty-{Keys().key}"))
    command = ("credentials", "verify")
    first = await cadenza(*command, taken["credentialId"], sandbox=openapi, env=env)
    second = await cadenza(*command, empty["credentialId"], sandbox=openapi, env=env)
    assert "TAKEN" in first.out
    assert (second.code, second.out) == (0, "No accounts.\n")


async def test_keys_are_rotated(both: Sandbox, tmp_path: Path) -> None:
    """From wherever keys may come; what is not given stays."""
    credential = await stored(both, Keys())
    new = Keys()
    file = keys_file(tmp_path / "keys", f"CADENZA_API_SECRET={new.secret}\n")
    command = ("credentials", "rotate", credential["credentialId"], "--credentials", file)
    end = await cadenza(*command, sandbox=both, env=spoken(both))
    assert (end.code, end.err) == (0, "")
    assert end.out.startswith("Rotated: BINANCE, Keys 1, ")
    assert both.requests[-1]["body"].keys() == {"credentialId", "apiSecret"}
    assert not new.shown_in(end.out)


async def test_a_rotation_whose_answer_is_lost_may_be_repeated(both: Sandbox) -> None:
    """With the same keys it changes nothing."""
    credential = await stored(both, Keys())
    both.script("drop-after-commit@credential-rotate")
    command = ("credentials", "rotate", credential["credentialId"])
    end = await cadenza(*command, sandbox=both, env=spoken(both, Keys()))
    assert end.code == 3
    assert end.err.splitlines()[1].startswith("Do it again with the same keys")


async def test_a_lost_answer_to_storing_keys_is_looked_up(both: Sandbox) -> None:
    """Among the credentials, where it is."""
    both.script("drop-after-commit@credential-create")
    end = await cadenza(*CREATE, sandbox=both, env=spoken(both, Keys()))
    listed = await cadenza("credentials", sandbox=both, env=spoken(both))
    assert end.code == 3
    assert end.err.endswith("look with 'cadenza credentials' whether it was done.\n")
    assert "Keys 1" in listed.out


async def test_a_credential_is_revoked_once(both: Sandbox) -> None:
    """Whoever is not there to be asked says --yes; a second time it is refused."""
    credential = await stored(both, Keys())
    command, env = ("credentials", "revoke", credential["credentialId"]), spoken(both)
    asked = await cadenza(*command, sandbox=both, env=env)
    sent = len(both.requests)
    first = await cadenza(*command, "--yes", sandbox=both, env=env)
    second = await cadenza(*command, "--yes", sandbox=both, env=env)
    assert (asked.code, sent, first.code, second.code) == (2, 1, 0, 1)
    assert "REVOKED" in first.out
    assert "errno -130001" in second.err


@pytest.mark.parametrize("venue", ["OKX", ["BINANCE"], {}], ids=repr)
async def test_keys_of_another_venue_are_not_stored(both: Sandbox, venue: object) -> None:
    """What one exchange gave is nothing for another to see, nor is what names no exchange."""
    body = json.dumps({"venue": venue, "apiKey": Keys().key, "apiSecret": Keys().secret})
    end = await cadenza(*CREATE, sandbox=both, typed=body, env=spoken(both))
    assert (end.code, both.requests) == (2, [])
    assert "--venue" in end.err
