"""The one place that talks to aiohttp: a request out, an answer or the lack of one back."""

from __future__ import annotations

import asyncio
import math
import os
from functools import partial
from socket import gaierror
from ssl import SSLError
from typing import TYPE_CHECKING, Any, Final

import aiohttp
from aiohttp import ClientSession, hdrs
from aiohttp.payload import BytesPayload

from cadenza_async._calls import Answer, Call, Evidence, NoAnswer
from cadenza_async._cancelling import is_cancelled
from cadenza_async._deadlines import Deadline, Deadlines
from cadenza_async._wire import encode
from cadenza_async.errors import ClosedError, UsageError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from aiohttp.abc import AbstractStreamWriter

    from cadenza_async.config import Config
    from cadenza_async.secret import Secret

__all__ = ["ClientSession", "Middleware", "Progress", "Transport"]

Middleware = aiohttp.ClientMiddlewareType

_NO_TIMEOUT: Final = aiohttp.ClientTimeout(ceil_threshold=math.inf)  # the deadline is ours
_ONE_WRITE = 32 * 1024  # aiohttp hands over up to 64 KiB, headers included, in one step
_STEPS_TO_SEE_A_CLOSE = 3  # the loop looks, the transport reads, TLS tells of it


class Progress:
    """How far one attempt has come; readable when the attempt was cancelled too.

    Args:
        limit: Ends the attempt.
        begin_by: When it is too late to hand the body over, by the loop's clock.

    Attributes:
        begin_by: Likewise; the end of the attempt brings it forward.
        entered: The request reached aiohttp's own handler.
        handed: The body was handed to a connection, so the server may have read it.
        stale: There was a connection, but it was closing and took nothing.
    """

    __slots__ = ("begin_by", "entered", "handed", "limit", "stale")

    def __init__(self, limit: Deadline, begin_by: float) -> None:
        self.begin_by = begin_by
        self.limit = limit
        self.entered = self.handed = self.stale = False

    @property
    def unsent(self) -> bool:
        """Whether it is certain that the server has read nothing."""
        return self.entered and not self.handed

    def hand_over(self) -> None:
        """Note that the server may read the body from now on.

        Raises:
            TimeoutError: If it is too late for that.
        """
        if asyncio.get_running_loop().time() > self.begin_by:
            raise TimeoutError
        self.handed, self.stale = True, False


class _Body(BytesPayload):
    """A body, empty for a read: it shows nothing of itself, and notes when it is handed over."""

    def __init__(self, content: bytes, progress: Progress) -> None:
        super().__init__(content)
        self._progress = progress

    async def write_with_length(
        self, writer: AbstractStreamWriter, content_length: int | None
    ) -> None:
        self._progress.stale = True
        for _ in range(_STEPS_TO_SEE_A_CLOSE):
            await asyncio.sleep(0)
        self._progress.hand_over()
        try:
            await super().write_with_length(writer, content_length)
        except aiohttp.ClientConnectionResetError:
            self._progress.stale = (self.size or 0) <= _ONE_WRITE
            raise

    def __repr__(self) -> str:
        return "<body>"


class _ResentError(aiohttp.ClientConnectionError):
    """Stops whoever sends a request a second time behind our back."""


_UNCONNECTED: Final = (
    aiohttp.ClientConnectorError,
    aiohttp.ClientHttpProxyError,
    aiohttp.ConnectionTimeoutError,
    aiohttp.InvalidURL,
    aiohttp.NonHttpUrlClientError,
    aiohttp.ServerFingerprintMismatch,
)
"""What our request meets before anything of it leaves. One that comes later is of somebody else's
request: one that a middleware makes, for example."""


