"""What a row is known by. No I/O."""

from __future__ import annotations

import hmac
from hashlib import sha256
from typing import TYPE_CHECKING, Any

import hypothesis.strategies as st
import pytest
from hypothesis import example, given

from cadenza_async import RowState
from cadenza_async.onboarding._entry import enter
from cadenza_async.onboarding._store import Move, Store

from .jobs import row

if TYPE_CHECKING:
    from pathlib import Path

    from cadenza_async.onboarding._register import Admitted

KEYED = hmac.new(bytes(32), digestmod="sha256")


def test_the_default_key_is_documented() -> None:
    """The first 16 hex digits of SHA-256 over user, venue, API key and account type."""
    account = row(1, key=None, account_type="SPOT", api_key="the-key" * 3)
    digest = sha256(b"u-1\0BINANCE\0" + b"the-key" * 3 + b"\0SPOT").hexdigest()
    assert enter(account, KEYED, unique_names=False).key == digest[:16]


@pytest.mark.parametrize("field", ["venue", "api_key", "account_type", "user"])
def test_each_part_makes_another_key(field: str) -> None:
    """Rows that differ in what the key is made of differ in their key."""
    first = enter(row(1, key=None), KEYED, unique_names=False)
    second = enter(row(1, key=None, **{field: "another" * 3}), KEYED, unique_names=False)
    assert first.key != second.key


@pytest.mark.parametrize("given_", [{"name": "x"}, {"api_secret": "x" * 9}, {"venue": "binance"}])
def test_other_parts_do_not(given_: dict[str, Any]) -> None:
    """A corrected secret, another name, a venue in another case: it is the same row."""
    first = enter(row(1, key=None), KEYED, unique_names=False)
    second = enter(row(1, key=None, **given_), KEYED, unique_names=False)
    assert first.key == second.key
    assert first.fingerprint != second.fingerprint


def test_a_row_goes_no_way_that_there_is_not(tmp_path: Path) -> None:
    """The journal refuses what would lose track of a row."""
    store = Store(str(tmp_path / "journal"), "https://example.test", retry_failed=False)
    try:
        (admitted,) = store.register.admit([enter(row(1), KEYED, unique_names=False)])
        with pytest.raises(RuntimeError):
            store.move([Move(admitted.id, RowState.DONE)])
        store.move([Move(admitted.id, RowState.INTENT)])
        store.move([Move(admitted.id, RowState.DONE)])
        with pytest.raises(RuntimeError):
            store.move([Move(admitted.id, RowState.INTENT)])
    finally:
        store.close()


WAYS = {state: [RowState.INTENT, state] for state in RowState} | {
    RowState.PENDING: [],
    RowState.INTENT: [RowState.INTENT],
    RowState.CONFLICT: [RowState.INTENT, RowState.UNKNOWN, RowState.CONFLICT],
}


@pytest.mark.parametrize("state", RowState)
def test_the_name_of_a_row_that_is_not_there_any_more(tmp_path: Path, state: RowState) -> None:
    """Only if nothing can have come of that row, in whatever run, another one may have it."""
    admitted: list[Admitted] = []
    for number in (1, 2):
        store = Store(str(tmp_path / "journal"), "https://example.test", retry_failed=False)
        entry = enter(row(number, name="Desk"), KEYED, unique_names=False)
        admitted += store.register.admit([entry])
        for each in WAYS[state] if number == 1 else []:
            store.move([Move(admitted[0].id, each)])
        store.close()
    free = state in {RowState.PENDING, RowState.FAILED}
    assert admitted[1].state is (RowState.PENDING if free else RowState.FAILED)


FIELDS = ["venue", "api_key", "api_secret", "api_passphrase", "name", "account_type", "user"]
FACTS = st.fixed_dictionaries({name: st.text("ab", min_size=4, max_size=5) for name in FIELDS})


ALIKE = dict.fromkeys(FIELDS, "aaaa")


@given(FACTS, FACTS)
@example(ALIKE | {"api_key": "aaaaa"}, ALIKE | {"api_secret": "aaaaa"})
@example(ALIKE | {"api_secret": "aaaaa"}, ALIKE | {"api_passphrase": "aaaaa"})
def test_a_fingerprint_tells_contents_apart(first: dict[str, str], second: dict[str, str]) -> None:
    """Equal for equal contents, different for different ones, however the parts are cut."""
    prints = [
        enter(row(1, **facts), KEYED, unique_names=False).fingerprint for facts in (first, second)
    ]
    assert (prints[0] == prints[1]) == (first == second)


def test_a_fingerprint_needs_the_journals_key() -> None:
    """With another key it is another one."""
    other = hmac.new(bytes([1] * 32), digestmod="sha256")
    assert (
        enter(row(1), KEYED, unique_names=False).fingerprint
        != enter(row(1), other, unique_names=False).fingerprint
    )


@given(st.text(st.characters(codec="utf-8", exclude_categories=["C"]), min_size=1, max_size=99))
def test_made_up_names_are_short_and_tidy(key: str) -> None:
    """Whatever a key is, a name that is made of it is no burden."""
    for name in enter(row(1, key=key), KEYED, unique_names=False).names:
        assert name.startswith("BINANCE")
        assert name == name.strip()
        assert len(name) <= 70
