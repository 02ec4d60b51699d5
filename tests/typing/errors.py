"""`errors`: what an `except` clause may count on."""

from __future__ import annotations

from datetime import datetime
from typing import assert_type

from cadenza_async import TradingAccount, errors


def catching() -> None:
    """Each class has what its docstring says, with its type."""
    try:
        ...
    except errors.RateLimitedError as error:
        assert_type(error.retry_after, float | None)
    except errors.ApiError as error:
        assert_type(error.status, int)
        assert_type(error.errno, int | None)
        assert_type(error.message, str)
        assert_type(error.request_id, str | None)
    except errors.OutcomeUnknownError as error:
        assert_type(error.venue, str | None)
        assert_type(error.name, str | None)
        assert_type(error.sent_at, datetime | None)
        assert_type(error.path, str | None)
        assert_type(error.external_trading_account_id, str | None)
        assert_type(error.credential_id, str | None)
        assert_type(error.status, int | None)
    except errors.DeadlineExceededError as error:
        assert_type(error.retry_after, float | None)
    except errors.TransportError as error:
        assert_type(error.request_id, str | None)
    except errors.AmbiguousOutcomeError as error:
        assert_type(error.accounts, tuple[TradingAccount, ...])
    except errors.CadenzaError as error:
        assert_type(error.remedy, str)


def builtin(
    missed: errors.NotSentError, late: errors.DeadlineExceededError, wrong: errors.ConfigError
) -> tuple[ConnectionError, TimeoutError, ValueError]:
    """Ours are the built-in ones as well."""
    return missed, late, wrong
