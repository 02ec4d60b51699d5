"""The tree of errors: its shape, its texts, and that each survives a pickle."""

from __future__ import annotations

import copy
import inspect
import pickle
import re
from typing import TYPE_CHECKING, Any

import pytest

from cadenza_async import errors
from cadenza_async.errors import (
    ApiError,
    CadenzaError,
    TransportError,
    api_error_class,
)

from .samples import NOW

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

CLASSES = {name: getattr(errors, name) for name in errors.__all__}
NODE = re.compile(r"([A-Z]\w*Error)(?: \((\w+)\))?")


def drawn() -> Iterator[tuple[str, ...]]:
    """Read the classes, each with its bases, out of the tree in the module's docstring."""
    path: list[tuple[int, str]] = []
    for line in (errors.__doc__ or "").split("::", 1)[1].splitlines():
        found = [*NODE.finditer(line)] if re.match(r"[\s│├└─]*[A-Z]\w*Error\b", line) else []
        for node in found:
            while path and path[-1][0] >= found[0].start():
                path.pop()
            yield node[1], path[-1][1] if path else "Exception", *filter(None, [node[2]])
        path += [(found[0].start(), found[0][1])] if found else []


def test_the_tree_is_as_the_docstring_draws_it() -> None:
    """Whoever reads the module's docstring knows what to catch."""
    assert sorted(drawn()) == sorted(
        (name, *(base.__name__ for base in (*kind.__bases__, None)[:2] if base))
        for name, kind in CLASSES.items()
    )


def test_nothing_is_missing_from_all() -> None:
    """Every error of the module is a public name, and nothing else is."""
    defined = inspect.getmembers(
        errors, lambda thing: inspect.isclass(thing) and thing.__module__ == errors.__name__
    )
    assert sorted(errors.__all__) == [name for name, _ in defined]


def full(kind: type[CadenzaError]) -> CadenzaError:
    """Make an error with every attribute set."""
    values = {
        "status": 400,
        "errno": -120001,
        "request_id": "r-1",
        "retry_after": 1.5,
        "venue": "OKX",
        "name": "desk",
        "sent_at": NOW,
        "path": "tradingAccount/connect",
        "external_trading_account_id": "spot",
        "credential_id": "k-1",
        "accounts": ["one", "two"],
    }
    takes = inspect.signature(kind.__init__).parameters
    return kind("what happened", **{name: values[name] for name in takes if name in values})


@pytest.mark.parametrize("kind", CLASSES.values(), ids=CLASSES)
@pytest.mark.parametrize(
    "clone",
    [lambda error: pickle.loads(pickle.dumps(error)), copy.copy, copy.deepcopy],
    ids=["pickle", "copy", "deepcopy"],
)
def test_a_clone_is_the_same_error(
    kind: type[CadenzaError], clone: Callable[[CadenzaError], CadenzaError]
) -> None:
    """Class, text, attributes and advice reach another process."""
    error = full(kind)
    error.add_note("seen at noon")
    error.remedy = "Advice of its own."
    again = clone(error)
    assert type(again) is kind
    assert str(again) == str(error) != ""
    assert again.args == error.args
    assert vars(again) == vars(error)
    assert again.remedy == "Advice of its own."


@pytest.mark.parametrize("kind", CLASSES.values(), ids=CLASSES)
def test_text_and_repr_are_one_line(kind: type[CadenzaError]) -> None:
    """An error fits on one line of a log."""
    assert "what happened" in str(full(kind))
    assert not re.search(r"[\r\n]", f"{full(kind)}{full(kind)!r}{kind.remedy}")


def test_every_error_has_advice_of_its_own() -> None:
    """Each remedy is one sentence; two classes share one only by inheritance."""
    own = {name: kind.remedy for name, kind in CLASSES.items() if "remedy" in vars(kind)}
    assert len(set(own.values())) == len(own)
    assert all(text.endswith(".") and text[0].isupper() for text in own.values())
    assert set(CLASSES) - set(own) == {"TransportError", "OutcomeUnknownTimeoutError"}


