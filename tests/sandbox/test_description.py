"""The sandbox's own OpenAPI document, and schemathesis, which takes it by its word."""

from __future__ import annotations

import json
import re
import secrets
from contextlib import ExitStack
from typing import TYPE_CHECKING, Any

import pytest
import schemathesis
from anyio.from_thread import start_blocking_portal
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from requests import Session
from schemathesis import GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.core.result import Ok
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from cadenza_async.sandbox import Fault, Sandbox

from .api import new_account, serving

if TYPE_CHECKING:
    from collections.abc import Iterator

    from schemathesis import APIOperation, Case

    from cadenza_async.sandbox._dialects import DialectName

CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_schema_conformance,
]
EXAMPLES = {GenerationMode.POSITIVE: 8, GenerationMode.NEGATIVE: 4}
DIALECTS = pytest.mark.parametrize("dialect", ["pages", "openapi"])
EMAIL = "ops@example.test"


class World:
    """A sandbox in which there is something to ask for, and a caller that checks every answer."""

    def __init__(self, sandbox: Sandbox, session: Session) -> None:
        self.sandbox, self.session = sandbox, session
        self.password = secrets.token_hex(8)
        sandbox.add_user(EMAIL, self.password)
        self.schema = schemathesis.openapi.from_url(f"{sandbox.url}/openapi.json")
        self.answered: set[tuple[str, int]] = set()

    def call(self, case: Case[Any]) -> None:
        """Make a call with a token of its own, unless it is one that needs none."""
        public = case.operation.definition.raw.get("security") == []
        headers = {} if public else {"Authorization": f"Bearer {self.sandbox.token()}"}
        answer = case.call_and_validate(session=self.session, headers=headers, checks=CHECKS)
        self.answered.add((case.operation.path.removeprefix("/api/v3/"), answer.status_code))

    def truth(self) -> dict[str, Any]:
        """What exists, by the names of the fields that ask for it."""
        words = {"credentialType": "API_KEY"} if self.sandbox.dialect == "openapi" else {}
        credential = self._post("credential/create", new_account(**words))["credentialId"]
        session = self._post("auth/login", {"email": EMAIL, "password": self.password})
        named: dict[str, Any] = {"venue": "MOCK", "credentialId": credential}
        if self.sandbox.dialect == "pages":
            account = self._post("tradingAccount/connect", new_account())
        else:
            named = {"venue": "FERMATA", "credentialId": credential}
            old, new = (self._reach(each) for each in (self._store(words), credential))
            account = self._post("tradingAccount/connect", old)
            named.update(new)
        return {
            **named,
            "tradingAccountId": account["tradingAccountId"],
            "refreshToken": session["refreshToken"],
            "email": EMAIL,
            "password": self.password,
        }

    def _store(self, words: dict[str, str]) -> str:
        stored: str = self._post("credential/create", new_account(**words))["credentialId"]
        return stored

    def _reach(self, credential_id: str) -> dict[str, Any]:
        ids = {"credentialIds": [credential_id]}
        (place,) = self._post("credential/verify", ids)
        return {**ids, "externalTradingAccountId": place["externalTradingAccountId"]}

    def _post(self, path: str, body: dict[str, Any]) -> Any:
        headers = {"Authorization": f"Bearer {self.sandbox.access_token}"}
        url = f"{self.sandbox.url}/api/v3/{path}"
        return self.session.post(url, json=body, headers=headers).json()["data"]


@pytest.fixture
def world(dialect: DialectName) -> Iterator[World]:
    """Run a sandbox in a thread, because schemathesis blocks."""
    with ExitStack() as stack:
        portal = stack.enter_context(start_blocking_portal())
        made = Sandbox(dialect=dialect)
        sandbox = stack.enter_context(portal.wrap_async_context_manager(made))
        yield World(sandbox, stack.enter_context(Session()))


def attack(world: World, operation: APIOperation[Any, Any, Any, Any], mode: GenerationMode) -> None:
    """Make calls of one endpoint, as the document allows them or as it does not.

    Of those that it allows some are about what exists, which nothing made up ever is.
    """

    @settings(
        max_examples=EXAMPLES[mode],
        phases=[Phase.generate],
        suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much],
    )
    @given(case=operation.as_strategy(mode), real=st.booleans())
    def make(case: Case[Any], *, real: bool) -> None:
        if real and mode is GenerationMode.POSITIVE:
            truth = world.truth()
            for given in (case.body, case.query):
                if isinstance(given, dict):
                    given.update({name: truth[name] for name in given.keys() & truth.keys()})
        world.call(case)

    make()


