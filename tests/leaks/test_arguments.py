"""Arguments that cannot be used: the error names them, and does not show them."""

from __future__ import annotations

import asyncio
import copy
import json
import pickle
import warnings
from typing import TYPE_CHECKING, Any

import attrs
import pytest

from cadenza_async import AsyncCadenza, Cadenza, PasswordLogin, Secret, SessionPool, onboard
from cadenza_async.errors import CadenzaError
from cadenza_async.models import NewAccount

from .hunt import Hunt, show_richly

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    Use = Callable[[Hunt], object]

TOKEN = "a.token"


@pytest.fixture
def hunt(capfd: pytest.CaptureFixture[str]) -> Iterator[Hunt]:
    """Give a hunt that ends with the test."""
    hunt = Hunt()
    yield hunt
    for text in capfd.readouterr():
        hunt.search("output", text)
    hunt.finish()


def search_failure(hunt: Hunt, use: Use) -> None:
    """Use something in a way that has to fail, and search the error."""
    with pytest.raises((CadenzaError, TypeError)) as caught:
        use(hunt)
    hunt.search_error(caught.value)


async def _connect(hunt: Hunt, fields: dict[str, str | None]) -> None:
    async with AsyncCadenza(TOKEN, base_url="http://127.0.0.1:9") as client:
        await client.connect_account(**hunt.marker.account(**_planted(hunt, fields)))


def _connect_blocking(hunt: Hunt, fields: dict[str, str | None]) -> None:
    with Cadenza(TOKEN, base_url="http://127.0.0.1:9") as client:
        client.connect_account(**hunt.marker.account(**_planted(hunt, fields)))


def _planted(hunt: Hunt, fields: dict[str, Any]) -> dict[str, Any]:
    return {
        name: hunt.marker(value) if isinstance(value, str) and "{" in value else value
        for name, value in fields.items()
    }


FIELDS: list[dict[str, str | None]] = [
    {"api_key": "{}\0"},
    {"api_key": "{}\n"},
    {"api_key": "{}\ud800"},
    {"api_key": ""},
    {"api_secret": "{}\0"},
    {"api_secret": "  "},
    {"api_passphrase": "{}\r"},
    {"api_passphrase": None},
    {"name": "bad\0name"},
    {"venue": ""},
    {"account_type": "\x7f"},
    {"timeout": "soon"},
    {"unknown": "{}"},
]


@pytest.mark.parametrize("fields", FIELDS, ids=str)
@pytest.mark.parametrize("how", ["async", "blocking", "model"])
def test_an_account_that_cannot_be(hunt: Hunt, fields: dict[str, str | None], how: str) -> None:
    """One bad field: the traceback shows none of the others either."""
    ways: dict[str, Use] = {
        "async": lambda hunt: asyncio.run(_connect(hunt, fields)),
        "blocking": lambda hunt: _connect_blocking(hunt, fields),
        "model": lambda hunt: NewAccount(**hunt.marker.account(**_planted(hunt, fields))),
    }
    search_failure(hunt, ways[how])


@pytest.mark.parametrize("field", ["api_key", "api_secret", "api_passphrase"])
@pytest.mark.parametrize(
    "make",
    [str.encode, lambda text: [text], lambda text: {"it": text}],
    ids=["bytes", "list", "dict"],
)
@pytest.mark.parametrize("how", ["async", "blocking", "model"])
def test_a_secret_of_a_wrong_type(
    hunt: Hunt, field: str, make: Callable[[str], object], how: str
) -> None:
    """Bytes, a list or a dict where a string belongs is refused unseen."""

    async def connect() -> None:
        async with AsyncCadenza(TOKEN, base_url="http://127.0.0.1:9") as client:
            await client.connect_account(**hunt.marker.account(**{field: make(hunt.marker())}))

    def use(hunt: Hunt) -> object:
        if how == "async":
            return asyncio.run(connect())
        if how == "blocking":
            with Cadenza(TOKEN, base_url="http://127.0.0.1:9") as client:
                return client.connect_account(**hunt.marker.account(**{field: make(hunt.marker())}))
        return NewAccount(**hunt.marker.account(**{field: make(hunt.marker())}))

    search_failure(hunt, use)


TOKENS = ["{} ", "Bearer {}", '"{}"', "{}\n", "{}\0", "{}\u2028", "{}=x"]


@pytest.mark.parametrize("pattern", TOKENS)
@pytest.mark.parametrize("kind", [AsyncCadenza, Cadenza, Secret])
def test_a_token_that_cannot_be(
    hunt: Hunt, pattern: str, kind: type[AsyncCadenza | Cadenza | Secret]
) -> None:
    """A string that is no bearer token is refused unseen."""
    if kind is Secret:
        search_failure(hunt, lambda hunt: AsyncCadenza(Secret(hunt.marker(pattern))))
    else:
        search_failure(hunt, lambda hunt: kind(hunt.marker(pattern)))


