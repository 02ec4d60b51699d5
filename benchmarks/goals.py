"""What is to be reached."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from attrs import frozen

if TYPE_CHECKING:
    from figures import Figure, Figures


@frozen(kw_only=True)
class Goal:
    """A ratio, or a figure, that is not to be exceeded.

    Attributes:
        what: In words.
        limit: The most that it may be.
        of: The workload and the rival that it is about.
        to: Those that they are compared with, if they are.
        value: What of theirs.
        unit: Of the limit.
    """

    what: str
    limit: float
    of: tuple[str, str]
    to: tuple[str, str] | None = None
    value: str = "cpu"
    unit: str = ""

    @property
    def digits(self) -> int:
        """How many decimal places are shown."""
        return 0 if self.limit > 100 else 2

    def measured(self, figures: Figures) -> Figure | None:
        """Return what was measured, if it was."""
        if self.to is None:
            return figures.figure(*self.of, self.value)
        return figures.ratio(self.of, self.to, self.value)


_OURS: Final = ("connect-32", "ours")
GOALS: Final = (
    Goal(
        what="CPU per call, to careful aiohttp", limit=1.10, of=_OURS, to=("connect-32", "careful")
    ),
    Goal(
        what="Instructions per call, to careful aiohttp",
        limit=1.10,
        of=("instructions", "ours"),
        to=("instructions", "careful"),
        value="instructions",
    ),
    Goal(
        what="CPU per call, to aiohttp as documented",
        limit=1.15,
        of=_OURS,
        to=("connect-32", "idiomatic"),
    ),
    Goal(what="CPU per call, to cadenza-sdk", limit=0.10, of=_OURS, to=("connect-32", "vendor")),
    Goal(
        what="Blocking, to requests",
        limit=0.35,
        of=("blocking-1", "ours"),
        to=("blocking-1", "requests"),
    ),
    Goal(
        what="Blocking, to careful aiohttp over a bare portal",
        limit=1.10,
        of=("blocking-1", "ours"),
        to=("blocking-1", "careful"),
    ),
    Goal(
        what="10,000 identities, to one",
        limit=1.05,
        of=("identities-10000", "ours"),
        to=_OURS,
    ),
    Goal(
        what="Memory of an idle identity, without its token's text",
        limit=2048,
        of=("memory", "ours"),
        value="idle",
        unit=" bytes",
    ),
    Goal(
        what="`onboard` with a journal, to the same calls without",
        limit=1.35,
        of=("onboard", "journal"),
        to=("onboard", "bare"),
        value="row",
    ),
    Goal(
        what="Importing and touching `AsyncCadenza`, to importing what it needs",
        limit=1.10,
        of=("import", "ours"),
        to=("import", "libraries"),
        value="process",
    ),
    Goal(what="2,000 in flight, to 32", limit=1.15, of=("connect-2000", "ours"), to=_OURS),
    Goal(
        what="2,000 in flight, to careful aiohttp",
        limit=1.15,
        of=("connect-2000", "ours"),
        to=("connect-2000", "careful"),
    ),
    Goal(
        what="Work between two ticks of a task next to calls, 99.9 %",
        limit=2,
        of=("stalls", "ours"),
        value="busy",
        unit=" ms",
    ),
)
