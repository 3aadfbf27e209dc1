"""Many rows at once: binary COPY, which costs the client a fraction of what arrays or single statements do."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from struct import Struct

import psycopg

__all__ = ["TEXT_ARRAY", "Target", "text_array"]

TEXT_ARRAY = "bytea"
"""
The type under which a column of type text[] is announced when its values are `text_array`'s.

Binary COPY carries no types, so that PostgreSQL reads the bytes as what the column is.
"""

_ARRAY = Struct(">iiIii")
_ARRAY_EMPTY = Struct(">iiI")
_LENGTH = Struct(">i")
_TEXT_OID = 25


@lru_cache(maxsize=10_000)
def text_array(texts: tuple[str, ...]) -> bytes:
    """
    Give a text[] in PostgreSQL's binary form.

    The same few lists of fields and agencies come with every event, and the driver would write them anew each time.
    """
    if not texts:
        return _ARRAY_EMPTY.pack(0, 0, _TEXT_OID)
    encoded = [text.encode() for text in texts]
    return b"".join(
        [_ARRAY.pack(1, 0, _TEXT_OID, len(texts), 1), *(_LENGTH.pack(len(each)) + each for each in encoded)]
    )


@dataclass(frozen=True)
class Target:
    """
    A table's columns to be written.

    Args:
        table: its name.
        columns: each with its PostgreSQL type, which binary COPY must know.
    """

    table: str
    columns: Sequence[tuple[str, str]]

    async def write(self, connection: psycopg.AsyncConnection, rows: Iterable[Sequence[object]]) -> None:
        """Write rows; an id that is there already raises the driver's UniqueViolation."""
        names = ", ".join(f'"{name}"' for name, _ in self.columns)
        statement = f"copy {self.table} ({names}) from stdin (format binary)"
        async with connection.cursor() as cursor, cursor.copy(statement.encode()) as copy:
            copy.set_types([kind for _, kind in self.columns])
            for row in rows:
                await copy.write_row(row)
