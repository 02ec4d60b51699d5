"""What is known to be wrong with an account is refused before anything is sent."""

from __future__ import annotations

import pickle
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import attrs
import pytest

from cadenza_async import (
    AccountStatus,
    AccountType,
    Attempt,
    Credential,
    CredentialStatus,
    CredentialType,
    Health,
    HealthStatus,
    LoginSession,
    NewAccount,
    Operation,
    OperationStatus,
    OperationType,
    Reach,
    ReachableAccount,
    Secret,
    TradingAccount,
    User,
    Venue,
)
from cadenza_async._checks import check_text
from cadenza_async.errors import UsageError

from .samples import NOW, marker, new_account
from .showing import failure, shown

if TYPE_CHECKING:
    from enum import StrEnum

REQUIRED = ("venue", "api_key", "api_secret")
OPTIONAL = ("api_passphrase", "name", "account_type", "key", "user")
TEXTS = (*REQUIRED, *OPTIONAL)
CONTROLS = {
    "nul": "\0",
    "bell": "\a",
    "tab": "\t",
    "line feed": "\n",
    "carriage return": "\r",
    "escape": "\x1b",
    "delete": "\x7f",
    "next line": "\x85",
    "half a pair": "\ud83d",
}
LINES = ("tab", "line feed", "carriage return")


@pytest.mark.parametrize("argument", REQUIRED)
@pytest.mark.parametrize("blank", ["", " ", "\u3000\u2003"], ids=["empty", "space", "wide spaces"])
def test_what_is_required_must_not_be_blank(argument: str, blank: str) -> None:
    """Venue, key and secret hold more than white space."""
    with pytest.raises(UsageError, match=rf"^{argument} is required and is empty$"):
        new_account(**{argument: blank})


@pytest.mark.parametrize("argument", OPTIONAL)
@pytest.mark.parametrize("value", [None, "", " "], ids=["none", "empty", "blank"])
def test_what_is_optional_may_be_blank(argument: str, value: str | None) -> None:
    """An optional field may be left out or be empty."""
    assert new_account(**{argument: value})


@pytest.mark.parametrize("argument", TEXTS)
@pytest.mark.parametrize("control", CONTROLS)
@pytest.mark.parametrize("place", ["before{}", "{}after", "bet{}ween"])
def test_control_characters(argument: str, control: str, place: str) -> None:
    """Only an API secret may span lines, and nothing may hold another control character."""
    value = place.format(CONTROLS[control])
    if argument == "api_secret" and control in LINES:
        assert new_account(**{argument: value}).api_secret.reveal() == value
    else:
        with pytest.raises(UsageError, match=rf"^{argument} holds a control character or half"):
            new_account(**{argument: value})


@pytest.mark.parametrize("argument", TEXTS)
@pytest.mark.parametrize("odd", [5, b"x", ["x"], 1.5, True], ids=repr)
def test_what_is_no_text_is_refused(argument: str, odd: object) -> None:
    """A wrong type is named before the wire encoder meets it."""
    with pytest.raises(UsageError, match=rf"^{argument} must be a string$"):
        new_account(**{argument: odd})


@pytest.mark.parametrize("argument", REQUIRED)
def test_none_is_no_required_text(argument: str) -> None:
    """What the environment lacks arrives as None."""
    with pytest.raises(UsageError, match=rf"^{argument} must be a string$"):
        new_account(**{argument: None})


@pytest.mark.parametrize("text", ["Märkte", "机构", "🚀 desk", "a\u00a0b", "<b>&'\""])
def test_any_printable_text_is_sent(text: str) -> None:
    """Names are people's; keys and venues are whatever the exchange hands out."""
    account = new_account(**dict.fromkeys(TEXTS, text))
    assert (account.name, account.api_key.reveal(), account.venue) == (text, text, text)


@pytest.mark.parametrize("argument", ["api_key", "api_secret", "api_passphrase"])
@pytest.mark.parametrize("flaw", ["\0", "\ud800"], ids=["nul", "half a pair"])
def test_a_refused_secret_does_not_show(argument: str, flaw: str) -> None:
    """Neither the text nor the locals of our frames hold what was refused, given as a string."""
    error = failure(lambda: new_account(**{argument: marker("odd") + flaw}), UsageError)
    assert argument in str(error)
    assert marker("odd") not in shown(error)


@pytest.mark.parametrize("argument", ["venue", "name", "account_type"])
def test_secrets_do_not_show_when_something_else_is_refused(argument: str) -> None:
    """The locals of our frames hold the secrets hidden, though they were given as strings."""
    error = failure(
        lambda: NewAccount(
            **{"venue": "OKX", argument: "\0"},
            api_key=marker("key"),
            api_secret=marker("secret"),
            api_passphrase=marker("phrase"),
        ),
        UsageError,
    )
    text = shown(error)
    assert not [role for role in ("key", "secret", "phrase") if marker(role) in text]