@pytest.mark.parametrize("pattern", TOKENS)
def test_a_pools_token_that_cannot_be(hunt: Hunt, pattern: str) -> None:
    """A pool refuses it unseen, too."""

    async def ask(hunt: Hunt) -> None:
        async with SessionPool(base_url="http://127.0.0.1:9") as pool:
            pool.client(access_token=hunt.marker(pattern))

    search_failure(hunt, lambda hunt: asyncio.run(ask(hunt)))


class _Sync:
    def __init__(self, token: Secret) -> None:
        self._token = token

    def token(self, *, rejected: Secret | None = None) -> str:
        return self._token.reveal()


@pytest.mark.parametrize("source", [True, False], ids=["source", "callable"])
def test_a_token_that_is_not_awaited(hunt: Hunt, *, source: bool) -> None:
    """What a function that is not async returned is refused unseen."""
    given: Any = _Sync(Secret(hunt.marker()))

    async def ask(_: Hunt) -> None:
        token = given if source else given.token
        async with AsyncCadenza(token, base_url="http://127.0.0.1:9") as client:
            await client.user()

    search_failure(hunt, lambda hunt: asyncio.run(ask(hunt)))


TOKENS_OF_USERS: dict[str, Use] = {
    "mapping": lambda hunt: {"u-1": hunt.marker()},
    "list": lambda hunt: [hunt.marker()],
    "text": lambda hunt: hunt.marker(),
}


@pytest.mark.parametrize("options", [{}, {"flavour": "bitter"}, {"journal": 5}], ids=str)
@pytest.mark.parametrize("kind", TOKENS_OF_USERS)
@pytest.mark.parametrize("how", ["async", "blocking"])
def test_a_run_that_cannot_be(hunt: Hunt, options: dict[str, Any], kind: str, how: str) -> None:
    """Whatever is wrong with it, and if only with its journal, no user's token is shown."""
    given: dict[str, Any] = {"journal": "no/such/folder/journal"} | options
    tokens: Any = TOKENS_OF_USERS[kind]

    async def run(hunt: Hunt) -> object:
        async with SessionPool(base_url="http://127.0.0.1:9") as pool:
            return await anext(onboard(pool, [], tokens=tokens(hunt), **given))

    def use(hunt: Hunt) -> object:
        if how == "async":
            return asyncio.run(run(hunt))
        with Cadenza(TOKEN, base_url="http://127.0.0.1:9") as client:
            return next(client.onboard([], tokens=tokens(hunt), **given))

    search_failure(hunt, use)


def test_a_token_from_the_environment(hunt: Hunt, monkeypatch: pytest.MonkeyPatch) -> None:
    """A bad token of the environment is refused unseen."""
    monkeypatch.setenv("CADENZA_ACCESS_TOKEN", hunt.marker("'{}'"))
    search_failure(hunt, lambda _: AsyncCadenza())
    search_failure(hunt, lambda _: Cadenza())


