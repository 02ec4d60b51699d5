"""What the sandbox answers, before it meets the wire: a status, headers and bytes."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from attrs import define, field, frozen


@frozen(kw_only=True)
class Reply:
    """One answer, complete but for the headers that every answer has.

    An envelope stands in the place of the body until it is known who will read it.
    """

    status: int = 200
    body: bytes = field(default=b"", repr=False)
    envelope: Mapping[str, object] | None = field(default=None, repr=False)
    content_type: str = "application/json"
    headers: Mapping[str, str] = field(factory=dict[str, str])


@define
class Refusal(Exception):  # noqa: N818 - a refusal is a proper answer, not a mishap
    """The server says no: an HTTP status, the vendor's number and its words."""

    status: int
    errno: int
    text: str
    data: object = field(default=None, kw_only=True)
    details: Mapping[str, object] | None = field(default=None, kw_only=True)
    headers: Mapping[str, str] = field(factory=dict[str, str], kw_only=True)

    def reply(self) -> Reply:
        """The envelope that carries this refusal."""
        body: dict[str, object] = {
            "data": self.data,
            "success": False,
            "errno": self.errno,
            "error": self.text,
        }
        if self.details is not None:
            body["details"] = self.details
        return Reply(status=self.status, envelope=body, headers=self.headers)


def too_many_requests(headers: Mapping[str, str]) -> Refusal:
    """The 429 of the platform's own rate limit; its text is its data as well."""
    text = "Too many requests"
    return Refusal(429, -19000, text, data=text, headers=headers)


def success(data: object, **beside: Any) -> Reply:
    """The envelope of a call that went well; `beside` stands next to `data`."""
    return Reply(envelope={"data": data, **beside, "success": True, "errno": 0, "error": None})


def document(value: object, *, status: int = 200) -> Reply:
    """A JSON document as it is, without an envelope."""
    return Reply(status=status, body=json.dumps(value).encode())


def page(status: int, text: str) -> Reply:
    """A gateway's HTML page, which knows nothing of envelopes."""
    html = f"<html><head><title>{text}</title></head><body><h1>{text}</h1></body></html>"
    return Reply(status=status, body=html.encode(), content_type="text/html")
