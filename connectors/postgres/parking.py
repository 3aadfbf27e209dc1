"""Events that wait, in PostgreSQL: the parking half of `streams.bus_store.BusTransaction`."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

import psycopg
from psycopg.rows import dict_row

from connectors.postgres.rows import header_columns, record_of
from streams.bus_store import Line, Parked
from streams.names import TopicName

__all__ = ["ParkingTable"]

_PARK = """
    insert into parked (event_id, topic, partition, "offset", timestamp_ms, key, value, header_names, header_values,
                        value_sha256, waits_for, behind)
    values (%(event_id)s, %(topic)s, %(partition)s, %(offset)s, %(timestamp_ms)s, %(key)s, %(value)s, %(header_names)s,
            %(header_values)s, %(value_sha256)s, %(waits_for)s, %(behind)s)
    on conflict (event_id) do update set waits_for = excluded.waits_for, behind = excluded.behind, released_by = null
        where parked.released_by is not null
"""

_RELEASE = """
    with released as (
        update parked set released_by = w.root
        from unnest(%b::uuid[], %b::uuid[]) as w (event_id, root)
        where parked.waits_for = w.event_id and parked.released_by is null
        returning parked.*
    )
    select * from released order by number
"""

_OVERDUE = """
    with due as (
        select event_id from parked where released_by is null and not behind and parked_at < %s
        order by parked_at, number limit %s for update skip locked
    ), taken as (
        delete from parked using due where parked.event_id = due.event_id returning parked.*
    )
    select * from taken order by number
"""


class ParkingTable:
    """
    The table of what waits.

    Args:
        connection: in a transaction.
    """

    def __init__(self, connection: psycopg.AsyncConnection) -> None:
        self._connection = connection

    async def hold_parking(self) -> None:
        """
        Let no other transaction park or release until this one ends.

        An event is parked because its cause is not there; without this, the cause could be admitted beside us, find
        nothing to release, and leave the event waiting for ever.
        """
        await self._connection.execute("lock table parked in share row exclusive mode")

    async def waiting(self, partitions: Collection[tuple[TopicName, int]]) -> Mapping[UUID, Line]:
        """Give the events of some partitions that wait, the oldest first, each with its topic and key."""
        topics, numbers = zip(*partitions, strict=True)
        cursor = await self._connection.execute(
            "select event_id, topic, key from parked where released_by is null"
            " and (topic, partition) in (select * from unnest(%s::text[], %s::int[])) order by number",
            [list(topics), list(numbers)],
        )
        return {event_id: (TopicName(topic), key) for event_id, topic, key in await cursor.fetchall()}

    async def park(self, parked: Sequence[Parked]) -> Mapping[UUID, bytes]:
        """Let events wait; one at a time, for it is rare."""
        for each in parked:
            record = each.record
            await self._connection.execute(
                _PARK,
                {
                    "event_id": each.event_id,
                    "topic": record.topic,
                    "partition": record.partition,
                    "offset": record.offset,
                    "timestamp_ms": record.timestamp_ms,
                    "key": record.key,
                    "value": record.value,
                    **header_columns(record.headers),
                    "value_sha256": each.fingerprint,
                    "waits_for": each.waits_for,
                    "behind": each.behind,
                },
            )
        cursor = await self._connection.execute(
            "select event_id, value_sha256 from parked where event_id = any(%b)", [[each.event_id for each in parked]]
        )
        return dict(await cursor.fetchall())

    async def release(self, waited_for: Mapping[UUID, UUID]) -> Sequence[tuple[Parked, UUID]]:
        """Let go those that wait for these events."""
        return await self._rows(_RELEASE, [list(waited_for), list(waited_for.values())])

    async def released_by(self, event_ids: Sequence[UUID]) -> Sequence[tuple[Parked, UUID]]:
        """Give what was once released."""
        query = "select * from parked where released_by = any(%b) order by number"
        return await self._rows(query, [list(event_ids)])

    async def overdue(self, before: datetime, *, limit: int) -> Sequence[Parked]:
        """Take out the oldest of those that have waited for a cause since before a time."""
        return [each for each, _ in await self._rows(_OVERDUE, [before, limit])]

    async def _rows(self, query: str, arguments: Sequence[Any]) -> list[tuple[Parked, UUID]]:
        cursor = await self._connection.cursor(row_factory=dict_row).execute(query.encode(), arguments)
        return [(_parked(row), row["released_by"]) for row in await cursor.fetchall()]


def _parked(row: Mapping[str, Any]) -> Parked:
    return Parked(
        event_id=row["event_id"],
        record=record_of(row),
        fingerprint=row["value_sha256"],
        waits_for=row["waits_for"],
        behind=row["behind"],
    )
