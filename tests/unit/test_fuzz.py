"""Mutated answers: whatever arrives, an outcome with one of our errors comes out.

`FUZZ_ANSWERS` sets how many. Each is made of its own number alone, and a failure names the number.
"""

from __future__ import annotations

import json
import os
import random
from typing import TYPE_CHECKING, Any

import pytest

from cadenza_async._headers import rate_report, server_time
from cadenza_async._outcomes import Outcome, Verdict
from cadenza_async.errors import CadenzaError, OutcomeUnknownError

from .samples import CONNECT, EVERY, GOLDEN, LIST, answer, call, judged, marker

if TYPE_CHECKING:
    from collections.abc import Callable

    from cadenza_async._calls import Answer

ANSWERS = int(os.environ.get("FUZZ_ANSWERS", "2000"))
BLOCK = 250
BODIES = sorted(path.read_bytes() for path in GOLDEN.rglob("*.json"))
STATUSES = (
    200,
    201,
    204,
    299,
    301,
    307,
    400,
    401,
    403,
    404,
    409,
    418,
    429,
    500,
    502,
    503,
    504,
    599,
)
NUMBERS = (0, -120001, 18011, 18012, 19000, 19006, 22014, 22021, 22016, 26001, 10**12, -(10**40))
WORDS = ("", "0", "-18011", "NaN", "\ud800", "\n", "x" * 5_000, marker("secret"), marker("token"))
HEADERS = (
    "Date",
    "Retry-After",
    "Location",
    *(f"X-RateLimit-{n}" for n in ("Limit", "Remaining", "Reset")),
)
VALUES = (
    *("0", "7", "-1", "1e308", "nan", "1767323100", "9" * 30, "", "soon", "Fri, 02 Jan 2026"),
    *("Fri, 02 Jan 2026 03:04:05 GMT", "Thu, 01 Jan 1970 00:00:00 +9999", "https://[::1", "//a:b"),
)  # fmt: skip


def odd(dice: random.Random) -> Any:
    """Draw what a field may hold that nobody expects."""
    plain: tuple[object, ...] = (
        None,
        True,
        False,
        1.5,
        float("nan"),
        float("inf"),
        [],
        {},
        [None],
        {"a": [{}]},
    )
    return dice.choice((*plain, *NUMBERS, *WORDS))


def bend(value: Any, dice: random.Random) -> Any:
    """Replace, drop or add something at a place somewhere in a JSON value."""
    if isinstance(value, dict) and value and dice.random() < 0.9:
        name = dice.choice([*value])
        match dice.randrange(5):
            case 0:
                return {key: item for key, item in value.items() if key != name}
            case 1:
                added = dice.choice(("errno", "success", "details", "data", "nickname", "\ud800"))
                return {**value, added: odd(dice)}
            case _:
                return {**value, name: bend(value[name], dice)}
    if isinstance(value, list) and value and dice.random() < 0.7:
        return [bend(value[0], dice), *value[dice.randrange(len(value)) :]]
    return odd(dice)


def cut(body: bytes, dice: random.Random) -> bytes:
    """Break bytes: an end that is missing, a byte that is another one, a piece twice."""
    at, to = sorted(dice.randrange(len(body) + 1) for _ in range(2))
    ways: tuple[Callable[[], bytes], ...] = (
        lambda: body[:at],
        lambda: body[:at] + dice.randbytes(1 + dice.randrange(4)) + body[to:],
        lambda: body[:to] + body[at:],
        lambda: dice.randbytes(at),
        lambda: b"\xef\xbb\xbf" + body,
        lambda: body.decode(errors="replace").encode(dice.choice(("utf-16", "utf-32", "utf-8"))),
    )
    return dice.choice(ways)()


def mutant(number: int) -> tuple[str, Answer]:
    """Make the answer of that number."""
    dice = random.Random(number)
    body: Any = json.loads(dice.choice(BODIES))
    for _ in range(dice.randrange(4)):
        body = bend(body, dice)
    if isinstance(body, dict) and dice.random() < 0.1:
        body["error"] = dice.choice(WORDS)
    raw = json.dumps(body).encode()
    for _ in range(dice.choice((0, 0, 1, 2))):
        raw = cut(raw, dice)
    headers = {name: dice.choice(VALUES) for name in HEADERS if dice.random() < 0.3}
    status = dice.choice(STATUSES) if dice.random() < 0.9 else dice.randrange(100, 1000)
    kind = dice.choice((CONNECT, LIST, *EVERY))
    return kind, answer(status, raw if dice.random() < 0.98 else None, headers)


def check(kind: str, reply: Answer) -> Outcome[Any]:
    """Judge an answer, and look at all that may be asked of the outcome."""
    outcome = judged(kind, reply)
    assert (outcome.verdict is Verdict.DONE) is (outcome.error is None)
    assert (outcome.value is None) is (outcome.error is not None or kind == "logout")
    if outcome.error is not None:
        text = str(outcome.error)
        assert isinstance(outcome.error, CadenzaError)
        assert outcome.error.__context__ is None
        assert text.encode("utf-8").decode().isprintable()
        assert len(text) < 1_000
        assert marker("token") not in text
        assert kind not in {CONNECT, "create", "login"} or marker("secret") not in text
        unsure = isinstance(outcome.error, OutcomeUnknownError)
        assert unsure is (outcome.verdict is Verdict.UNKNOWN and call(kind).write)
    assert outcome.asked_to_wait is None or outcome.asked_to_wait >= 0
    rate_report(reply.headers, server_time(reply.headers))
    return outcome


@pytest.mark.parametrize("first", range(0, ANSWERS, BLOCK))
def test_only_our_errors_come_out(first: int) -> None:
    """No answer breaks the judge, and a write is never repeated or done for the wrong reason."""
    for number in range(first, min(first + BLOCK, ANSWERS)):
        kind, reply = mutant(number)
        try:
            outcome = check(kind, reply)
        except Exception as error:
            error.add_note(
                f"answer {number}: {kind}, {reply.status}, {reply.headers}, {reply.body!r}"
            )
            raise
        if outcome.verdict is Verdict.DONE:
            assert reply.status // 100 == 2 or (kind, reply.status) == ("health", 503)


def test_the_mutants_differ() -> None:
    """All verdicts that an answer can have come up, so the mutations are neither tame nor wild."""
    seen = {judged(*mutant(number)).verdict for number in range(1_000)}
    assert seen == {*Verdict} - {Verdict.NOT_SENT}
