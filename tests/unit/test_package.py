"""The public names, and what importing them costs."""

from __future__ import annotations

import subprocess
import sys
from importlib import import_module

import pytest

import cadenza_async

PUBLIC = """
AccountStatus AccountType AsyncCadenza Attempt Cadenza Credential CredentialStatus CredentialType
Health HealthStatus JournalReader JournalRow LoginSession NewAccount Onboarding Operation
OperationStatus OperationType PasswordLogin Reach ReachableAccount RowOutcome RowState Secret
SessionPool TokenSource TradingAccount User Venue errors onboard
"""


def modules_after(statement: str) -> set[str]:
    """Run a statement in a Python of its own and return the modules it has loaded."""
    code = (
        f"import sys; before = {{*sys.modules}}; {statement}; print(*({{*sys.modules}} - before))"
    )
    done = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    return set(done.stdout.split())


def test_the_public_names() -> None:
    """Nothing is exported by accident, and nothing public goes away unseen."""
    assert cadenza_async.__all__ == PUBLIC.split()


@pytest.mark.parametrize("name", PUBLIC.split())
def test_a_public_name_is_what_its_module_defines(name: str) -> None:
    """What is loaded on first use is the thing itself, and stays the same."""
    thing = getattr(cadenza_async, name)
    assert thing is getattr(cadenza_async, name)
    home = import_module("cadenza_async.errors" if name == "errors" else thing.__module__)
    assert thing is (home if name == "errors" else getattr(home, name))


@pytest.mark.parametrize("name", ["Nothing", "Config", "Page", "__wrapped__"])
def test_there_is_nothing_else(name: str) -> None:
    """A misspelt name is an `AttributeError` that says so."""
    with pytest.raises(AttributeError, match=f"'cadenza_async' has no attribute '{name}'"):
        getattr(cadenza_async, name)


def test_dir_shows_the_public_names() -> None:
    """Completion offers them before they are loaded, and nothing that is there by accident."""
    assert dir(cadenza_async) == sorted([*cadenza_async.__all__, "__version__"])


def test_star_import() -> None:
    """`from cadenza_async import *` gives the public names."""
    names: dict[str, object] = {}
    exec("from cadenza_async import *", names)  # noqa: S102  # a function cannot import all
    assert {*cadenza_async.__all__} <= names.keys()


def test_importing_the_package_loads_nothing() -> None:
    """Programs that may never make a call do not pay for one."""
    loaded = modules_after("import cadenza_async; dir(cadenza_async)")
    ours = {name for name in loaded if name.startswith("cadenza_async")}
    assert ours == {"cadenza_async"}
    assert not loaded & {
        "aiohttp",
        "anyio",
        "asyncio",
        "attr",
        "cattrs",
        "ssl",
        "typing_extensions",
    }


@pytest.mark.parametrize("name", ["errors", "Secret", "TradingAccount", "PasswordLogin"])
def test_values_and_errors_load_no_network(name: str) -> None:
    """Code that only catches errors or keeps secrets needs no aiohttp."""
    loaded = modules_after(f"from cadenza_async import {name}")
    assert not loaded & {"aiohttp", "anyio", "cattrs", "cadenza_async.client"}


@pytest.mark.parametrize("name", ["AsyncCadenza", "SessionPool"])
def test_the_async_client_loads_no_sync_one(name: str) -> None:
    """A trading engine pays neither for the facade, nor for the sandbox, nor for the command."""
    loaded = modules_after(f"from cadenza_async import {name}")
    assert "aiohttp" in loaded
    heavy = {"cadenza_async.sync", "cadenza_async.sandbox", "aiohttp.web", "rich", "typer"}
    assert not loaded & heavy


def test_nothing_loads_requests_or_a_second_json() -> None:
    """What the package depends on is what it says it depends on."""
    loaded = modules_after("from cadenza_async import *")
    tops = {name.partition(".")[0] for name in loaded}
    assert not tops & {"requests", "httpx", "pydantic", "hypothesis", "pytest", "rich", "typer"}
    assert not tops & {"msgspec", "orjson", "simplejson", "ujson"}
