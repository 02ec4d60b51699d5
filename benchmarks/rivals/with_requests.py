"""requests, with one session for all threads and a pool that is large enough for them."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

import requests
from job import body, new_account, read
from requests.adapters import HTTPAdapter

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from job import Target


@contextmanager
def blocking(target: Target) -> Iterator[Callable[[int], object]]:
    """Use one session."""
    headers, url = target.headers(), target.endpoint
    with requests.Session() as session:
        session.mount("http://", HTTPAdapter(pool_maxsize=target.connections))

        def connect(identity: int) -> object:
            response = session.post(
                url, data=body(new_account()), headers=headers[identity], timeout=30
            )
            return read(response.status_code, response.content)

        yield connect
