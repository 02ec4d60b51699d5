"""A group of commands whose first one needs no name."""

from __future__ import annotations

from typing import Any

from typer.core import TyperGroup


class Menu(TyperGroup):
    """Commands about things of one kind; without a command they are listed."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:  # noqa: ANN401  # typer's own
        """Understand options without a command as those of ``list``."""
        listing = not args or (args[0].startswith("-") and args[0] != "--help")
        return super().parse_args(ctx, ["list", *args] if listing else args)
