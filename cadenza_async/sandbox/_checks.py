"""Strict reading of what a caller sent: JSON, fields, types, query parameters."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, NoReturn, cast

from attrs import frozen

from cadenza_async.sandbox._replies import Refusal

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

BAD_REQUEST = -19001
VALIDATION = -19004
MALFORMED = -19005


@frozen
class Field:
    """A body field, always a string; may it be missing, may it be empty?"""

    name: str
    required: bool = True
    blank: bool = False


def read_fields(content_type: str, body: bytes, fields: Iterable[Field]) -> dict[str, str]:
    """The body's fields, each known, of the right type, and there if required.

    Raises:
        Refusal: 400 with -19001 (not JSON by its header), -19005 (no JSON) or -19004 (fields).
    """
    if content_type != "application/json":
        raise Refusal(400, BAD_REQUEST, "Content-Type must be application/json")
    return check_fields(_read_json(body), {each.name: each for each in fields})


def check_fields(given: object, fields: Mapping[str, Field]) -> dict[str, str]:
    """The fields of a parsed body.

    Raises:
        Refusal: 400, -19004, naming the field and never its value.
    """
    if not isinstance(given, dict):
        _invalid("Request body must be a JSON object")
    given = cast("dict[str, object]", given)
    if unknown := given.keys() - fields.keys():
        _invalid(f"Unknown field: {min(unknown)}")
    if missing := [name for name, each in fields.items() if each.required and name not in given]:
        _invalid(f"{missing[0]} is required")
    return {name: _check_text(value, fields[name]) for name, value in given.items()}


def read_query(given: Iterable[tuple[str, str]], names: Iterable[str]) -> dict[str, str]:
    """The query parameters, each known and given once.

    Raises:
        Refusal: 400, -19004.
    """
    known = frozenset(names)
    query: dict[str, str] = {}
    for name, value in given:
        if name not in known:
            _invalid(f"Unknown query parameter: {name}")
        if name in query:
            _invalid(f"{name} is given twice")
        query[name] = value
    return query


def whole_number(text: str, name: str, *, low: int, high: int) -> int:
    """A decimal number between two bounds, both included.

    Raises:
        Refusal: 400, -19004.
    """
    digits = text.isascii() and text.isdigit() and len(text) <= len(str(high))
    if not (digits and low <= int(text) <= high):
        _invalid(f"{name} must be a whole number from {low} to {high}")
    return int(text)


def one_of(text: str, name: str, words: Iterable[str]) -> str:
    """One of the known words, as it came.

    Raises:
        Refusal: 400, -19004.
    """
    known = tuple(words)
    if text not in known:
        _invalid(f"{name} must be one of {', '.join(known)}")
    return text


def _read_json(body: bytes) -> object:
    try:
        value: object = json.loads(body, parse_constant=_no_constant)
    except (ValueError, RecursionError):
        value = Refusal(400, MALFORMED, "Malformed JSON")
    if isinstance(value, Refusal):  # raised out here, so that the parser's error stays behind
        raise value
    return value


def _no_constant(word: str) -> NoReturn:
    raise ValueError(word)


def _check_text(value: object, field: Field) -> str:
    if not isinstance(value, str):
        _invalid(f"{field.name} must be a string")
    if not (field.blank or value.strip()):
        _invalid(f"{field.name} must not be empty")
    return value


def _invalid(text: str) -> NoReturn:
    raise Refusal(400, VALIDATION, text)
