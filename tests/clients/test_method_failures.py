"""Every method of a client: what it makes of each way to fail."""

from __future__ import annotations

import asyncio

import pytest

from cadenza_async import AsyncCadenza, errors
from cadenza_async.errors import ApiError, CadenzaError, OutcomeUnknownError
from tests.errnos import NUMBERS
from tests.raw import RawServer, answers, envelope, hang, hang_up

from .methods import READS, TOKEN, Sample, client_of, every_method


@every_method
async def test_each_error_number(server: RawServer, sample: Sample) -> None:
    """Every method tells every number as what it is, whatever its sign."""
    async with client_of(server) as client:
        for number, status, verdict, name in NUMBERS:
            for errno in (number, -number):
                server.play(answers(status, envelope(errno, details={"request_id": "r-1"})))
                with pytest.raises(CadenzaError) as failed:
                    await sample.call(client)
                error = failed.value
                doubtful = verdict == "unknown" and sample.method not in READS
                kind = OutcomeUnknownError if doubtful else getattr(errors, name)
                assert type(error) is kind, (errno, status)
                assert not isinstance(error, ApiError) or (error.errno, error.status) == (
                    errno,
                    status,
                )
                assert getattr(error, "request_id", "r-1") == "r-1"
    assert len(server.requests) == 2 * len(NUMBERS)


@every_method
async def test_a_lost_answer(server: RawServer, sample: Sample) -> None:
    """Every write says that it may have been done and how to find out; every read may be repeated.

    `resolve` is only proposed for what connects.
    """
    server.default = hang_up
    async with client_of(server) as client:
        with pytest.raises(OutcomeUnknownError) as lost:
            await sample.call(client)
        error = lost.value
        connects = sample.method.startswith("connect_")
        assert ("may have been done" in str(error)) is (sample.method not in READS)
        assert ("resolve" in error.remedy) is connects
        assert ("read changes nothing" in error.remedy) is (sample.method in READS)
        if not connects:
            with pytest.raises(errors.UsageError, match="connects nothing"):
                await client.resolve(error)
    assert len(server.requests) == 1


@every_method
async def test_a_lost_answer_to_a_write_is_not_repeated(server: RawServer, sample: Sample) -> None:
    """Reads are asked again, writes never."""
    server.default = hang_up
    async with AsyncCadenza(TOKEN, retries=2, **server.options) as client:
        client._shared.jitter = lambda: 0.0
        with pytest.raises(OutcomeUnknownError):
            await sample.call(client)
    assert len(server.requests) == (3 if sample.method in READS else 1)


@every_method
async def test_a_cancelled_call(
    server: RawServer, sample: Sample, caplog: pytest.LogCaptureFixture
) -> None:
    """A write that was cancelled once it was sent is warned of: what it was, and of what."""
    server.default = hang
    async with client_of(server) as client:
        call = asyncio.create_task(sample.call(client))
        await server.until(lambda: len(server.requests) == 1)
        call.cancel()
        with pytest.raises(asyncio.CancelledError):
            await call
    warnings = [record.getMessage() for record in caplog.records if record.levelname == "WARNING"]
    assert len(warnings) == (sample.method not in READS)
    named = {"venue", "name", "external_trading_account_id"} & sample.arguments.keys()
    told = named if sample.method.startswith(("connect", "create")) else set()
    for warning in warnings:
        assert sample.line("pages").partition("/api/v3/")[2] in warning
        assert all(repr(sample.arguments[each]) in warning for each in told)
        assert "None" not in warning


UNREADABLE = (OutcomeUnknownError, errors.UnreadableAnswerError, errors.ServerError)


@every_method
async def test_what_is_not_cadenza_s(server: RawServer, sample: Sample) -> None:
    """Whatever a gateway says in Cadenza's stead is no value, and no write is called refused."""
    for status, body in ((200, b"<html>"), (200, b"{}"), (502, b'{"status": "error"}'), (200, b"")):
        server.play(answers(status, body))
        async with client_of(server) as client:
            with pytest.raises(UNREADABLE) as failed:
                await sample.call(client)
        assert isinstance(failed.value, OutcomeUnknownError) is (sample.method not in READS)
