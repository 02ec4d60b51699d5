"""Rate limits: so many requests of one user in every fixed window."""

from __future__ import annotations

from math import ceil

from attrs import define, field, frozen

from cadenza_async.sandbox._replies import Refusal, too_many_requests


@frozen(kw_only=True)
class Allowance:
    """What one user may still do in the present window."""

    limit: int
    remaining: int
    reset: int

    def headers(self) -> dict[str, str]:
        """The three rate headers; the reset is in Unix seconds."""
        return {
            "X-RateLimit-Limit": str(self.limit),
            "X-RateLimit-Remaining": str(self.remaining),
            "X-RateLimit-Reset": str(self.reset),
        }

    def refusal(self, now: float) -> Refusal:
        """The 429 of a user who has nothing left until the reset."""
        wait = str(ceil(self.reset - now))
        return too_many_requests({**self.headers(), "Retry-After": wait})


@define
class FixedWindows:
    """Counts requests in windows of `period` whole seconds that begin at multiples of it.

    Without a limit nothing is counted and nothing is reported.
    """

    limit: int | None
    period: int
    _used: dict[str, tuple[int, int]] = field(factory=dict[str, tuple[int, int]], init=False)

    def take(self, who: str, now: float) -> dict[str, str]:
        """Count one request and tell in headers what is left.

        Raises:
            Refusal: 429 when the window is used up; such a request is not counted.
        """
        if self.limit is None:
            return {}
        window = int(now // self.period)
        begun, used = self._used.get(who, (window, 0))
        used = used if begun == window else 0
        reset = (window + 1) * self.period
        if used >= self.limit:
            raise Allowance(limit=self.limit, remaining=0, reset=reset).refusal(now)
        self._used[who] = (window, used + 1)
        left = self.limit - used - 1
        return Allowance(limit=self.limit, remaining=left, reset=reset).headers()
