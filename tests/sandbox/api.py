"""A plain HTTP caller for the sandbox's tests."""

from __future__ import annotations

import asyncio
import json
import secrets
from collections.abc import Mapping, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from aiohttp import ClientSession, ClientTimeout
from attrs import define, frozen

from cadenza_async.sandbox import Sandbox

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

GOLDEN = Path(__file__).parent.parent / "golden"


def golden(name: str) -> Any:
    """A JSON example of the contract."""
    return json.loads((GOLDEN / name).read_text())


def new_account(**fields: Any) -> dict[str, Any]:
    """A body that connects a BINANCE account, with fields replaced; None leaves one out."""
    body = {"venue": "BINANCE", "apiKey": secrets.token_hex(8), "apiSecret": secrets.token_hex(8)}
    return {name: value for name, value in {**body, **fields}.items() if value is not None}


@frozen(kw_only=True)
class Answer:
    """What came back."""

    status: int
    headers: Mapping[str, str]
    raw: bytes

    @property
    def body(self) -> Any:
        return json.loads(self.raw)

    @property
    def data(self) -> Any:
        return self.body["data"]

    @property
    def verdict(self) -> tuple[int, int]:
        return self.status, self.body["errno"]


@define
class Api:
    """Calls endpoints by their path below `/api/v3/`, as the default user unless told."""

    sandbox: Sandbox
    session: ClientSession

    async def call(
        self, method: str, path: str, *, token: str | None = "", **options: Any
    ) -> Answer:
        headers = {**options.pop("headers", {})}
        if token is not None:
            headers["Authorization"] = f"Bearer {token or self.sandbox.access_token}"
        url = f"{self.sandbox.url}/api/v3/{path}"
        options = {"allow_redirects": False, "timeout": ClientTimeout(10), **options}
        async with self.session.request(method, url, headers=headers, **options) as response:
            raw = await response.read()
            return Answer(status=response.status, headers=response.headers, raw=raw)

    async def connect(self, *, token: str | None = "", **fields: Any) -> Answer:
        body = new_account(**fields)
        return await self.call("POST", "tradingAccount/connect", token=token, json=body)

    async def list(self, *, token: str | None = "", **query: Any) -> Answer:
        return await self.call("GET", "tradingAccount/list", token=token, params=query)

    async def disconnect(self, trading_account_id: str, *, token: str | None = "") -> Answer:
        body = {"tradingAccountId": trading_account_id}
        return await self.call("POST", "tradingAccount/disconnect", token=token, json=body)

    async def post(self, path: str, body: object, *, token: str | None = None) -> Answer:
        return await self.call("POST", path, token=token, json=body)

    async def account(self, path: str, account_id: str, **fields: Any) -> Answer:
        body = {"tradingAccountId": account_id, **fields}
        return await self.call("POST", f"tradingAccount/{path}", json=body)

    async def operations(self, **query: Any) -> Answer:
        return await self.call("GET", "tradingAccount/operation/list", params=query)

    async def history(self, **query: Any) -> Sequence[tuple[str, str]]:
        """Type and status of what was done, oldest first."""
        rows = (await self.operations(**query)).data
        return [(each["operationType"], each["status"]) for each in rows]

    async def credential(self, path: str, *, token: str | None = "", **fields: Any) -> Answer:
        return await self.call("POST", f"credential/{path}", token=token, json=fields)

    async def store(
        self, api_key: str | None = None, *, token: str | None = "", **fields: Any
    ) -> Any:
        """A new credential for BINANCE, in the words of the dialect."""
        words = {"credentialType": "API_KEY"} if self.sandbox.dialect == "openapi" else {}
        body = {**new_account(apiKey=api_key or secrets.token_hex(8)), **words, **fields}
        answer = await self.credential("create", token=token, **body)
        assert answer.status == 200, answer.body
        return answer.data

    async def verify(self, *ids: str, token: str | None = "") -> Answer:
        """The accounts that credentials reach, asked for in the words of the dialect."""
        if self.sandbox.dialect == "openapi":
            return await self.credential("verify", token=token, credentialIds=list(ids))
        return await self.credential("verify", token=token, credentialId=ids[0])

    async def refer(
        self, credential_id: str, external: str = "", *, token: str | None = "", **fields: Any
    ) -> Answer:
        """Connect by reference, to what the credential reaches first unless told."""
        if not external:
            reached = await self.verify(credential_id, token=token)
            external = reached.data[0]["externalTradingAccountId"]
        body = {"credentialIds": [credential_id], "externalTradingAccountId": external, **fields}
        return await self.call("POST", "tradingAccount/connect", token=token, json=body)


@asynccontextmanager
async def serving(**options: Any) -> AsyncIterator[Api]:
    """A sandbox with options, and a caller for it."""
    async with Sandbox(**options) as sandbox, ClientSession() as session:
        yield Api(sandbox, session)


async def raw_answer(api: Api, fault: str, *, keep: bool = False) -> bytes:
    """All bytes that one connect gets until the connection ends."""
    api.sandbox.script(fault)
    body = json.dumps(new_account()).encode()
    host, port = api.sandbox.url.removeprefix("http://").split(":")
    reader, writer = await asyncio.open_connection(host, int(port))
    writer.write(
        b"POST /api/v3/tradingAccount/connect HTTP/1.1\r\nHost: x\r\n"
        b"Content-Type: application/json\r\n"
        + (b"" if keep else b"Connection: close\r\n")
        + f"Authorization: Bearer {api.sandbox.access_token}\r\n".encode()
        + f"Content-Length: {len(body)}\r\n\r\n".encode()
        + body
    )
    try:
        return await reader.read()
    finally:
        writer.close()


async def until(condition: Callable[[], bool]) -> None:
    """Let the loop run until something is so."""
    async with asyncio.timeout(10):
        while not condition():
            await asyncio.sleep(0.001)
