"""The sandbox's own OpenAPI 3.1 document, out of the table of endpoints."""

from __future__ import annotations

import inspect
from http import HTTPStatus
from typing import TYPE_CHECKING

from cadenza_async.sandbox._checks import Body, Query
from cadenza_async.sandbox._schemas import COMPONENTS, Schema, array, envelope, object_of, ref

if TYPE_CHECKING:
    from collections.abc import Iterable

    from cadenza_async.sandbox._checks import Field, Param
    from cadenza_async.sandbox._routes import Route


def describe(dialect: str, routes: Iterable[Route]) -> Schema:
    """Every endpoint in one dialect: what it reads, what it answers, and who may call it."""
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Cadenza, as its sandbox speaks it",
            "description": f"The dialect is `{dialect}`.",
            "version": "3.0.1",
        },
        "servers": [{"url": "/"}],
        "security": [{"bearer": []}],
        "paths": {each.url: {each.method.lower(): _operation(dialect, each)} for each in routes},
        "components": {
            "schemas": dict(COMPONENTS[dialect]),
            "securitySchemes": {"bearer": {"type": "http", "scheme": "bearer"}},
        },
    }


def _operation(dialect: str, route: Route) -> Schema:
    _, _, summary = (inspect.getdoc(route.handle) or "").partition("\n")[0].partition("`: ")
    operation = {
        "operationId": route.name,
        "tags": [route.resource],
        "summary": summary,
        **_reads(route.reads.get(dialect)),
        "responses": _responses(dialect, route),
    }
    return {**operation, "security": []} if route.public else operation


def _reads(shape: Body | Query | None) -> Schema:
    if isinstance(shape, Query):
        return {"parameters": [_parameter(each) for each in shape.params.values()]}
    if isinstance(shape, Body):
        content = {"application/json": {"schema": _body(shape)}}
        return {"requestBody": {"required": not shape.optional, "content": content}}
    return {}


def _body(shape: Body) -> Schema:
    if not shape.either:
        whole = _fields(shape.fields.values())
        return {**whole, "minProperties": shape.least} if shape.least else whole
    chosen = {name for group in shape.either for name in group}
    rest = [each for each in shape.fields.values() if each.name not in chosen]
    ways = [[shape.fields[name] for name in group] for group in shape.either]
    needed = [object_of({each.name: _field(each) for each in way}) for way in ways]
    beside = {each.name: _field(each) for each in rest}
    return {"oneOf": [{**way, "properties": {**way["properties"], **beside}} for way in needed]}


def _fields(fields: Iterable[Field]) -> Schema:
    listed = list(fields)
    optional = [each.name for each in listed if not each.required]
    return object_of({each.name: _field(each) for each in listed}, optional)


def _field(field: Field) -> Schema:
    text: Schema = {"type": "string"} if field.blank else {"type": "string", "pattern": r"\S"}
    if field.words:
        text = {"type": "string", "enum": [*field.words]}
    return {**array(text), "minItems": 1} if field.many else text


def _parameter(param: Param) -> Schema:
    place: Schema = {"name": param.name, "in": "query", "schema": _value(param)}
    if param.many:
        return {**place, "style": "form", "explode": param.many == "repeated"}
    return place


def _value(param: Param) -> Schema:
    if param.many:
        return array({"type": "string", "pattern": "^[^,]+$"})
    if param.words:
        return {"type": "string", "enum": [*param.words]}
    if param.bounds is None:
        return {"type": "string"}
    low, high = param.bounds
    number: Schema = {"type": "integer", "minimum": low, "maximum": high}
    return number if param.default is None else {**number, "default": param.default}


def _responses(dialect: str, route: Route) -> Schema:
    if route.bare:
        statuses = (200, *route.refuses[dialect])
        return {str(each): _response(each, route.answers) for each in statuses}
    shape = route.reads.get(dialect)
    paged = isinstance(shape, Query) and "limit" in shape.params
    done = _response(200, envelope(dialect, route.answers, paged=paged))
    refused = {str(each): _response(each, ref("Refusal")) for each in _refusals(dialect, route)}
    return {"200": done, **refused}


def _refusals(dialect: str, route: Route) -> list[int]:
    statuses = {413, 429, *route.refuses.get(dialect, ())}
    if route.reads:
        statuses.add(400)
    if not route.public:
        statuses.add(401)
    if route.writes is not None:
        statuses.add(403)
    return sorted(statuses)


def _response(status: int, schema: Schema) -> Schema:
    content = {"application/json": {"schema": schema}}
    return {"description": HTTPStatus(status).phrase, "content": content}
