"""What the journal knows of the credentials that rows have stored, in SQL."""

from __future__ import annotations

from typing import TYPE_CHECKING

from attrs import frozen

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterable

    from cadenza_async.models import Credential


@frozen(kw_only=True)
class Held:
    """A credential at Cadenza that holds the keys of a row.

    Attributes:
        credential_id: What Cadenza calls it.
        external_id: The exchange's account that the row is for, once that was chosen.
        stale: Whether it may hold other keys than the row does now.
        verified: Whether the exchange was asked since anything about the row was in doubt; not
            journaled, as it is to be asked again after a crash.
        told: What that account is connected as, if it was said to be; not journaled either.
        gone: Whether Cadenza does not have it any more, so that it is to be forgotten.
    """

    credential_id: str
    external_id: str | None = None
    stale: bool = False
    verified: bool = False
    told: str | None = None
    gone: bool = False


class Credentials:
    """The part of a store that is about credentials.

    Args:
        file: The journal.
    """

    def __init__(self, file: sqlite3.Connection) -> None:
        self._file = file

    def keep(self, row: int, held: Held) -> None:
        """Note the credential of a row; what was in doubt before it was there is so no more."""
        if held.gone:
            self._forget(row)
            return
        facts = (held.credential_id, held.external_id, held.stale, row)
        found = self._file.execute(
            "UPDATE credentials SET credential_id = ?, external_id = ?, stale = ? WHERE row = ?",
            facts,
        )
        if not found.rowcount:
            self._file.execute(
                "INSERT INTO credentials (credential_id, external_id, stale, row)"
                " VALUES (?, ?, ?, ?)",
                facts,
            )
            self._file.execute("UPDATE rows SET doubted = 0 WHERE id = ?", (row,))

    def _forget(self, row: int) -> None:
        """Have a row store its keys anew; what it had is never taken for what it stores then."""
        self._file.execute(
            "INSERT OR IGNORE INTO former_credentials"
            " SELECT user, credential_id FROM credentials JOIN rows ON id = row WHERE row = ?",
            (row,),
        )
        self._file.execute("DELETE FROM credentials WHERE row = ?", (row,))

    def note_baseline(self, user: str, credentials: Iterable[Credential]) -> None:
        """Note the credentials that a user has before anything is sent."""
        self._file.executemany(
            "INSERT INTO former_credentials VALUES (?, ?)",
            ((user, credential.credential_id) for credential in credentials),
        )

    def strangers(self, user: str, credentials: Iterable[Credential]) -> list[Credential]:
        """Return the credentials that neither were there before nor are explained by a row.

        A row explains the credential that it has; one that is being sent and has none yet, any of
        its name.
        """
        return [each for each in credentials if not self._explained(user, each)]

    def _explained(self, user: str, credential: Credential) -> bool:
        question = """
            SELECT EXISTS (
                SELECT 1 FROM former_credentials WHERE user = :user AND credential_id = :id
            )
            OR EXISTS (SELECT 1 FROM credentials WHERE credential_id = :id)
            OR EXISTS (
                SELECT 1 FROM rows LEFT JOIN credentials ON credentials.row = rows.id
                WHERE user = :user AND venue = :venue AND name = :name AND state = 'INTENT'
                AND credential_id IS NULL
            )
        """
        facts = {
            "user": user,
            "id": credential.credential_id,
            "venue": credential.venue,
            "name": credential.name,
        }
        explained: int = self._file.execute(question, facts).fetchone()[0]
        return bool(explained)
