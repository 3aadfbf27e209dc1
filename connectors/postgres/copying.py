"""Many rows at once: binary COPY, which costs the client a fraction of what arrays or single statements do."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from struct import Struct

import psycopg

__all__ = ["ARRAY", "Target", "bytes_array", "text_array"]

ARRAY = "bytea"
"""
The type under which an array column is announced when its values are those of `text_array` or `bytes_array`.

Binary COPY carries no types, so that PostgreSQL reads the bytes as what the column is.
"""

_ARRAY = Struct(">iiIii")
_ARRAY_EMPTY = Struct(">iiI")
_LENGTH = Struct(">i")
_NULL = _LENGTH.pack(-1)
_BYTES_OID, _TEXT_OID = 17, 25


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


def bytes_array(values: Sequence[bytes | None]) -> bytes:
    """Give a bytea[] in PostgreSQL's binary form; None is NULL."""
    if not values:
        return _ARRAY_EMPTY.pack(0, 0, _BYTES_OID)
    parts = [_ARRAY.pack(1, None in values, _BYTES_OID, len(values), 1)]
    for value in values:
        parts += (_NULL,) if value is None else (_LENGTH.pack(len(value)), value)
    return b"".join(parts)


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
