"""Strict reading of what a caller sent, by shapes that can be shown as well as checked."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Literal, NoReturn, cast

from attrs import frozen

from cadenza_async.sandbox._replies import Refusal

if TYPE_CHECKING:
    from cadenza_async.sandbox._platform import Call

BAD_REQUEST = -19001
VALIDATION = -19004
MALFORMED = -19005


@frozen
class Field:
    """A body field: a string, or an array of strings if there may be many.

    It may be left out unless it is required, is empty only if it may be blank, and is one of the
    words if there are any.
    """

    name: str
    required: bool = True
    blank: bool = False
    words: tuple[str, ...] = ()
    many: bool = False


@frozen
class Param:
    """A query parameter, never required: a string, one of some words, or a whole number.

    A whole number has bounds, both included, and perhaps a default. Where there may be many
    strings they are repeated parameters, or joined by commas.
    """

    name: str
    words: tuple[str, ...] = ()
    bounds: tuple[int, int] | None = None
    default: int | None = None
    many: Literal["repeated", "joined"] | None = None


class Body:
    """What a JSON body holds.

    Args:
        fields: What may be in it.
        optional: Whether there may be no body at all.
        either: Groups of fields, one of which is there completely and the others not at all.
        least: How many fields there are at least, the required ones included.
    """

    def __init__(
        self,
        *fields: Field,
        optional: bool = False,
        either: tuple[tuple[str, ...], ...] = (),
        least: int = 0,
    ) -> None:
        self.fields = {each.name: each for each in fields}
        self.optional = optional
        self.either = either
        self.least = least

    def read(self, call: Call) -> dict[str, Any]:
        """The body's fields, each known, of the right type, and there if required.

        Raises:
            Refusal: 400 with -19001 (not JSON by its header), -19005 (no JSON) or -19004
                (fields), naming the field and never its value.
        """
        if self.optional and not call.body:
            return {}
        if call.content_type != "application/json":
            raise Refusal(400, BAD_REQUEST, "Content-Type must be application/json")
        return self._check(_read_json(call.body))

    def _check(self, given: object) -> dict[str, Any]:
        if not isinstance(given, dict):
            invalid("Request body must be a JSON object")
        given = cast("dict[str, object]", given)
        if unknown := given.keys() - self.fields.keys():
            invalid(f"Unknown field: {min(unknown)}")
        for name, each in self.fields.items():
            if each.required and name not in given:
                invalid(f"{name} is required")
        if self.either:
            _check_groups(given, self.either)
        if len(given) < self.least:
            open_to_choice = [name for name, each in self.fields.items() if not each.required]
            invalid(f"one of {', '.join(open_to_choice)} is required")
        return {name: _check_value(value, self.fields[name]) for name, value in given.items()}


class Query:
    """What the query of a URL holds."""

    def __init__(self, *params: Param) -> None:
        self.params = {each.name: each for each in params}

    def read(self, call: Call) -> dict[str, Any]:
        """The query parameters, each known, in range, and given once if it is not repeatable.

        Raises:
            Refusal: 400, -19004.
        """
        given: dict[str, list[str]] = {}
        for name, value in call.query:
            if name not in self.params:
                invalid(f"Unknown query parameter: {name}")
            given.setdefault(name, []).append(value)
        defaults = {n: each.default for n, each in self.params.items() if each.default is not None}
        return {**defaults, **{n: _check_values(v, self.params[n]) for n, v in given.items()}}


Shape = Body | Query


def invalid(text: str) -> NoReturn:
    """Refuse what was sent.

    Raises:
        Refusal: 400, -19004.
    """
    raise Refusal(400, VALIDATION, text)


def _read_json(body: bytes) -> object:
    try:
        return json.loads(body, parse_constant=_no_constant)
    except (ValueError, RecursionError):
        pass  # the parser's error, which holds the body, stays behind
    raise Refusal(400, MALFORMED, "Malformed JSON")


def _no_constant(word: str) -> NoReturn:
    raise ValueError(word)


def _check_groups(given: dict[str, object], groups: tuple[tuple[str, ...], ...]) -> None:
    begun = [group for group in groups if given.keys() & set(group)] or [groups[0]]
    if len(begun) > 1:
        invalid(f"{begun[0][0]} and {begun[1][0]} exclude each other")
    if missing := [name for name in begun[0] if name not in given]:
        invalid(f"{missing[0]} is required")


def _check_value(value: object, field: Field) -> str | list[str]:
    if not field.many:
        return _check_text(value, field)
    if not isinstance(value, list) or not value:
        invalid(f"{field.name} must be an array that is not empty")
    return [_check_text(each, field) for each in cast("list[object]", value)]


def _check_text(value: object, field: Field) -> str:
    if not isinstance(value, str):
        invalid(f"{field.name} must be a string")
    if not (field.blank or value.strip()):
        invalid(f"{field.name} must not be empty")
    return _one_of(value, field.name, field.words)


def _check_values(values: list[str], param: Param) -> str | int | list[str]:
    if param.many == "repeated":
        return _no_commas(values, param.name)
    if len(values) > 1:
        invalid(f"{param.name} is given twice")
    if param.many == "joined":
        return values[0].split(",")
    if param.bounds is not None:
        return _whole_number(values[0], param.name, *param.bounds)
    return _one_of(values[0], param.name, param.words)


def _no_commas(values: list[str], name: str) -> list[str]:
    if any("," in each for each in values):
        invalid(f"{name} must be repeated, not joined")
    return values


def _whole_number(text: str, name: str, low: int, high: int) -> int:
    digits = text.isascii() and text.isdigit() and len(text) <= len(str(high))
    if not (digits and low <= int(text) <= high):
        invalid(f"{name} must be a whole number from {low} to {high}")
    return int(text)


def _one_of(text: str, name: str, words: tuple[str, ...]) -> str:
    if words and text not in words:
        invalid(f"{name} must be one of {', '.join(words)}")
    return text
