"""The command that connects the accounts of a file."""

from __future__ import annotations

from contextlib import ExitStack
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Final

from attrs import frozen

from cadenza_async.cli._exits import reporting
from cadenza_async.cli._job_run import JobRun, Plan, SandboxOptions
from cadenza_async.cli._output import Output
from cadenza_async.cli._rehearse import rehearse
from cadenza_async.cli._rows import open_source, open_tokens, warn_where_nobody_can_tell
from cadenza_async.cli._status import show
from cadenza_async.errors import ConfigError, UsageError
from cadenza_async.onboarding._files.reports import Reports

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from cadenza_async.auth import Token
    from cadenza_async.cli._rows import Source

_AGAIN: Final = "The same command again goes on with what is not done."


@frozen(kw_only=True)
class Job:
    """What is to be done, as the options say.

    Attributes:
        file: The accounts; ``-`` for standard input.
        journal: The journal's path; derived from the file's name when not given.
        reports: The folder for the reports; derived from the journal's name when not given.
        tokens: The file of access tokens.
        allow_insecure: Whether secrets may be written out in files that others can read.
        plan: How it goes.
    """

    file: str | None
    journal: str | None = None
    reports: str | None = None
    tokens: str | None = None
    allow_insecure: bool = False
    plan: Plan

    def carry_out(self) -> int:
        """Connect the accounts, and return the exit code.

        Raises:
            Stopped: If somebody ended it.
            CadenzaError: If it could not begin, or go on.
        """
        source, tokens, kept = self.open(), self.open_tokens(), self.journal_path
        if kept is None and self.plan.sandbox is None:
            raise UsageError("say with --journal where the journal is to be")
        if tokens is None and self.plan.sandbox is None and source.names_users:
            raise ConfigError("the rows name users: say with --tokens where their tokens are")
        folder = self._folder(kept)
        with ExitStack() as stack:
            journal = kept or Path(stack.enter_context(TemporaryDirectory())) / "journal"
            reports = None if folder is None else stack.enter_context(Reports(folder))
            return JobRun(
                plan=self.plan, source=source, tokens=tokens, journal=journal, reports=reports
            ).run()

    def open(self) -> Source:
        """Look at the accounts."""
        warn_where_nobody_can_tell()
        return open_source(self.file or "-", allow_insecure=self.allow_insecure)

    def open_tokens(self) -> Mapping[str, Token] | None:
        """Read the tokens, if there is a file of them."""
        if self.tokens is None:
            return None
        return open_tokens(self.tokens, allow_insecure=self.allow_insecure)

    @property
    def journal_path(self) -> Path | None:
        """Where the journal is; None if it is not kept, or nobody has said.

        Raises:
            UsageError: If what was said is no file's name.
        """
        if self.journal is not None and not Path(self.journal).name:
            raise UsageError("--journal must name a file")
        if self.journal is not None:
            return Path(self.journal)
        if self.plan.sandbox is not None or self.file is None or not _stays(Path(self.file)):
            return None
        return Path(self.file).with_suffix(".journal")

    def _folder(self, journal: Path | None) -> Path | None:
        if self.reports == "":  # an empty variable of a shell, and not the current folder
            raise UsageError("--reports must name a folder")
        if self.reports is not None:
            return Path(self.reports)
        return None if journal is None else journal.with_suffix(".reports")


def _stays(file: Path) -> bool:
    """Tell whether a file is where a journal can be, too; ``/dev/stdin`` is there for everybody."""
    volatile = any(file.absolute().is_relative_to(folder) for folder in ("/dev", "/proc"))
    return file.is_file() and not volatile


def onboard(job: Job, *, status: str | None, dry_run: bool) -> None:
    """Do what the options say.

    Args:
        job: The job.
        status: The journal of a job that is only asked about.
        dry_run: Whether nothing is to be sent.

    Raises:
        SystemExit: If not all is well.
    """
    with reporting(Output(json=job.plan.json), unsure=_AGAIN):
        if (job.file is None) == (status is None):
            raise UsageError("give either a file of accounts or, with --status, a journal")
        if status is not None:
            code = show(Path(status), json=job.plan.json)
        else:
            code = rehearse(job) if dry_run else job.carry_out()
    if code:
        raise SystemExit(code)


def sandbox_options(
    *, wanted: bool, rate_limit: int | None, faults: Iterable[str] | None, json: bool
) -> SandboxOptions | None:
    """Return what the sandbox of a run is to be like, if it has one.

    Raises:
        SystemExit: If something is said about a sandbox, and there is none.
    """
    if wanted:
        return SandboxOptions(rate_limit=rate_limit, faults=tuple(faults or ()))
    if rate_limit is not None or faults:
        with reporting(Output(json=json)):
            raise UsageError("--rate-limit and --fault are for --sandbox")
    return None
