"""What a server repeats of the secrets it was sent stays out of our errors."""

from __future__ import annotations

import html
import json
from base64 import b64encode, urlsafe_b64encode
from functools import partial
from typing import TYPE_CHECKING
from unittest.mock import Mock
from urllib.parse import quote, unquote, urlencode

import pytest

from cadenza_async import Secret
from cadenza_async._outcomes import judge

from .samples import CONNECT, NOW, answer, call, marker, refusal
from .showing import shown

if TYPE_CHECKING:
    from collections.abc import Callable

    from cadenza_async.errors import CadenzaError

PEM = "\r\n".join(["-----BEGIN KEY-----", *(marker(f"line{n}") for n in range(8)), "-----END-----"])
SECRETS = {
    "plain": marker("secret"),
    "with a line break at its end": marker("secret") + "\n",
    "long": marker("secret") * 40,
    "lines": PEM,
    "pattern": f"(.*)[{marker('secret')}]\\1$",
    "wide": f"密钥{marker('secret')}🚀",
}
SETTINGS = {
    "alone": "{}",
    "in a sentence": "Invalid key '{}' for BINANCE.",
    "twice": "{} {}",
    "at the cut": "x" * 290 + "{}",
    "beyond the cut": "x" * 400 + "{}",
    "over lines": "first line\n{}\nlast line",
    "as a header": "Authorization: Bearer {}",
    "in a query": "?apiSecret={}&venue=BINANCE",
}
STATUSES = (200, 400, 401, 429, 500, 503)


def refused(status: int, text: str, where: str, secret: str = "") -> CadenzaError:
    """Judge an answer that repeats something in its error or as its request id."""
    about = {"error": text} if where == "error" else {"details": {"request_id": text}}
    body = {**refusal(-120001), **about}
    error = judge(
        call(CONNECT, api_secret=secret or marker("secret"), api_passphrase=marker("phrase")),
        answer(status, body),
        sent_at=NOW.timestamp(),
        token=Secret(marker("token")),
    ).error
    assert error is not None
    return error


@pytest.mark.parametrize("secret", SECRETS.values(), ids=SECRETS)
@pytest.mark.parametrize("setting", SETTINGS.values(), ids=SETTINGS)
@pytest.mark.parametrize("where", ["error", "request id"])
def test_a_repeated_secret_is_hidden(secret: str, setting: str, where: str) -> None:
    """No way of repeating it word for word gets a piece of it through."""
    for status in STATUSES:
        error = refused(status, setting.replace("{}", secret), where, secret)
        assert not [line for line in secret.split() if line in shown(error)]
        assert marker("secret")[:12] not in shown(error)
        assert marker("line3")[:12] not in shown(error)


@pytest.mark.parametrize("role", ["key", "secret", "phrase", "token"])
@pytest.mark.parametrize("where", ["error", "request id"])
def test_every_secret_of_a_call_is_hidden(role: str, where: str) -> None:
    """Key, secret, passphrase and access token are all looked for."""
    error = refused(400, f"what is {marker(role)}?", where)
    assert marker(role) not in shown(error)
    assert "what is ****?" in str(error)


@pytest.mark.parametrize(
    "written",
    [
        lambda secret: secret.strip(),
        lambda secret: secret.replace("\r\n", "\n"),
        lambda secret: secret.replace("\r\n", "\\r\\n"),
        lambda secret: secret.replace("\r\n", " "),
        lambda secret: secret.replace("\r\n", ""),
        lambda secret: secret.split("\r\n")[3],
    ],
    ids=["stripped", "line feeds", "escaped", "on one line", "joined", "one line of it"],
)
def test_the_lines_of_a_secret_are_hidden_too(written: object) -> None:
    """A server that rewrites white space, or quotes one line, gives nothing away."""
    assert callable(written)
    error = refused(400, f"bad key: {written(PEM)}", "error", PEM)
    assert not [n for n in range(8) if marker(f"line{n}") in shown(error)]


@pytest.mark.parametrize("plain", [True, False], ids=["escaped", "as it is"])
@pytest.mark.parametrize(
    "secret", ['pa"ss', "back\\slash", "schlüssel", "钥匙🚀密码", "in\tside", "schlüs\tsel"]
)
def test_a_body_that_is_repeated_gives_nothing_away(secret: str, *, plain: bool) -> None:
    """JSON spells some characters otherwise, and may be quoted as it was sent."""
    body = json.dumps({"apiSecret": secret, "name": "Desk"}, ensure_ascii=plain)
    error = refused(400, f"bad body: {body}", "error", secret)
    assert str(error).startswith('bad body: {"apiSecret": "****", "name": "Desk"}')


@pytest.mark.parametrize("secret", ["half/way==", 'pa"ss/word', "schlüssel/loch"])
def test_slashes_that_are_escaped_give_nothing_away(secret: str) -> None:
    """Some servers spell them so in JSON, and keys in base64 have them."""
    body = json.dumps({"apiSecret": secret}).replace("/", r"\/")
    error = refused(400, f"bad body: {body}", "error", secret)
    assert str(error).startswith('bad body: {"apiSecret": "****"}')


