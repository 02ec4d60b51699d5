"""Every method of a client: what it sends, and what it makes of each answer."""

from __future__ import annotations

from contextlib import suppress
from datetime import UTC, datetime, timedelta
from inspect import signature
from typing import Any

import pytest
from attrs import evolve, fields_dict

from cadenza_async import (
    AsyncCadenza,
    Cadenza,
    Credential,
    Health,
    LoginSession,
    Operation,
    Reach,
    ReachableAccount,
    Secret,
    TradingAccount,
    User,
    __version__,
)
from cadenza_async.errors import CadenzaError, UsageError
from tests.raw import RawServer, answers, envelope

from .methods import (
    PUBLIC,
    SAMPLES,
    TOKEN,
    Sample,
    answer,
    client_of,
    every_dialect,
    every_sample,
)

NO_TOKEN = {"login", "refresh", "health"}


def health(status: str) -> Health:
    """Make what the golden answers say of Cadenza's health."""
    checks = {"database": {"status": status}}
    if status == "healthy":
        checks["redis"] = {"status": "healthy"}
    when = datetime(2025, 6, 15, 15, 6, 40, tzinfo=UTC)
    return Health(status=status, version="3.0.1", timestamp=when, checks=checks)


def test_every_method_has_its_sample() -> None:
    """A new method needs a golden request."""
    assert {sample.method for sample in SAMPLES} == {*PUBLIC}


@every_dialect
@every_sample
async def test_what_goes_out(server: RawServer, sample: Sample, dialect: str) -> None:
    """Method, path, query and body are those of the endpoint, to the byte; ids are in no path.

    No header goes out but these: there is no idempotency key, and there are no cookies.
    """
    async with client_of(server, dialect=dialect) as client:
        with suppress(CadenzaError):  # there is no data in the answer; the request counts here
            await sample.call(client)
    request = server.requests[0]
    assert f"{request.method} {request.target}" == sample.line(dialect)
    assert request.body == sample.body(dialect)
    headers = {
        "Host": f"127.0.0.1:{server.port}",
        "Accept": "application/json",
        "Accept-Encoding": "identity",
        "User-Agent": f"cadenza-async/{__version__}",
    }
    if request.body:
        headers |= {"Content-Type": "application/json", "Content-Length": str(len(request.body))}
    if sample.method not in NO_TOKEN:
        headers["Authorization"] = f"Bearer {TOKEN}"
    assert sorted(request.head.decode().split("\r\n")[1:-2]) == sorted(
        f"{name}: {value}" for name, value in headers.items()
    )


ACCOUNT, CREDENTIAL, USER = (
    "0b6c1c52-7a1d-4f4e-9a53-2f7f0d6f1a11",
    "5f1d3a60-1111-4222-8333-944455566677",
    "b7d3d0f4-0000-4000-8000-5a3b6a1f0001",
)
THEN = datetime(2025, 6, 15, 15, 6, 40, 123000, UTC)
TIMES: dict[str, Any] = {"created_at": THEN, "updated_at": THEN}


def account(**facts: Any) -> TradingAccount:
    """Make the account of the golden answers."""
    given = {"venue": "BINANCE", "name": "desk-7", "account_type": "SPOT", "status": "ACTIVE"}
    return TradingAccount(**{"trading_account_id": ACCOUNT, **given, **TIMES, **facts})


def credential(**facts: Any) -> Credential:
    """Make the credential of the golden answers."""
    given = {"venue": "BINANCE", "name": "key-7", "status": "ACTIVE", **TIMES}
    return Credential(**{"credential_id": CREDENTIAL, **given, **facts})


def reached(name: str, status: str, account: str | None = None) -> ReachableAccount:
    """Make an account that the golden credential reaches."""
    return ReachableAccount(
        external_trading_account_id=name,
        venue="BINANCE",
        name=name,
        account_type="SPOT",
        status=status,
        trading_account_id=account,
    )


