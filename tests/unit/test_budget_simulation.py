"""The budget against a server with fixed windows: never too much, never idle for nothing."""

from __future__ import annotations

import heapq
import itertools
import math
from collections.abc import Iterator, Mapping
from typing import Any

from attrs import Factory, define
from hypothesis import given, settings
from hypothesis import strategies as st

from cadenza_async._budget import Budget, Ticket
from cadenza_async._calls import RateClass
from cadenza_async._clock import ServerClock
from cadenza_async._headers import RateReport

ONE, BOTH = (RateClass.ACCOUNTS,), (RateClass.ACCOUNTS, RateClass.READS)


def trips(shortest: float = 0.0) -> st.SearchStrategy[list[tuple[float, float]]]:
    """Draw seconds there and back for one call after another."""
    way = st.floats(shortest, 3)
    return st.lists(st.tuples(way, way), min_size=1, max_size=30)


@define
class Server:
    """Counts calls in fixed windows that begin on whole seconds, as the contract says."""

    limit: int
    period: int
    counts: dict[int, int] = Factory(dict)
    refused: int = 0

    def count(self, now: float) -> RateReport | None:
        """Take a call; None stands for a 429."""
        window = int(now // self.period)
        self.counts[window] = self.counts.get(window, 0) + 1
        left = self.limit - self.counts[window]
        self.refused += left < 0
        reset = (window + 1) * self.period
        return RateReport(limit=self.limit, remaining=max(0, left), reset=reset)


@define
class World:
    """One client that always wants to call, its server, and what travels between them.

    Attributes:
        classes: What the calls count against, one after another.
        trips: Seconds there and back, for one call after another, over and over.
        lost: Every so many calls, the answer is lost.
        unsent: Every so many calls, the call itself.
    """

    server: Server
    trips: list[tuple[float, float]]
    classes: tuple[RateClass, ...] = ONE
    lost: int = 0
    unsent: int = 0
    offset: float = 0.0
    dated: bool = False
    now: float = 0.0
    calls: int = 0
    clock: ServerClock = Factory(
        lambda world: ServerClock(world.server_time, world.time), takes_self=True
    )
    budget: Budget = Factory(lambda world: Budget(world.clock), takes_self=True)
    events: list[tuple[float, int, str, Ticket, float, RateReport | None]] = Factory(list)
    order: Iterator[int] = Factory(itertools.count)
    on_the_way: int = 0
    asked: int = 0
    idle: list[float] = Factory(list)

    def time(self) -> float:
        return self.now

    def server_time(self) -> float:
        """Tell the server's time, which is the true one in this world."""
        return self.now + self.offset

    def run(self, until: float) -> None:
        """Let the client call as often as it may."""
        while self.now < until:
            self.start_all()
            opens = self.budget.opens(self.now)
            following = min(self.events[0][0] if self.events else math.inf, opens or math.inf)
            assert following < math.inf, "everybody waits, and nothing will ever happen"
            self.now = max(self.now, following)
            while self.events and self.events[0][0] <= self.now:
                self.happen()

    def start_all(self) -> None:
        """Start calls until the budget says no, and note if it says so without a reason."""
        while ticket := self.start():
            there, _ = self.trips[self.calls % len(self.trips)]
            self.calls += 1
            self.on_the_way += 1
            what = "unsent" if self.unsent and self.calls % self.unsent == 0 else "arrive"
            self.push(self.now + there, what, ticket, self.now, None)
        if self.has_room():
            self.idle.append(self.now)

    def start(self) -> Ticket | None:
        """Start one call, and count it if it has to ask for the limit."""
        rate_class = self.classes[self.calls % len(self.classes)]
        asks = self.budget.limit(rate_class) is None
        ticket = self.budget.start(rate_class, self.now)
        self.asked += asks and ticket is not None
        return ticket

    def has_room(self) -> bool:
        """Tell whether the server could take one more, whatever becomes of what is under way."""
        window = int(self.server_time() // self.server.period)
        used = self.server.counts.get(window, 0) + self.on_the_way
        return used < self.server.limit

    def push(
        self, at: float, what: str, ticket: Ticket, sent: float, report: RateReport | None
    ) -> None:
        heapq.heappush(self.events, (at, next(self.order), what, ticket, sent, report))

    def happen(self) -> None:
        """Let the next thing happen: a call arrives, or its answer does."""
        _, _, what, ticket, sent, report = heapq.heappop(self.events)
        if what == "unsent":
            self.on_the_way -= 1
            self.budget.refund(ticket)
        elif what == "arrive":
            report = self.server.count(self.server_time())
            _, back = self.trips[self.calls % len(self.trips)]
            self.push(self.now + back, "return", ticket, sent, report)
        else:
            self.on_the_way -= 1
            self.come_back(ticket, sent, report)

    def come_back(self, ticket: Ticket, sent: float, report: RateReport | None) -> None:
        """Give the client its answer, or the news that there will be none."""
        if self.lost and self.calls % self.lost == 0:
            report = None
        elif self.dated:
            self.clock.observe(self.server_time() // 1, sent=sent, received=self.now)
        self.budget.settle(ticket, report, answered=report is not None)


ALONE = st.fixed_dictionaries(
    {
        "limit": st.integers(1, 8),
        "period": st.integers(2, 20),
        "classes": st.sampled_from([ONE, BOTH]),
    }
)


def lived(given: Mapping[str, Any], **more: Any) -> World:
    """Run a world for six windows and more; only who has to ask for the limit may be refused."""
    server = Server(given["limit"], given["period"])
    world = World(server, classes=given["classes"], **more)
    world.run(until=6.0 * server.period + 12)
    assert server.refused < world.asked
    return world


@given(ALONE, trips())
@settings(max_examples=200)
def test_alone_with_a_perfect_clock(
    given: Mapping[str, Any], trips: list[tuple[float, float]]
) -> None:
    """No call is refused, and as long as there is room for one it is made."""
    world = lived(given, trips=trips)
    learned = sum(map(max, zip(*trips, strict=True))) * len(world.classes)
    assert not [moment for moment in world.idle if moment > learned]


@given(ALONE, trips(0.05), st.integers(0, 5), st.integers(0, 5))
@settings(max_examples=50)
def test_alone_in_bad_weather(
    given: Mapping[str, Any], trips: list[tuple[float, float]], lost: int, unsent: int
) -> None:
    """Lost answers and calls that never leave do not make it send too much, or stop."""
    lived(given, trips=trips, lost=lost, unsent=unsent)


@given(ALONE, trips(0.05), st.floats(-1e6, 1e6))
@settings(max_examples=200)
def test_alone_with_dates_that_are_cut_to_a_second(
    given: Mapping[str, Any], trips: list[tuple[float, float]], offset: float
) -> None:
    """The server's clock is learned from its answers; a new window is never begun too early."""
    lived(given, trips=trips, offset=offset, dated=True)


def test_instant_answers_fill_every_window() -> None:
    """With no time on the way, every window is used to the last call."""
    world = World(Server(30, 6), [(0.0, 0.0)])
    world.run(until=59.0)
    assert world.server.counts == dict.fromkeys(range(10), 30)
    assert world.server.refused == 0
