"""The steps of a row whose keys are stored first: create, verify, connect; rotate when corrected.

The journal knows by two facts where a row is: whether it has a credential, and which account of
the exchange was chosen for it. Only a step whose outcome is certain leads to the next one, so a
secret is stored once, and an account is connected with the one credential that the row has.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, Final, cast

from attrs import evolve

from cadenza_async import _endpoints
from cadenza_async._checks import check_text
from cadenza_async.errors import (
    ApiError,
    CadenzaError,
    ConflictError,
    CredentialsRejectedError,
    InvalidRowError,
    NotFoundError,
    OutcomeUnknownError,
    UnreadableAnswerError,
    UsageError,
)
from cadenza_async.models import Reach
from cadenza_async.onboarding._credentials import Held
from cadenza_async.onboarding._states import Fate
from cadenza_async.onboarding._steps import Step

if TYPE_CHECKING:
    from collections.abc import Sequence

    from cadenza_async._calls import Call
    from cadenza_async.config import Config
    from cadenza_async.models import Credential, ReachableAccount, TradingAccount
    from cadenza_async.onboarding._row import Row

_MOST_NAMED: Final = 5  # accounts in an error
_HTTP_OK: Final = 200
_REVOKED: Final = 130001


class Create(Step):
    """Stores the keys."""

    def call(self, row: Row, config: Config) -> Call[Credential]:
        account = row.account
        return _endpoints.create_credential(
            venue=account.venue,
            api_key=account.api_key,
            api_secret=account.api_secret,
            api_passphrase=account.api_passphrase,
            name=row.name,
            dialect=config.dialect,
        )

    def take(self, row: Row, value: Credential) -> CadenzaError | None:
        row.held = Held(credential_id=value.credential_id)
        row.doubted, row.fruitless_since = False, None
        return _unsendable("the credential's id", value.credential_id)

    def fate(self, row: Row, error: CadenzaError | None) -> Fate:
        return _on_the_way(super().fate(row, error))


class Rotate(Step):
    """Puts corrected keys in the place of those that are stored; doing it twice changes nothing."""

    names: ClassVar[bool] = False

    def call(self, row: Row, config: Config) -> Call[Credential]:  # noqa: ARG002  # other steps need it
        account = row.account
        return _endpoints.rotate_credential(
            _held(row).credential_id,
            api_key=account.api_key,
            api_secret=account.api_secret,
            api_passphrase=account.api_passphrase,
        )

    def take(self, row: Row, value: Credential) -> None:  # noqa: ARG002  # other steps need it
        row.held = evolve(_held(row), stale=False)

    def fate(self, row: Row, error: CadenzaError | None) -> Fate:
        _mind(row, error)
        return _on_the_way(super().fate(row, error))


class Verify(Step):
    """Asks the exchange which accounts the keys reach, and chooses the one to connect."""

    writes: ClassVar[bool] = False
    names: ClassVar[bool] = False

    def call(self, row: Row, config: Config) -> Call[tuple[ReachableAccount, ...]]:
        return _endpoints.verify_credential(_held(row).credential_id, dialect=config.dialect)

    def take(self, row: Row, value: Sequence[ReachableAccount]) -> CadenzaError | None:
        held = _held(row)
        reached = _eligible(value, held.external_id, row.account.account_type)
        new = [account for account in reached if account.reach is Reach.NEW]
        if len(new) != 1:
            row.held = evolve(held, told=_told(reached))
            return _several(new) if new else _none(reached)
        chosen = new[0].external_trading_account_id
        row.held = evolve(held, external_id=chosen, verified=True, told=None)
        return _unsendable("the id of the exchange's account", chosen)

    def fate(self, row: Row, error: CadenzaError | None) -> Fate:
        """Say what comes of it; asking changes nothing, so no answer leaves a doubt."""
        _mind(row, error)
        if isinstance(error, OutcomeUnknownError | UnreadableAnswerError):
            return Fate.THROTTLED
        return _on_the_way(super().fate(row, error))


class ConnectByReference(Step):
    """Connects the chosen account with the stored credential."""

    def call(self, row: Row, config: Config) -> Call[TradingAccount]:  # noqa: ARG002  # other steps need it
        held = _held(row)
        return _endpoints.connect_with_credential(
            held.credential_id, cast("str", held.external_id), name=row.name
        )

    def take(self, row: Row, value: TradingAccount) -> None:
        row.connected = value

    def fate(self, row: Row, error: CadenzaError | None) -> Fate:
        """Say what comes of it; what is not found may be the account, and not the credential."""
        if _is_revoked(error):
            _forget(row)
        return super().fate(row, error)


_CREATE, _ROTATE, _VERIFY, _CONNECT = Create(), Rotate(), Verify(), ConnectByReference()


def next_step(row: Row) -> Step:
    """Say what to send for a row that waits."""
    if row.held is None:
        return _CREATE
    if row.held.stale:
        return _ROTATE
    return _CONNECT if row.held.verified else _VERIFY


def _held(row: Row) -> Held:
    return cast("Held", row.held)  # or it would be another step


def _mind(row: Row, error: CadenzaError | None) -> None:
    """Take down that the credential is gone, if it is."""
    if _is_revoked(error) or isinstance(error, NotFoundError):
        _forget(row)


def _is_revoked(error: CadenzaError | None) -> bool:
    return isinstance(error, ApiError) and abs(error.errno or 0) == _REVOKED


def _forget(row: Row) -> None:
    """Part with the credential: a later run may store the keys anew."""
    row.held = evolve(_held(row), gone=True)


def _unsendable(what: str, id_: str) -> UsageError | None:
    """Return what is wrong with an id that has to be sent back."""
    try:
        check_text(what, id_)
    except UsageError as error:
        return error
    return None


def _on_the_way(came: Fate) -> Fate:
    return Fate.STEP_DONE if came is Fate.DONE else came


def _eligible(
    reached: Sequence[ReachableAccount], chosen: str | None, account_type: str | None
) -> Sequence[ReachableAccount]:
    """Leave out accounts that the row cannot be for.

    Once an account was chosen no other is: it may be connected by now. Before that the row's
    account type tells several apart.
    """
    if before := [each for each in reached if each.external_trading_account_id == chosen]:
        return before
    wanted = (account_type or "").casefold()
    fits = [each for each in reached if (each.account_type or "").casefold() == wanted]
    return fits or reached


def _told(reached: Sequence[ReachableAccount]) -> str | None:
    """Return what an account is connected as already."""
    ours = [each.trading_account_id for each in reached if each.reach is Reach.OURS]
    return ours[0] if ours else None


def _several(new: Sequence[ReachableAccount]) -> InvalidRowError:
    return InvalidRowError(
        f"its key reaches {len(new)} accounts that could be connected ({_named(new)}):"
        " tell with the account type which is meant, or restrict the key to one"
    )


def _none(reached: Sequence[ReachableAccount]) -> CadenzaError:
    """Say why there is no account to be connected."""
    if not reached:
        text = "the key reaches no account at the exchange"
        return CredentialsRejectedError(text, status=_HTTP_OK)
    if ours := [each for each in reached if each.reach is Reach.OURS]:
        return ConflictError(f"connected already: {_named(ours)}", status=_HTTP_OK)
    if taken := [each for each in reached if each.reach is Reach.TAKEN]:
        text = f"connected by another user: {_named(taken)}"
        return ConflictError(text, status=_HTTP_OK)
    text = f"{reached[0].status}, so that it cannot be connected: {_named(reached)}"
    return ConflictError(text, status=_HTTP_OK)


def _named(accounts: Sequence[ReachableAccount]) -> str:
    shown = [each.external_trading_account_id for each in accounts[:_MOST_NAMED]]
    return ", ".join([*shown, "…"] if len(accounts) > _MOST_NAMED else shown)