@DIALECTS
def test_every_answer_is_documented(world: World) -> None:
    """No 5xx, no status, type or shape that the document does not have, whatever is sent."""
    operations = [ok.ok() for ok in world.schema.get_all_operations() if isinstance(ok, Ok)]
    for operation in operations:
        attack(world, operation, GenerationMode.POSITIVE)
        if operation.body or operation.query:
            attack(world, operation, GenerationMode.NEGATIVE)
    paths = {each.path.removeprefix("/api/v3/") for each in operations}
    assert {path for path, status in world.answered if status == 200} == paths
    assert {400, 401, 404} <= {status for _, status in world.answered}


@DIALECTS
async def test_the_document_has_every_endpoint(dialect: str) -> None:
    """Each is named as faults name it; login, refresh and health need no token."""
    async with serving(dialect=dialect) as api:
        answer = await api.call("GET", "../../openapi.json", token=None)
    document = answer.body
    operations = [each for path in document["paths"].values() for each in path.values()]
    assert document["openapi"] == "3.1.0"
    assert all(path.startswith("/api/v3/") for path in document["paths"])
    assert all(each["summary"] for each in operations)
    assert [Fault("drop", endpoint=each["operationId"]) for each in operations]
    open_to_all = [each["operationId"] for each in operations if each.get("security") == []]
    assert (len(operations), open_to_all) == (17, ["login", "refresh", "health"])


@DIALECTS
async def test_the_document_is_complete_in_itself(dialect: str) -> None:
    """What it refers to is there, and what is there is referred to."""
    async with serving(dialect=dialect) as api:
        answer = await api.call("GET", "../../openapi.json", token=None)
    names = set(re.findall(r'"#/components/schemas/(\w+)"', answer.raw.decode()))
    assert names == set(answer.body["components"]["schemas"])


KINDS = "API_KEY TOKEN HMAC OAUTH RSA ED25519"
KEPT = "CREATED ACTIVE EXPIRED REVOKED"
LIVING = "ACTIVE DISABLED DISCONNECTED"
DONE = "CONNECT DISCONNECT ENABLE DISABLE UPDATE CREDENTIAL_REVOKE CREDENTIAL_ROTATE"


@pytest.mark.parametrize(
    ("dialect", "words"),
    [
        (
            "pages",
            {
                ("connect", "accountType"): "SPOT MARGIN FUTURES CREDIT OPTIONS",
                ("list", "status"): LIVING,
                ("operations", "operationType"): DONE,
                ("credential-create", "type"): f"EXCHANGE {KINDS}",
                ("credential-list", "type"): f"EXCHANGE {KINDS}",
                ("credential-list", "status"): KEPT,
            },
        ),
        (
            "openapi",
            {
                ("list", "accountStatus"): f"{LIVING} NEW CREATED INACTIVE LOCKED UNAVAILABLE",
                ("operations", "operationType"): DONE,
                ("credential-create", "credentialType"): KINDS,
                ("credential-list", "credentialType"): KINDS,
                ("credential-list", "credentialStatus"): KEPT,
            },
        ),
    ],
    ids=["pages", "openapi"],
)
async def test_the_words_that_may_be_sent(dialect: str, words: dict[tuple[str, str], str]) -> None:
    """All those that are published for the dialect, and no others."""
    async with serving(dialect=dialect) as api:
        answer = await api.call("GET", "../../openapi.json", token=None)
    operations = [each for path in answer.body["paths"].values() for each in path.values()]
    found = {
        (each["operationId"], name): " ".join(schema["enum"])
        for each in operations
        for name, schema in _asked(each).items()
        if "enum" in schema
    }
    assert found == words


def _asked(operation: dict[str, Any]) -> dict[str, Any]:
    """What an endpoint reads, by name; nothing where there is a choice of bodies."""
    body = operation.get("requestBody", {}).get("content", {}).get("application/json", {})
    fields: dict[str, Any] = body.get("schema", {}).get("properties", {})
    return fields | {each["name"]: each["schema"] for each in operation.get("parameters", [])}


async def test_the_document_speaks_the_dialect_of_the_sandbox() -> None:
    """Words of the one are not in the document of the other."""
    texts = []
    for dialect in ("pages", "openapi"):
        async with serving(dialect=dialect) as api:
            texts.append((await api.call("GET", "../../openapi.json", token=None)).raw.decode())
    words = ["accountStatus", "credentialStatus", "externalAccountType"]
    assert [word in texts[0] for word in words] == [False] * 3
    assert [word in texts[1] for word in words] == [True] * 3
    assert ("userId" in texts[0], "userId" in texts[1]) == (True, False)
    (joined,), (repeated,) = (re.findall(r'"explode": (\w+)', text) for text in texts)
    assert (joined, repeated) == ("false", "true")
    assert json.loads(texts[0])["paths"].keys() == json.loads(texts[1])["paths"].keys()
