"""cadenza-sdk, the vendor's own: its generic ``post``, as it does not know the endpoint yet."""
# It is not installed where types are checked:
# pyright: reportMissingImports=false

from __future__ import annotations

from contextlib import asynccontextmanager, contextmanager
from datetime import datetime  # noqa: TC003  # pydantic reads it
from typing import TYPE_CHECKING, Any

import httpx
from cadenza_sdk import AsyncCadenza, BaseModel, Cadenza
from job import PATH, new_account
from pydantic import Field

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable, Iterator

    from job import Target


class Account(BaseModel):
    """What is answered."""

    trading_account_id: str = Field(alias="tradingAccountId")
    user_id: str | None = Field(alias="userId", default=None)
    venue: str
    name: str | None = None
    account_type: str | None = Field(alias="accountType", default=None)
    status: str
    created_at: datetime | None = Field(alias="createdAt", default=None)
    updated_at: datetime | None = Field(alias="updatedAt", default=None)


class Envelope(BaseModel):
    """The whole answer."""

    data: Account


def _body() -> dict[str, Any]:
    account = new_account()
    return {
        "venue": account.venue,
        "apiKey": account.api_key,
        "apiSecret": account.api_secret,
        "name": account.name,
    }


def _http(target: Target) -> dict[str, Any]:
    limits = httpx.Limits(
        max_connections=target.connections, max_keepalive_connections=target.connections
    )
    return {"limits": limits, "verify": target.context() or True}


@asynccontextmanager
async def connecting(target: Target) -> AsyncIterator[Callable[[int], Awaitable[object]]]:
    """Use one client for each identity, over one httpx client."""
    async with httpx.AsyncClient(**_http(target)) as http:
        clients = [
            AsyncCadenza(bearer_token=token, base_url=target.url, http_client=http)
            for token in target.tokens()
        ]

        async def connect(identity: int) -> object:
            answer = await clients[identity].post(PATH, body=_body(), cast_to=Envelope)
            return answer.data

        yield connect


@contextmanager
def blocking(target: Target) -> Iterator[Callable[[int], object]]:
    """Use one client for each identity, over one httpx client."""
    with httpx.Client(**_http(target)) as http:
        clients = [
            Cadenza(bearer_token=token, base_url=target.url, http_client=http)
            for token in target.tokens()
        ]

        def connect(identity: int) -> object:
            return clients[identity].post(PATH, body=_body(), cast_to=Envelope).data

        yield connect
