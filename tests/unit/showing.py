"""Everything that an error may end up in, as one text to search."""

from __future__ import annotations

import pickle
import traceback
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from rich.pretty import pretty_repr

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

HERE = Path(__file__).parent


def failure(action: Callable[[], object], kind: type[Exception] = Exception) -> Exception:
    """Return the error that the action fails with."""
    with pytest.raises(kind) as failed:
        action()
    return failed.value


def shown(error: BaseException) -> str:
    """Return all that can be seen of an error and of those it is chained to."""
    return "\n".join(part for link in _chain(error) for part in _sinks(link))


def _chain(error: BaseException | None) -> Iterator[BaseException]:
    while error is not None:
        yield error
        error = error.__cause__ or error.__context__


def _sinks(error: BaseException) -> Iterator[str]:
    yield from (str(error), repr(error), repr(error.args), repr(vars(error)), pretty_repr(error))
    yield repr(pickle.dumps(error))
    yield from _locals(error)


def _locals(error: BaseException) -> Iterator[str]:
    """Show the locals of every frame but the test's own, as tracebacks with locals do."""
    for frame in traceback.TracebackException.from_exception(error, capture_locals=True).stack:
        if HERE not in Path(frame.filename).parents:
            yield repr(frame.locals)
    for raw, _ in traceback.walk_tb(error.__traceback__):
        if HERE not in Path(raw.f_code.co_filename).parents:
            yield pretty_repr(raw.f_locals)
