"""What is read out of answers, in every shape that some page gives it."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from cadenza_async import Reach, Secret, User
from cadenza_async._answers import (
    read_account,
    read_credential,
    read_credentials,
    read_health,
    read_operations,
    read_reachable,
    read_session,
    read_user,
)
from cadenza_async._endpoints import health, verify_credential
from cadenza_async._outcomes import Verdict, judge
from cadenza_async.errors import (
    AuthenticationError,
    CredentialsRejectedError,
    OutcomeUnknownError,
    RateLimitedError,
    ServerError,
    UnreadableAnswerError,
)

from .samples import NOW, answer, marker, refusal


def envelope(data: object, **more: object) -> dict[str, Any]:
    """Wrap what was asked for."""
    return {"data": data, "errno": 0, **more}


@pytest.mark.parametrize(
    ("fields", "name", "kind"),
    [
        ({"name": "n", "type": "EXCHANGE"}, "n", "EXCHANGE"),
        ({"nickname": "k", "credentialType": "HMAC"}, "k", "HMAC"),
        ({"type": "EXCHANGE", "credentialType": "HMAC"}, None, "HMAC"),
        ({"type": "EXCHANGE", "credentialType": None}, None, "EXCHANGE"),
        ({"type": 5}, None, None),
    ],
)
def test_a_credential_in_both_spellings(
    fields: dict[str, Any], name: str | None, kind: str | None
) -> None:
    """The fields of the pages and those of the OpenAPI document are the same ones."""
    read = read_credential(envelope({"credentialId": "k-1", **fields}), venue="OKX")
    assert (read.name, read.credential_type, read.venue, read.status) == (
        name,
        kind,
        "OKX",
        "UNKNOWN",
    )
    known = {value for value in (name, kind) if value}
    assert {*read.extra.values()} == {*fields.values()} - known - {None}


@pytest.mark.parametrize(
    ("times", "moment"),
    [
        ({"createdAt": 1}, 1000),
        ({"createdAt": "1970-01-01T00:00:00.001Z"}, 1000),
        ({"createdAt": "1970-01-01T01:00:00.001+01:00"}, 1000),
        ({"createdAt": "1970-01-01t00:00:00.001z"}, 1000),
        ({"createdAtDateTime": "1970-01-01T00:00:00.001Z"}, 1000),
        ({"createdAt": 1, "createdAtDateTime": "1970-01-01T00:00:00.002Z"}, 1000),
        ({"createdAt": "soon", "createdAtDateTime": "1970-01-01T00:00:00.002Z"}, 2000),
    ],
    ids=str,
)
def test_a_time_in_both_spellings(times: dict[str, object], moment: int) -> None:
    """Milliseconds or RFC 3339; the field of milliseconds goes before the other."""
    updates = {name.replace("created", "updated"): value for name, value in times.items()}
    read = read_account(envelope({"tradingAccountId": "a", **times, **updates}))
    assert read.created_at == read.updated_at == datetime(1970, 1, 1, 0, 0, 0, moment, UTC)
    assert read.created_at is not None
    assert read.created_at.tzinfo is UTC


@pytest.mark.parametrize(
    ("credentials", "ids"),
    [
        ([{"credentialId": "k-1"}, {"credentialId": "k-2", "status": "ACTIVE"}], ("k-1", "k-2")),
        ([{"credentialId": "k-1"}, {"credentialId": 5}, {}, None, "k-9"], ("k-1",)),
        ([], ()),
        (None, ()),
        ({"credentialId": "k-1"}, ()),
        ("k-1", ()),
        (5, ()),
    ],
)
def test_the_credentials_of_an_account(credentials: object, ids: tuple[str, ...]) -> None:
    """Their ids are read as far as there are some; the rest is kept as it came."""
    read = read_account(envelope({"tradingAccountId": "a", "credentials": credentials}))
    assert read.credential_ids == ids
    assert read.extra == {"credentials": credentials}


@pytest.mark.parametrize(
    ("pagination", "total", "has_next"),
    [
        (None, None, False),
        ({}, None, False),
        ({"total": None, "cursor": "c"}, None, False),
        ({"total": 1}, 1, None),
        ({"hasNext": True}, None, True),
        ({"hasNext": False, "total": 9}, 9, False),
    ],
)
def test_credentials_are_all_there_is_unless_the_server_speaks_of_more(
    pagination: object, total: int | None, *, has_next: bool | None
) -> None:
    """A list that is not known to have pages does not cost a second call."""
    page = read_credentials(envelope([{"credentialId": "k-1"}], pagination=pagination))
    assert (page.total, page.has_next, [*page.rows]) == (total, has_next, ["k-1"])


@pytest.mark.parametrize("rows", [None, {}, [None], [{}], [{"operationId": 5}]], ids=repr)
def test_what_are_no_operations(rows: object) -> None:
    """A list with a row that is none is not read in part."""
    with pytest.raises(ValueError, match=r"^no "):
        read_operations(envelope(rows))


def identities(*rows: object, **about: object) -> dict[str, Any]:
    """Make the guide's answer."""
    return envelope({"credentialId": "k-1", "identities": [*rows], **about})


