"""Every endpoint as a value, against the contract."""

from __future__ import annotations

import json
from typing import Any

import pytest

from cadenza_async import _endpoints
from cadenza_async._calls import MIB, Answer, Call, RateClass
from cadenza_async._wire import encode
from cadenza_async.errors import UsageError

from .samples import CONNECT, LIST, call, connect, marker, new_account


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


def test_disconnect() -> None:
    """A disconnect names the account in its body."""
    made = _endpoints.disconnect_account("a-1")
    assert (made.title, made.write) == ("POST tradingAccount/disconnect", True)
    assert json.loads(encode(made.body)) == {"tradingAccountId": "a-1"}
    assert (made.rate_class, made.authenticated) == (RateClass.ACCOUNTS, True)


@pytest.mark.parametrize("odd", ["", " ", "a\n", None, 5])
def test_disconnecting_nothing_is_refused(odd: str) -> None:
    """An id that cannot be one is named before anything is sent."""
    with pytest.raises(UsageError, match=r"^trading_account_id "):
        _endpoints.disconnect_account(odd)


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


@pytest.mark.parametrize("kind", [CONNECT, LIST])
def test_a_call_shows_no_secret(kind: str) -> None:
    """The repr of a call is fit for a log."""
    assert not [role for role in ("key", "secret") if marker(role) in repr(call(kind))]


def test_an_answer_shows_neither_headers_nor_body() -> None:
    """The repr of an answer is fit for a log."""
    shown = repr(Answer(status=200, headers={"X": marker()}, body=marker().encode()))
    assert marker() not in shown
    assert "200" in shown


def test_a_call_s_defaults() -> None:
    """A plain authenticated call without body and query needs no more words."""
    made = Call(method="GET", path="x", read=dict, write=False, rate_class=RateClass.READS)
    assert (made.body, made.query, made.authenticated) == (None, {}, True)
    assert (made.venue, made.name, made.longest) == (None, None, MIB)
    assert new_account() == new_account()