def test_a_refused_wrong_type_does_not_show() -> None:
    """Bytes are no text, and as secret as text."""
    error = failure(lambda: new_account(api_secret=marker("odd").encode()), UsageError)
    assert marker("odd") not in shown(error)


def test_no_refusal_carries_another_error() -> None:
    """A chained error would show what ours does not."""
    error = failure(lambda: new_account(api_key="\0"), UsageError)
    assert (error.__cause__, error.__context__) == (None, None)


@pytest.mark.parametrize(
    "venue",
    ["COINBASE", "OKX", "Coinbase", "okx", "COINBASE_UAT", "okx_uat", "Okx_Uat", Venue.OKX],
    ids=repr,
)
def test_a_passphrase_is_missed(venue: str) -> None:
    """Two venues are known to need one, in any spelling of theirs."""
    with pytest.raises(UsageError, match=r"^api_passphrase is missing: (COINBASE|OKX) keys have"):
        new_account(venue=venue)


@pytest.mark.parametrize("passphrase", ["", " ", "words", Secret("words")], ids=repr)
def test_a_passphrase_that_is_given_is_believed(passphrase: str | Secret) -> None:
    """Even an empty one: it is the way out for a key that has none."""
    account = new_account(venue="Okx_UAT", api_passphrase=passphrase)
    assert account.api_passphrase == Secret(passphrase)
    assert account.venue == "Okx_UAT"


@pytest.mark.parametrize(
    "venue",
    [
        *(each for each in Venue if each not in {"COINBASE", "OKX"}),
        *("MOON", "OKX2", "UAT_OKX", "COINBASE_PRIME", "OKX_UAT_UAT", " OKX"),
    ],
)
def test_what_is_not_known_is_not_refused(venue: str) -> None:
    """No venue is guessed to need a passphrase."""
    assert new_account(venue=venue).venue == venue


def test_venue_and_type_may_be_given_as_members() -> None:
    """The known words are strings; anything else may be given too."""
    account = new_account(venue=Venue.BINANCE, account_type=AccountType.SPOT)
    assert (account.venue, account.account_type) == ("BINANCE", "SPOT")


CREDENTIAL = Credential(credential_id="k-1", venue="OKX", status="ACTIVE")
OPERATION = Operation(operation_id="o-1", operation_type="CONNECT", status="SUCCESS")
SESSION = LoginSession(access_token=Secret("token"))


def reached(status: str, trading_account_id: str | None = None) -> ReachableAccount:
    """Make an account that a credential reaches."""
    return ReachableAccount(
        external_trading_account_id="spot",
        venue="OKX",
        status=status,
        trading_account_id=trading_account_id,
    )


@pytest.mark.parametrize(
    "model",
    [
        NewAccount,
        TradingAccount,
        Attempt,
        Credential,
        Operation,
        ReachableAccount,
        User,
        LoginSession,
        Health,
    ],
)
def test_models_take_keywords_only(model: Any) -> None:
    """Several texts in a row would be mixed up sooner or later."""
    with pytest.raises(TypeError, match="positional"):
        model("BINANCE", "key", "secret", "done", 1.0)


@pytest.mark.parametrize(
    ("model", "field"),
    [
        (new_account(), "venue"),
        (TradingAccount(trading_account_id="1", venue="V", status="S"), "status"),
        (Attempt(method="GET", path="x", number=1, verdict="done", seconds=0.1), "verdict"),
        (CREDENTIAL, "status"),
        (OPERATION, "status"),
        (reached("NEW"), "status"),
        (User(user_id="u-1"), "role"),
        (SESSION, "access_token"),
        (Health(status="healthy"), "status"),
    ],
    ids=lambda it: type(it).__name__ if attrs.has(type(it)) else it,
)
def test_models_are_frozen(model: object, field: str) -> None:
    """A value does not change once it was checked."""
    with pytest.raises(attrs.exceptions.FrozenInstanceError):
        setattr(model, field, "other")


def account(**changes: Any) -> TradingAccount:
    """Make an account as Cadenza would describe it."""
    given = {"trading_account_id": "a-1", "venue": "OKX", "status": "ACTIVE", "created_at": NOW}
    return TradingAccount(**{**given, **changes})


def test_extra_fields_are_no_part_of_an_account_s_identity() -> None:
    """Accounts are equal, and hash alike, whatever the server adds to its answers."""
    plain, rich = account(), account(extra={"new": [marker()]})
    assert plain == rich
    assert len({plain, rich}) == 1
    assert marker() not in repr(rich)