SPOT = {"externalTradingAccountId": "spot"}


def test_what_a_credential_reaches() -> None:
    """A list or an object with identities; whose venue is not told has that of the object."""
    (listed,) = read_reachable(envelope([{**SPOT, "status": "NEW", "positionMode": "HEDGE"}]))
    assert (listed.venue, listed.reach, listed.extra) == (
        "UNKNOWN",
        Reach.NEW,
        {"positionMode": "HEDGE"},
    )
    (said,) = read_reachable(identities(SPOT, venue="OKX", status="VERIFIED"))
    assert (said.venue, said.status, said.reach) == ("OKX", "UNKNOWN", None)
    (own,) = read_reachable(identities({**SPOT, "venue": "BINANCE"}, venue="OKX"))
    assert own.venue == "BINANCE"
    assert read_reachable(envelope([])) == read_reachable(identities()) == ()


@pytest.mark.parametrize("data", [None, "ok", {}, {"identities": None}, [{}], [{"id": "x"}]])
def test_what_tells_of_no_accounts(data: object) -> None:
    """Without the exchange's ids nothing can be connected."""
    with pytest.raises(ValueError, match=r"^no "):
        read_reachable(envelope(data))


@pytest.mark.parametrize(
    ("status", "error"), [("FAILED", CredentialsRejectedError), ("PENDING", ServerError)]
)
def test_a_verification_that_is_no_success(status: str, error: type[Exception]) -> None:
    """What failed or is not done is not told as reaching nothing."""
    reply = answer(200, identities(status=status))
    outcome = judge(verify_credential("k-1"), reply, sent_at=NOW.timestamp())
    assert (outcome.verdict, type(outcome.error)) == (Verdict.REFUSED, error)
    assert outcome.error is not None
    assert outcome.error.__traceback__ is None


@pytest.mark.parametrize(
    ("data", "lasts", "user"),
    [
        ({"expiresIn": 60, "user": {"id": "u-1"}}, 60.0, "u-1"),
        ({"expiresIn": 0}, 3600.0, None),
        ({"expiresIn": "60", "user": {"email": "a@b"}}, 3600.0, None),
        ({"expiresIn": True, "user": "u-1"}, 3600.0, None),
        ({"expiresIn": 10**12, "user": {"id": 5}}, 3600.0, None),
        ({"expiresAt": 1, "user": None}, 3600.0, None),
    ],
)
def test_a_session(data: dict[str, Any], lasts: float, user: str | None) -> None:
    """A lifetime that makes no sense is taken to be the published one; nobody has to be named."""
    session = read_session(envelope({"accessToken": "token", **data}))
    assert (session.access_token, session.refresh_token) == (Secret("token"), None)
    assert session.expires_in == lasts
    assert (session.user.user_id if session.user else None) == user


TOKENS: tuple[object, ...] = (None, "", 5, "two words", "line\n", "\ud800")


@pytest.mark.parametrize(
    "data", [None, [], "x", {}, *({"accessToken": odd} for odd in TOKENS)], ids=repr
)
def test_a_session_without_a_token(data: object) -> None:
    """There is no session without a token that fits a header."""
    with pytest.raises(ValueError, match="no accessToken") as refused:
        read_session(envelope(data))
    assert refused.value.__context__ is None


