"""A keyring in a file, for machines that have none; commands under test load a copy of it."""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path
from threading import Event
from typing import Any

from attrs import frozen
from keyring.backend import KeyringBackend
from keyring.compat import properties
from keyring.errors import KeyringLocked, PasswordDeleteError

_FILE = "CADENZA_TEST_VAULT"
_MOOD = "CADENZA_TEST_VAULT_MOOD"


class FileKeyring(KeyringBackend):
    """Keeps what it is given, unless it is locked, read-only, forgetful or asking its owner."""

    @properties.classproperty
    def priority(self) -> float:
        return 1.0

    def get_password(self, service: str, username: str) -> str | None:
        if os.environ.get(_MOOD) == "locked":
            raise KeyringLocked(f"{service} {username}")
        if os.environ.get(_MOOD) == "asking":
            Path(f"{os.environ[_FILE]}.asking").touch()
            Event().wait()
        return self._all().get(f"{service} {username}")

    def set_password(self, service: str, username: str, password: str) -> None:
        if os.environ.get(_MOOD) == "read-only":
            raise ValueError(f"cannot write {password}")
        if os.environ.get(_MOOD) != "forgetful":
            self._replace({**self._all(), f"{service} {username}": password})

    def delete_password(self, service: str, username: str) -> None:
        entries = self._all()
        if entries.pop(f"{service} {username}", None) is None:
            raise PasswordDeleteError(username)
        self._replace(entries)

    def _all(self) -> dict[str, str]:
        try:
            found: dict[str, str] = json.loads(Path(os.environ[_FILE]).read_text())
        except FileNotFoundError:
            return {}
        return found

    def _replace(self, entries: dict[str, str]) -> None:
        new = Path(f"{os.environ[_FILE]}.{os.getpid()}")
        new.write_text(json.dumps(entries))
        new.replace(os.environ[_FILE])


@frozen
class Vault:
    """What tests see of it."""

    folder: Path

    def install(self) -> None:
        """Put the backend where a command finds it."""
        shutil.copy(__file__, self.folder / "file_keyring.py")

    def environment(self, *path: str, mood: str = "") -> dict[str, str]:
        """What makes a command use it, and nothing else that says who is calling."""
        return {
            _FILE: str(self.folder / "vault.json"),
            _MOOD: mood,
            "PYTHON_KEYRING_BACKEND": "file_keyring.FileKeyring",
            "PYTHONPATH": os.pathsep.join([str(self.folder), *path]),
            "CADENZA_ACCESS_TOKEN": "",
        }

    @property
    def entries(self) -> dict[str, dict[str, Any]]:
        """What is stored, by name."""
        file = self.folder / "vault.json"
        stored = json.loads(file.read_text()) if file.exists() else {}
        return {name: json.loads(text) for name, text in stored.items()}

    def change(self, **fields: object) -> None:
        """Change the only session that is stored."""
        ((_, session),) = self.entries.items()
        self.replace(json.dumps({**session, **fields}))

    def replace(self, text: str) -> None:
        """Put something else in its place."""
        (name,) = self.entries
        (self.folder / "vault.json").write_text(json.dumps({name: text}))

    def clear(self) -> None:
        """Store nothing any more."""
        (self.folder / "vault.json").write_text("{}")
