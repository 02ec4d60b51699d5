"""`cadenza health` and `cadenza user`: how Cadenza is, and who is asking."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from .process import cadenza

if TYPE_CHECKING:
    from cadenza_async.sandbox import Sandbox


@pytest.mark.parametrize(
    ("fault", "status", "code"),
    [("ok", "healthy", 0), ("degraded", "degraded", 0), ("unhealthy", "unhealthy", 1)],
)
async def test_health_is_an_exit_code(sandbox: Sandbox, fault: str, status: str, code: int) -> None:
    """What works is a success; no token is asked for or sent."""
    sandbox.script(fault, fault)
    nobody = {"CADENZA_ACCESS_TOKEN": ""}
    plain = await cadenza("health", sandbox=sandbox, env=nobody)
    json = await cadenza("health", "--json", sandbox=sandbox)
    assert (plain.code, json.code, plain.err, json.err) == (code, code, "", "")
    assert plain.out.splitlines()[0].split() == ["status", status]
    assert any(line.split()[:2] == ["checks", '{"database":'] for line in plain.out.splitlines())
    (told,) = json.json
    assert (told["status"], type(told["timestamp"])) == (status, int)


async def test_what_does_not_say_how_it_is_failed(sandbox: Sandbox) -> None:
    """That is no health."""
    sandbox.script("html-200:100%")
    end = await cadenza("health", "--json", sandbox=sandbox)
    assert (end.code, end.json[0]["error"]["type"]) == (1, "UnreadableAnswerError")


async def test_a_token_tells_who_has_it(sandbox: Sandbox) -> None:
    """As lines for people."""
    end = await cadenza("user", sandbox=sandbox)
    assert (end.code, end.err) == (0, "")
    assert end.out.splitlines()[0].split() == ["user", "id", "u-1"]
