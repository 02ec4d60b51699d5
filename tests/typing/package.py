"""The package itself: its names are known, though each is loaded on its first use."""

from __future__ import annotations

from typing import assert_type

import cadenza_async


def names() -> None:
    """A name that is misspelt is an error."""
    assert_type(cadenza_async.AsyncCadenza("token"), cadenza_async.AsyncCadenza)
    assert_type(cadenza_async.__version__, str)
    cadenza_async.AsyncCadensa("token")  # type: ignore[attr-defined]  # pyright: ignore[reportAttributeAccessIssue, reportUnknownMemberType]
