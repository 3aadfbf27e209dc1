"""
One text for the rows of a schema, whatever order they were written in, and its SHA-256.

A row's text is its columns as JSON (`jsonb`, which has one order of keys and one way to write a number), times in UTC,
bytes in hexadecimal. Left out are identity columns and local times: when this installation read, queued or kept
something, which another run of the same events need not repeat. A table's hash is that over its sorted rows' hashes.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import psycopg
from psycopg import sql

__all__ = ["LOCAL_COLUMNS", "TableHash", "canonical_hash", "canonical_rows", "tables_of", "whole_hash"]

LOCAL_COLUMNS = (
    "changed_at",
    "confirmed_at",
    "granted_at",
    "ingested_at",
    "kept_at",
    "made_at",
    "noted_at",
    "noticed_at",
    "parked_at",
    "published_at",
    "queued_at",
    "received_at",
    "settled_at",
    "until",
)
"""Columns that say when this installation did something; in every table and never part of the canonical text."""

_BATCH_ROWS = 10_000

_TABLES = "select tablename from pg_tables where schemaname = %s and tablename <> 'migration' order by 1"

_IDENTITY = """
    select column_name from information_schema.columns
    where table_schema = %s and table_name = %s and is_identity = 'YES'
"""


@dataclass(frozen=True, slots=True)
class TableHash:
    """A table's rows, counted, and the hash of their canonical text in hexadecimal."""

    rows: int
    sha256: str


def tables_of(connection: psycopg.Connection, schema: str) -> list[str]:
    """Name a schema's tables, without Alembic's own."""
    return [name for (name,) in connection.execute(_TABLES, [schema]).fetchall()]


def canonical_hash(
    connection: psycopg.Connection, schema: str, *, tables: Sequence[str] | None = None
) -> dict[str, TableHash]:
    """
    Hash a schema's tables.

    Args:
        connection: of a role that may read them; in a transaction that sees one state of all of them.
        schema: which.
        tables: None takes all.

    Returns:
        Each table's hash, by name.
    """
    return {table: _table_hash(connection, schema, table) for table in tables or tables_of(connection, schema)}


def whole_hash(tables: Mapping[str, TableHash]) -> str:
    """Give one hash for many tables."""
    lines = "".join(f"{name} {each.rows} {each.sha256}\n" for name, each in sorted(tables.items()))
    return hashlib.sha256(lines.encode()).hexdigest()


def canonical_rows(connection: psycopg.Connection, schema: str, table: str) -> sql.Composed:
    """Give the query of a table's canonical rows: one column, `body`, of type `jsonb`."""
    identity = [name for (name,) in connection.execute(_IDENTITY, [schema, table]).fetchall()]
    left_out = [*identity, *LOCAL_COLUMNS]
    return sql.SQL("select to_jsonb(t) - {left_out}::text[] as body from {table} t").format(
        left_out=sql.Literal(left_out), table=sql.Identifier(schema, table)
    )


def _table_hash(connection: psycopg.Connection, schema: str, table: str) -> TableHash:
    rows = canonical_rows(connection, schema, table)
    query = sql.SQL("select sha256(convert_to(body::text, 'UTF8')) from ({rows}) rows order by 1").format(rows=rows)
    digest, count = hashlib.sha256(), 0
    # So that no setting of the caller's session decides how a time or bytes are written.
    connection.execute("set local timezone = 'UTC'; set local bytea_output = 'hex'")
    with connection.cursor(name="canonical") as cursor:
        cursor.itersize = _BATCH_ROWS
        for (row,) in cursor.execute(query):
            digest.update(row)
            count += 1
    return TableHash(rows=count, sha256=digest.hexdigest())
