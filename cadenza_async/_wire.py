"""Between our values and Cadenza's JSON."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from functools import cache
from types import UnionType
from typing import TYPE_CHECKING, Any, Final, TypeAlias, TypeVar, cast, get_args

from attrs import AttrsInstance, fields, resolve_types
from cattrs import Converter
from cattrs.gen import make_dict_unstructure_fn, override

from cadenza_async.models import NewAccount
from cadenza_async.secret import Secret

if TYPE_CHECKING:
    from collections.abc import Callable

Model = TypeVar("Model", bound=AttrsInstance)

_COMPACT: Final = json.JSONEncoder(separators=(",", ":"))

_UNSENT: Final = ("key", "user")  # what only `onboard` knows rows by

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_MILLISECOND: Final = timedelta(milliseconds=1)
_EARLIEST, _LATEST = (
    (limit - _EPOCH) // _MILLISECOND
    for limit in (datetime.min.replace(tzinfo=UTC), datetime.max.replace(tzinfo=UTC))
)


def decode(body: bytes) -> object:
    """Parse JSON.

    Raises:
        ValueError: If it is none. Raised bare: the parser's own error carries the document.
    """
    try:
        parsed: object = json.loads(body)
    except (ValueError, RecursionError):
        pass
    else:
        return parsed
    raise ValueError("not JSON")


def as_object(value: object) -> dict[str, Any] | None:
    """Return the value if it is a JSON object."""
    return cast("dict[str, Any]", value) if isinstance(value, dict) else None


def encode(body: object) -> bytes:
    """Return a request body as JSON; this is where secrets are revealed."""
    return _COMPACT.encode(_converter.unstructure(body)).encode()


def milliseconds(moment: datetime) -> int:
    """Return a moment as Cadenza writes it."""
    return (moment - _EPOCH) // _MILLISECOND


def read_model(model: type[Model], data: Mapping[str, Any], **defaults: object) -> Model:
    """Make a value of ours out of a JSON object, whatever else and however odd is in it.

    Fields that are not described, and described ones that cannot be read, go to ``extra`` under
    their wire names.

    Args:
        model: What to make; `attrs`, with an ``extra``.
        data: The object.
        **defaults: What to say where the object says nothing.
    """
    spellings = _spellings(model)
    known, extra = defaults, {}
    for wire, value in data.items():
        spelling = spellings.get(wire)
        if spelling is None:
            extra[wire] = value
        elif value is not None:
            attribute, read, better = spelling
            readable = read(value)
            if readable is None or (better is not None and read(data.get(better)) is not None):
                extra[wire] = value
            else:
                known[attribute] = readable
    known["extra"] = extra
    return _converter.structure(known, model)


_SECOND_SPELLINGS: Final = {
    "name": "nickname",
    "credential_type": "type",
    "created_at": "createdAtDateTime",
    "updated_at": "updatedAtDateTime",
    "timestamp": "isoDateTime",
}

_Spelling: TypeAlias = "tuple[str, Callable[[object], object], str | None]"


@cache
def _spellings(model: type[AttrsInstance]) -> dict[str, _Spelling]:
    """Return, by wire name: the attribute, how it is read, a spelling that goes before."""
    spellings: dict[str, _Spelling] = {}
    for attribute in fields(resolve_types(model)):
        kind = attribute.type
        read = _READERS.get(get_args(kind)[0] if isinstance(kind, UnionType) else kind)
        name, wire = attribute.name, spell(attribute.name)
        if read is None or name == "extra":
            continue
        spellings[wire] = name, read, None
        if name in _SECOND_SPELLINGS:
            spellings[_SECOND_SPELLINGS[name]] = name, read, wire
    return spellings


def spell(name: str) -> str:
    """Return a field's name in the contract's spelling."""
    head, *tail = name.split("_")
    return head + "".join(part.title() for part in tail)


def _text(value: object) -> str | None:
    return value if isinstance(value, str) else None


def _moment(value: object) -> datetime | None:
    """Read a time: milliseconds since the epoch, or RFC 3339."""
    if type(value) is int and _EARLIEST <= value <= _LATEST:
        return _EPOCH + value * _MILLISECOND
    try:
        moment = datetime.fromisoformat(value.upper()) if isinstance(value, str) else None
        return moment.astimezone(UTC) if moment and moment.tzinfo else None
    except (ValueError, OverflowError):
        return None


_READERS: Final[Mapping[object, Callable[[object], object]]] = {
    str: _text,
    datetime: _moment,
    Mapping[str, Any]: as_object,
}
_READ: Final = (str, str | None, datetime, datetime | None, Mapping[str, Any])


def _build_converter() -> Converter:
    converter = Converter(detailed_validation=False, prefer_attrib_converters=True)
    sent: dict[str, Any] = {
        attribute.name: override(rename=spell(attribute.name), omit=attribute.name in _UNSENT)
        for attribute in fields(NewAccount)
    }
    converter.register_structure_hook_func(_READ.__contains__, lambda value, _: value)
    converter.register_unstructure_hook(Secret, Secret.reveal)
    converter.register_unstructure_hook(
        NewAccount,
        make_dict_unstructure_fn(NewAccount, converter, _cattrs_omit_if_default=True, **sent),
    )
    return converter


_converter: Final = _build_converter()