BY_REFERENCE = {
    "external_trading_account_id": "spot",
    "external_account_type": "SPOT",
    "credential_ids": [CREDENTIAL],
}
MODES = {"position_mode": "HEDGE", "collateral_mode": "CROSS", "margin_mode": "ISOLATED"}
WRITES = (
    "connect_account",
    "connect_with_credential",
    "connect_venue",
    "enable_account",
    "disable_account",
    "rename_account",
    "disconnect_account",
)
GONE = account(
    user_id=USER,
    venue="COINBASE",
    status="DISCONNECTED",
    updated_at=datetime(2025, 6, 15, 15, 16, 40, tzinfo=UTC),
)
OF_PAGES = {"user_id": USER, "credential_type": "EXCHANGE", "api_key": "abcd****yz"}
OF_OPENAPI = {"credential_type": "API_KEY"}
LATER = THEN + timedelta(seconds=1)
LOGGED_IN = User(
    user_id=USER, email="ops@example.test", created_at=datetime(2025, 6, 15, tzinfo=UTC)
)


@pytest.mark.parametrize(
    ("method", "name", "value"),
    [
        *(
            (method, name, value)
            for method in WRITES
            for name, value in (
                ("connect_openapi.200.json", account(**BY_REFERENCE)),
                ("disconnect.200.json", GONE),
            )
        ),
        (
            "list_accounts",
            "list_openapi.200.json",
            [account(status="LOCKED", **BY_REFERENCE, **MODES)],
        ),
        ("list_accounts", "list.200.json", [account(user_id=USER)]),
        ("get_account", "list.200.json", account(user_id=USER)),
        (
            "get_account",
            "list_openapi.200.json",
            account(status="LOCKED", **BY_REFERENCE, **MODES),
        ),
        (
            "list_operations",
            "operations.200.json",
            [
                Operation(
                    operation_id="op-2",
                    trading_account_id=ACCOUNT,
                    operation_type="DISABLE",
                    status="PENDING",
                    created_at=THEN + timedelta(milliseconds=1),
                ),
                Operation(
                    operation_id="op-1",
                    trading_account_id=ACCOUNT,
                    operation_type="CONNECT",
                    status="SUCCESS",
                    created_at=THEN,
                ),
            ],
        ),
        ("create_credential", "credential_pages.200.json", credential(**OF_PAGES)),
        ("create_credential", "credential_openapi.200.json", credential(**OF_OPENAPI)),
        ("rotate_credential", "credential_pages.200.json", credential(**OF_PAGES)),
        ("rotate_credential", "credential_openapi.200.json", credential(**OF_OPENAPI)),
        ("revoke_credential", "credential_openapi.200.json", credential(**OF_OPENAPI)),
        (
            "revoke_credential",
            "credential_revoked.200.json",
            credential(**OF_PAGES, status="REVOKED", updated_at=LATER, revoked_at=LATER),
        ),
        ("list_credentials", "credentials_pages.200.json", [credential(**OF_PAGES)]),
        ("list_credentials", "credentials_openapi.200.json", [credential(**OF_OPENAPI)]),
        (
            "verify_credential",
            "verify_guide.200.json",
            (
                reached("spot", "NEW"),
                reached("margin", "CONNECTED", ACCOUNT),
                reached("futures", "UNAVAILABLE"),
            ),
        ),
        (
            "verify_credential",
            "verify_openapi.200.json",
            (
                reached("spot", "NEW"),
                reached("margin", "ACTIVE", ACCOUNT),
                reached("futures", "UNAVAILABLE"),
            ),
        ),
        (
            "login",
            "login.200.json",
            LoginSession(
                access_token=Secret("access-1"),
                refresh_token=Secret("refresh-1"),
                expires_in=3600,
                user=LOGGED_IN,
            ),
        ),
        (
            "refresh",
            "refresh.200.json",
            LoginSession(
                access_token=Secret("access-2"), refresh_token=Secret("refresh-2"), expires_in=3600
            ),
        ),
        ("logout", "logout.200.json", None),
        ("user", "user.200.json", evolve(LOGGED_IN, role="TRADER")),
        ("health", "health.200.json", health("healthy")),
        ("health", "health.503.json", health("unhealthy")),
    ],
)
@every_dialect
async def test_what_comes_back(
    server: RawServer, dialect: str, method: str, name: str, value: object
) -> None:
    """Each answer is read in either dialect, to the millisecond."""
    sample = next(each for each in SAMPLES if each.method == method)
    server.default = answers(*answer(name))
    async with client_of(server, dialect=dialect) as client:
        assert await sample.call(client) == value
    assert len(server.requests) == 1


