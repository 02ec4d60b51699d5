"""Where rows come from: pipes, standard input under any name, files that somebody writes to."""

from __future__ import annotations

import asyncio
import os
from pathlib import Path
from threading import Thread
from typing import TYPE_CHECKING

import pytest

from cadenza_async.cli._rows import open_source
from tests.cli.process import CADENZA, cadenza, ended, environment, started
from tests.cli.terminal import at_terminal

from .files import account, private, report, table

if TYPE_CHECKING:
    from cadenza_async.sandbox import Sandbox


async def test_rows_come_from_standard_input(tmp_path: Path, sandbox: Sandbox) -> None:
    """The journal needs a name then, and references begin in the current folder."""
    text = table([account(1)])
    refused = await cadenza("onboard", "-", sandbox=sandbox, typed=text)
    assert (refused.code, sandbox.requests) == (2, [])
    assert "--journal" in refused.err
    arguments = ("onboard", "-", "--journal", str(tmp_path / "some.journal"))
    end = await cadenza(*arguments, sandbox=sandbox, typed=text)
    assert (end.code, len(sandbox.accounts)) == (0, 1)
    assert len(report(tmp_path / "some.reports", "connected")) == 1
    wrong = await cadenza(*arguments, sandbox=sandbox, typed="who knows\n")
    assert wrong.code == 2
    assert "standard input: column 1 of the header" in wrong.err
    assert len(report(tmp_path / "some.reports", "connected")) == 1


async def test_a_pipe_is_read_once(tmp_path: Path, sandbox: Sandbox) -> None:
    """A file that a program decrypts is as good as any; only its journal needs a name."""
    pipe = tmp_path / "accounts"
    os.mkfifo(pipe, 0o600)
    text = table([account(1)])
    command = ("onboard", str(pipe), "--journal", str(tmp_path / "journal"))
    end, _ = await asyncio.gather(
        cadenza(*command, sandbox=sandbox), asyncio.to_thread(pipe.write_text, text)
    )
    assert (end.code, end.err, len(sandbox.accounts)) == (0, "", 1)


def test_references_of_a_pipe_begin_in_the_current_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As those of standard input do: that of <(…) is somewhere in /dev."""
    monkeypatch.chdir(tmp_path)
    private(tmp_path / "secret", "a secret")
    pipe = tmp_path / "elsewhere" / "accounts"
    pipe.parent.mkdir()
    os.mkfifo(pipe, 0o600)
    writer = Thread(target=pipe.write_text, args=(table([account(1, apiSecret="file:secret")]),))
    writer.start()
    (row,) = open_source(str(pipe), allow_insecure=False).rows
    writer.join()
    assert row.flaws == ()


async def test_keys_are_not_typed_in(sandbox: Sandbox) -> None:
    """A terminal would show them."""
    command = ("onboard", "-", "--journal", "nowhere")
    async with at_terminal(*command, env=environment(sandbox)) as terminal:
        assert await terminal.end() == 2
    assert "a terminal would show the keys" in terminal.seen


@pytest.mark.skipif(not Path("/dev/stdin").exists(), reason="no such name for it")
async def test_a_name_of_standard_input_is_no_place_for_a_journal(
    tmp_path: Path, sandbox: Sandbox
) -> None:
    """Another file would be the same job, and the next start of the machine would forget it."""
    file = private(tmp_path / "accounts.csv", table([account(1)]))
    for command, code in ((), 2), (("--journal", str(tmp_path / "journal")), 0):
        with file.open() as rows:
            env, given = environment(sandbox), (*CADENZA, "onboard", "/dev/stdin", *command)
            async with started(*given, env=env, stdin=rows) as process:
                end = await ended(process)
        assert end.code == code
    assert len(report(tmp_path / "journal.reports", "connected")) == 1


@pytest.mark.parametrize("change", ["appended", "shortened", "touched"])
def test_a_file_that_is_changed_while_it_is_read_is_told(tmp_path: Path, change: str) -> None:
    """Rows may be lacking, or be halves of two; it is a failure at the end."""
    rows = [account(number) for number in range(500)]
    file = private(tmp_path / "accounts.csv", table(rows))
    found = iter(open_source(str(file), allow_insecure=False).rows)
    first = next(found)
    if change == "appended":
        private(file, table([*rows, account(500)]))
    elif change == "shortened":
        os.truncate(file, 20_000)
    else:
        os.utime(file)
    *others, last = found
    assert (first.line, last.line, last.account) == (2, others[-1].line + 1, None)
    assert str(last.entry).endswith("the file was changed while it was read: run again")
    again = list(open_source(str(file), allow_insecure=False).rows)
    assert [row.line for row in again] == [row.line for row in (first, *others)]
