"""Bodies that are meant to break a parser end in our errors, or in a value."""

from __future__ import annotations

import json
import pickle
from typing import Any

import pytest

from cadenza_async import _endpoints
from cadenza_async._outcomes import Outcome, Verdict, judge
from cadenza_async.auth import PasswordLogin
from cadenza_async.errors import CadenzaError, OutcomeUnknownError

from .samples import CONNECT, LIST, NOW, answer, judged

ACCOUNT = '{"data": {"tradingAccountId": "a", %s}, "errno": 0}'
BROKEN = {
    "deep list": b"[" * 200_000,
    "deep object": b'{"errno": 0, "data": ' + b'{"a":' * 200_000,
    "closed deep list": b"[" * 200_000 + b"]" * 200_000,
    "digits": b'{"errno": ' + b"9" * 5_000 + b"}",
    "utf-8 cut": '{"errno": 0, "data": "ä'.encode()[:-1],
    "latin-1": '{"errno": 0, "error": "é"}'.encode("latin-1"),
    "nul": b'{"errno": 0, "error": "\0"}',
    "utf-16 cut": '{"errno": 0}'.encode("utf-16")[:-1],
    "two documents": b'{"errno": 0}{"errno": 0}',
    "comment": b'{"errno": 0 /* fine */}',
    "single quotes": b"{'errno': 0}",
}
ODD_ACCOUNTS = {
    "nan": '"createdAt": NaN, "venue": "V"',
    "infinity": '"createdAt": Infinity, "updatedAt": -Infinity',
    "huge int": '"createdAt": ' + "9" * 4_000,
    "huge float": '"createdAt": 1e400',
    "half a pair": '"name": "\\ud800", "venue": "\\udfff", "\\ud800": "\\ud800"',
    "nul": '"name": "\\u0000"',
    "deep": '"more": ' + "[" * 400 + "]" * 400,
    "odd keys": '"": 1, "__class__": "x", "extra": {"a": 1}, "__init__": null, "self": 2',
    "everything null": '"userId": null, "venue": null, "status": null, "name": null',
}


@pytest.mark.parametrize("body", BROKEN.values(), ids=BROKEN)
@pytest.mark.parametrize("kind", [CONNECT, LIST])
@pytest.mark.parametrize("status", [200, 400, 500])
def test_what_cannot_be_parsed(kind: str, body: bytes, status: int) -> None:
    """A broken body is never an exception of the parser, and never done."""
    outcome = judged(kind, answer(status, body))
    assert outcome.verdict is not Verdict.DONE
    assert isinstance(outcome.error, CadenzaError)
    assert outcome.error.__context__ is None


@pytest.mark.parametrize("odd", ODD_ACCOUNTS.values(), ids=ODD_ACCOUNTS)
def test_what_can_be_parsed_is_an_account(odd: str) -> None:
    """An account with odd company is still the account that was connected."""
    account = judged(CONNECT, answer(200, (ACCOUNT % odd).encode())).value
    assert account is not None
    assert account.trading_account_id == "a"
    assert account.created_at is account.updated_at is None
    assert pickle.loads(pickle.dumps(account)) == account
    assert repr(account)


def test_the_last_of_equal_keys_counts() -> None:
    """A number given twice is what Python's parser makes of it, and not an error."""
    body = b'{"errno": 0, "data": {"tradingAccountId": "a"}, "errno": -120001}'
    assert judged(CONNECT, answer(200, body)).verdict is Verdict.REFUSED


@pytest.mark.parametrize("text", ["\ud800", "\0\x1b[2J", "\r\n\r\nHTTP/1.1 200 OK", "x" * 10**6])
def test_a_hostile_text_is_fit_for_a_log(text: str) -> None:
    """The text of an error can be printed anywhere, and does not fill the disk."""
    body = json.dumps({"errno": -1, "error": text, "details": {"request_id": text}})
    error = judged(CONNECT, answer(400, body.encode())).error
    assert error is not None
    assert str(error).encode("utf-8").decode("utf-8").isprintable()
    assert len(str(error)) < 1_000


@pytest.mark.parametrize("errno", ["9" * 4_000, "-" + "9" * 4_000, f'"{"9" * 4_000}"', "1e300"])
def test_an_endless_number_is_no_number(errno: str) -> None:
    """Nobody has published such a number, and nobody wants to read it."""
    error = judged(CONNECT, answer(400, f'{{"errno": {errno}, "error": "no"}}'.encode())).error
    assert len(str(error)) < 1_000


@pytest.mark.parametrize(
    "lasts", ["9" * 400, "-1", "0", "NaN", "Infinity", "1e400", "true", "null", '"3600"', "[]"]
)
def test_an_odd_lifetime_is_the_published_one(lasts: str) -> None:
    """A token without a sensible lifetime is used for an hour."""
    outcome = logged_in(f'{{"accessToken": "a", "refreshToken": null, "expiresIn": {lasts}}}')
    assert outcome.value is not None
    assert outcome.value.expires_in == 3600


def test_a_refresh_that_cannot_be_read_is_unknown() -> None:
    """The refresh token may have been spent: it is not repeated."""
    call = _endpoints.refresh(PasswordLogin(email="a@b", password="c").password)
    outcome = judge(call, answer(200, b'{"errno": 0, "data": null}'), sent_at=NOW.timestamp())
    assert type(outcome.error) is OutcomeUnknownError


def logged_in(data: str) -> Outcome[Any]:
    """Judge the answer to a login."""
    call = _endpoints.login(PasswordLogin(email="ops@example.test", password="p"))
    return judge(
        call, answer(200, f'{{"errno": 0, "data": {data}}}'.encode()), sent_at=NOW.timestamp()
    )
