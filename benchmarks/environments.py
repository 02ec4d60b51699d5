"""Which Python runs a rival: this one, or one of an environment made for it."""

from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from pathlib import Path

_ANYWAY: Final = ("attrs", "cattrs")  # what the job itself is written with
NEEDS: Final[dict[str, tuple[str, ...]]] = {
    "ours": (),
    "careful": (),
    "idiomatic": (),
    "journal": (),
    "bare": (),
    "libraries": (),
    "command": (),
    "nobody": (),
    "httpx": ("httpx>=0.28",),
    "requests": ("requests>=2.32",),
    "niquests": ("niquests>=3.15",),
    "pyreqwest": ("pyreqwest>=0.11",),
    "vendor": ("cadenza-sdk",),  # with the httpx and the pydantic that it asks for
}
"""The rivals, and what each is installed with; nothing when this environment will do."""


class Environments:
    """The environments of a folder, made when they are first asked for.

    Args:
        folder: Where they are kept.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def python(self, rival: str) -> str:
        """Return the Python that runs a rival."""
        if not NEEDS[rival]:
            return sys.executable
        home = self._folder / f"{rival}-{sys.version_info.major}.{sys.version_info.minor}"
        python = home / "bin" / "python"
        if not python.exists():
            self._make(home, python, (*NEEDS[rival], *_ANYWAY))
        return str(python)

    @staticmethod
    def _make(home: Path, python: Path, needs: tuple[str, ...]) -> None:
        subprocess.run(["uv", "venv", "--quiet", "--python", sys.executable, home], check=True)
        install = ["uv", "pip", "install", "--quiet", "--python", str(python)]
        subprocess.run([*install, *needs], check=True)