@pytest.mark.parametrize("data", [None, [], {}, {"id": ""}, {"id": 5}, {"userId": "u"}], ids=repr)
def test_nobody(data: object) -> None:
    """A user has an id."""
    with pytest.raises(ValueError, match="no user with an id"):
        read_user(envelope(data))


@pytest.mark.parametrize("other", [None, 5, "u-2"], ids=repr)
def test_a_user_that_has_a_second_id(other: object) -> None:
    """The documented one counts, whatever stands beside it."""
    read = read_user(envelope({"id": "u-1", "userId": other, "role": "TRADER"}))
    assert read == User(user_id="u-1", role="TRADER")


HEALTHY = {"status": "healthy", "timestamp": 1750000000000, "version": "3.0.1"}


@pytest.mark.parametrize("status", [200, 203, 503])
@pytest.mark.parametrize("word", ["healthy", "degraded", "on fire"])
def test_health_is_told_without_an_envelope(status: int, word: str) -> None:
    """Whatever the HTTP status: that Cadenza is not well is an answer."""
    outcome = judge(health(), answer(status, {**HEALTHY, "status": word}), sent_at=NOW.timestamp())
    assert (outcome.verdict, outcome.error) == (Verdict.DONE, None)
    assert outcome.value is not None
    assert (outcome.value.status, outcome.value.version) == (word, "3.0.1")


def test_health_may_be_wrapped_all_the_same() -> None:
    """If some day it comes in an envelope, it is read there; second spellings are kept."""
    about = {"isoDateTime": "2025-06-15T15:06:40Z", "checks": [], "uptime": 5}
    read = read_health(envelope({"status": "healthy", "version": "4", **about}))
    assert read.timestamp == datetime(2025, 6, 15, 15, 6, 40, tzinfo=UTC)
    assert (read.checks, read.extra) == ({}, {"checks": [], "uptime": 5})
    outcome = judge(health(), answer(200, envelope(HEALTHY)), sent_at=NOW.timestamp())
    assert outcome.verdict is Verdict.DONE


@pytest.mark.parametrize(
    ("status", "body", "verdict", "error"),
    [
        (200, {}, Verdict.UNKNOWN, UnreadableAnswerError),
        (200, {"status": "ok"}, Verdict.UNKNOWN, UnreadableAnswerError),
        (200, {"status": 5, "version": "3"}, Verdict.UNKNOWN, UnreadableAnswerError),
        (200, [], Verdict.UNKNOWN, UnreadableAnswerError),
        (200, b"OK", Verdict.UNKNOWN, UnreadableAnswerError),
        (200, None, Verdict.UNKNOWN, UnreadableAnswerError),
        (302, HEALTHY, Verdict.UNKNOWN, UnreadableAnswerError),
        (404, HEALTHY, Verdict.REFUSED, UnreadableAnswerError),
        (401, refusal(-100000), Verdict.REFUSED, AuthenticationError),
        (429, refusal(-19000), Verdict.THROTTLED, RateLimitedError),
        (500, HEALTHY, Verdict.UNKNOWN, ServerError),
        (503, {"status": "unavailable"}, Verdict.UNKNOWN, ServerError),
        (503, refusal(-19006), Verdict.THROTTLED, RateLimitedError),
        (503, b"<html>", Verdict.UNKNOWN, ServerError),
    ],
)
def test_what_is_no_word_on_health(
    status: int, body: object, verdict: Verdict, error: type[Exception]
) -> None:
    """A gateway's page, or a refusal, is not taken for Cadenza's own word."""
    outcome = judge(health(), answer(status, body), sent_at=NOW.timestamp())
    assert (outcome.verdict, type(outcome.error)) == (verdict, error)


def test_a_word_on_health_is_no_account() -> None:
    """Only what is known to come without an envelope may come without one."""
    outcome = judge(verify_credential(marker()), answer(200, HEALTHY), sent_at=NOW.timestamp())
    assert not isinstance(outcome.error, OutcomeUnknownError)
    assert outcome.verdict is Verdict.UNKNOWN
