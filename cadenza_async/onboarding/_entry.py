"""What a row is known by: its key, its fingerprint, the names it may have. No I/O."""

from __future__ import annotations

from hashlib import sha256
from typing import TYPE_CHECKING, Final

from attrs import frozen

if TYPE_CHECKING:
    from hmac import HMAC

    from cadenza_async.models import NewAccount

_KEY_DIGITS: Final = 16
_SUFFIX_DIGITS: Final = 4
_LONGEST_LABEL: Final = 40  # characters of a key that a made-up name shows


@frozen(kw_only=True)
class Entry:
    """A row as the journal takes it in: without its secrets.

    Attributes:
        key: What it is known by.
        user: Whose account it is; empty for the client's own.
        venue: As given.
        names: Names it may have, the best first.
        fingerprint: Tells whether its content has changed.
        evasive: Whether another name will do if the best belongs to an account from before.
    """

    key: str
    user: str
    venue: str
    names: tuple[str, ...]
    fingerprint: str
    evasive: bool


def enter(account: NewAccount, keyed: HMAC, *, unique_names: bool) -> Entry:
    """Take down a row.

    Args:
        account: The row.
        keyed: What the fingerprints begin with: a hash under the journal's own key.
        unique_names: Whether a name that is taken may be altered.
    """
    key = key_of(account)
    return Entry(
        key=key,
        user=account.user or "",
        venue=account.venue,
        names=_names(account, key, unique=unique_names),
        fingerprint=_fingerprint(account, keyed),
        evasive=unique_names,
    )


def key_of(account: NewAccount) -> str:
    """Return what a row is known by: its key, or one made of what tells accounts apart."""
    return account.key or _digest(account)


def _digest(account: NewAccount) -> str:
    """Return the key of a row that has none."""
    digest = sha256(f"{account.user or ''}\0{account.venue.upper()}\0".encode())
    account.api_key.feed(digest)
    digest.update(f"\0{account.account_type or ''}".encode())
    return digest.hexdigest()[:_KEY_DIGITS]


def _names(account: NewAccount, key: str, *, unique: bool) -> tuple[str, ...]:
    name = (account.name or "").strip()
    if name and not unique:
        return (name,)
    digest = _digest(account)
    if name:
        return (name, f"{name} {digest[:_SUFFIX_DIGITS]}", f"{name} {digest}")
    if key == digest:
        return (f"{account.venue} {digest[: 2 * _SUFFIX_DIGITS]}", f"{account.venue} {digest}")
    label = f"{account.venue} {key[:_LONGEST_LABEL].strip()}"
    return (f"{label} {digest[:_SUFFIX_DIGITS]}", f"{label} {digest}")


def _fingerprint(account: NewAccount, keyed: HMAC) -> str:
    content = keyed.copy()
    texts = (account.user, account.venue, account.name, account.account_type)
    content.update(repr(texts).encode())
    for hidden in (account.api_key, account.api_secret, account.api_passphrase):
        if hidden is None:
            content.update(b"\0")
        else:
            content.update(b"\0\1")
            hidden.feed(content)
    return content.hexdigest()
