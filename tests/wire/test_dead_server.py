"""A dead server is not hammered, and is used again when it is back."""

from __future__ import annotations

import asyncio
import socket
from collections import Counter
from typing import TYPE_CHECKING

import pytest

from cadenza_async import SessionPool
from cadenza_async.errors import NotSentError
from tests.raw import RawServer

if TYPE_CHECKING:
    from collections.abc import Iterator

    from cadenza_async import AsyncCadenza, Attempt

CALLERS = 1000
MOST_RETRIES = 35


@pytest.fixture
def endpoint() -> Iterator[socket.socket]:
    """Give a port that is ours and refuses connections, as nobody listens yet."""
    with socket.socket() as endpoint:
        endpoint.bind(("127.0.0.1", 0))
        yield endpoint


async def connect(client: AsyncCadenza, number: int) -> object:
    """Return the account, or the error that says that nothing was sent."""
    try:
        return await client.connect_account(
            venue="BINANCE", api_key="k", api_secret="s", name=f"Desk {number}"
        )
    except NotSentError as error:
        return error


@pytest.mark.parametrize("identities", [1, CALLERS])
async def test_a_thousand_callers_and_nobody_there(
    endpoint: socket.socket, identities: int
) -> None:
    """All callers together repeat 35 times at most, then fail at once; afterwards all is well."""
    attempts: list[Attempt] = []
    url = f"http://127.0.0.1:{endpoint.getsockname()[1]}"
    async with SessionPool(base_url=url, on_attempt=attempts.append) as pool:
        pool._shared.jitter = lambda: 0.0
        clients = [pool.client(access_token=f"token.{number}") for number in range(identities)]

        async def everybody() -> Counter[type]:
            calls = [connect(clients[n % identities], n) for n in range(CALLERS)]
            return Counter(map(type, await asyncio.gather(*calls)))

        assert await everybody() == {NotSentError: CALLERS}
        retries = [attempt for attempt in attempts if attempt.number > 1]
        assert 0 < len(retries) <= MOST_RETRIES
        assert len(attempts) == CALLERS + len(retries)

        attempts.clear()
        assert await everybody() == {NotSentError: CALLERS}
        assert len(attempts) == CALLERS, "there is nothing left to repeat with"

        attempts.clear()
        async with RawServer(sock=endpoint) as server:
            results = await everybody()
            assert NotSentError not in results
            assert len(server.requests) == len(attempts) == CALLERS
    assert {attempt.verdict for attempt in attempts} == {"done"}


async def test_successes_earn_retries_again(endpoint: socket.socket) -> None:
    """Fourteen calls that work pay for one more repetition."""
    attempts: list[Attempt] = []
    async with SessionPool(
        base_url=f"http://127.0.0.1:{endpoint.getsockname()[1]}", on_attempt=attempts.append
    ) as pool:
        pool._shared.jitter = lambda: 0.0
        client = pool.client(access_token="token")
        for number in range(12):
            await connect(client, number)
        spent = Counter(attempt.number for attempt in attempts)
        assert spent[1] == 12
        assert spent.total() - 12 == MOST_RETRIES
        server = RawServer(sock=endpoint)
        async with server:
            for number in range(14):
                await connect(client, number)
        attempts.clear()
        await connect(client, 99)  # nobody listens any more
    assert [attempt.number for attempt in attempts] == [1, 2]
