"""What a file of accounts holds, before it is judged: records of cells, and flaws in them."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final

from attrs import field, fields, frozen

from cadenza_async._wire import spell
from cadenza_async.models import NewAccount
from cadenza_async.onboarding._files.references import Reference, read_secret
from cadenza_async.secret import Secret

_FIELDS: Final = tuple(attribute.name for attribute in fields(NewAccount))

COLUMNS: Final = tuple(map(spell, _FIELDS))
"""What a column may be called."""

REQUIRED: Final = ("venue", "api_key", "api_secret")
SECRET: Final = ("api_key", "api_secret", "api_passphrase")

_UNDECODED: Final = re.compile("[\udc80-\udcff]")  # what "surrogateescape" makes of other bytes
_BY_SPELLING: Final = {name.replace("_", ""): name for name in _FIELDS}


def find_column(name: str) -> str | None:
    """Return the field that a column is for; ``apiKey``, ``api_key`` and ``API_KEY`` are one."""
    return _BY_SPELLING.get(name.strip().lower().replace("_", ""))


@frozen(kw_only=True)
class Flaw:
    """Something wrong in a file. It never shows what the file says there.

    Attributes:
        line: Where the row begins, from 1.
        column: The column's name as the file spells it; None when it is the row as a whole.
        text: What is wrong.
    """

    line: int
    column: str | None = None
    text: str

    def __str__(self) -> str:
        place = f"line {self.line}" if self.column is None else f"line {self.line}, {self.column}"
        return f"{place}: {self.text}"


@frozen(kw_only=True)
class Record:
    """One row of a file as it is written.

    Attributes:
        line: Where it begins, from 1.
        texts: The cells that are no secrets, by field; those not given are not there.
        secrets: The cells that are secrets, likewise.
        spelled: How the file spells the fields.
        flaws: What is wrong already.
        broken: Whether nothing more can be said of it.
    """

    line: int
    texts: Mapping[str, str] = field(factory=dict[str, str])
    secrets: Mapping[str, Secret | Reference] = field(factory=dict[str, Secret | Reference])
    spelled: Mapping[str, str] = field(factory=dict[str, str])
    flaws: tuple[Flaw, ...] = ()
    broken: bool = False

    def flaw(self, name: str, text: str) -> Flaw:
        """Complain about a field."""
        return Flaw(line=self.line, column=self.spelled.get(name, spell(name)), text=text)

    @property
    def plain(self) -> str | None:
        """The first column with a secret that is written out, as the file spells it."""
        found = (name for name, cell in self.secrets.items() if isinstance(cell, Secret))
        return next((self.spelled[name] for name in found), None)


def make_record(line: int, cells: Mapping[str, str], spelled: Mapping[str, str]) -> Record:
    """Hide what is secret, and leave out what is no text.

    Args:
        line: Where the row begins.
        cells: By field, what was given.
        spelled: How the file spells the fields.
    """
    foreign = [name for name, text in cells.items() if not _is_utf8(text)]
    flaws = [Flaw(line=line, column=spelled[name], text="is not UTF-8 text") for name in foreign]
    good = {name: text for name, text in cells.items() if name not in foreign}
    return Record(
        line=line,
        texts={name: text.strip() for name, text in good.items() if name not in SECRET},
        secrets={name: read_secret(text) for name, text in good.items() if name in SECRET},
        spelled=spelled,
        flaws=tuple(flaws),
    )


def _is_utf8(text: str) -> bool:
    return text.isascii() or not _UNDECODED.search(text)
