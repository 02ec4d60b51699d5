"""Everything that can go wrong, by who must act.

::

    CadenzaError                          never raised itself
    ├── UsageError (ValueError)           you asked wrongly; nothing was done
    │   ├── ConfigError                   a setting or the access token
    │   ├── ClosedError                   used before opening, after closing, or from elsewhere
    │   └── InvalidRowError               a row of an onboarding job
    ├── TransportError                    no answer, or none that proves anything
    │   ├── NotSentError (ConnectionError)            provably never left
    │   ├── DeadlineExceededError (TimeoutError)      the time ran out before anything was done
    │   └── OutcomeUnknownError                       it may have been done
    │       └── OutcomeUnknownTimeoutError (TimeoutError)
    ├── AmbiguousOutcomeError             it cannot be told; a person decides
    └── ApiError                          the answer was no
        ├── InvalidRequestError  CredentialsRejectedError  AuthenticationError
        ├── PermissionDeniedError  NotFoundError  ConflictError
        ├── RateLimitedError  VenueError  ServerError
        └── UnreadableAnswerError         the answer was not Cadenza's

Every error is plain data: it can be pickled, its text is one line, and it holds no request, no
header, no body and no secret. ``remedy`` says in one sentence who must act, and how.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

    from cadenza_async.models import TradingAccount

__all__ = [
    "AmbiguousOutcomeError",
    "ApiError",
    "AuthenticationError",
    "CadenzaError",
    "ClosedError",
    "ConfigError",
    "ConflictError",
    "CredentialsRejectedError",
    "DeadlineExceededError",
    "InvalidRequestError",
    "InvalidRowError",
    "NotFoundError",
    "NotSentError",
    "OutcomeUnknownError",
    "OutcomeUnknownTimeoutError",
    "PermissionDeniedError",
    "RateLimitedError",
    "ServerError",
    "TransportError",
    "UnreadableAnswerError",
    "UsageError",
    "VenueError",
]


class CadenzaError(Exception):
    """The root of the tree; catch it to catch everything this package raises."""

    remedy: str = "Report this to the maintainers of cadenza-async."

    def __init__(self, message: str) -> None:
        super().__init__(message)

    def __reduce__(self) -> tuple[object, ...]:
        return _rebuild, (type(self), self.args, self.__dict__)


def _rebuild(
    kind: type[CadenzaError], args: tuple[str, ...], state: dict[str, object]
) -> CadenzaError:
    error = kind.__new__(kind)
    error.args = args
    error.__dict__.update(state)
    return error


class UsageError(CadenzaError, ValueError):
    """You asked wrongly; nothing was done. The text names the argument."""

    remedy = "Correct the argument and call again."


class ConfigError(UsageError):
    """A setting, an environment variable or the access token cannot be used."""

    remedy = "Correct the setting and start again."


class ClosedError(UsageError):
    """A client was used before it was opened, after it was closed, or from a foreign loop."""

    remedy = "Use the client inside its 'with' block, in the event loop that opened it."


class InvalidRowError(UsageError):
    """A row of an onboarding job cannot be used.

    Attributes:
        key: The row's key, or what else tells which row it is.
    """

    remedy = "Correct the row and run again."

    def __init__(self, message: str, *, key: str | None = None) -> None:
        super().__init__(message)
        self.key = key


class TransportError(CadenzaError):
    """No answer arrived, or none that proves anything.

    Attributes:
        request_id: The server's id of the request; `None` unless an answer gave one.
    """

    request_id: str | None = None


class NotSentError(TransportError, ConnectionError):
    """The request provably never left, or was turned away; repeating it is safe."""

    remedy = "Check the network and the base URL, then call again: nothing was done."


class DeadlineExceededError(TransportError, TimeoutError):
    """The time ran out before anything was done; repeating it is safe.

    Attributes:
        retry_after: Seconds until the rate budget has room again, if that is what was waited for.
    """

    remedy = "Call again later or with a longer timeout: nothing was done."

    def __init__(self, message: str, *, retry_after: float | None = None) -> None:
        super().__init__(message)
        self.retry_after = retry_after


class OutcomeUnknownError(TransportError):
    """The request may have been carried out: find out, do not repeat it.

    Hand the error of a connect to ``client.resolve(error)``; ``remedy`` says how to find out about
    other calls.

    Attributes:
        venue: The venue of the account or the credential that was being made.
        name: The name that was sent for it.
        sent_at: When the request was first sent, by this machine's clock (aware, UTC).
        path: What was called, below ``/api/v3/``.
        external_trading_account_id: What was being connected by reference, as the exchange calls
            it.
        credential_id: The stored credential it was being connected with.
        status: The HTTP status, if one arrived.
        request_id: The server's id of the request, if one arrived.
    """

    remedy = "Do not repeat the call: ask client.resolve(error) what became of it."

    def __init__(
        self,
        message: str,
        *,
        venue: str | None = None,
        name: str | None = None,
        sent_at: datetime | None = None,
        path: str | None = None,
        external_trading_account_id: str | None = None,
        credential_id: str | None = None,
        status: int | None = None,
        request_id: str | None = None,
    ) -> None:
        super().__init__(message)
        self.venue = venue
        self.name = name
        self.sent_at = sent_at
        self.path = path
        self.external_trading_account_id = external_trading_account_id
        self.credential_id = credential_id
        self.status = status
        self.request_id = request_id


class OutcomeUnknownTimeoutError(OutcomeUnknownError, TimeoutError):
    """The time ran out while the answer was awaited."""


class AmbiguousOutcomeError(CadenzaError):
    """Several accounts fit an unknown outcome, or one may be it under another name.

    Attributes:
        accounts: The candidates, if any are there.
    """

    remedy = "A person has to tell the accounts apart and disconnect the surplus ones."

    def __init__(self, message: str, *, accounts: Iterable[TradingAccount] = ()) -> None:
        super().__init__(message)
        self.accounts = tuple(accounts)


_BY_NUMBER: dict[int, type[ApiError]] = {}


class ApiError(CadenzaError):
    """The answer was no.

    Subclasses are chosen by the server's error number, then by the number's family, then by
    the HTTP status.

    Attributes:
        status: The HTTP status.
        errno: The server's error number as it came, `None` when the answer carried none.
        message: The server's own text, in one line.
        request_id: The server's id of the request, if it gave one.
        retry_after: Seconds the server asked to wait, if it did.
    """

    remedy = "Read the server's text; the request was refused."

    def __init_subclass__(cls, *, errno: Iterable[int] = ()) -> None:
        super().__init_subclass__()
        for number in errno:
            rival = _BY_NUMBER.setdefault(number, cls)
            if rival is not cls:
                raise TypeError(f"errno {number} belongs to {rival.__name__} already")

    def __init__(
        self,
        message: str,
        *,
        status: int,
        errno: int | None = None,
        request_id: str | None = None,
        retry_after: float | None = None,
    ) -> None:
        facts = [f"HTTP {status}"]
        facts += [f"errno {errno}"] if errno else []
        facts += [f"request {request_id}"] if request_id else []
        super().__init__(f"{message} ({', '.join(facts)})")
        self.message = message
        self.status = status
        self.errno = errno
        self.request_id = request_id
        self.retry_after = retry_after


class InvalidRequestError(
    ApiError,
    errno=(18008, 18016, 19001, 19004, 19005, 22011, 22012, 22015, 22019, 22020, 130001),
):
    """Cadenza refuses the parameters."""

    remedy = "Correct the parameters that the text names; nothing was done."


class CredentialsRejectedError(ApiError, errno=(120001, 18005, 18022, 22006)):
    """The exchange refuses the API credentials."""

    remedy = "The account's owner must check key, secret, passphrase and rights at the exchange."


class AuthenticationError(ApiError, errno=(100000, 100001, 100003, 19002)):
    """Cadenza refuses the access token, or the e-mail and password."""

    remedy = "Get a new access token, or check e-mail and password."


class PermissionDeniedError(ApiError, errno=(22018,)):
    """The access token does not carry the right to do this."""

    remedy = "Ask Cadenza's administrator of your firm for the right, or use another token."


class NotFoundError(ApiError, errno=(19003, 22016)):
    """There is no such thing."""

    remedy = "Check the id; nothing was done."


class ConflictError(ApiError, errno=(22001, 22002, 22010, 22017)):
    """It exists already."""

    remedy = (
        "List the accounts: this one, or its name, is there already. If it is not among them,"
        " somebody else has connected it."
    )


class RateLimitedError(ApiError, errno=(19006, 22014)):
    """Cadenza asks to come back later; nothing was done."""

    remedy = "Wait for a minute, then call again: nothing was done."


class VenueError(ApiError, errno=(18004, 18009, 18010, 18011, 18012, 18013, 18015)):
    """The exchange failed or was out of reach; nothing was connected."""

    remedy = "Wait until the exchange is back, then call again: nothing was connected."


class ServerError(ApiError, errno=(22008, 22021)):
    """Cadenza failed."""

    remedy = "Try again later; if it lasts, give Cadenza the request id."


class UnreadableAnswerError(ApiError):
    """The answer was not Cadenza's: a proxy's page, a cut or an enormous body."""

    remedy = "Check the base URL and what stands between you and Cadenza."


_BY_FAMILY: dict[int, type[ApiError]] = {
    18: VenueError,
    26: AuthenticationError,
    1000: AuthenticationError,
}
_BY_STATUS: dict[int, type[ApiError]] = {
    401: AuthenticationError,
    403: PermissionDeniedError,
    404: NotFoundError,
    409: ConflictError,
    429: RateLimitedError,
}
_LOWEST_SERVER_STATUS = 500


def api_error_class(status: int, errno: int | None) -> type[ApiError]:
    """Choose the class for an answer: by number, then by family, then by HTTP status."""
    by_status = ServerError if status >= _LOWEST_SERVER_STATUS else InvalidRequestError
    return (
        class_of_number(errno)
        or _BY_FAMILY.get(family_of_number(errno))
        or _BY_STATUS.get(status, by_status)
    )


def class_of_number(errno: int | None) -> type[ApiError] | None:
    """Return the class that claims an error number, if one does; the sign is no part of it."""
    return _BY_NUMBER.get(abs(errno or 0))


def family_of_number(errno: int | None) -> int:
    """Return the leading digits that name a number's family: two of five, four of six."""
    number = abs(errno or 0)
    return number // (1000 if number < 100_000 else 100)  # five digits or six
