"""JSON to values and back: what is odd survives, and nothing breaks."""

from __future__ import annotations

import json
import pickle
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cadenza_async import Secret, TradingAccount
from cadenza_async._answers import read_account, read_accounts
from cadenza_async._wire import decode, encode

from .samples import golden, marker, new_account
from .showing import failure, shown

ODD: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=5,
)
TIMES = st.datetimes(
    datetime(1970, 1, 1), datetime(9999, 12, 31), timezones=st.just(UTC)  # noqa: DTZ001  # these get the time zone
).map(lambda moment: moment.replace(microsecond=moment.microsecond // 1000 * 1000))  # fmt: skip
WORDS = st.none() | st.text()
ACCOUNTS = st.builds(
    TradingAccount,
    trading_account_id=st.text(min_size=1),
    venue=st.text(),
    status=st.text(),
    user_id=WORDS,
    name=WORDS,
    account_type=WORDS,
    created_at=st.none() | TIMES,
    updated_at=st.none() | TIMES,
    external_trading_account_id=WORDS,
    external_account_type=WORDS,
    position_mode=WORDS,
    collateral_mode=WORDS,
    margin_mode=WORDS,
)
WIRE = {
    "trading_account_id": "tradingAccountId",
    "venue": "venue",
    "status": "status",
    "user_id": "userId",
    "name": "name",
    "account_type": "accountType",
    "created_at": "createdAt",
    "updated_at": "updatedAt",
    "external_trading_account_id": "externalTradingAccountId",
    "external_account_type": "externalAccountType",
    "position_mode": "positionMode",
    "collateral_mode": "collateralMode",
    "margin_mode": "marginMode",
}
SECOND = ("nickname", "createdAtDateTime", "updatedAtDateTime")
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
UNKNOWN_FIELDS = st.dictionaries(
    st.text().filter(lambda name: name not in {*WIRE.values(), *SECOND}), ODD, max_size=4
)


def on_the_wire(account: TradingAccount) -> dict[str, Any]:
    """Write an account as Cadenza would."""

    def plain(value: Any) -> Any:
        moment = isinstance(value, datetime)
        return (value - EPOCH) // timedelta(milliseconds=1) if moment else value

    return {wire: plain(getattr(account, name)) for name, wire in WIRE.items()}


def parsed(data: object, **more: Any) -> TradingAccount:
    """Read an account out of an answer that has been through JSON."""
    envelope = decode(json.dumps({"data": data, "errno": 0}).encode())
    assert isinstance(envelope, dict)
    return read_account(envelope, **more)


@given(account=ACCOUNTS, unknown=UNKNOWN_FIELDS, leave_out=st.booleans())
def test_an_account_survives_the_wire(
    account: TradingAccount, unknown: dict[str, Any], *, leave_out: bool
) -> None:
    """Unknown words, odd ids, milliseconds and unknown fields come back as they were."""
    data = on_the_wire(account)
    sent = {name: value for name, value in data.items() if not (leave_out and value is None)}
    received = parsed({**unknown, **sent})
    assert received == account
    assert received.extra == json.loads(json.dumps(unknown))
    assert pickle.loads(pickle.dumps(received)).extra == received.extra


@given(ACCOUNTS, st.sampled_from([*WIRE.values(), *SECOND]), ODD)
def test_an_odd_value_never_breaks_an_account(
    account: TradingAccount, field: str, odd: object
) -> None:
    """A described field with a value of another kind is kept aside, and the rest is read."""
    data = {**on_the_wire(account), field: odd}
    if field == "tradingAccountId" and not (odd and isinstance(odd, str)):
        with pytest.raises(ValueError, match=r"^no "):
            parsed(data)
        return
    received = parsed(data)
    kept = {**on_the_wire(received), **received.extra}
    assert odd is None or kept.get(field) == odd or kept["name"] == odd


@given(st.binary() | ODD.map(lambda value: json.dumps(value).encode()))
def test_decoding_fails_in_one_way(body: bytes) -> None:
    """Whatever arrives is either a value or a bare `ValueError`."""
    try:
        decode(body)
    except ValueError as error:
        assert (type(error), str(error), error.__context__) == (ValueError, "not JSON", None)  # noqa: PT017  # the context can only be seen here


@pytest.mark.parametrize(
    ("name", "wanted"),
    [
        ({"name": "n"}, "n"),
        ({"nickname": "k"}, "k"),
        ({"name": "n", "nickname": "k"}, "n"),
        ({"name": None, "nickname": "k"}, "k"),
        ({"name": "", "nickname": "k"}, ""),
        ({"name": 5, "nickname": "k"}, "k"),
        ({"name": "n", "nickname": None}, "n"),
        ({"nickname": 5}, None),
        ({}, None),
    ],
    ids=str,
)
def test_name_and_nickname(name: dict[str, Any], wanted: str | None) -> None:
    """Both spellings are read; what was not used is kept aside."""
    account = parsed({"tradingAccountId": "a", **name})
    assert account.name == wanted
    unused = {wire: value for wire, value in name.items() if value not in (None, wanted)}
    assert account.extra == unused


@pytest.mark.parametrize(
    ("milliseconds", "moment"),
    [
        (0, datetime(1970, 1, 1, tzinfo=UTC)),
        (1703052635110, datetime(2023, 12, 20, 6, 10, 35, 110_000, tzinfo=UTC)),
        (1703052635999, datetime(2023, 12, 20, 6, 10, 35, 999_000, tzinfo=UTC)),
        (-1, datetime(1969, 12, 31, 23, 59, 59, 999_000, tzinfo=UTC)),
        (-62135596800000, datetime(1, 1, 1, tzinfo=UTC)),
        (253402300799999, datetime(9999, 12, 31, 23, 59, 59, 999_000, tzinfo=UTC)),
    ],
)
def test_timestamps_keep_the_millisecond(milliseconds: int, moment: datetime) -> None:
    """Times are aware, UTC, and exact."""
    account = parsed({"tradingAccountId": "a", "createdAt": milliseconds})
    assert account.created_at == moment
    assert account.created_at is not None
    assert account.created_at.tzinfo is UTC


@pytest.mark.parametrize(
    "odd",
    [
        -62135596800001,
        253402300800000,
        10**30,
        -(10**30),
        True,
        1.5,
        "1703052635110",
        "2023-12-20T00:00:00",
        "2023-12-20",
        "0001-01-01T00:00:00+14:00",
        "yesterday",
        [1],
    ],
    ids=repr,
)
def test_times_that_are_none_are_kept_aside(odd: object) -> None:
    """A time beyond the calendar or of another kind does not hide the account."""
    account = parsed({"tradingAccountId": "a", "updatedAt": odd})
    assert account.updated_at is None
    assert account.extra == {"updatedAt": odd}


def test_what_an_answer_does_not_name() -> None:
    """The venue that was asked for stands in, and a status that is missing is said to be."""
    account = parsed({"tradingAccountId": "a"}, venue="OKX")
    assert (account.venue, account.status) == ("OKX", "UNKNOWN")
    assert parsed({"tradingAccountId": "a"}).venue == "UNKNOWN"
    assert parsed({"tradingAccountId": "a", "venue": "okx"}, venue="OKX").venue == "okx"


ODD_IDS: tuple[object, ...] = ("", None, 5, ["a"], {})
NO_IDS = [{"tradingAccountId": odd} for odd in ODD_IDS]


@pytest.mark.parametrize("data", [None, [], "ok", 5, True, {}, {"venue": "OKX"}, *NO_IDS], ids=repr)
def test_what_is_no_account(data: object) -> None:
    """Without an id there is no account, however much else is there."""
    with pytest.raises(ValueError, match=r"^no ") as refused:
        parsed(data)
    assert refused.value.__context__ is None


def page(data: object, pagination: object = None) -> dict[str, Any]:
    """Make a page's envelope."""
    return {"data": data, "pagination": pagination, "errno": 0}


@pytest.mark.parametrize(
    ("pagination", "total", "has_next"),
    [
        (None, None, None),
        ({}, None, None),
        ([], None, None),
        ("next", None, None),
        ({"total": 3, "hasNext": True, "cursor": "c"}, 3, True),
        ({"total": 0, "hasNext": False}, 0, False),
        ({"total": "3", "hasNext": "true"}, None, None),
        ({"total": True, "hasNext": 1}, None, None),
        ({"total": 3.0, "hasNext": None}, None, None),
    ],
    ids=str,
)
def test_pagination_is_read_as_far_as_it_goes(
    pagination: object, total: int | None, *, has_next: bool | None
) -> None:
    """Every member is optional, and one of another kind is as good as none."""
    read = read_accounts(page([{"tradingAccountId": "a"}], pagination))
    assert (read.total, read.has_next) == (total, has_next)
    assert [*read.rows] == ["a"]


@pytest.mark.parametrize("data", [None, {}, "[]", 5, [None], [{}], [{"tradingAccountId": 5}]])
def test_what_is_no_page(data: object) -> None:
    """A list with a row that is no account is not read in part: a sweep must be complete."""
    with pytest.raises(ValueError, match=r"^no "):
        read_accounts(page(data))


def test_an_empty_page_is_a_page() -> None:
    """Nobody has to have an account."""
    assert read_accounts(page([])).rows == {}


def test_the_body_leaves_out_what_was_not_given() -> None:
    """An optional field is left out, and is never null."""
    body = json.loads(encode(new_account(name=None)))
    assert body == {"venue": "BINANCE", "apiKey": marker("key"), "apiSecret": marker("secret")}


def test_the_body_holds_what_was_given() -> None:
    """Fields go out as they were given, even empty ones, under the contract's names."""
    about_the_row = {"key": "row-7", "user": "u-17"}  # never sent
    account = new_account(api_passphrase="", name="机构 🚀", account_type="spot", **about_the_row)
    assert json.loads(encode(account)) == {
        "venue": "BINANCE",
        "apiKey": marker("key"),
        "apiSecret": marker("secret"),
        "apiPassphrase": "",
        "name": "机构 🚀",
        "accountType": "spot",
    }


@given(st.text(min_size=1).filter(lambda text: text.isprintable() and bool(text.strip())))
def test_any_text_arrives_at_the_other_side(text: str) -> None:
    """What may be sent is sent unchanged, in ASCII."""
    body = encode(new_account(api_secret=text + "\r\n\t", name=text))
    assert body.isascii()
    assert json.loads(body)["apiSecret"] == text + "\r\n\t"
    assert json.loads(body)["name"] == text


def test_a_plain_body_may_hold_a_secret() -> None:
    """Secrets are revealed wherever in a body they are."""
    assert encode({"a": Secret("x"), "b": ["y", 1]}) == b'{"a":"x","b":["y",1]}'


@pytest.mark.parametrize(
    "body",
    [b"", b"{", b"\xff\xfe\xfa", b"[" * 100_000, b'{"a":' * 100_000, b"9" * 5_000, b"nul", b"{}x"],
    ids=["empty", "cut", "no text", "deep list", "deep object", "long number", "word", "more"],
)
def test_what_is_no_json(body: bytes) -> None:
    """Hostile and broken bodies fail alike, and the failure does not carry them along."""
    error = failure(lambda: decode(body), ValueError)
    assert (str(error), error.__cause__, error.__context__) == ("not JSON", None, None)


def test_a_broken_body_does_not_show() -> None:
    """Whatever else may hold the document, the error and its chain do not."""
    error = failure(lambda: decode(b'{"apiSecret": ' + marker().encode()), ValueError)
    assert marker() not in "".join(line for line in shown(error).splitlines()[:6])


@pytest.mark.parametrize(
    ("body", "value"),
    [
        (b'\xef\xbb\xbf{"a": 1}', {"a": 1}),
        ('{"a": "ä"}'.encode("utf-16"), {"a": "ä"}),
        (b'{"a": 1, "a": 2}', {"a": 2}),
        (b'"\\ud800"', "\ud800"),
        (b"1e999", float("inf")),
    ],
    ids=["byte order mark", "utf-16", "twice", "half a pair", "infinite"],
)
def test_liberal_in_what_is_accepted(body: bytes, value: object) -> None:
    """What Python's parser can read is read."""
    assert decode(body) == value


@pytest.mark.parametrize("kind", ["binance", "coinbase"])
def test_golden_requests(kind: str) -> None:
    """The contract's own examples are what goes out, field by field."""
    wanted = json.loads(golden(f"connect_{kind}.request.json"))
    account = new_account(
        venue=wanted["venue"],
        api_key=wanted["apiKey"],
        api_secret=wanted["apiSecret"],
        api_passphrase=wanted.get("apiPassphrase"),
        name=wanted["name"],
    )
    assert json.loads(encode(account)) == wanted