SPELLINGS: dict[str, Callable[[str], str]] = {
    "percent": partial(quote, safe=""),
    "a query": lambda secret: urlencode({"apiSecret": secret}),
    "small percent": lambda secret: quote(secret, safe="").lower(),
    "HTML": html.escape,
    "HTML numbers": lambda secret: "".join(f"&#{ord(each)};" for each in secret),
    "JSON numbers": lambda secret: "".join(f"\\u{ord(each):04X}" for each in secret),
    "JSON in JSON": lambda secret: json.dumps(json.dumps({"apiSecret": secret})),
    "base64": lambda secret: b64encode(secret.encode()).decode(),
    "base64 for URLs": lambda secret: urlsafe_b64encode(secret.encode()).decode().rstrip("="),
    "Basic": lambda secret: "Basic " + b64encode(f"user:{secret}".encode()).decode(),
    "capitals": str.upper,
    "small letters": str.lower,
    "its beginning": lambda secret: f"{secret[:20]}...",
    "its end": lambda secret: f"...{secret[-20:]}",
    "broken": lambda secret: f"{secret[:11]}\n{secret[11:]}",
    "with a zero width space": lambda secret: f"{secret[:11]}\u200b{secret[11:]}",
}


@pytest.mark.parametrize("where", ["error", "request id"])
@pytest.mark.parametrize("spelt", SPELLINGS.values(), ids=SPELLINGS)
def test_a_secret_spelt_otherwise_is_hidden(spelt: Callable[[str], str], where: str) -> None:
    """As a gateway, a log or a careful server may: a part of it, or all in other characters."""
    secret = f"organizations/77/{marker('secret')}<+=\"'&>{marker('tail')}"
    text = f"bad secret: {spelt(secret)}"
    error = refused(400, text, where, secret)
    said = unquote(html.unescape(shown(error))).lower()
    seen = [secret[at : at + 8] for at in range(len(secret) - 7)]
    assert not [piece for piece in seen if piece.lower() in said]
    assert b64encode(secret.encode()).decode()[:12] not in shown(error)
    assert "bad secret: " in shown(error)


@pytest.mark.parametrize(
    "text",
    [
        "no EC PRIVATE KEY",
        "100%25 of &lt;apiSecret&gt; is \\u0022wrong\\u0022",
        "aHR0cHM6Ly9leGFtcGxlLnRlc3Q= is no key",
        "\N{LATIN CAPITAL LETTER I WITH DOT ABOVE} is no letter of a key",
    ],
)
def test_a_text_without_a_secret_is_left_as_it_is(text: str) -> None:
    """What all keys have in common is no secret, and nothing else is spelt anew."""
    assert vars(refused(400, text, "error", "-----BEGIN EC PRIVATE KEY-----\n"))["message"] == text


def test_a_text_without_end_takes_no_time(monkeypatch: pytest.MonkeyPatch) -> None:
    """A megabyte of text is not searched for a secret beyond what is shown of it."""
    redact = Mock(wraps=Secret.redact)
    monkeypatch.setattr(Secret, "redact", redact)
    error = refused(400, "x" * 1_000_000 + marker("secret"), "error")
    assert len(vars(error)["message"]) == 301
    assert len(redact.call_args.args[0]) < 10_000


@pytest.mark.parametrize(
    ("secret", "text", "left"),
    [
        ("abcd", "key abcd, abcd!", "key ****, ****!"),
        ("abc", "abcdef", "abcdef"),
        (" abc ", "abcdef", "abcdef"),
        ("a.c+", "abc+ a.c+", "abc+ ****"),
        ("trimmed\n", "<trimmed>", "<****>"),
        ("\ttrimmed ", "<trimmed >", "<**** >"),
        ("one+\r\ntwo+\r\n", "<two+><one+\n>", "<****><**** >"),
        ("0123456789", "key 01234567?", "key ****?"),
        ("0123456789", "key 23456789", "key ****"),
        ("0123456789", "key 0123456?", "key 0123456?"),
        ("a%41b", "QUJDREVGR0hJa%41b", "QUJDREVGR0hJ****"),
    ],
    ids=[
        *("twice", "too short", "too short inside", "no pattern", "right", "left", "lines"),
        *("eight at its beginning", "eight at its end", "seven", "behind what may be base64"),
    ],
)
def test_what_is_left_of_a_text(secret: str, text: str, left: str) -> None:
    """Only what was secret is hidden, so that the text still helps."""
    assert vars(refused(400, text, "error", secret))["message"] == left


def test_a_secret_within_a_secret_does_not_save_the_rest() -> None:
    """The longer one is hidden first, or what is left of it would show."""
    error = refused(400, f"bad secret {marker('key')}-tail", "error", f"{marker('key')}-tail")
    assert "tail" not in shown(error)


@pytest.mark.parametrize(
    "location",
    ["https://{}.test/", "https://host/{}", "https://host?key={}", "https://{}@host/", "/{}"],
)
def test_a_redirect_gives_nothing_away(location: str) -> None:
    """The target of a redirect may have been built from what was sent."""
    reply = answer(307, b"", Location=location.format(marker("secret")))
    error = judge(call(CONNECT), reply, sent_at=NOW.timestamp()).error
    assert error is not None
    assert marker("secret") not in shown(error)


def test_a_body_that_cannot_be_read_is_not_repeated() -> None:
    """Whatever a proxy puts into its page stays there."""
    for body in (
        marker("secret").encode(),
        f"<p>{marker('key')}".encode(),
        f'"{marker()}"'.encode(),
    ):
        for status in STATUSES:
            error = judge(call(CONNECT), answer(status, body), sent_at=NOW.timestamp()).error
            assert error is not None
            assert "4c0b" not in shown(error)


def test_the_name_of_an_account_is_no_secret() -> None:
    """What is needed to find the account again stays readable."""
    error = judge(call(CONNECT, name="desk-7"), answer(500, b"x"), sent_at=NOW.timestamp()).error
    assert error is not None
    assert vars(error)["name"] == "desk-7"
