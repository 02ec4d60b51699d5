"""One mishap as it is to happen, and the line of text that says so."""

from __future__ import annotations

import re
from typing import Any

from attrs import Attribute, Factory, evolve, field, frozen

from cadenza_async.sandbox._catalogue import ENDPOINTS, FAULTS, FaultKind, Role

_PART = re.compile(r"(\d+(?:\.\d+)?)(s|ms|%)|(\d+)(?:MiB)?")


def _canonical(name: str) -> str:
    """The name with its moment where there are two, without where there is one."""
    for kind, facts in FAULTS.items():
        moments = {f"{kind}-{phase}-commit": phase for phase in facts.phases}
        moments[kind] = facts.phases[0]
        if name in moments:
            return kind if len(facts.phases) == 1 else f"{kind}-{moments[name]}-commit"
    raise ValueError(f"unknown fault {name!r}; there are {', '.join(FAULTS)}")


def _amount(fault: Fault, attribute: Attribute[Any], value: float | None) -> None:
    if value is None:
        return
    if getattr(fault.facts, attribute.name) is None:
        raise ValueError(f"{fault.name} takes no {attribute.name}")
    if value < 0:
        raise ValueError(f"{attribute.name} of {fault.name} must not be negative")


def _target(fault: Fault, _attribute: Attribute[Any], value: str | None) -> None:
    if value is not None and not fault.facts.target:
        raise ValueError(f"{fault.name} takes no target")


def _endpoint(fault: Fault, _attribute: Attribute[Any], value: str | None) -> None:
    places = fault.facts.endpoints or (None, *ENDPOINTS)
    if value not in places:
        known = ", ".join(each for each in places if each)
        raise ValueError(f"{fault.name} does not happen at {value!r}, but at {known}")


def _rate(fault: Fault, _attribute: Attribute[Any], value: float | None) -> None:
    if value is not None and not 0 < value <= 1:
        raise ValueError(f"the rate of {fault.name} must be above 0 and at most 1")


def _default_seconds(fault: Fault) -> float | None:
    return fault.facts.seconds


def _default_size(fault: Fault) -> int | None:
    return fault.facts.size


def _default_endpoint(fault: Fault) -> str | None:
    return next(iter(fault.facts.endpoints), None)


@frozen
class Fault:
    """One mishap, as it is to happen.

    Args:
        name: A name out of `FAULTS`. Where a fault can happen at two moments, `-before-commit`
            or `-after-commit` chooses; the usual one is taken otherwise.
        seconds: How long it takes, or what `Retry-After` says.
        size: Rows of a page, characters of a name, MiB of a bomb.
        target: Where a redirect points.
        endpoint: The one endpoint it is for: connect, list, enable, disable, update,
            disconnect, operations, credential-create, credential-list, credential-verify,
            credential-rotate, credential-revoke, login, refresh, logout, user, health. None
            means any.
        rate: The share of requests that meet it, above 0 up to 1: a standing rule. None
            means once, in the order of the script.

    Raises:
        ValueError: There is no such fault, or it does not take what is given.
    """

    name: str = field(converter=_canonical)
    seconds: float | None = field(
        default=Factory(_default_seconds, takes_self=True), validator=_amount, kw_only=True
    )
    size: int | None = field(
        default=Factory(_default_size, takes_self=True), validator=_amount, kw_only=True
    )
    target: str | None = field(default=None, validator=_target, kw_only=True)
    endpoint: str | None = field(
        default=Factory(_default_endpoint, takes_self=True), validator=_endpoint, kw_only=True
    )
    rate: float | None = field(default=None, validator=_rate, kw_only=True)

    @property
    def kind(self) -> str:
        """The name without its moment."""
        return self.name.removesuffix("-before-commit").removesuffix("-after-commit")

    @property
    def facts(self) -> FaultKind:
        """The fault's row in `FAULTS`."""
        return FAULTS[self.kind]

    @property
    def role(self) -> Role:
        """Whether it is an answer, a matter of the wire, a delay or a view of the data."""
        return self.facts.role

    @property
    def after_commit(self) -> bool:
        """Whether the request has had its effect when the fault happens."""
        return self.name.endswith("-after-commit") or self.facts.phases == ("after",)

    @classmethod
    def parse(cls, text: str) -> Fault:
        """Read a fault from a line: `NAME[:SECONDS][:SIZE][:RATE][@ENDPOINT][=TARGET]`.

        Durations end in `s` or `ms`, rates in `%`, sizes in nothing or `MiB`, and their order
        is free: `drop-after-commit:5%`, `slow-commit:8s:10%@connect`, `capped-list:3`,
        `307=http://127.0.0.1:8080/`.

        Raises:
            ValueError: The text is not of this form.
        """
        head, _, target = text.partition("=")
        head, _, endpoint = head.partition("@")
        name, *parts = head.split(":")
        fault = cls(name, target=target or None)
        for part in parts:
            fault = _with(fault, part)
        return evolve(fault, endpoint=endpoint) if endpoint else fault


def _with(fault: Fault, part: str) -> Fault:
    match = _PART.fullmatch(part)
    if match is None:
        raise ValueError(f"{part!r} is no duration (200ms), no rate (5%) and no size (3)")
    number, unit, size = match.groups()
    if size is not None:
        return evolve(fault, size=int(size))
    if unit == "%":
        return evolve(fault, rate=float(number) / 100)
    return evolve(fault, seconds=float(number) / (1 if unit == "s" else 1000))
