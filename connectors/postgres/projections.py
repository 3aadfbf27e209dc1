"""
Projections: tables that follow from the log, made anew beside the live ones and compared with them row by row.

Two schemas of their own: one with the live rows as they are at one moment, so that nobody has to stop, one with what
the log gives. Both are dropped at the end.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

import psycopg
from psycopg import IsolationLevel, sql

from connectors.postgres.canonical import TableHash, canonical_hash, canonical_rows
from streams.bus_store import Place
from streams.names import TopicName

__all__ = [
    "Difference",
    "Projection",
    "compare",
    "empty_copies",
    "last_offsets",
    "placed_tables",
    "refused_places",
    "snapshot",
]


@dataclass(frozen=True, slots=True)
class Projection:
    """
    A table that follows from the log.

    Args:
        table: its name.
        key: the columns that tell its rows apart.
        left_out: columns that depend on the order in which partitions were read, or on other systems.
        where: which rows follow from the log, in SQL; None takes all.
    """

    table: str
    key: tuple[str, ...]
    left_out: tuple[str, ...] = ()
    where: str | None = None


@dataclass(frozen=True, slots=True)
class Difference:
    """
    A row that is not what the log gives.

    Args:
        table: where.
        key: of the row, as `column=value`.
        what: `missing` in the live table, `extra` there, or `changed`.
        columns: of a changed row, those that differ; their values may be personal and are not shown.
    """

    table: str
    key: str
    what: str
    columns: tuple[str, ...]


@contextmanager
def empty_copies(dsn: str, source: str, *, names: Sequence[str]) -> Iterator[None]:
    """
    Make schemas with the tables of another one, empty; drop them at the end.

    Args:
        dsn: of the administrator.
        source: the schema that is copied; its rows are not touched.
        names: of the schemas to make; what an earlier run left under them is dropped first.
    """
    tables = "select tablename from pg_tables where schemaname = %s and tablename <> 'migration'"
    with psycopg.connect(dsn) as connection:
        for name in names:
            connection.execute(sql.SQL("drop schema if exists {} cascade").format(sql.Identifier(name)))
            connection.execute(sql.SQL("create schema {}").format(sql.Identifier(name)))
            for (table,) in connection.execute(tables, [source]).fetchall():
                copy = sql.SQL("create table {} (like {} including all)")
                connection.execute(copy.format(sql.Identifier(name, table), sql.Identifier(source, table)))
    try:
        yield
    finally:
        with psycopg.connect(dsn) as connection:
            for name in names:
                connection.execute(sql.SQL("drop schema if exists {} cascade").format(sql.Identifier(name)))


def snapshot(dsn: str, source: str, target: str, tables: Sequence[str]) -> None:
    """Copy the rows of tables, all as they are at one moment."""
    with psycopg.connect(dsn) as connection:
        connection.isolation_level = IsolationLevel.REPEATABLE_READ
        for table in tables:
            copy = sql.SQL("insert into {} overriding system value table {}")
            connection.execute(copy.format(sql.Identifier(target, table), sql.Identifier(source, table)))


def placed_tables(dsn: str, schema: str) -> list[str]:
    """Name the tables whose rows say which record they come from."""
    query = """
        select tablename from information_schema.columns
        join pg_tables on schemaname = table_schema and tablename = table_name
        where table_schema = %s and column_name in ('topic', 'partition', 'offset') group by 1 having count(*) = 3
    """
    with psycopg.connect(dsn) as connection:
        return [name for (name,) in connection.execute(query, [schema]).fetchall()]


def last_offsets(dsn: str, schema: str, tables: Sequence[str]) -> dict[tuple[str, int], int]:
    """Give the highest offset of each topic and partition that these tables name."""
    found: dict[tuple[str, int], int] = {}
    with psycopg.connect(dsn) as connection:
        for table in tables:
            query = sql.SQL('select topic, partition, max("offset") from {} group by 1, 2')
            for topic, partition, offset in connection.execute(query.format(sql.Identifier(schema, table))).fetchall():
                found[topic, partition] = max(found.get((topic, partition), -1), offset)
    return found


def refused_places(dsn: str, schema: str) -> dict[Place, tuple[str, str]]:
    """Give code and sentence of each record in quarantine, by its place."""
    query = sql.SQL('select topic, partition, "offset", reason, detail from {}')
    with psycopg.connect(dsn) as connection:
        rows = connection.execute(query.format(sql.Identifier(schema, "quarantine"))).fetchall()
    return {Place(TopicName(topic), one, offset): (reason, detail) for topic, one, offset, reason, detail in rows}


def compare(
    dsn: str, projections: Sequence[Projection], *, live: str, rebuilt: str, limit: int
) -> tuple[dict[str, TableHash], dict[str, TableHash], list[Difference]]:
    """
    Compare projections.

    Args:
        dsn: of the administrator.
        projections: which.
        live: the schema with the live rows.
        rebuilt: the schema with those that the log gives.
        limit: name at most so many differences.

    Returns:
        Each table's canonical hash, live and rebuilt, and the differences.
    """
    found: list[Difference] = []
    with psycopg.connect(dsn) as connection:
        for schema in (live, rebuilt):
            for each in projections:
                _leave_out(connection, schema, each)
        names = [each.table for each in projections]
        hashes = [canonical_hash(connection, schema, tables=names) for schema in (live, rebuilt)]
        for each in projections:
            if hashes[0][each.table] != hashes[1][each.table] and len(found) < limit:
                found += _differences(connection, each, live, rebuilt, limit - len(found))
        connection.rollback()
    return hashes[0], hashes[1], found


def _leave_out(connection: psycopg.Connection, schema: str, projection: Projection) -> None:
    """Reduce a copy to what follows from the log; undone with the transaction."""
    table = sql.Identifier(schema, projection.table)
    if projection.where is not None:
        connection.execute(sql.SQL("delete from {} where not ({})").format(table, sql.SQL(projection.where)))
    for column in projection.left_out:
        connection.execute(sql.SQL("alter table {} drop column {} cascade").format(table, sql.Identifier(column)))


def _differences(
    connection: psycopg.Connection, projection: Projection, live: str, rebuilt: str, limit: int
) -> Iterator[Difference]:
    query = sql.SQL(
        """
        with a as ({live}), b as ({rebuilt})
        select coalesce(a.body, b.body), a.body, b.body from a full join b on ({a_key}) = ({b_key})
        where a.body is distinct from b.body order by 1 limit {limit}
        """
    ).format(
        live=canonical_rows(connection, live, projection.table),
        rebuilt=canonical_rows(connection, rebuilt, projection.table),
        a_key=_key("a", projection),
        b_key=_key("b", projection),
        limit=sql.Literal(limit),
    )
    for either, one, other in connection.execute(query).fetchall():
        key = " ".join(f"{column}={either[column]}" for column in projection.key)
        what = "missing" if one is None else "extra" if other is None else "changed"
        columns = sorted(name for name in either if one and other and one[name] != other[name])
        yield Difference(table=projection.table, key=key, what=what, columns=tuple(columns))


def _key(side: str, projection: Projection) -> sql.Composed:
    parts = [sql.SQL("{}.body ->> {}").format(sql.Identifier(side), sql.Literal(name)) for name in projection.key]
    return sql.SQL(", ").join(parts)
