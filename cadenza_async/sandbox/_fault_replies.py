"""The answers that faults give in place of the proper one."""

from __future__ import annotations

from http import HTTPStatus
from math import ceil
from types import MappingProxyType
from typing import TYPE_CHECKING

from cadenza_async.sandbox._replies import Refusal, Reply, page, too_many_requests

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from cadenza_async.sandbox._faults import Fault
    from cadenza_async.sandbox._platform import Call


def _throttled(fault: Fault, _call: Call) -> Reply:
    return too_many_requests(_retry_after(fault)).reply()


def _venue_throttled(_fault: Fault, _call: Call) -> Reply:
    return Refusal(429, -18011, "Exchange rate limit exceeded").reply()


def _failed(fault: Fault, _call: Call) -> Reply:
    status = HTTPStatus(int(fault.kind))
    errno = -22000 if status == HTTPStatus.INTERNAL_SERVER_ERROR else -19000
    return Refusal(status, errno, status.phrase).reply()


def _gateway_page(fault: Fault, _call: Call) -> Reply:
    status = HTTPStatus(int(fault.kind.removesuffix("-html")))
    return page(status, status.phrase)


def _unavailable(fault: Fault, _call: Call) -> Reply:
    return Refusal(503, -19006, "Temporarily unavailable", headers=_retry_after(fault)).reply()


def _locked(_fault: Fault, _call: Call) -> Reply:
    return Refusal(503, -22014, "Somebody else holds the lock").reply()


def _redirected(fault: Fault, call: Call) -> Reply:
    return Reply(status=int(fault.kind), headers={"Location": fault.target or call.url})


def _expired(_fault: Fault, _call: Call) -> Reply:
    return Refusal(401, -100000, "Unauthorized").reply()


def _welcome(_fault: Fault, _call: Call) -> Reply:
    return page(200, "Welcome")


def _echo(_fault: Fault, call: Call) -> Reply:
    told = call.body.decode(errors="replace")
    return Refusal(400, -120001, f"Invalid API credentials: {told}").reply()


def _retry_after(fault: Fault) -> dict[str, str]:
    return {} if fault.seconds is None else {"Retry-After": str(ceil(fault.seconds))}


FAULT_REPLIES: Mapping[str, Callable[[Fault, Call], Reply]] = MappingProxyType(
    {
        "429": _throttled,
        "429-bare": _throttled,
        "429-venue": _venue_throttled,
        "503-retry": _unavailable,
        "503-lock": _locked,
        "html-200": _welcome,
        "expired-token": _expired,
        "echo-secret": _echo,
        **dict.fromkeys(("500", "502", "503", "504"), _failed),
        **dict.fromkeys(
            ("429-html", "500-html", "502-html", "503-html", "504-html"), _gateway_page
        ),
        **dict.fromkeys(("301", "302", "307", "308"), _redirected),
    }
)