async def _guard(
    token: Secret | None,
    progress: Progress,
    request: aiohttp.ClientRequest,
    handler: aiohttp.ClientHandlerType,
) -> aiohttp.ClientResponse:
    """Be the innermost middleware: lend the token, and let a request through once."""
    if progress.entered:
        raise _ResentError
    progress.entered = True
    progress.handed = not isinstance(request.body, _Body)  # nobody tells when another one leaves
    if request.method == "GET":  # its empty body is only there to note when it is handed over
        request.headers.pop(hdrs.CONTENT_LENGTH, None)
        request.headers.pop(hdrs.CONTENT_TYPE, None)
    if token is None:
        request.headers.pop(hdrs.AUTHORIZATION, None)  # a lent session's is for others
    else:
        request.headers[hdrs.AUTHORIZATION] = f"Bearer {token.reveal()}"
    try:
        response = await handler(request)
    except _UNCONNECTED:
        progress.handed = False  # another body has not left either
        raise
    finally:  # responses, aiohttp's errors and outer middlewares look at the same headers
        request.headers.pop(hdrs.AUTHORIZATION, None)
    if progress.unsent:  # then it was there before, and answers something else
        progress.stale = True
        response.close()
        raise aiohttp.ClientConnectionResetError
    return response


class Transport:
    """Sends calls over a connection pool of its own, or over a session that a user lends.

    Args:
        config: Where to and how.
        session: The user's session; it is never closed.
        middlewares: The user's aiohttp client middlewares, placed outside ours.
    """

    def __init__(
        self,
        config: Config,
        *,
        session: ClientSession | None = None,
        middlewares: Sequence[Middleware] = (),
    ) -> None:
        self._config = config
        self._lent = session
        self._middlewares = tuple(middlewares)
        self._in_flight = Deadlines()

    def open(self) -> None:
        """Make the connection pool, in the loop that will use it.

        Raises:
            UsageError: If the user's session belongs to another one.
        """
        loop = asyncio.get_running_loop()
        if getattr(self._lent, "_loop", loop) is not loop:  # its public name is deprecated
            raise UsageError("session= belongs to another event loop: make it in this one")
        headers = {
            hdrs.ACCEPT: "application/json",
            hdrs.CONTENT_TYPE: "application/json",  # whatever a session sends to others
            hdrs.ACCEPT_ENCODING: "identity",  # a bounded answer is easier to bound uncompressed
            hdrs.USER_AGENT: self._config.user_agent,
        }
        self._headers = headers if self._lent else None  # a session of our own has them already
        self._http = self._lent or ClientSession(
            connector=aiohttp.TCPConnector(
                limit=self._config.max_connections, ssl=self._config.ssl_context or True
            ),
            cookie_jar=aiohttp.DummyCookieJar(),
            headers=headers,
        )

    async def close(self) -> None:
        """Close the connection pool, if it is not a user's."""
        if self._lent is None:
            await self._http.close()

    def expire(self) -> None:
        """Bring the deadline of everything in flight forward to now."""
        self._in_flight.expire()

    def begin(self, *, deadline: float, begin_by: float) -> Progress:
        """Prepare an attempt.

        Args:
            deadline: When it is too late to wait for the answer, by the loop's clock.
            begin_by: When it is too late to hand the body over, likewise.

        Raises:
            ClosedError: If the user's session is closed.
        """
        if self._http.closed:
            raise ClosedError("the aiohttp session is closed")
        return Progress(self._in_flight.at(deadline), begin_by)

    async def exchange(
        self, call: Call[Any], *, token: Secret | None, progress: Progress
    ) -> Answer | NoAnswer:
        """Send a call once.

        Args:
            call: What to send.
            token: The access token, if the call carries one.
            progress: Takes down how far the attempt came.
        """
        try:
            async with (
                progress.limit,
                self._http.request(
                    call.method,
                    f"{self._config.base_url}/api/v3/{call.path}",
                    params=call.query,
                    data=_Body(b"" if call.body is None else encode(call.body), progress),
                    headers=self._headers,
                    middlewares=(*self._middlewares, partial(_guard, token, progress)),
                    timeout=_NO_TIMEOUT,
                    proxy=self._config.proxy,
                    allow_redirects=False,
                    raise_for_status=False,
                    auto_decompress=True,
                ) as response,
            ):
                body = await _read(response, call.longest)
                return Answer(status=response.status, headers=response.headers, body=body)
        except asyncio.CancelledError as error:
            if is_cancelled():
                raise
            failure = explain(error, progress)
        except Exception as error:  # noqa: BLE001  # a middleware or a tracer may raise anything
            failure = explain(error, progress)
        finally:  # a middleware may have left its handler behind, at work
            progress.begin_by = -math.inf
        return failure


