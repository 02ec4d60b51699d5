"""Every endpoint as a value, against the contract."""

from __future__ import annotations

import json
from datetime import datetime, timedelta, tzinfo
from typing import TYPE_CHECKING, Any

import pytest

from cadenza_async import _endpoints
from cadenza_async._calls import MIB, Answer, Call, RateClass
from cadenza_async._wire import encode
from cadenza_async.errors import UsageError
from cadenza_async.secret import Secret

from .samples import NOW, connect, login, marker

if TYPE_CHECKING:
    from collections.abc import Callable


class Nowhere(tzinfo):
    """A time zone that does not know where it is."""

    def utcoffset(self, _: datetime | None) -> None:
        return None

    dst = tzname = utcoffset


NAIVE = datetime(2026, 1, 1)  # noqa: DTZ001  # it is refused
LOST = datetime(2026, 1, 1, tzinfo=Nowhere())
ODD: Any = 5
DAY: Any = NOW.date()


def test_connect() -> None:
    """A connect is a write, and carries what reconciling goes by."""
    made = connect(venue="Okx_UAT", api_passphrase="", name="desk")
    assert (made.method, made.path, made.title) == (
        "POST",
        "tradingAccount/connect",
        "POST tradingAccount/connect",
    )
    assert (made.write, made.authenticated, made.rate_class) == (True, True, RateClass.ACCOUNTS)
    assert (made.venue, made.name, made.query, made.longest) == ("Okx_UAT", "desk", {}, MIB)
    assert made.read({"data": {"tradingAccountId": "a"}}).venue == "Okx_UAT"


@pytest.mark.parametrize(
    ("asked", "query"),
    [
        ({}, {"limit": "100", "offset": "0"}),
        ({"offset": 200}, {"limit": "100", "offset": "200"}),
        ({"venue": "OKX"}, {"venue": "OKX", "limit": "100", "offset": "0"}),
        ({"status": "ACTIVE"}, {"status": "ACTIVE", "limit": "100", "offset": "0"}),
    ],
    ids=["all", "later", "venue", "status"],
)
def test_list(asked: dict[str, Any], query: dict[str, str]) -> None:
    """A page is asked for with an explicit limit and without what was not given."""
    made = _endpoints.list_accounts(**asked)
    assert (made.title, made.write, made.body) == ("GET tradingAccount/list", False, None)
    assert (made.query, made.longest) == (query, 16 * MIB)
    assert (made.rate_class, made.authenticated) == (RateClass.READS, True)


@pytest.mark.parametrize("argument", ["venue", "status"])
@pytest.mark.parametrize("odd", ["", " ", "a\nb", 5])
def test_filters_are_checked(argument: str, odd: str) -> None:
    """A blank filter would list what was not asked for."""
    asked: dict[str, Any] = {argument: odd}
    with pytest.raises(UsageError, match=f"^{argument} "):
        _endpoints.list_accounts(**asked)


def test_an_answer_shows_neither_headers_nor_body() -> None:
    """The repr of an answer is fit for a log."""
    shown = repr(Answer(status=200, headers={"X": marker()}, body=marker().encode()))
    assert marker() not in shown
    assert "200" in shown


KEYS: dict[str, Any] = {"api_key": Secret("key"), "api_secret": Secret("secret")}
BY_ID: list[tuple[Callable[..., Call[Any]], str, tuple[str, ...]]] = [
    (_endpoints.disconnect_account, "trading_account_id", ()),
    (_endpoints.enable_account, "trading_account_id", ()),
    (_endpoints.disable_account, "trading_account_id", ()),
    (_endpoints.rename_account, "trading_account_id", ("desk-8",)),
    (_endpoints.connect_with_credential, "credential_id", ("spot",)),
    (_endpoints.verify_credential, "credential_id", ()),
    (_endpoints.rotate_credential, "credential_id", ()),
    (_endpoints.revoke_credential, "credential_id", ()),
]


