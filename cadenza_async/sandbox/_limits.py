"""Rate limits: so many requests of one user in every fixed window."""

from __future__ import annotations

from math import ceil

from attrs import define, field

from cadenza_async.sandbox._replies import too_many_requests


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
        used = used + 1 if begun == window else 1
        reset = (window + 1) * self.period
        headers = {
            "X-RateLimit-Limit": str(self.limit),
            "X-RateLimit-Remaining": str(max(self.limit - used, 0)),
            "X-RateLimit-Reset": str(reset),
        }
        if used > self.limit:
            raise too_many_requests({**headers, "Retry-After": str(ceil(reset - now))})
        self._used[who] = (window, used)
        return headers
