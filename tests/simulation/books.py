"""What was claimed about every name, held against what the server really did."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING

from attrs import define, field

if TYPE_CHECKING:
    from cadenza_async.models import Attempt

KEY = 6
"""Characters of a name that no server trims, and that are enough to know it by."""


@define
class Page:
    """The claims about one name.

    Attributes:
        least: Accounts that must exist by what was claimed.
        most: Accounts that may exist.
        sent: Attempts that may have reached the server.
        settled: How it ended.
    """

    least: int = 0
    most: int = 0
    sent: int = 0
    settled: str | None = None


@define
class Books:
    """The claims about all names.

    Args:
        names: Of every account of the server, disconnected ones included.

    Attributes:
        wrong: Claims that do not hold.
    """

    names: Callable[[], Iterable[str]]
    wrong: list[str] = field(factory=list[str], init=False)
    _pages: dict[str, Page] = field(factory=dict[str, Page], init=False)

    def open(self, name: str) -> None:
        """Begin to count a name."""
        self._pages[name] = Page()

    def attempted(self, attempt: Attempt) -> None:
        """Take down what the client says about one attempt to connect."""
        if attempt.name is None:
            return
        page = self._pages[attempt.name]
        if page.most > page.least:
            self.wrong.append(f"{attempt.name}: sent again while an earlier attempt was in doubt")
        page.least += attempt.verdict == "done"
        page.most += attempt.verdict in {"done", "unknown"}
        page.sent += attempt.verdict != "not sent"
        self._check(attempt.name, f"attempt {attempt.verdict}")

    def in_doubt(self, name: str) -> bool:
        """Tell whether the last attempt was reported as unknown."""
        return self._pages[name].most > self._pages[name].least

    def cleared(self, name: str, *, found: bool) -> None:
        """Take down what reconciling said."""
        page = self._pages[name]
        page.least = page.most = page.least + found
        self._check(name, "found" if found else "not there")

    def settle(self, name: str, how: str) -> None:
        """Take down how a name ended; a person's conflict takes part in no further check."""
        self._pages[name].settled = how

    def close(self, requests: Iterable[str]) -> None:
        """Check everything once more, at the end.

        Args:
            requests: The name in every connect that the server read.
        """
        read = Counter(name[:KEY] for name in requests)
        existing = Counter(name[:KEY] for name in self.names())
        for name, page in self._pages.items():
            if read[name[:KEY]] > page.sent:
                self.wrong.append(f"{name}: read {read[name[:KEY]]} times, told of {page.sent}")
            if existing[name[:KEY]] > 1:
                self.wrong.append(f"{name}: connected {existing[name[:KEY]]} times")
            if page.settled == "connected" and not existing[name[:KEY]]:
                self.wrong.append(f"{name}: said to be connected, and is not there")
            if page.settled is None:
                self.wrong.append(f"{name}: lost")

    def count(self, how: str) -> int:
        """Return how many names ended so."""
        return sum(page.settled == how for page in self._pages.values())

    def ended(self, name: str, how: str) -> bool:
        """Tell whether a name ended so."""
        return self._pages[name].settled == how

    def _check(self, name: str, claim: str) -> None:
        page = self._pages[name]
        exist = sum(each[:KEY] == name[:KEY] for each in self.names())
        if not page.least <= exist <= page.most:
            allowed = f"{page.least} to {page.most}"
            self.wrong.append(f"{name}: {exist} exist, by the claims {allowed} ({claim})")