@pytest.mark.parametrize("odd", ["", " ", "a\n", None, 5], ids=repr)
@pytest.mark.parametrize(
    ("endpoint", "argument", "more"), BY_ID, ids=lambda it: getattr(it, "__name__", None)
)
def test_ids_are_checked(
    endpoint: Callable[..., Call[Any]], argument: str, more: tuple[str, ...], odd: object
) -> None:
    """An id that cannot be one is named before anything is sent."""
    with pytest.raises(UsageError, match=f"^{argument} "):
        endpoint(odd, *more)


BLANK: dict[str, Any] = KEYS | {"api_key": Secret("")}
REFUSED: list[tuple[Callable[[], object], str]] = [
    (lambda: _endpoints.connect_with_credential("k", ""), "external_trading_account_id"),
    (lambda: _endpoints.connect_with_credential("k", "spot", name="\0"), "name"),
    (lambda: _endpoints.connect_venue(""), "venue"),
    (lambda: _endpoints.connect_venue("FERMATA", name="\0"), "name"),
    (lambda: _endpoints.rename_account("a", ""), "name"),
    (lambda: _endpoints.list_accounts(trading_account_id=" "), "trading_account_id"),
    (lambda: _endpoints.list_operations(trading_account_id=""), "trading_account_id"),
    (lambda: _endpoints.list_operations(operation_type=""), "operation_type"),
    (lambda: _endpoints.list_operations(since=NAIVE), "since"),
    (lambda: _endpoints.list_operations(until=NAIVE), "until"),
    (lambda: _endpoints.list_operations(since=LOST), "since has no time zone"),
    (lambda: _endpoints.list_operations(since=NOW, until=NOW - timedelta(1)), "since"),
    (lambda: _endpoints.list_operations(since=ODD), "since must be a datetime"),
    (lambda: _endpoints.list_operations(until=DAY), "until must be a datetime"),
    (lambda: _endpoints.list_credentials(credential_type=""), "credential_type"),
    (lambda: _endpoints.list_credentials(status=""), "status"),
    (lambda: _endpoints.list_credentials(credential_ids=[]), "credential_ids"),
    (lambda: _endpoints.list_credentials(credential_ids=["k", ""]), "each of credential_ids"),
    (lambda: _endpoints.create_credential(venue="", **KEYS), "venue"),
    (lambda: _endpoints.create_credential(venue="X", **KEYS, name="\0"), "name"),
    (lambda: _endpoints.create_credential(venue="X", **KEYS, credential_type=""), "credential"),
    (lambda: _endpoints.create_credential(venue="X", api_key=Secret("k")), "api_secret is mis"),
    (lambda: _endpoints.create_credential(venue="X", api_secret=Secret("s")), "api_key is mis"),
    (lambda: _endpoints.create_credential(venue="OKX", **KEYS), "api_passphrase is missing"),
    (lambda: _endpoints.create_credential(venue="X", api_key=Secret("\n")), "api_key"),
    (lambda: _endpoints.create_credential(venue="X", **BLANK), "api_key"),
    (lambda: _endpoints.create_credential(venue="PAPER", api_secret=Secret(" ")), "api_secret"),
    (lambda: _endpoints.rotate_credential("k", api_key=Secret("")), "api_key is required"),
    (lambda: _endpoints.rotate_credential("k"), "give api_key, api_secret or"),
    (lambda: _endpoints.rotate_credential("k", api_secret=Secret("\0")), "api_secret"),
    (lambda: _endpoints.rotate_credential("k", api_passphrase=Secret("\n")), "api_passphrase"),
    (lambda: _endpoints.refresh(Secret("")), "refresh_token"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("make", "argument"), REFUSED, ids=[f"{n} {case[1]}" for n, case in enumerate(REFUSED)]
)
def test_what_is_refused_before_it_is_sent(make: Callable[[], object], argument: str) -> None:
    """The error names the argument, and says the way out where there is one."""
    with pytest.raises(UsageError, match=f"^{argument}"):
        make()


@pytest.mark.parametrize("venue", ["FERMATA", "fermata_uat", "PAPER"])
@pytest.mark.parametrize("kind", [None, "API_KEY"])
def test_a_venue_without_keys(venue: str, kind: str | None) -> None:
    """FERMATA is connected by its name alone; what PAPER needs is not known."""
    made = _endpoints.create_credential(venue=venue, credential_type=kind)
    assert not {"apiKey", "apiSecret"} & json.loads(encode(made.body)).keys()


@pytest.mark.parametrize("kind", ["TOKEN", "OAUTH", "SOMETHING_NEW"])
def test_kinds_of_credentials_of_which_little_is_known(kind: str) -> None:
    """What a token or an unknown kind consists of is not guessed, even at OKX."""
    made = _endpoints.create_credential(venue="OKX", api_key=Secret("t"), credential_type=kind)
    assert json.loads(encode(made.body)) == {"venue": "OKX", "apiKey": "t", "type": kind}


@pytest.mark.parametrize("kind", ["RSA", "ED25519"])
def test_a_key_that_spans_lines(kind: str) -> None:
    """A private key is stored with its line breaks."""
    lines = "-----BEGIN PRIVATE KEY-----\r\nabc\n-----END PRIVATE KEY-----\n"
    made = _endpoints.create_credential(
        venue="BINANCE", api_key=Secret("id"), api_secret=Secret(lines), credential_type=kind
    )
    assert json.loads(encode(made.body))["apiSecret"] == lines


def test_a_key_without_a_passphrase_is_said_to_have_none() -> None:
    """An empty text is the way out, as it is for a connect."""
    made = _endpoints.create_credential(venue="COINBASE", **KEYS, api_passphrase=Secret(""))
    assert json.loads(encode(made.body))["apiPassphrase"] == ""


def test_a_connect_by_reference() -> None:
    """It carries what reconciling goes by."""
    made = _endpoints.connect_with_credential("k-1", "spot", name="desk")
    assert (made.connects, made.write, made.path) == (True, True, connect().path)
    assert (made.external_id, made.credential_id, made.name) == ("spot", "k-1", "desk")
    assert (made.venue, made.remedy) == (None, None)


def test_later_credentials_are_only_asked_for_when_there_are_some() -> None:
    """The endpoint has no documented pages: an offset is sent when the server speaks of more."""
    assert _endpoints.list_credentials().query == {}
    assert _endpoints.list_credentials(offset=3).query == {"offset": "3"}


def test_a_url_is_no_longer_than_is_published() -> None:
    """One of 8,193 characters is refused; one that is a little shorter is not."""
    url = "https://cadenza-api-uat.algo724.com/api/v3/credential/list?credentialIds="
    assert _endpoints.list_credentials(credential_ids=["k" * 7900]).query
    with pytest.raises(UsageError, match="too many for one URL"):
        _endpoints.list_credentials(credential_ids=["k" * (8193 - len(url))])


@pytest.mark.parametrize(
    ("made", "rate_class"),
    [
        (_endpoints.enable_account("a"), RateClass.ACCOUNTS),
        (_endpoints.create_credential(venue="X", **KEYS), RateClass.ACCOUNTS),
        (_endpoints.verify_credential("k"), RateClass.ACCOUNTS),
        (_endpoints.list_credentials(), RateClass.READS),
        (_endpoints.list_operations(), RateClass.READS),
        (login(), RateClass.AUTHENTICATION),
        (_endpoints.refresh(Secret("r")), RateClass.AUTHENTICATION),
        (_endpoints.logout(), RateClass.SESSION),
        (_endpoints.user(), RateClass.SESSION),
        (_endpoints.health(), None),
    ],
    ids=lambda it: getattr(it, "path", None),
)
def test_what_a_call_counts_against(made: Call[Any], rate_class: RateClass | None) -> None:
    """Health is free; the rest counts against what is published for its kind."""
    assert made.rate_class is rate_class


def test_no_call_shows_a_secret() -> None:
    """The repr of a call is fit for a log, whatever it stores."""
    hidden = Secret(marker())
    for made in (
        connect(),
        _endpoints.create_credential(venue="X", api_key=hidden, api_secret=hidden),
        _endpoints.rotate_credential("k", api_key=hidden, api_passphrase=hidden),
        _endpoints.refresh(hidden),
    ):
        assert not [role for role in ("", "key", "secret") if marker(role) in repr(made)]