async def _read(response: aiohttp.ClientResponse, longest: int) -> bytes | None:
    """Read an answer to its end, or give up on one that is too long."""
    content = response.content
    if content.at_eof():  # a middleware or a tracer has read it, or it is empty
        whole = await response.text("latin-1")  # read() refuses what was closed after that
        return whole.encode("latin-1") if len(whole) <= longest else None
    body = bytearray()
    while not content.at_eof():
        body += await content.read(longest + 1 - len(body))
        if len(body) > longest:
            return None
    return bytes(body)


_FAILURES: Final[tuple[tuple[tuple[type[Exception], ...], str], ...]] = (
    ((aiohttp.ClientConnectorCertificateError,), "the certificate is not valid"),
    ((aiohttp.ClientSSLError,), "no TLS connection could be made"),
    ((aiohttp.ServerFingerprintMismatch,), "the certificate is another one"),
    ((aiohttp.ClientConnectorDNSError,), "the host's name is not known"),
    ((aiohttp.ClientProxyConnectionError,), "the proxy cannot be reached"),
    ((aiohttp.ClientHttpProxyError,), "the proxy refused the connection"),
    ((aiohttp.ClientConnectorError,), "no connection could be made"),
    ((aiohttp.ConnectionTimeoutError,), "no connection could be had in time"),
    ((aiohttp.InvalidURL, aiohttp.NonHttpUrlClientError), "the URL cannot be used"),
    ((aiohttp.ClientConnectionResetError,), "the connection was closing"),
    ((_ResentError,), "the connection was lost"),
    ((aiohttp.ServerDisconnectedError,), "the server hung up"),
    ((TimeoutError,), "no answer came in time"),
    ((aiohttp.ClientPayloadError,), "the answer was cut short"),
    ((aiohttp.ClientResponseError,), "the answer is not HTTP"),
    ((aiohttp.RedirectClientError,), "the answer is a redirect"),
    ((aiohttp.UploadAbortedError,), "the sending was broken off"),
    ((aiohttp.ClientOSError, OSError), "the connection was reset"),
    ((aiohttp.ClientConnectionError,), "the connection failed"),
)
"""First match wins."""


def explain(error: BaseException, progress: Progress) -> NoAnswer:
    """Say what a failure proves, by its class and by how far the attempt came."""
    reason = next(
        (reason for kinds, reason in _FAILURES if isinstance(error, kinds)), "the request failed"
    )
    timed_out = isinstance(error, TimeoutError)
    evidence = Evidence.UNKNOWN
    if progress.stale and not timed_out:
        evidence, reason = Evidence.STALE, "the connection was closing"
    elif progress.unsent or (not progress.entered and isinstance(error, _UNCONNECTED)):
        evidence = Evidence.NOT_SENT
        reason = "no connection could be had in time" if timed_out else reason
    detail = _detail(error)
    return NoAnswer(
        evidence=evidence,
        reason=f"{reason} ({detail})" if detail else reason,
        timed_out=timed_out,
    )


_COUNTING_OTHERWISE: Final = (SSLError, gaierror)
"""Whose numbers are not the system's."""


def _detail(error: BaseException) -> str:
    """Return what of the error is safe to show: its text may repeat an answer or a header."""
    if isinstance(error, aiohttp.ClientConnectorCertificateError):
        return str(getattr(error.certificate_error, "verify_message", ""))
    if isinstance(error, aiohttp.ClientConnectorDNSError):
        return error.host  # which may be the proxy's
    cause = error.os_error if isinstance(error, aiohttp.ClientConnectorError) else error
    if isinstance(cause, OSError) and cause.errno and not isinstance(cause, _COUNTING_OTHERWISE):
        words = os.strerror(cause.errno)  # it knows no number of Winsock
        return "" if words.startswith("Unknown error") else words
    if isinstance(error, aiohttp.ClientError | TimeoutError):
        return ""
    return type(error).__name__
