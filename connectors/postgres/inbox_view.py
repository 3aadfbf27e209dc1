"""What an agency's officers look at: their inbox, and which documents its events name."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from psycopg.rows import dict_row

from connectors.postgres.agency_store import parked_copy
from connectors.postgres.connection import Database
from connectors.postgres.rows import record_of
from streams.agency_store import ParkedCopy
from streams.names import AgencyCode, EventType
from streams.record import Record

__all__ = [
    "InboxItem",
    "find_item",
    "list_items",
    "list_parked",
    "names_document",
    "received_counts",
    "travel_seconds",
    "waiting_in_outbox",
]

_ITEM = "select * from inbox"


@dataclass(frozen=True, slots=True)
class InboxItem:
    """
    One event in an agency's inbox.

    Args:
        event_id: of the event.
        event_type: its type.
        source: who sent it.
        event_time: when it was made.
        received_at: when this agency had it.
        removed: fields taken out of this copy.
        notes: hints of the agency's own handlers.
        answer_due: until when an answer is owed; None when none is.
        answer: id of the answer given.
        answer_status: its status.
        answered_at: when it was given.
        record: the record as it was read.
    """

    event_id: UUID
    event_type: EventType
    source: AgencyCode
    event_time: datetime
    received_at: datetime
    removed: tuple[str, ...]
    notes: tuple[str, ...]
    answer_due: datetime | None
    answer: UUID | None
    answer_status: str | None
    answered_at: datetime | None
    record: Record


async def list_items(database: Database, *, waiting_only: bool, limit: int) -> Sequence[InboxItem]:
    """
    List an inbox: what is due first, then the newest.

    Args:
        database: open, as the agency's role.
        waiting_only: only what an answer is still owed for.
        limit: at most so many.

    Raises:
        TransientError: PostgreSQL is away.
    """
    where = "where answer_due is not null and answer is null" if waiting_only else ""
    order = "order by answer is null and answer_due is not null desc, answer_due, received_at desc"
    return await _items(database, f"{_ITEM} {where} {order} limit %s", [limit])


async def list_parked(database: Database, *, limit: int) -> Sequence[ParkedCopy]:
    """
    List the copies that wait for an event that must come first, the oldest first.

    Raises:
        TransientError: PostgreSQL is away.
    """
    async with database.transaction() as connection:
        cursor = connection.cursor(row_factory=dict_row)
        await cursor.execute("select * from parked order by number limit %s", [limit])
        return [parked_copy(row) for row in await cursor.fetchall()]


async def find_item(database: Database, event_id: UUID) -> InboxItem | None:
    """Give one item, None when it is not in this inbox; TransientError when PostgreSQL is away."""
    found = await _items(database, f"{_ITEM} where event_id = %s", [event_id])
    return found[0] if found else None


async def names_document(database: Database, sha256: str) -> bool:
    """Say whether an event that this agency received or sent names a document."""
    async with database.transaction() as connection:
        cursor = await connection.execute("select from document where sha256 = %s limit 1", [sha256])
        return await cursor.fetchone() is not None


async def waiting_in_outbox(database: Database) -> int:
    """Count what waits for Kafka."""
    async with database.transaction() as connection:
        cursor = await connection.execute("select count(*) from outbox where published_at is null")
        row = await cursor.fetchone()
        return int(row[0]) if row else 0


async def _items(database: Database, query: str, arguments: Sequence[object]) -> list[InboxItem]:
    async with database.transaction() as connection:
        cursor = await connection.cursor(row_factory=dict_row).execute(query.encode(), arguments)
        rows = await cursor.fetchall()
    return [
        InboxItem(
            event_id=row["event_id"],
            event_type=EventType(row["event_type"]),
            source=AgencyCode(row["source"]),
            event_time=row["event_time"],
            received_at=row["received_at"],
            removed=tuple(row["removed"]),
            notes=tuple(row["notes"]),
            answer_due=row["answer_due"],
            answer=row["answer"],
            answer_status=row["answer_status"],
            answered_at=row["answered_at"],
            record=record_of(row),
        )
        for row in rows
    ]


async def received_counts(database: Database) -> dict[tuple[EventType, AgencyCode], int]:
    """Count an inbox by type and sender."""
    async with database.transaction() as connection:
        cursor = await connection.execute("select event_type, source, count(*) from inbox group by 1, 2")
        rows = await cursor.fetchall()
    return {(EventType(event_type), AgencyCode(source)): count for event_type, source, count in rows}


async def travel_seconds(database: Database) -> dict[tuple[EventType, AgencyCode], tuple[float, float]]:
    """Say how long events took from their making to this inbox: median and longest, by type and sender."""
    async with database.transaction() as connection:
        cursor = await connection.execute(
            """
            select event_type, source,
                   percentile_cont(0.5) within group (order by extract(epoch from received_at - event_time))::float8,
                   max(extract(epoch from received_at - event_time))::float8
            from inbox group by 1, 2
            """
        )
        rows = await cursor.fetchall()
    return {(EventType(name), AgencyCode(source)): (median, longest) for name, source, median, longest in rows}
