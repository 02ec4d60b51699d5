"""What the platform remembers: accounts, credentials and operations, in the order they came."""

from __future__ import annotations

from collections.abc import Callable
from typing import Generic, Protocol, TypeVar

from attrs import define, field, frozen

from cadenza_async.sandbox._records import keep_nothing

ACTIVE = "ACTIVE"
CREATED = "CREATED"
DISABLED = "DISABLED"
DISCONNECTED = "DISCONNECTED"
EXPIRED = "EXPIRED"
REVOKED = "REVOKED"
SUCCESS = "SUCCESS"
FAILED = "FAILED"
PENDING = "PENDING"


@frozen(kw_only=True)
class Keys:
    """What an exchange gave its customer; never shown."""

    api_key: str | None = field(default=None, repr=False)
    api_secret: str | None = field(default=None, repr=False)
    api_passphrase: str | None = field(default=None, repr=False)


@frozen(kw_only=True)
class Account:
    """A trading account; times are in milliseconds since the epoch.

    It has keys of its own when it was connected with them, and credentials when it was
    connected by reference; the keys are forgotten when it is disconnected.
    """

    trading_account_id: str
    user_id: str
    venue: str
    name: str
    account_type: str
    external_id: str
    credential_ids: tuple[str, ...] = ()
    keys: Keys | None = None
    status: str = ACTIVE
    created_at: int
    updated_at: int
    disconnected_at: int | None = None

    @property
    def key(self) -> str:
        """What it is found by."""
        return self.trading_account_id

    @property
    def is_connected(self) -> bool:
        """Whether it was not disconnected."""
        return self.status != DISCONNECTED


@frozen(kw_only=True)
class Credential:
    """Keys that were stored for later; times are in milliseconds since the epoch.

    The holder stands for whoever the keys belong to at the exchange, and outlives a rotation.
    Every api key that it ever had is known by its digest, the present one last. Revoking forgets
    the keys themselves.
    """

    credential_id: str
    user_id: str
    venue: str
    credential_type: str
    name: str | None
    keys: Keys | None
    masked_key: str | None
    holder: str
    known: tuple[str, ...] = ()
    status: str
    created_at: int
    updated_at: int
    revoked_at: int | None = None

    @property
    def key(self) -> str:
        """What it is found by."""
        return self.credential_id

    @property
    def api_key(self) -> str:
        """The api key, as far as there is one."""
        return (self.keys and self.keys.api_key) or ""


@frozen(kw_only=True)
class Operation:
    """Something that was done, or tried, to an account; the time is in ms since the epoch."""

    operation_id: str
    user_id: str
    trading_account_id: str
    operation_type: str
    status: str
    created_at: int

    @property
    def key(self) -> str:
        """What it is found by."""
        return self.operation_id


class Kept(Protocol):
    """What a shelf holds: it has a key and an owner, and neither ever changes."""

    @property
    def key(self) -> str: ...
    @property
    def user_id(self) -> str: ...


T = TypeVar("T", bound=Kept)


@define
class Shelf(Generic[T]):
    """Everything of a kind, of all users, oldest first; nothing is ever deleted.

    Whatever is put there is also given to `keep`, which may write it down.
    """

    keep: Callable[[T], object] = field(default=keep_nothing, repr=False, kw_only=True)
    _all: dict[str, T] = field(factory=dict[str, T], init=False, repr=False)
    _ids: dict[str, list[str]] = field(factory=dict[str, list[str]], init=False, repr=False)

    def put(self, thing: T) -> T:
        """Keep something new, or something in the place of what it was before."""
        self.restore(thing)
        self.keep(thing)
        return thing

    def restore(self, thing: T) -> None:
        """Have something here that is kept already."""
        if thing.key not in self._all:
            self._ids.setdefault(thing.user_id, []).append(thing.key)
        self._all[thing.key] = thing

    def find(self, key: str) -> T | None:
        """One of them, whatever became of it."""
        return self._all.get(key)

    def owned_by(self, user: str) -> list[T]:
        """All that a user ever had."""
        return [self._all[each] for each in self._ids.get(user, ())]

    def everything(self) -> list[T]:
        """All there is."""
        return list(self._all.values())


@define
class Accounts(Shelf[Account]):
    """All accounts, findable by the exchange's account behind them as well."""

    _places: dict[str, list[str]] = field(factory=dict[str, list[str]], init=False, repr=False)

    def restore(self, thing: Account) -> None:
        """Have an account here; which exchange account it stands for never changes."""
        if self.find(thing.key) is None:
            self._places.setdefault(thing.external_id, []).append(thing.key)
        super().restore(thing)

    def connected_to(self, external_id: str, venue: str) -> list[Account]:
        """Those that stand for an account at an exchange and were not disconnected."""
        here = [self._all[each] for each in self._places.get(external_id, ())]
        return [each for each in here if each.is_connected and each.venue.upper() == venue.upper()]
