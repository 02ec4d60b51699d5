"""What `--help` tells, of every command there is."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from rich.text import Text
from typer import Context
from typer.main import get_command

from cadenza_async import __version__
from cadenza_async.cli import app

from .process import cadenza

if TYPE_CHECKING:
    from collections.abc import Iterator


def commands(command: Any, name: str) -> Iterator[tuple[str, Any]]:  # click, as typer has it
    """Give a command and all below it, by what is typed for them."""
    yield name, command
    for each, below in getattr(command, "commands", {}).items():
        yield from commands(below, f"{name} {each}")


ALL = dict(commands(get_command(app), "cadenza"))


@pytest.mark.parametrize("name", ALL)
def test_help_is_shown_as_it_is_written(name: str) -> None:
    """Nothing in it is taken for markup, and so left out."""
    command = ALL[name]
    texts = [
        command.help,
        command.epilog,
        *(getattr(each, "help", None) for each in command.params),
    ]
    for text in filter(None, texts):
        assert Text.from_markup(text).plain == text


@pytest.mark.parametrize("name", ALL)
def test_what_may_be_left_out_is_in_brackets_once(name: str) -> None:
    """Two pairs of them would mean nothing."""
    usage = ALL[name].get_usage(Context(ALL[name], info_name=name))
    assert "[[" not in usage


async def test_help_is_shown_in_every_encoding() -> None:
    """What a locale does not know is spelt out, and is no traceback."""
    end = await cadenza("connect", "--help", env={"PYTHONIOENCODING": "latin-1"})
    assert (end.code, end.err) == (0, "")
    assert "CADENZA_API_KEY=\\u2026" in end.out


async def test_it_says_which_version_it_is() -> None:
    """With nothing beside the option, as scripts and reports of defects want it."""
    end = await cadenza("--version")
    assert (end.code, end.out, end.err) == (0, f"cadenza_async {__version__}\n", "")
