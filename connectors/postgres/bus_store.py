"""The bus's ledger in PostgreSQL: `streams.store.BusStore`."""

from __future__ import annotations

import hashlib
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import asdict, dataclass
from uuid import UUID

import psycopg

from connectors.postgres.connection import Database
from connectors.postgres.rows import INSERT_OUTBOX, PENDING, keep_quarantined, outbox_columns, outbox_entry, storable
from streams.errors import ForbiddenError
from streams.names import AgencyCode
from streams.record import QuarantineItem
from streams.store import Admission, AuditEntry, OutboxEntry, OutboxRow

__all__ = ["PostgresBusStore"]

_INSERT_EVENT = """
    insert into event (event_id, event_type, source, officer, subject_kind, subject_value, correlation, cause, depth,
                       event_time, admitted_at, topic, partition, "offset", value_sha256)
    values (%(event_id)s, %(event_type)s, %(source)s, %(officer)s, %(subject_kind)s, %(subject_value)s,
            %(correlation)s, %(cause)s, %(depth)s, %(event_time)s, %(admitted_at)s, %(topic)s, %(partition)s,
            %(offset)s, %(value_sha256)s)
    on conflict (event_id) do nothing
"""

_INSERT_DELIVERY = """
    insert into delivery (event_id, agency, removed, purpose, legal_article, answer_type, answer_due)
    values (%(event_id)s, %(agency)s, %(removed)s, %(purpose)s, %(article)s, %(answer_type)s, %(answer_due)s)
"""

_NOTE_ANSWER = """
    update delivery set answer = %(answer)s, answer_status = %(status)s, answered_at = %(at)s
    where event_id = %(request)s and agency = %(agency)s and answer_type = %(type)s
"""

_INSERT_AUDIT = """
    insert into audit (action, recorded_at, event_id, event_type, agency, officer, recipient, removed, legal_article,
                       reason_code)
    values (%(action)s, %(at)s, %(event_id)s, %(event_type)s, %(agency)s, %(officer)s, %(recipient)s, %(removed)s,
            %(legal_article)s, %(reason_code)s)
"""

_MARK_PUBLISHED = """
    with published as (
        update outbox set published_at = clock_timestamp() where sequence = any(%s) returning row_id
    )
    update delivery set delivered_at = clock_timestamp()
    from published where delivery.row_id = published.row_id and delivered_at is null
"""


@dataclass(frozen=True)
class _Transaction:
    connection: psycopg.AsyncConnection

    async def admit(self, admission: Admission) -> bool:
        event, record = admission.event, admission.record
        fingerprint = hashlib.sha256(record.value or b"").digest()
        cursor = await self.connection.execute(
            _INSERT_EVENT,
            {
                "event_id": event.id,
                "event_type": event.type,
                "source": event.source,
                "officer": event.officer,
                "subject_kind": event.subject.kind,
                "subject_value": event.subject.value,
                "correlation": event.correlation,
                "cause": event.cause,
                "depth": event.depth,
                "event_time": event.time,
                "admitted_at": admission.at,
                "topic": record.topic,
                "partition": record.partition,
                "offset": record.offset,
                "value_sha256": fingerprint,
            },
        )
        if cursor.rowcount == 0:
            await self._check_repeat(event.id, fingerprint)
            return False
        for delivery in admission.deliveries:
            await self.connection.execute(
                _INSERT_DELIVERY, {**asdict(delivery), "event_id": event.id, "removed": list(delivery.removed)}
            )
        if admission.answers:
            await self.connection.execute(
                _NOTE_ANSWER,
                {
                    "answer": event.id,
                    "status": admission.status,
                    "at": admission.at,
                    "request": event.cause,
                    "agency": event.source,
                    "type": event.type,
                },
            )
        return True

    async def _check_repeat(self, event_id: UUID, fingerprint: bytes) -> None:
        cursor = await self.connection.execute("select value_sha256 from event where event_id = %s", [event_id])
        row = await cursor.fetchone()
        if row is None or bytes(row[0]) != fingerprint:
            raise ForbiddenError(f"Event {event_id} is known with another value.", code="conflicting_duplicate")

    async def publish(self, rows: Sequence[OutboxRow], *, deliveries: Sequence[tuple[UUID, AgencyCode]]) -> None:
        for row, (event_id, agency) in zip(rows, deliveries, strict=True):
            await self.connection.execute(INSERT_OUTBOX, outbox_columns(row))
            await self.connection.execute(
                "update delivery set row_id = %s where event_id = %s and agency = %s", [row.row_id, event_id, agency]
            )

    async def audit(self, entries: Sequence[AuditEntry], rows: Sequence[OutboxRow]) -> None:
        for entry in entries:
            await self.connection.execute(_INSERT_AUDIT, {**asdict(entry), "removed": list(entry.removed)})
        for row in rows:
            await self.connection.execute(INSERT_OUTBOX, outbox_columns(row))

    async def grant_keys(self, key_ids: frozenset[str], agency: AgencyCode, *, sender: AgencyCode) -> None:
        if known := storable(key_ids):
            await self.connection.execute("select keyring.grant_keys(%s, %s, %s)", [known, agency, sender])

    async def quarantine(self, item: QuarantineItem, row: OutboxRow) -> bool:
        if not await keep_quarantined(self.connection, item):
            return False
        await self.connection.execute(INSERT_OUTBOX, outbox_columns(row))
        return True


@dataclass(frozen=True)
class PostgresBusStore:
    """
    The bus's ledger.

    Args:
        database: open, as the bus's role, in its schema.
    """

    database: Database

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[_Transaction]:
        """Begin a transaction."""
        async with self.database.transaction() as connection:
            yield _Transaction(connection)

    async def pending(self, *, limit: int) -> Sequence[OutboxEntry]:
        """Give the oldest unpublished rows."""
        async with self.database.transaction() as connection:
            cursor = await connection.execute(PENDING, [limit])
            return [outbox_entry(row) for row in await cursor.fetchall()]

    async def mark_published(self, sequences: Sequence[int]) -> None:
        """Note that Kafka confirmed these rows, and with them the deliveries that they are."""
        async with self.database.transaction() as connection:
            await connection.execute(_MARK_PUBLISHED, [list(sequences)])
