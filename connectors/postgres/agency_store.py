"""An agency's own store in PostgreSQL: `streams.store.AgencyStore`."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

import psycopg
from psycopg.rows import dict_row
from psycopg.types.json import Jsonb

from connectors.postgres.connection import Database
from connectors.postgres.rows import (
    INSERT_OUTBOX,
    PENDING,
    header_columns,
    keep_quarantined,
    outbox_columns,
    outbox_entry,
    record_of,
)
from streams.agent import State
from streams.documents import DocumentRef
from streams.event import Event
from streams.names import AgencyCode, quarantine_topic
from streams.record import QuarantineItem, Record
from streams.store import OutboxEntry, OutboxRow

__all__ = ["PostgresAgencyStore"]

_INSERT_INBOX = """
    insert into inbox (event_id, event_type, source, subject_kind, subject_value, correlation, cause, event_time,
                       topic, partition, "offset", key, value, header_names, header_values, removed, answer_due)
    values (%(event_id)s, %(event_type)s, %(source)s, %(subject_kind)s, %(subject_value)s, %(correlation)s, %(cause)s,
            %(event_time)s, %(topic)s, %(partition)s, %(offset)s, %(key)s, %(value)s, %(header_names)s,
            %(header_values)s, %(removed)s, %(answer_due)s)
    on conflict (event_id) do nothing
"""


@dataclass(frozen=True)
class _Transaction:
    connection: psycopg.AsyncConnection
    agency: AgencyCode

    async def receive(self, event: Event, record: Record) -> bool:
        cursor = await self.connection.execute(
            _INSERT_INBOX,
            {
                "event_id": event.id,
                "event_type": event.type,
                "source": event.source,
                "subject_kind": event.subject.kind,
                "subject_value": event.subject.value,
                "correlation": event.correlation,
                "cause": event.cause,
                "event_time": event.time,
                "topic": record.topic,
                "partition": record.partition,
                "offset": record.offset,
                "key": record.key,
                "value": record.value,
                **header_columns(record.headers),
                "removed": list(event.removed),
                "answer_due": event.answer_due,
            },
        )
        return cursor.rowcount == 1

    async def state(self, handler: str, key: str) -> State:
        cursor = await self.connection.execute(
            "select body from state where handler = %s and state_key = %s for update", [handler, key]
        )
        row = await cursor.fetchone()
        return row[0] if row else {}

    async def keep_state(self, handler: str, key: str, state: State) -> None:
        await self.connection.execute(
            """
            insert into state (handler, state_key, body) values (%s, %s, %s)
            on conflict (handler, state_key) do update set body = excluded.body, changed_at = clock_timestamp()
            """,
            [handler, key, Jsonb(state)],
        )

    async def publish(self, rows: Sequence[OutboxRow]) -> int:
        new = 0
        for row in rows:
            cursor = await self.connection.execute(INSERT_OUTBOX, outbox_columns(row))
            new += cursor.rowcount
        return new

    async def annotate(self, event_id: UUID, note: str) -> None:
        await self.connection.execute(
            "update inbox set notes = notes || %s::text where event_id = %s", [note, event_id]
        )

    async def name_documents(self, event_id: UUID, documents: Sequence[DocumentRef]) -> None:
        for document in documents:
            await self.connection.execute(
                "insert into document (sha256, event_id) values (%s, %s) on conflict do nothing",
                [document.sha256, event_id],
            )

    async def hand_over(self, event_id: UUID, sinks: Sequence[str]) -> None:
        for sink in sinks:
            await self.connection.execute(
                "insert into handover (sink, event_id) values (%s, %s) on conflict do nothing", [sink, event_id]
            )

    async def answer(self, request: UUID, *, answer: UUID, status: str, at: datetime) -> bool:
        cursor = await self.connection.execute(
            "update inbox set answer = %s, answer_status = %s, answered_at = %s where event_id = %s",
            [answer, status, at, request],
        )
        return cursor.rowcount == 1

    async def ingest(self, source: str, item_id: str, event_id: UUID) -> bool:
        cursor = await self.connection.execute(
            "insert into ingested (source, item_id, event_id) values (%s, %s, %s) on conflict do nothing",
            [source, item_id, event_id],
        )
        return cursor.rowcount == 1

    async def quarantine(self, item: QuarantineItem) -> None:
        if await keep_quarantined(self.connection, item):
            row = OutboxRow(
                row_id=item.id,
                topic=quarantine_topic(self.agency),
                key=item.record.key,
                value=item.record.value,
                headers=item.headers,
            )
            await self.publish([row])


@dataclass(frozen=True)
class PostgresAgencyStore:
    """
    An agency's own store.

    Args:
        database: open, as the agency's role, in its schema.
        agency: whose.
    """

    database: Database
    agency: AgencyCode

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[_Transaction]:
        """Begin a transaction."""
        async with self.database.transaction() as connection:
            yield _Transaction(connection, self.agency)

    async def pending(self, *, limit: int) -> Sequence[OutboxEntry]:
        """Give the oldest unpublished rows."""
        async with self.database.transaction() as connection:
            cursor = await connection.execute(PENDING, [limit])
            return [outbox_entry(row) for row in await cursor.fetchall()]

    async def mark_published(self, sequences: Sequence[int]) -> None:
        """Note that Kafka confirmed these rows."""
        async with self.database.transaction() as connection:
            await connection.execute(
                "update outbox set published_at = clock_timestamp() where sequence = any(%s)", [list(sequences)]
            )

    async def handovers(self, sink: str, *, limit: int) -> Sequence[tuple[UUID, Record]]:
        """Give the inbox items queued for a sink."""
        async with self.database.transaction() as connection:
            cursor = await connection.cursor(row_factory=dict_row).execute(
                """
                select inbox.* from handover join inbox using (event_id)
                where sink = %s and settled_at is null order by handover.sequence limit %s
                """,
                [sink, limit],
            )
            return [(row["event_id"], record_of(row)) for row in await cursor.fetchall()]

    async def settle_handover(self, sink: str, event_ids: Sequence[UUID], *, error: str | None) -> None:
        """Note that a sink took items, or why it never will."""
        async with self.database.transaction() as connection:
            await connection.execute(
                """
                update handover set settled_at = clock_timestamp(), error = %s
                where sink = %s and event_id = any(%s)
                """,
                [error, sink, list(event_ids)],
            )
