"""Records and outbox rows as columns: header names and values are two arrays, so that any bytes survive."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache
from typing import Any

import psycopg

from streams.headers import Headers
from streams.names import TopicName
from streams.record import QuarantineItem, Record
from streams.store import OutboxEntry, OutboxRow

__all__ = [
    "INSERT_OUTBOX",
    "PENDING",
    "header_columns",
    "header_literals",
    "keep_quarantined",
    "outbox_columns",
    "outbox_entry",
    "plain_names",
    "record_of",
    "storable",
    "texts_literal",
]

INSERT_OUTBOX = """
    insert into outbox (row_id, topic, key, value, header_names, header_values)
    values (%(row_id)s, %(topic)s, %(key)s, %(value)s, %(header_names)s, %(header_values)s)
    on conflict (row_id) do nothing
"""

PENDING = """
    select sequence, row_id, topic, key, value, header_names, header_values
    from outbox where published_at is null order by sequence limit %s
"""

_INSERT_QUARANTINE = """
    insert into quarantine (id, topic, partition, "offset", reason, detail, key, value, header_names, header_values)
    values (%(id)s, %(topic)s, %(partition)s, %(offset)s, %(reason)s, %(detail)s, %(key)s, %(value)s,
            %(header_names)s, %(header_values)s)
    on conflict (id) do nothing
"""


# There are as many rows of names as ways to write an envelope; whose names are new each time is merely slower.
@lru_cache(maxsize=1024)
def plain_names(names: tuple[str, ...]) -> tuple[str, ...]:
    """Give headers' names as PostgreSQL can keep them: a zero byte becomes U+FFFD."""
    return tuple(name.replace("\0", "\ufffd") for name in names)


def header_columns(headers: Headers) -> dict[str, list[str] | list[bytes]]:
    """Give headers as two columns."""
    names = plain_names(tuple(name for name, _ in headers))
    return {"header_names": list(names), "header_values": [value for _, value in headers]}


def header_literals(headers: Headers) -> tuple[str, str]:
    """
    Give headers as two array literals, for statements that take many rows at once.

    PostgreSQL has no arrays of arrays of different lengths, so each row's array travels as a text of its own.
    """
    names = texts_literal(plain_names(tuple(name for name, _ in headers)))
    values = ['"\\\\x' + value.hex() + '"' if value is not None else "NULL" for _, value in headers]
    return names, "{" + ",".join(values) + "}"


@lru_cache(maxsize=1024)
def texts_literal(texts: tuple[str, ...]) -> str:
    """Give texts as an array literal."""
    return "{" + ",".join('"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"' for text in texts) + "}"


def header_pairs(names: Sequence[str], values: Sequence[Any]) -> Headers:
    """Read headers from two columns; a null value, which Kafka knows, stays one."""
    pairs: list[Any] = [
        (name, value if value is None else bytes(value)) for name, value in zip(names, values, strict=True)
    ]
    return pairs


def storable(texts: Iterable[str]) -> list[str]:
    """Give those texts, sorted, that PostgreSQL can hold: one with a zero byte names nothing there."""
    return sorted(text for text in texts if "\0" not in text)


def outbox_columns(row: OutboxRow) -> dict[str, Any]:
    """Give an outbox row's columns."""
    return {
        "row_id": row.row_id,
        "topic": row.topic,
        "key": row.key,
        "value": row.value,
        **header_columns(row.headers),
    }


def outbox_entry(row: Sequence[Any]) -> OutboxEntry:
    """Read a row of `PENDING`."""
    sequence, row_id, topic, key, value, names, values = row
    headers = header_pairs(names, values)
    return OutboxEntry(
        sequence=sequence, row=OutboxRow(row_id=row_id, topic=TopicName(topic), key=key, value=value, headers=headers)
    )


def record_of(row: Mapping[str, Any]) -> Record:
    """Read the record's columns of an inbox row."""
    return Record(
        topic=TopicName(row["topic"]),
        partition=row["partition"],
        offset=row["offset"],
        key=row["key"],
        value=row["value"],
        headers=header_pairs(row["header_names"], row["header_values"]),
        timestamp_ms=row.get("timestamp_ms", 0),
    )


async def keep_quarantined(connection: psycopg.AsyncConnection, item: QuarantineItem) -> bool:
    """Keep a record that cannot be processed; False for a repeat."""
    record = item.record
    cursor = await connection.execute(
        _INSERT_QUARANTINE,
        {
            "id": item.id,
            "topic": record.topic,
            "partition": record.partition,
            "offset": record.offset,
            "reason": item.reason,
            "detail": item.detail,
            "key": record.key,
            "value": record.value,
            **header_columns(record.headers),
        },
    )
    return cursor.rowcount == 1