@pytest.mark.parametrize("field", ["trading_account_id", "venue", "status", "name", "user_id"])
def test_every_other_field_is(field: str) -> None:
    """Accounts that differ in what is described are different accounts."""
    assert account() != account(**{field: "other"})
    assert account() != account(created_at=NOW + timedelta(milliseconds=1))


def test_an_account_is_pickled_with_everything() -> None:
    """An account may cross to another process, extra fields included."""
    sent = account(extra={"credentials": [{"status": "ACTIVE"}]})
    received = pickle.loads(pickle.dumps(sent))
    assert received == sent
    assert received.extra == sent.extra


VENUES = (
    "BINANCE COINBASE BYBIT OKX B2C2 WINTERMUTE BLOCKFILLS STONEX CUMBERLAND IBKR DERIBIT BITFINEX"
    " HYPERLIQUID FERMATA MOCK PAPER"
)
STATUSES = "ACTIVE DISABLED DISCONNECTED CONNECTED ENABLED NEW CREATED INACTIVE LOCKED UNAVAILABLE"


@pytest.mark.parametrize(
    ("words", "published"),
    [
        (Venue, VENUES),
        (AccountType, "SPOT MARGIN FUTURES CREDIT OPTIONS"),
        (AccountStatus, STATUSES),
        (CredentialType, "API_KEY TOKEN HMAC OAUTH RSA ED25519 EXCHANGE"),
        (CredentialStatus, "CREATED ACTIVE EXPIRED REVOKED PENDING VERIFIED FAILED"),
        (
            OperationType,
            "CONNECT DISCONNECT ENABLE DISABLE UPDATE CREDENTIAL_REVOKE CREDENTIAL_ROTATE",
        ),
        (OperationStatus, "PENDING SUCCESS FAILED"),
        (Reach, "NEW OURS TAKEN"),
    ],
    ids=lambda it: it.__name__ if isinstance(it, type) else "",
)
def test_the_known_words(words: type[StrEnum], published: str) -> None:
    """Every published word is a member of its own name."""
    assert [*words.__members__] == [*map(str, words)] == published.split()


@pytest.mark.parametrize("value", ["text", Secret("text")], ids=["string", "secret"])
def test_check_text_takes_strings_and_secrets(value: str | Secret) -> None:
    """What may be sent passes in silence."""
    check_text("argument", value)
    check_text("argument", "", required=False)
    with pytest.raises(UsageError, match=r"^argument is required"):
        check_text("argument", "")


def test_the_words_of_health() -> None:
    """They are written in small letters."""
    assert [*map(str, HealthStatus)] == ["healthy", "degraded", "unhealthy"]


@pytest.mark.parametrize(
    ("status", "trading_account_id", "reach"),
    [
        ("NEW", None, Reach.NEW),
        ("NEW", "a-1", Reach.NEW),
        ("DISCONNECTED", "a-1", Reach.NEW),
        ("UNAVAILABLE", None, Reach.TAKEN),
        ("UNAVAILABLE", "a-1", Reach.TAKEN),
        ("ACTIVE", None, Reach.OURS),
        ("DISABLED", None, Reach.OURS),
        ("CONNECTED", None, Reach.OURS),
        ("ENABLED", None, Reach.OURS),
        ("LOCKED", "a-1", Reach.OURS),
        ("SOMETHING_NEW", "a-1", Reach.OURS),
        ("SOMETHING_NEW", None, None),
        ("UNKNOWN", None, None),
    ],
)
def test_whose_an_account_is(
    status: str, trading_account_id: str | None, reach: Reach | None
) -> None:
    """The status decides; a word that nobody knows says no more than that an id is there."""
    assert reached(status, trading_account_id).reach is reach


def test_what_is_masked_and_what_is_hidden_do_not_show() -> None:
    """A credential's masked key is in no repr, a session's tokens are in nothing at all."""
    masked = attrs.evolve(CREDENTIAL, api_key=marker("mask"), extra={"x": marker("mask")})
    session = LoginSession(access_token=Secret(marker()), refresh_token=Secret(marker()))
    assert marker("mask") not in repr(masked)
    assert marker() not in repr(session)
    assert pickle.loads(pickle.dumps(masked)) == masked
    with pytest.raises(TypeError, match="pickled"):
        pickle.dumps(session)


def test_credentials_of_an_account_come_in_any_sequence() -> None:
    """What was read back from JSON is equal to what was written."""
    assert account(credential_ids=["k-1"]) == account(credential_ids=("k-1",))
