"""The key service in PostgreSQL: `streams.sealing.KeyService`. Functions there know the agency from its login."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field

from connectors.postgres.connection import Database
from connectors.postgres.rows import storable
from streams.sealing import SubjectKey
from streams.subject import SubjectRef

__all__ = ["PostgresKeyring"]

_MAX_KEPT = 10_000


@dataclass
class PostgresKeyring:
    """
    Keys of subjects, kept in memory for as long as the process lives.

    Args:
        database: open, as the agency's role.
    """

    database: Database
    _own: dict[SubjectRef, SubjectKey] = field(default_factory=dict, repr=False)
    _held: dict[str, SubjectKey] = field(default_factory=dict, repr=False)

    async def key_for(self, subject: SubjectRef) -> SubjectKey:
        """Give the agency's own key for a subject."""
        if subject not in self._own:
            async with self.database.transaction() as connection:
                cursor = await connection.execute(
                    "select key_id, secret from keyring.key_for(%s, %s, %s, %s)",
                    [subject.kind, subject.scheme, subject.value, os.urandom(32)],
                )
                row = await cursor.fetchone()
            if row is None:
                raise RuntimeError("keyring.key_for gave nothing")
            if len(self._own) >= _MAX_KEPT:
                self._own.clear()
            self._own[subject] = SubjectKey(key_id=row[0], secret=bytes(row[1]))
        return self._own[subject]

    async def keys(self, key_ids: frozenset[str]) -> Mapping[str, SubjectKey]:
        """Give those of the named keys that were granted to the agency."""
        if len(self._held) >= _MAX_KEPT:
            self._held.clear()
        unknown = [key_id for key_id in storable(key_ids) if key_id not in self._held]
        if unknown:
            async with self.database.transaction() as connection:
                cursor = await connection.execute("select key_id, secret from keyring.keys(%s)", [unknown])
                rows = await cursor.fetchall()
            self._held.update({key_id: SubjectKey(key_id=key_id, secret=bytes(secret)) for key_id, secret in rows})
        return {key_id: self._held[key_id] for key_id in key_ids if key_id in self._held}