@pytest.mark.parametrize("kind", [AsyncCadenza, Cadenza, SessionPool])
@pytest.mark.parametrize(
    "setting",
    [
        {"timeout": -1},
        {"retries": "many"},
        {"base_url": "ftp://host"},
        {"base_url": "http://host"},
        {"proxy": "nowhere"},
        {"user_agent": "\n"},
        {"rate_scope": "world"},
        {"no_such": "setting"},
    ],
    ids=str,
)
def test_the_environment_stays_out_of_it(
    hunt: Hunt,
    kind: Callable[..., object],
    setting: dict[str, object],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The traceback of a bad setting does not show what else the environment holds."""
    monkeypatch.setenv("CADENZA_ACCESS_TOKEN", hunt.marker())
    monkeypatch.setenv("SOMEBODY_ELSES_SECRET", hunt.marker())
    search_failure(hunt, lambda _: kind(**setting))


@pytest.mark.parametrize("password", ["{}\0", "{}\n"])
def test_a_login_that_cannot_be(hunt: Hunt, password: str) -> None:
    """A bad password, or a bad address beside a good one, is refused unseen."""
    search_failure(hunt, lambda hunt: PasswordLogin(email="a@b", password=hunt.marker(password)))
    search_failure(hunt, lambda hunt: PasswordLogin(email="", password=hunt.marker()))
    hunt.search("repr", repr(PasswordLogin(email="a@b", password=hunt.marker())))


def _account(secret: Secret) -> NewAccount:
    return NewAccount(venue="X", api_key=secret, api_secret=secret)


STORED: list[tuple[str, dict[str, Any]]] = [
    ("create_credential", {"api_key": "{}\0", "api_secret": "{}"}),
    ("create_credential", {"api_key": "{}", "api_secret": "{}\0"}),
    ("create_credential", {"api_key": "{}"}),
    ("create_credential", {"api_key": "{}", "api_secret": "{}", "name": "\0"}),
    ("create_credential", {"api_key": "{}", "api_secret": "{}", "venue": "OKX"}),
    ("create_credential", {"api_key": "{}", "api_secret": "{}", "api_pasphrase": "{}"}),
    ("rotate_credential", {"credential_id": "", "api_key": "{}", "api_secret": "{}"}),
    ("rotate_credential", {"credential_id": "k-1", "api_secret": "{}\ud800"}),
    ("rotate_credential", {"credential_id": "k-1", "api_passphrase": "{}\n"}),
    ("login", {"email": "", "password": "{}"}),
    ("login", {"email": "a@b", "password": "{}\0"}),
    ("login", {"email": "a@b", "pasword": "{}"}),
    ("refresh", {"refresh_token": "{}\n"}),
    ("refresh", {"refresh_token": "{}", "timeout": "soon"}),
]


@pytest.mark.parametrize(("method", "fields"), STORED, ids=str)
@pytest.mark.parametrize("how", ["async", "blocking"])
def test_what_else_takes_secrets(hunt: Hunt, method: str, fields: dict[str, Any], how: str) -> None:
    """Credentials, passwords and refresh tokens are hidden before anything can fail."""
    venue = {"venue": "BINANCE"} if method == "create_credential" else {}

    async def ask(hunt: Hunt) -> None:
        async with AsyncCadenza(TOKEN, base_url="http://127.0.0.1:9") as client:
            await getattr(client, method)(**_planted(hunt, {**venue, **fields}))

    def use(hunt: Hunt) -> None:
        if how == "async":
            return asyncio.run(ask(hunt))
        with Cadenza(TOKEN, base_url="http://127.0.0.1:9") as client:
            getattr(client, method)(**_planted(hunt, {**venue, **fields}))
        return None

    search_failure(hunt, use)


USES: dict[str, Callable[[Any], object]] = {
    "repr": repr,
    "str": str,
    "format": "{:>20}".format,
    "%": "%s".__mod__,
    "json as text": lambda secret: json.dumps({"it": secret}, default=str),
    "json": json.dumps,
    "pickle": pickle.dumps,
    "copy": copy.copy,
    "deepcopy": copy.deepcopy,
    "state": lambda secret: secret.__getstate__(),
    "reduced": lambda secret: secret.__reduce_ex__(4),
    "hash": hash,
    "len": len,
    "vars": vars,
    "list": list,
    "bytes": bytes,
    "+": lambda secret: secret + "x",
    "<": lambda secret: secret < Secret("x"),
    "==": lambda secret: secret == "x",
    "digest": lambda secret: secret.digest(b"key"),
    "masked": lambda secret: secret.masked(),
    "account": _account,
    "asdict": lambda secret: attrs.asdict(_account(secret)),
    "account pickled": lambda secret: pickle.dumps(_account(secret)),
    "account copied": lambda secret: copy.copy(_account(secret)),
}


@pytest.mark.parametrize("use", USES)
def test_whatever_is_done_with_a_secret(hunt: Hunt, use: str) -> None:
    """What comes of a secret, a value or an error, does not show it."""
    failure: Exception | None = None
    try:
        hunt.search("value", repr(USES[use](Secret(hunt.marker()))))
    except Exception as error:  # noqa: BLE001 - it is looked at below
        failure = error
    if failure is not None:
        hunt.search_error(failure)


@pytest.mark.parametrize(
    "use",
    [
        lambda hunt: AsyncCadenza(hunt.marker("Bearer {}")),
        lambda hunt: PasswordLogin(email="a@b", password=hunt.marker("{}\0")),
        lambda hunt: NewAccount(**hunt.marker.account(api_key="")),
    ],
    ids=["token", "login", "account"],
)
def test_rich_can_show_it(hunt: Hunt, use: Use) -> None:
    """No frame of the traceback holds a half-made value, on whose fields rich would stumble."""
    with pytest.raises(CadenzaError) as caught:
        use(hunt)
    hunt.search("rich", show_richly(caught.value))


def test_outside_its_block(hunt: Hunt) -> None:
    """A call to a client that is not open shows nothing of its arguments, and warns of nothing."""
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        search_failure(hunt, lambda hunt: Cadenza(TOKEN).connect_account(**hunt.marker.account()))
        search_failure(
            hunt,
            lambda hunt: asyncio.run(AsyncCadenza(TOKEN).connect_account(**hunt.marker.account())),
        )
