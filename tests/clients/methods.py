"""Every method of a client: with what it is called, and what it must send."""

from __future__ import annotations

import json
from contextlib import asynccontextmanager
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from attrs import frozen

from cadenza_async import AsyncCadenza

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator

    from tests.raw import RawServer

TOKEN = "wire.token"
GOLDEN = Path(__file__).parent.parent / "golden"
DIALECTS = ("pages", "openapi")
READS = frozenset({"list_accounts", "get_account", "list_operations", "list_credentials"})
READS |= {"verify_credential", "login", "user", "health"}
PUBLIC = [
    name
    for name in dir(AsyncCadenza)
    if not name.startswith("_") and name not in {"aclose", "resolve"}
]
"""What sends one request; `resolve` lists all accounts."""


@frozen(kw_only=True)
class Sample:
    """One call of a method.

    Attributes:
        method: Its name.
        arguments: As JSON has them.
        requests: By dialect: the line and the body that must go out.
    """

    method: str
    arguments: dict[str, Any]
    requests: dict[str, dict[str, Any]]

    async def call(self, client: AsyncCadenza) -> Any:
        """Call the method, and return what it gives; a list if it gives one by one."""
        given = {name: _argument(name, value) for name, value in self.arguments.items()}
        result = getattr(client, self.method)(**given)
        return [row async for row in result] if hasattr(result, "__aiter__") else await result

    def line(self, dialect: str) -> str:
        """Return method and target as they must go out."""
        line: str = self.requests[dialect]["line"]
        return line

    def body(self, dialect: str) -> bytes:
        """Return the bytes that must go out."""
        body = self.requests[dialect]["body"]
        return b"" if body is None else json.dumps(body, separators=(",", ":")).encode()


def _argument(name: str, value: object) -> object:
    return datetime.fromisoformat(str(value)) if name in {"since", "until"} else value


def _read() -> Iterator[Sample]:
    for row in json.loads((GOLDEN / "methods.request.json").read_bytes()):
        requests = {dialect: row[dialect] for dialect in DIALECTS}
        yield Sample(method=row["method"], arguments=row["arguments"], requests=requests)


SAMPLES = [*_read()]
EACH = [next(each for each in SAMPLES if each.method == name) for name in PUBLIC]
"""One call of every method."""


def answer(name: str) -> tuple[int, bytes]:
    """Return status and body of a golden answer."""
    return int(name.split(".")[-2]), (GOLDEN / "constructed" / name).read_bytes()


every_dialect = pytest.mark.parametrize("dialect", DIALECTS)
every_sample = pytest.mark.parametrize(
    "sample", SAMPLES, ids=lambda each: " ".join((each.method, *each.arguments))
)
every_method = pytest.mark.parametrize("sample", EACH, ids=lambda each: each.method)


@asynccontextmanager
async def client_of(server: RawServer, **options: Any) -> AsyncIterator[AsyncCadenza]:
    """Open a client that repeats nothing."""
    async with AsyncCadenza(TOKEN, retries=0, **server.options, **options) as client:
        yield client
