"""What observers are told."""

from __future__ import annotations

from attrs import frozen


@frozen(kw_only=True)
class Attempt:
    """One attempt at a call, for metrics; handed to ``on_attempt``.

    Attributes:
        method: The HTTP verb.
        path: The path below ``/api/v3/``.
        number: 1 for the first attempt at the call.
        verdict: ``done``, ``refused``, ``throttled``, ``venue failed``, ``not sent``, ``unknown``.
        seconds: How long it took, waits before it not included.
        status: The HTTP status, if an answer came.
        errno: The server's error number, if there was one.
        request_id: The server's id of the request, if it gave one.
        venue: The venue of the account or the credential that was being made.
        name: The name that was sent for it, if there was one.
        identity: The label of the identity, if it has one.
    """

    method: str
    path: str
    number: int
    verdict: str
    seconds: float
    status: int | None = None
    errno: int | None = None
    request_id: str | None = None
    venue: str | None = None
    name: str | None = None
    identity: str | None = None
