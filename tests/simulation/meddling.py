"""Somebody else who has the users' accounts in hand, and changes them at any moment."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from contextlib import suppress
from random import Random
from typing import TYPE_CHECKING, Any

from attrs import define, field

from cadenza_async import NewAccount, RowOutcome, RowState
from cadenza_async.sandbox import _accounts, _connecting, _credentials, _exchange
from cadenza_async.sandbox._platform import Call
from cadenza_async.sandbox._replies import Refusal
from cadenza_async.sandbox._sessions import Grant

from .world import World

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine

    from cadenza_async.sandbox._platform import Platform
    from cadenza_async.sandbox._state import Account, Credential

    from .history import Birth

_CALL = Call(method="", path="", url="", headers={}, query=(), content_type="", body=b"")
_MOST_CONNECTS = 60  # or lists would have changed each time that they are read
DEEDS = (
    *("rename", "rename", "rename", "rename back", "rename and disconnect"),
    *("disable", "enable", "disconnect", "connect", "connect"),
)
DEEDS_WITH_CREDENTIALS = ("revoke", "store", "connect with it")


@define
class Meddler:
    """Renames, disables, enables, disconnects, connects, stores and revokes.

    Only in a world of namesakes does something get the exact name of a row that is not DONE: no
    list can tell it from what the job has made. Elsewhere only what was there before the job, or
    is known to be another row's, may have that name.

    Args:
        world: Where that happens.
        dice: Decides.
        rows: What the job is to connect.
        told: What the job has told of its rows, by their keys.
        baseline: Whether it knows what was there before it.

    Attributes:
        deeds: What was done, and how often.
    """

    world: World
    dice: Random
    rows: list[NewAccount]
    told: Mapping[str, RowOutcome]
    baseline: bool = True
    deeds: Counter[str] = field(factory=Counter[str], init=False)
    _before: set[str] = field(factory=set[str], init=False)
    _pause: float = field(init=False)
    _curiosity: float = field(init=False)
    _busy: bool = field(default=False, init=False)
    _left: int = field(default=_MOST_CONNECTS, init=False)

    def __attrs_post_init__(self) -> None:
        self._pause = self.dice.uniform(5, 200)
        self._curiosity = self.dice.uniform(0, 0.4)

    def begin(self) -> None:
        """Connect something before the job begins, and meddle from then on, if there is company."""
        self._busy = self.world.company != "nobody"
        if not self._busy:
            return
        history = self.world.history
        for _ in range(self.dice.randint(0, 6)):
            self._connect(self._anywhere())
        if self.baseline:
            self._before = set(history.accounts)
            history.touched.clear()
        history.on_account = self._notice
        self._go_on()

    def hurry(self) -> None:
        """Do in a moment what there is time for while the client's machine is asleep."""
        for _ in range(self.dice.randint(0, 5)):
            self._act()

    def stop(self) -> None:
        """Leave everything alone."""
        self._busy = False

    def _go_on(self) -> None:
        self._act()
        self.world.loop.call_later(self.dice.expovariate(1 / self._pause), self._go_on)

    def _notice(self, birth: Birth) -> None:
        """Meddle with an account that was just made, perhaps."""
        if self.dice.random() < self._curiosity:
            self.world.loop.call_later(10 ** self.dice.uniform(-2, 2.2), self._meddle, birth.id)

    def _act(self) -> None:
        if not self._busy:
            return
        if self.dice.random() < 0.3:
            self._connect(self._anywhere())
        elif accounts := self._platform.accounts.everything():
            self._meddle(self.dice.choice(accounts).key)

    def _meddle(self, id_: str) -> None:
        """Do something with an account, or beside it."""
        account = self._platform.accounts.find(id_)
        if not self._busy or account is None:
            return
        deeds = DEEDS + (DEEDS_WITH_CREDENTIALS if account.credential_ids else ())
        deed, place = self.dice.choice(deeds), (account.user_id, account.venue.upper())
        self.deeds[deed] += 1
        self.world.note(f"somebody else: {deed} {id_}")
        if deed.startswith("rename"):
            self._change(account, _accounts.update, nickname=self._name(account, deed))
        if deed.endswith(("disconnect", "disable", "enable")):
            self._change(account, getattr(_accounts, deed.rpartition(" ")[-1]))
        if deed == "connect":
            self._connect(place)
        if deed == "store":
            self._store(place)
        if deed == "revoke":
            self._revoke(self.dice.choice(self._platform.credentials.everything()))
        if deed == "connect with it":
            self._connect_with(self.dice.choice(self._platform.credentials.everything()))

    def _name(self, account: Account, deed: str) -> str:
        if deed == "rename back":
            return self.world.history.accounts[account.key].name
        return self._new_name(account.user_id, account.venue, account.key)

    def _new_name(self, user: str, venue: str, account: str | None) -> str:
        """Return a name: any, or one that resembles a row's, or is that of a row."""
        dice = self.dice
        here = [row for row in self.rows if (row.user, row.venue.upper()) == (user, venue.upper())]
        row = dice.choice(dice.choice((here, self.rows)) or self.rows)
        how = dice.choice(("any", "alike", "same"))
        taken = row.name or f"{row.venue} {row.key} 0123"
        if how == "alike":
            return dice.choice((taken.upper(), taken[: dice.randint(7, 14)].strip(), "N"))
        free = self.world.company == "namesakes" or row not in here
        if how == "same" and (free or self._is_safe(row, account)):
            return taken
        return f"Desk {dice.randrange(1000)} of somebody else"

    def _is_safe(self, row: NewAccount, account: str | None) -> bool:
        """Tell whether an account can be called as a row's, and is never taken for it."""
        told = self.told.get(row.key or "")
        done = told is not None and told.state is RowState.DONE
        return done or self._is_known(account)

    def _is_known(self, account: str | None) -> bool:
        """Tell whether an account was there before the job, or is a row's that is DONE."""
        done = [each.account for each in self.told.values() if each.account is not None]
        return account in self._before or account in {each.trading_account_id for each in done}

    def _change(self, account: Account, how: Callable[..., Any], **given: str) -> None:
        if not self._is_known(account.key):
            self._touch(account.user_id, account.venue)
        self._do(account.user_id, how, tradingAccountId=account.key, **given)

    def _anywhere(self) -> tuple[str, str]:
        row = self.dice.choice(self.rows)
        return row.user or "", row.venue.upper()

    def _connect(self, place: tuple[str, str]) -> None:
        """Connect something else."""
        self._left -= 1
        if self._left < 0:
            return
        if self._platform.dialect.name == "openapi":
            self._store(place)
            self._connect_with(self._platform.credentials.everything()[-1])
        else:
            self._touch(*place)
            name = self._new_name(*place, None)
            self._do(place[0], _connecting.connect, venue=place[1], name=name, **self._keys())

    def _store(self, place: tuple[str, str]) -> None:
        """Store something else."""
        self._touch(*place)
        given = {"venue": place[1], "nickname": self._new_name(*place, None), **self._keys()}
        self._do(place[0], _credentials.create, credentialType="API_KEY", **given)

    def _revoke(self, credential: Credential) -> None:
        self._touch(credential.user_id, credential.venue)
        self.world.history.revoked.add(credential.key)
        self._do(credential.user_id, _credentials.revoke, credentialId=credential.key)

    def _connect_with(self, credential: Credential) -> None:
        """Connect what a credential reaches, a row's or another."""
        user, venue = credential.user_id, credential.venue
        self._touch(user, venue)
        for place in _exchange.reached(credential.api_key, credential.holder)[:1]:
            self._do(
                user,
                _connecting.connect,
                credentialIds=[credential.key],
                externalTradingAccountId=place.external_id,
                nickname=self._new_name(user, venue, None),
            )

    def _keys(self) -> dict[str, str]:
        key = f"a key of somebody else {self.dice.random()}"
        return {"apiKey": key, "apiSecret": "a secret", "apiPassphrase": "a passphrase"}

    def _touch(self, user: str, venue: str) -> None:
        self.world.history.touched.add((user, venue.upper()))

    def _do(self, user: str, endpoint: Callable[..., Any], **given: Any) -> None:
        """Do what an endpoint does, at once; what it refuses is not done."""
        with self.world.history.by_hand():
            _finish(endpoint(self._platform, _CALL, Grant(user=user, expires=None), given))

    @property
    def _platform(self) -> Platform:
        return self.world.sandbox._platform


def _finish(job: Coroutine[Any, Any, object]) -> None:
    """Let something happen at once, or not at all: an exchange that is slow is not waited for."""
    with suppress(StopIteration, Refusal):
        job.send(None)
    job.close()
