"""Any order of calls, mishaps and waits: a name has one live account at most, and done is done."""

from __future__ import annotations

import asyncio
from collections import Counter
from contextlib import ExitStack
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, TypeVar

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from cadenza_async import PasswordLogin, SessionPool
from cadenza_async.errors import AmbiguousOutcomeError, CadenzaError, OutcomeUnknownError
from cadenza_async.sandbox import Sandbox

from .network import virtual

if TYPE_CHECKING:
    from collections.abc import Coroutine

    from cadenza_async import TradingAccount

T = TypeVar("T")

_EPOCH = 1_700_000_000.0
_LIFETIME = 600
_QUARANTINE = 15.0
_LEEWAY = 6.0  # after which a new account is not taken for the one before of the same name
_NAMES = st.sampled_from(["Desk 1", "Desk 2", "desk 3"])
_FAULTS = st.sampled_from(
    [
        "drop-before-commit@connect",
        "drop-after-commit@connect",
        "reset-after-commit",
        "hang-before-commit",
        "hang-after-commit@connect",
        "slow-commit:9s@connect",
        "slow-commit:9s@disconnect",
        "latency:40s",
        "truncated",
        "garbage@connect",
        "html-200-after-commit",
        "307-after-commit",
        "500-after-commit@connect",
        "503-html-before-commit",
        "429",
        "429-html",
        "429-venue@connect",
        "503-lock",
        "expired-token",
        "close-idle",
        "capped-list:1",
        "drop@login",
        "hang@refresh",
    ]
)


class Machine(RuleBasedStateMachine):
    """One client and its sandbox; `live` and `doubts` are what the client was told."""

    def __init__(self) -> None:
        super().__init__()
        self.live: dict[str, str] = {}
        self.doubts: dict[str, dict[str, Any]] = {}
        self._stack = ExitStack()
        self._runner = self._stack.enter_context(virtual())
        self._loop = self._runner.get_loop()
        self.sandbox = Sandbox(
            clock=self._wall, seed=0, session_lifetime=_LIFETIME, rate_limit=60, auth_rate_limit=10
        )
        self.sandbox.add_user("desk@desk.test", "a password")
        self._run(self.sandbox.__aenter__())
        self._pool = SessionPool(base_url=self.sandbox.url, timeout=20)
        self._pool._shared.wall = self._wall
        self._run(self._pool.__aenter__())
        login = PasswordLogin(email="desk@desk.test", password="a password")
        self.client = self._run(self._make_client(login))

    def teardown(self) -> None:
        self._run(self._pool.aclose())
        self._run(self.sandbox.__aexit__(None, None, None))
        self._stack.close()

    @rule(fault=_FAULTS)
    def something_will_go_wrong(self, fault: str) -> None:
        self.sandbox.script(fault)

    @rule(seconds=st.sampled_from([1, 20, 70, _LIFETIME]))
    def time_passes(self, seconds: int) -> None:
        self._run(asyncio.sleep(seconds))

    @rule(name=_NAMES, patience=st.sampled_from([None, None, 0.001, 0.05, 5]))
    def connect(self, name: str, patience: float | None) -> None:
        if name in self.live or name in self.doubts:
            return
        since = datetime.fromtimestamp(self._wall(), UTC)
        try:
            account = self._run(self._connect(name, patience))
        except OutcomeUnknownError as unknown:
            self.doubts[name] = {"error": unknown}
        except CadenzaError:
            pass
        else:
            if account is None:
                self.doubts[name] = {"venue": "bybit", "name": name, "since": since}
            else:
                self.live[name] = account.trading_account_id

    @precondition(lambda self: self.doubts)
    @rule()
    def find_out(self) -> None:
        name = next(iter(self.doubts))
        self._run(asyncio.sleep(_QUARANTINE))
        try:
            found = [self._run(self.client.resolve(**self.doubts[name])) for _ in range(2)]
        except AmbiguousOutcomeError:
            raise
        except CadenzaError:
            return
        assert found[0] == found[1]
        del self.doubts[name]
        if found[0] is not None:
            self.live[name] = found[0].trading_account_id

    @precondition(lambda self: self.live)
    @rule()
    def disconnect(self) -> None:
        name = next(iter(self.live))
        try:
            self._run(self.client.disconnect_account(self.live[name]))
        except OutcomeUnknownError:
            self._run(asyncio.sleep(_QUARANTINE))
            if self.live[name] not in self._existing():
                del self.live[name]
        except CadenzaError:
            pass
        else:
            assert self.live.pop(name) not in self._existing()
            self._run(asyncio.sleep(_LEEWAY))

    @rule()
    def read_the_list(self) -> None:
        before = self._ever()
        try:
            listed = self._run(self._list())
        except CadenzaError:
            return
        assert len(listed) == len(set(listed))
        assert before <= set(listed) <= self._ever()

    @invariant()
    def one_live_account_for_a_name(self) -> None:
        names = Counter(each["name"] for each in self.sandbox.accounts)
        assert all(number == 1 for number in names.values())

    @invariant()
    def what_was_done_is_there_and_nothing_else(self) -> None:
        existing = self._existing()
        assert set(self.live.values()) <= set(existing)
        assert {existing[known] for known in existing} <= {*self.live, *self.doubts}

    def _run(self, job: Coroutine[Any, Any, T]) -> T:
        return self._runner.run(job)

    def _wall(self) -> float:
        return _EPOCH + self._loop.time()

    def _existing(self) -> dict[str, str]:
        return {each["tradingAccountId"]: each["name"] for each in self.sandbox.accounts}

    def _ever(self) -> set[str]:
        everything = [*self.sandbox.accounts, *self.sandbox.archive]
        return {each["tradingAccountId"] for each in everything}

    async def _make_client(self, login: PasswordLogin) -> Any:
        return self._pool.client(access_token=login)

    async def _connect(self, name: str, patience: float | None) -> TradingAccount | None:
        """Connect, or break it off."""
        call = asyncio.ensure_future(
            self.client.connect_account(
                venue="bybit", api_key="a key", api_secret="a secret", name=name
            )
        )
        if patience is not None:
            asyncio.get_running_loop().call_later(patience, call.cancel)
        await asyncio.wait([call])
        return None if call.cancelled() else call.result()

    async def _list(self) -> list[str]:
        return [account.trading_account_id async for account in self.client.list_accounts()]


TestMachine = Machine.TestCase
TestMachine.settings = settings(max_examples=200, stateful_step_count=40)
