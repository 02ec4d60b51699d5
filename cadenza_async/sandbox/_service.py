"""From a call to its answer, through whatever fault it meets on the way."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from attrs import evolve

from cadenza_async.sandbox._fault_replies import FAULT_REPLIES
from cadenza_async.sandbox._replies import Refusal, Reply
from cadenza_async.sandbox._sessions import Grant

if TYPE_CHECKING:
    from cadenza_async.sandbox._catalogue import Role
    from cadenza_async.sandbox._faults import Fault
    from cadenza_async.sandbox._platform import Call, Platform
    from cadenza_async.sandbox._routes import Route

_NOBODY = Grant(user="", expires=None)


async def answer(platform: Platform, route: Route, call: Call) -> Reply:
    """What goes back to the caller, the wire permitting."""
    early = _first(call, "answer", "wire", after_commit=False)
    if early is not None:
        return _instead(early, call)
    reply = await _work(platform, route, call)
    await platform.settled()  # what an answer tells of has to last before anybody reads it
    await _wait(call.fault("latency"))
    late = _first(call, "answer", after_commit=True)
    return reply if late is None else _instead(late, call)


def wire_fault(call: Call) -> Fault | None:
    """The fault that decides how the answer reaches the wire, if any."""
    return _first(call, "wire", after_commit=False) or _first(call, "wire", after_commit=True)


async def _work(platform: Platform, route: Route, call: Call) -> Reply:
    rate: dict[str, str] = {}
    try:
        if call.unreadable is not None:
            raise call.unreadable
        caller = _NOBODY if route.public else platform.admit(call)
        if route.limit is not None:
            rate = platform.limits[route.limit].take(caller.user, platform.clock())
        if route.writes is not None and not caller.rights:
            raise platform.forbid(route.writes, resource=route.resource)
        await _wait(call.fault("slow-commit"))
        given = reads.read(call) if (reads := route.reads.get(platform.dialect.name)) else {}
        reply = await route.handle(platform, call, caller, given)
    except Refusal as refusal:
        reply = refusal.reply()
    return evolve(reply, headers={**rate, **reply.headers})


def _first(call: Call, *roles: Role, after_commit: bool) -> Fault | None:
    """The first fault that plays one of these roles at one of the two moments."""
    fits = (f for f in call.faults if f.role in roles and f.after_commit is after_commit)
    return next(fits, None)


def _instead(fault: Fault, call: Call) -> Reply:
    return FAULT_REPLIES[fault.kind](fault, call) if fault.role == "answer" else Reply()


async def _wait(fault: Fault | None) -> None:
    if fault is not None:
        await asyncio.sleep(fault.seconds or 0)