@pytest.mark.parametrize("name", ["verify_guide.200.json", "verify_openapi.200.json"])
async def test_whose_an_account_is(server: RawServer, name: str) -> None:
    """Whichever way it is said: one is new, one is ours, one is somebody else's."""
    server.default = answers(*answer(name))
    async with client_of(server) as client:
        found = await client.verify_credential(CREDENTIAL)
    assert [each.reach for each in found] == [Reach.NEW, Reach.OURS, Reach.TAKEN]


@pytest.mark.parametrize("odd", ["", None, 5])
async def test_no_account_s_id(server: RawServer, odd: Any) -> None:
    """What cannot be an id is refused, instead of looked for among all accounts."""
    async with client_of(server) as client:
        with pytest.raises(UsageError, match=r"^trading_account_id "):
            await client.get_account(odd)
    assert not server.requests


async def test_an_account_on_a_later_page(server: RawServer) -> None:
    """A server that does not heed the filter is read on until the account is there, or is not."""
    others = [{"tradingAccountId": str(n)} for n in range(3)]
    server.play(answers(200, envelope(data=others)))
    server.default = answers(200, envelope(data=[{"tradingAccountId": "7"}]))
    async with client_of(server) as client:
        found = await client.get_account("7")
        assert found is not None
        assert found.trading_account_id == "7"
        assert await client.get_account("8") is None
    assert [request.target[-8:] for request in server.requests] == [
        "offset=0",
        "offset=3",
        "offset=0",
        "offset=1",
    ]


async def test_more_credentials_than_one_answer_holds(server: RawServer) -> None:
    """Where the server says that there are more, they are asked for, by the rows received."""
    one, two = ([{"credentialId": each}] for each in ("k-1", "k-2"))
    server.play(
        answers(200, envelope(data=one, pagination={"total": 2})),
        answers(200, envelope(data=two, pagination={"total": 2})),
    )
    async with client_of(server) as client:
        found = [each.credential_id async for each in client.list_credentials()]
    assert found == ["k-1", "k-2"]
    sent = [request.target.partition("/list")[2] for request in server.requests]
    assert sent == ["", "?offset=1"]


WORD = "SOMETHING_NEW"
UNKNOWN: dict[str, dict[str, Any]] = {
    "tradingAccountId": {
        "venue": WORD,
        "status": WORD,
        "accountType": WORD,
        "positionMode": WORD,
    },
    "credentialId": {"venue": WORD, "status": WORD, "credentialType": WORD},
    "operationId": {"operationType": WORD, "status": WORD},
    "externalTradingAccountId": {"venue": WORD, "status": WORD, "accountType": WORD},
    "id": {"role": WORD},
}


@pytest.mark.parametrize(
    ("method", "id_", "listed"),
    [
        ("connect_account", "tradingAccountId", False),
        ("rename_account", "tradingAccountId", False),
        ("list_accounts", "tradingAccountId", True),
        ("list_operations", "operationId", True),
        ("create_credential", "credentialId", False),
        ("list_credentials", "credentialId", True),
        ("verify_credential", "externalTradingAccountId", True),
        ("user", "id", False),
    ],
)
async def test_unknown_words(server: RawServer, method: str, id_: str, *, listed: bool) -> None:
    """Words and fields that nobody knows yet arrive as they came; ids need not be UUIDs."""
    sample = next(each for each in SAMPLES if each.method == method)
    data = {id_: "7", "later": [{"x": None}], **UNKNOWN[id_]}
    last = {"hasNext": False} if listed else None
    server.default = answers(200, envelope(data=[data] if listed else data, pagination=last))
    async with client_of(server) as client:
        (value,) = await sample.call(client) if listed else [await sample.call(client)]
    shown = [getattr(value, name) for name in fields_dict(type(value)) if name != "extra"]
    assert shown.count(WORD) == len(UNKNOWN[id_])
    assert "7" in shown
    assert value.extra == {"later": [{"x": None}]}


def test_the_blocking_client_has_every_method() -> None:
    """Nothing public is missing there, and no docstring is written twice."""
    for name in (*PUBLIC, "resolve"):
        lifted, method = getattr(Cadenza, name), getattr(AsyncCadenza, name)
        assert lifted.__doc__ is method.__doc__
        assert lifted.__name__ == name
        assert signature(lifted) == signature(method)
    public = {name for name in vars(Cadenza) if not name.startswith("_")}
    assert public == {*PUBLIC, "resolve", "onboard"}
