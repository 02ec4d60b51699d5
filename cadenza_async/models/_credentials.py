"""Exchange credentials that Cadenza keeps."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from attrs import field, frozen


@frozen(kw_only=True)
class Credential:
    """A stored credential as Cadenza describes it; never the secret.

    Attributes:
        credential_id: Its unique identifier.
        venue: The exchange venue, as it came; when the answer names none the one that was sent with
            the keys, else ``UNKNOWN``.
        status: What state it is in, as it came; ``UNKNOWN`` when the answer names none.
        credential_type: For example ``API_KEY``, as it came (``credentialType`` or ``type``).
        name: Its custom name (``name`` or ``nickname`` on the wire).
        user_id: The user it belongs to.
        api_key: The API key as Cadenza masks it, if it shows one. No part of the repr.
        created_at: When it was stored (aware, UTC, to the millisecond).
        updated_at: When it last changed (aware, UTC, to the millisecond).
        revoked_at: When it was revoked (aware, UTC, to the millisecond).
        extra: As for `TradingAccount`.
    """

    credential_id: str
    venue: str
    status: str
    credential_type: str | None = None
    name: str | None = None
    user_id: str | None = None
    api_key: str | None = field(default=None, repr=False)
    created_at: datetime | None = None
    updated_at: datetime | None = None
    revoked_at: datetime | None = None
    extra: Mapping[str, Any] = field(factory=dict[str, Any], eq=False, repr=False)
