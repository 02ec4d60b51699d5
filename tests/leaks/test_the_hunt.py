"""The hunt finds what is there: where it found nothing, there was nothing."""

from __future__ import annotations

import logging

import pytest
from attrs import define, field

from .hunt import Hunt


def fail(text: str) -> None:
    """Fail with a local variable that holds the text, and an error that does not."""
    shown = [text]
    raise LookupError(len(shown))


def test_a_local_variable_is_found() -> None:
    """Plain tracebacks, rich's and Sentry's show what a frame held; pickles do not."""
    hunt = Hunt()
    with pytest.raises(LookupError) as caught:
        fail(hunt.marker())
    hunt.search_error(caught.value)
    assert {hit.partition(":")[0] for hit in hunt.hits} == {"traceback", "rich", "sentry"}
    with pytest.raises(AssertionError):
        hunt.finish()


@pytest.mark.parametrize("suppressed", [False, True])
def test_a_context_is_found(*, suppressed: bool) -> None:
    """What was being handled is found behind the error that is shown, `from None` or not."""
    hunt = Hunt()
    error = LookupError("harmless")
    error.__context__ = LookupError(hunt.marker("it was {}"))
    error.__suppress_context__ = suppressed
    with pytest.raises(LookupError) as caught:
        raise error
    hunt.search_error(caught.value)
    assert "args" in {hit.partition(":")[0] for hit in hunt.hits}


def test_an_argument_is_found() -> None:
    """An error's own text is found everywhere."""
    hunt = Hunt()
    with pytest.raises(LookupError) as caught:
        raise LookupError(hunt.marker("it was {}"))
    hunt.search_error(caught.value)
    found = {hit.partition(":")[0] for hit in hunt.hits}
    assert found == {"str", "repr", "args", "traceback", "rich", "sentry", "pickle"}


def test_a_log_record_is_found() -> None:
    """A record's arguments are found, too."""
    hunt = Hunt()
    record = logging.LogRecord("x", logging.DEBUG, "", 1, "%s", (hunt.marker(),), None)
    hunt.search_records([record])
    assert len(hunt.hits) == 2


def test_a_repr_is_found() -> None:
    """An object that describes itself too well is found."""

    @define
    class Careless:
        __module__ = "cadenza_async.tests"
        text: str = field()

    hunt = Hunt()
    careless = Careless(hunt.marker())
    hunt.search_memory()
    assert hunt.hits
    assert careless is not None
