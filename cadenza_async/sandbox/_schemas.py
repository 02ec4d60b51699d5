"""What answers look like, in JSON Schema: the things themselves, as each dialect spells them."""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from cadenza_async.sandbox import _accounts, _connecting, _credentials, _operations

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

Schema = dict[str, Any]

_TEXT: Schema = {"type": "string"}
_TEXT_OR_NULL: Schema = {"type": ["string", "null"]}
_WHOLE: Schema = {"type": "integer", "minimum": 0}
_MILLISECONDS: Schema = {**_WHOLE, "description": "milliseconds since the epoch"}
_DATE: Schema = {"type": "string", "format": "date-time"}
_NULL: Schema = {"type": "null"}


def ref(name: str) -> Schema:
    """The schema of that name among the document's components."""
    return {"$ref": f"#/components/schemas/{name}"}


def array(items: Schema) -> Schema:
    """Any number of them."""
    return {"type": "array", "items": items}


def object_of(properties: Mapping[str, Schema], optional: Iterable[str] = ()) -> Schema:
    """An object that has these properties, but perhaps for some, and no others."""
    left_out = frozenset(optional)
    return {
        "type": "object",
        "properties": dict(properties),
        "required": [each for each in properties if each not in left_out],
        "additionalProperties": False,
    }


def _one_of(words: Iterable[str]) -> Schema:
    return {"type": "string", "enum": [*words]}


_TIMES = {"createdAt": _MILLISECONDS, "updatedAt": _MILLISECONDS}
_STATUS = {"status": _one_of(_accounts.STATUSES)}
_CREDENTIAL_STATUS = {"status": _one_of(_credentials.STATUSES)}
_TYPE = _one_of(_connecting.ACCOUNT_TYPES)
_DATED = {"createdAtDateTime": _DATE, "updatedAtDateTime": _DATE}
_PLACE = {
    "externalTradingAccountId": _TEXT,
    "venue": _TEXT,
    "nickname": _TEXT,
    "accountType": _TYPE,
    "externalAccountType": _TYPE,
    "credentials": array(ref("Credential")),
}

_USER = {"id": _TEXT, "email": _TEXT, "createdAt": _DATE}
_HEALTH = _one_of(("healthy", "degraded", "unhealthy"))
_CHECK = object_of({"status": _HEALTH})

_COMMON: Mapping[str, Schema] = MappingProxyType(
    {
        "Operation": object_of(
            {
                "operationId": _TEXT,
                "tradingAccountId": _TEXT,
                "operationType": _one_of(_operations.TYPES),
                "status": _one_of(_operations.STATUSES),
                "createdAt": _MILLISECONDS,
            }
        ),
        "Pagination": object_of(
            {
                "offset": _WHOLE,
                "limit": _WHOLE,
                "total": _WHOLE,
                "hasNext": {"type": "boolean"},
                "cursor": _TEXT,
            },
            optional=["cursor"],
        ),
        "Session": object_of(
            {
                "accessToken": _TEXT,
                "refreshToken": _TEXT,
                "tokenType": {"const": "bearer"},
                "expiresIn": {**_WHOLE, "description": "seconds"},
                "expiresAt": {**_WHOLE, "description": "seconds since the epoch"},
                "user": object_of(_USER),
            }
        ),
        "User": object_of({**_USER, "role": _one_of(("TRADER", "VIEWER"))}, optional=["createdAt"]),
        "Health": object_of(
            {
                "status": _HEALTH,
                "timestamp": _MILLISECONDS,
                "isoDateTime": _DATE,
                "version": _TEXT,
                "checks": object_of({"database": _CHECK, "redis": _CHECK}),
            }
        ),
        "Details": object_of(
            {
                "code": _TEXT,
                "resource": _TEXT,
                "action": _TEXT,
                "required": array(_TEXT),
                "provided": array(_TEXT),
                "request_id": _TEXT,
            }
        ),
    }
)

_PAGES: Mapping[str, Schema] = MappingProxyType(
    {
        "Account": object_of(
            {
                "tradingAccountId": _TEXT,
                "userId": _TEXT,
                "venue": _TEXT,
                "name": _TEXT,
                "accountType": _TYPE,
                **_STATUS,
                **_TIMES,
                "disconnectedAt": _MILLISECONDS,
            },
            optional=["disconnectedAt"],
        ),
        "Credential": object_of(
            {
                "credentialId": _TEXT,
                "userId": _TEXT,
                "venue": _TEXT,
                "name": _TEXT_OR_NULL,
                "type": _one_of(_credentials.TYPES_OF_PAGES),
                "apiKey": {**_TEXT_OR_NULL, "description": "masked"},
                **_CREDENTIAL_STATUS,
                **_TIMES,
                "revokedAt": _MILLISECONDS,
            },
            optional=["revokedAt"],
        ),
        "Identity": object_of(
            {
                "externalTradingAccountId": _TEXT,
                "venue": _TEXT,
                "name": _TEXT,
                "accountType": _TYPE,
                "status": _one_of(("NEW", "CONNECTED", "UNAVAILABLE")),
                "tradingAccountId": _TEXT,
            },
            optional=["tradingAccountId"],
        ),
        "Verification": object_of(
            {
                "credentialId": _TEXT,
                "status": _one_of(("VERIFIED", "FAILED")),
                "identities": array(ref("Identity")),
            }
        ),
        "Refusal": object_of(
            {
                "data": _TEXT_OR_NULL,
                "success": {"const": False},
                "errno": {"type": "integer"},
                "error": _TEXT,
                "details": ref("Details"),
            },
            optional=["details"],
        ),
    }
)

_OPENAPI: Mapping[str, Schema] = MappingProxyType(
    {
        "Account": object_of({"tradingAccountId": _TEXT, **_PLACE, **_STATUS, **_TIMES, **_DATED}),
        "Credential": object_of(
            {
                "credentialId": _TEXT,
                "venue": _TEXT,
                "credentialType": _one_of(_credentials.TYPES),
                "nickname": _TEXT,
                **_CREDENTIAL_STATUS,
                **_TIMES,
                "revokedAt": _MILLISECONDS,
            },
            optional=["nickname", "revokedAt"],
        ),
        "Reachable": object_of({**_PLACE, "status": _one_of(("NEW", "UNAVAILABLE"))}),
        "Verification": array({"anyOf": [ref("Account"), ref("Reachable")]}),
        "Refusal": object_of(
            {
                "data": _TEXT_OR_NULL,
                "errno": {"type": "integer"},
                "error": _TEXT,
                "details": ref("Details"),
            },
            optional=["details"],
        ),
    }
)

COMPONENTS: Mapping[str, Mapping[str, Schema]] = MappingProxyType(
    {"pages": {**_COMMON, **_PAGES}, "openapi": {**_COMMON, **_OPENAPI}}
)
"""Everything that answers are made of, by dialect and name."""


def envelope(dialect: str, data: Schema, *, paged: bool) -> Schema:
    """The envelope of a call that went well, with `pagination` beside the data or without."""
    beside: dict[str, Schema] = {"pagination": ref("Pagination")} if paged else {}
    errno: dict[str, Schema] = {"errno": {"const": 0}}
    if dialect == "openapi":
        return object_of({"data": data, **beside, **errno})
    ends: dict[str, Schema] = {"success": {"const": True}, **errno, "error": _NULL}
    return object_of({"data": data, **beside, **ends})
