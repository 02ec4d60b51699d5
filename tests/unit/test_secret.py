"""A `Secret` does not show itself, however it is looked at."""

from __future__ import annotations

import ast
import copy
import json
import logging
import pickle
import pprint
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Any

import attrs
import pytest
from rich.pretty import pretty_repr

import cadenza_async
from cadenza_async import Secret

from .samples import marker, new_account

if TYPE_CHECKING:
    from collections.abc import Callable

SINKS: dict[str, Callable[[Secret], object]] = {
    "repr": repr,
    "str": str,
    "format": format,
    "format with a width": lambda secret: f"{secret:>40}",
    "f-string": lambda secret: f"{secret} {secret!r} {secret!s} {secret!a}",
    "percent": lambda secret: "%s %r" % (secret, secret),  # noqa: UP031  # that is what is tested
    "inside a list": lambda secret: str([secret, {"key": secret}]),
    "json by default=str": lambda secret: json.dumps({"key": secret}, default=str),
    "pprint": pprint.pformat,
    "rich": lambda secret: pretty_repr([secret]),
    "dir": lambda secret: str(dir(secret)),
    "repr of a model": lambda _: repr(new_account()),
    "rich of a model": lambda _: pretty_repr(new_account()),
    "asdict of a model": lambda _: str(attrs.asdict(new_account())),
    "astuple of a model": lambda _: str(attrs.astuple(new_account())),
    "masked when short": lambda _: Secret(marker()[:11]).masked(),
}


@pytest.mark.parametrize("sink", SINKS.values(), ids=SINKS)
def test_nothing_shows(sink: Callable[[Secret], object]) -> None:
    """What turns things into text gets a mask."""
    shown = str(sink(Secret(marker())))
    assert shown
    assert not any(hidden in shown for hidden in (marker(), marker()[:11], marker("key")))


def test_a_log_line_shows_a_mask(caplog: pytest.LogCaptureFixture) -> None:
    """A secret may be an argument of a log call."""
    logging.getLogger("test").error("%s %r %10s", *[Secret(marker())] * 3)
    assert caplog.messages == ["**** Secret('****')       ****"]


@pytest.mark.parametrize(
    "take",
    [
        *(lambda secret, p=p: pickle.dumps(secret, p) for p in range(pickle.HIGHEST_PROTOCOL + 1)),
        copy.copy,
        copy.deepcopy,
        vars,
        hash,
        len,
        iter,
        json.dumps,
    ],
    ids=[
        *(f"pickle {p}" for p in range(pickle.HIGHEST_PROTOCOL + 1)),
        *("copy", "deepcopy", "vars", "hash", "len", "iter", "json"),
    ],
)
def test_what_would_carry_it_off_fails(take: Callable[[Secret], object]) -> None:
    """A secret is not copied, taken apart or used as a key, and the refusal does not show it."""
    with pytest.raises(TypeError) as refused:
        take(Secret(marker()))
    assert marker() not in str(refused.value)


def test_a_model_that_holds_one_is_not_pickled() -> None:
    """The secret of a model is as safe as one of its own."""
    with pytest.raises(TypeError, match="neither pickled nor copied"):
        pickle.dumps(new_account())


def test_it_cannot_be_given_another_attribute() -> None:
    """There is no room in it for what somebody may add."""
    with pytest.raises(AttributeError):
        setattr(Secret(marker()), "note", "x")  # noqa: B010  # type checkers know that it cannot be


def test_it_is_revealed_to_who_asks() -> None:
    """The text comes back unchanged."""
    assert Secret(marker()).reveal() == marker()
    assert Secret(Secret(marker())).reveal() == marker()


def test_few_places_ask() -> None:
    """The encoder of requests, the header with the token, and what writes to the keyring."""
    package = Path(cadenza_async.__file__).parent
    asking = {
        file.relative_to(package).as_posix()
        for file in package.rglob("*.py")
        for node in ast.walk(ast.parse(file.read_text("utf-8")))
        if isinstance(node, ast.Attribute) and node.attr == "reveal"
    }
    assert asking == {"_transport.py", "_wire.py", "cli/_keyring.py", "secret.py"}


def test_it_answers_a_question() -> None:
    """A predicate is applied to the text."""
    assert Secret("abc").check(str.isalpha)
    assert not Secret("abc").check(str.isdigit)


@pytest.mark.parametrize(
    ("left", "right", "equal"),
    [
        (Secret("a"), Secret("a"), True),
        (Secret("a"), Secret("b"), False),
        (Secret("ä\n"), Secret("ä\n"), True),
        (Secret("\ud800"), Secret("\ud800"), True),
        (Secret("\ud800"), Secret("?"), False),
        (Secret("a"), "a", False),
        (Secret("None"), None, False),
    ],
    ids=["same", "other", "umlaut", "surrogate", "surrogate and mark", "string", "none"],
)
def test_equality(left: Secret, right: object, *, equal: bool) -> None:
    """Equal texts make equal secrets; no secret equals its own text."""
    assert (left == right) is equal
    assert (left != right) is not equal


def test_a_digest_tells_texts_and_keys_apart() -> None:
    """The digest is HMAC-SHA256, which depends on the text and on the key."""
    wanted = "f7bc83f430538424b13298e6aa6fb143ef4d59a14946175997479dbc2d1a3cd8"
    text = "The quick brown fox jumps over the lazy dog"
    assert Secret(text).digest(b"key") == wanted
    assert len({Secret(text).digest(b"other"), Secret("other").digest(b"key"), wanted}) == 3
    assert Secret("\ud800").digest(b"key")


def test_it_can_be_part_of_a_hash() -> None:
    """What a row is known by is made of secrets that nobody has to reveal."""
    fed, plain = sha256(b"a"), sha256("aä\n".encode())
    Secret("ä\n").feed(fed)
    assert fed.digest() == plain.digest()


def test_masked_shows_both_ends_of_a_long_text() -> None:
    """Reports tell keys apart by their first four and last two characters; short ones show none."""
    assert Secret("abcdefghijkl").masked() == "abcd****kl"
    assert Secret("abcdefghijk").masked() == "****"


@pytest.mark.parametrize("odd", [None, 5, b"x"], ids=["none", "int", "bytes"])
def test_a_wrong_type_is_hidden_too(odd: Any) -> None:
    """What is no text is judged by the argument it is used for; until then it is hidden."""
    assert repr(Secret(odd)) == "Secret('****')"