@pytest.mark.parametrize("kind", CLASSES.values(), ids=CLASSES)
def test_every_error_has_a_docstring_of_its_own(kind: type[CadenzaError]) -> None:
    """A class says what it stands for."""
    assert vars(kind)["__doc__"]


@pytest.mark.parametrize(
    ("kind", "caught_as"),
    [
        (errors.ConfigError, ValueError),
        (errors.NotSentError, ConnectionError),
        (errors.NotSentError, OSError),
        (errors.DeadlineExceededError, TimeoutError),
        (errors.OutcomeUnknownTimeoutError, TimeoutError),
        (errors.OutcomeUnknownTimeoutError, errors.OutcomeUnknownError),
        (errors.VenueError, ApiError),
        (errors.UnreadableAnswerError, ApiError),
    ],
    ids=lambda kind: kind.__name__,
)
def test_python_s_own_classes_catch_ours(
    kind: type[CadenzaError], caught_as: type[Exception]
) -> None:
    """Code that knows only the built-in errors works."""
    with pytest.raises(caught_as, match="what happened"):
        raise full(kind)


def test_an_unknown_outcome_is_not_a_refusal_and_no_connection_error() -> None:
    """Who catches `ConnectionError` to repeat must not catch what may have been done."""
    assert not issubclass(errors.OutcomeUnknownError, ConnectionError | ApiError | ValueError)


@pytest.mark.parametrize(
    ("facts", "text"),
    [
        ({"status": 400}, "no (HTTP 400)"),
        ({"status": 400, "errno": -120001}, "no (HTTP 400, errno -120001)"),
        ({"status": 401, "errno": 0, "request_id": "r"}, "no (HTTP 401, request r)"),
        ({"status": 403, "errno": 5, "request_id": "r"}, "no (HTTP 403, errno 5, request r)"),
    ],
    ids=["status", "errno", "request id", "all"],
)
def test_the_text_of_a_refusal_holds_its_facts(facts: dict[str, Any], text: str) -> None:
    """Status, number and request id are in the text; the server's words are kept apart."""
    error = ApiError("no", **facts)
    assert str(error) == text
    assert error.message == "no"


def test_what_never_had_an_answer_has_no_request_id() -> None:
    """Log code may ask every error of a call for its request id."""
    assert TransportError("x").request_id is None
    assert errors.OutcomeUnknownError("x", request_id="r").request_id == "r"


def test_a_number_claimed_twice_fails_at_definition() -> None:
    """Two classes for one number are a mistake that no test of a call would show."""
    with pytest.raises(
        TypeError, match=r"^errno 120001 belongs to CredentialsRejectedError already$"
    ):
        type("Rival", (ApiError,), {}, errno=(120001,))
    assert api_error_class(400, 120001) is errors.CredentialsRejectedError


@pytest.mark.parametrize(
    ("status", "errno", "kind"),
    [
        (400, 18099, errors.VenueError),
        (401, 18099, errors.VenueError),
        (400, 26001, errors.AuthenticationError),
        (400, -26999, errors.AuthenticationError),
        (500, 100042, errors.AuthenticationError),
        (400, 19042, errors.InvalidRequestError),
        (404, 22042, errors.NotFoundError),
        (409, 120042, errors.ConflictError),
        (403, 130042, errors.PermissionDeniedError),
        (400, 180042, errors.InvalidRequestError),
        (400, 18, errors.InvalidRequestError),
        (400, 1_800_000, errors.InvalidRequestError),
        (400, 10**30, errors.InvalidRequestError),
        (401, None, errors.AuthenticationError),
        (403, None, errors.PermissionDeniedError),
        (404, None, errors.NotFoundError),
        (409, 0, errors.ConflictError),
        (418, 0, errors.InvalidRequestError),
        (429, 0, errors.RateLimitedError),
        (500, 0, errors.ServerError),
        (599, None, errors.ServerError),
        (200, None, errors.InvalidRequestError),
    ],
)
def test_number_then_family_then_status(
    status: int, errno: int | None, kind: type[ApiError]
) -> None:
    """An unknown number goes by its leading digits; if they are unknown too, the status decides."""
    assert api_error_class(status, errno) is kind
