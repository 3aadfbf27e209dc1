"""An agency's own store in PostgreSQL: `streams.agency_store.AgencyStore`."""

from __future__ import annotations

from collections.abc import AsyncIterator, Collection, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

import psycopg
from psycopg.rows import dict_row

from connectors.postgres import agency_statements as statements
from connectors.postgres.connection import Database, attempt
from connectors.postgres.copying import ARRAY, Target, bytes_array, text_array
from connectors.postgres.relay_turn import relay_turn
from connectors.postgres.rows import PENDING, header_literals, outbox_entry, plain_names, record_of
from streams.agency_store import AnswerNote, Arrival, ParkedCopy, StateId
from streams.errors import TransientError
from streams.names import AgencyCode, quarantine_topic
from streams.record import QuarantineItem, Record
from streams.store import OutboxEntry, OutboxRow

__all__ = ["PostgresAgencyStore", "parked_copy"]

_INBOX = Target(
    "inbox",
    [
        ("event_id", "uuid"),
        ("event_type", "text"),
        ("source", "text"),
        ("subject_kind", "text"),
        ("subject_value", "text"),
        ("correlation", "uuid"),
        ("cause", "uuid"),
        ("event_time", "timestamptz"),
        ("admitted_at", "timestamptz"),
        ("sequence", "int8"),
        ("topic", "text"),
        ("partition", "int4"),
        ("offset", "int8"),
        ("key", "bytea"),
        ("value", "bytea"),
        ("header_names", ARRAY),
        ("header_values", ARRAY),
        ("removed", ARRAY),
        ("answer_due", "timestamptz"),
        ("notes", ARRAY),
    ],
)


@dataclass(frozen=True)
class _Transaction:
    connection: psycopg.AsyncConnection
    agency: AgencyCode
    found: set[StateId] = field(default_factory=set)
    """States that exist, as far as this transaction asked for them or wrote them."""

    async def received(self, event_ids: Collection[UUID]) -> frozenset[UUID]:
        if not event_ids:
            return frozenset()
        cursor = await self.connection.execute(statements.RECEIVED, {"ids": list(event_ids)})
        return frozenset(row[0] for row in await cursor.fetchall())

    async def receive(self, arrivals: Sequence[Arrival]) -> None:
        if not arrivals:
            return
        try:
            await _INBOX.write(self.connection, map(_inbox_row, arrivals))
        except psycopg.errors.UniqueViolation as error:
            raise TransientError(
                "Another worker of this agency received the same event just now.", code="met"
            ) from error

    async def states(self, ids: Collection[StateId]) -> Mapping[StateId, str]:
        if not ids:
            return {}
        wanted = {"handler": [handler for handler, _ in ids], "state_key": [key for _, key in ids]}
        cursor = await self.connection.execute(statements.LOCK_STATES, wanted)
        states = {(handler, key): body for handler, key, body in await cursor.fetchall()}
        self.found.update(states)
        return states

    async def keep_states(self, states: Mapping[StateId, str]) -> None:
        await self._write_states(
            statements.REPLACE_STATES, {each: states[each] for each in states if each in self.found}
        )
        new = {each: states[each] for each in sorted(states) if each not in self.found}
        # A row that is not there cannot be locked: whoever made it meanwhile knew nothing of what we know.
        if await self._write_states(statements.ADD_STATES, new) != len(new):
            raise TransientError("Another worker of this agency began the same state just now.", code="met")
        self.found.update(new)

    async def _write_states(self, statement: str, states: Mapping[StateId, str]) -> int:
        if not states:
            return 0
        handlers, keys = [handler for handler, _ in states], [key for _, key in states]
        columns = {"handler": handlers, "state_key": keys, "body": list(states.values())}
        return (await self.connection.execute(statement.encode(), columns)).rowcount

    async def publish(self, rows: Sequence[OutboxRow]) -> frozenset[UUID]:
        if not rows:
            return frozenset()
        columns = {
            "row_id": [each.row_id for each in rows],
            "topic": [each.topic for each in rows],
            **_record_columns(rows),
        }
        cursor = await self.connection.execute(statements.QUEUE, columns)
        return frozenset(row[0] for row in await cursor.fetchall())

    async def name_documents(self, named: Collection[tuple[UUID, str]]) -> None:
        if named:
            columns = {"event_id": [each for each, _ in named], "sha256": [sha256 for _, sha256 in named]}
            await self.connection.execute(statements.ADD_DOCUMENTS, columns)

    async def hand_over(self, items: Sequence[tuple[UUID, str]]) -> None:
        if items:
            columns = {"event_id": [each for each, _ in items], "sink": [sink for _, sink in items]}
            await self.connection.execute(statements.ADD_HANDOVERS, columns)

    async def answer(self, notes: Sequence[AnswerNote]) -> None:
        if not notes:
            return
        last = list({each.request: each for each in notes}.values())
        columns = {
            "request": [each.request for each in last],
            "answer": [each.answer for each in last],
            "status": [each.status for each in last],
            "at": [each.at for each in last],
        }
        await self.connection.execute(statements.NOTE_ANSWERS, columns)

    async def ingest(self, source: str, item_id: str, event_ids: Collection[UUID]) -> None:
        if event_ids:
            columns = {"source": source, "item_id": item_id, "event_id": list(event_ids)}
            await self.connection.execute(statements.ADD_INGESTED, columns)

    async def quarantine(self, items: Sequence[QuarantineItem]) -> None:
        if not items:
            return
        cursor = await self.connection.execute(statements.QUARANTINE, _quarantine_columns(items))
        new = {row[0] for row in await cursor.fetchall()}
        topic = quarantine_topic(self.agency)
        await self.publish(
            [
                OutboxRow(
                    row_id=each.id, topic=topic, key=each.record.key, value=each.record.value, headers=each.headers
                )
                for each in items
                if each.id in new
            ]
        )

    async def share_parking(self) -> None:
        await self.connection.execute(statements.SHARE_PARKING)

    async def own_parking(self) -> None:
        await self.connection.execute(statements.OWN_PARKING)

    async def parked(self, event_ids: Collection[UUID], subjects: Collection[str]) -> Sequence[ParkedCopy]:
        if not (event_ids or subjects):
            return []
        cursor = self.connection.cursor(row_factory=dict_row)
        await cursor.execute(statements.PARKED, {"ids": list(event_ids), "subjects": list(subjects)})
        return [parked_copy(row) for row in await cursor.fetchall()]

    async def overdue(self, before: datetime, *, limit: int) -> Sequence[ParkedCopy]:
        cursor = self.connection.cursor(row_factory=dict_row)
        await cursor.execute(statements.OVERDUE, {"before": before, "limit": limit})
        return [parked_copy(row) for row in await cursor.fetchall()]

    async def park(self, copies: Sequence[ParkedCopy]) -> None:
        if copies:
            await self.connection.execute(statements.PARK, _parked_columns(copies))

    async def unpark(self, event_ids: Collection[UUID]) -> None:
        if event_ids:
            await self.connection.execute(statements.UNPARK, {"ids": list(event_ids)})

    @asynccontextmanager
    async def attempt(self) -> AsyncIterator[None]:
        before = set(self.found)
        try:
            async with attempt(self.connection):
                yield
        except BaseException:
            self.found.intersection_update(before)
            raise


def _record_columns(rows: Sequence[OutboxRow] | Sequence[Record]) -> dict[str, list[Any]]:
    literals = [header_literals(each.headers) for each in rows]
    return {
        "key": [each.key for each in rows],
        "value": [each.value for each in rows],
        "header_names": [names for names, _ in literals],
        "header_values": [values for _, values in literals],
    }


def _place_columns(records: Sequence[Record]) -> dict[str, list[Any]]:
    return {
        "topic": [each.topic for each in records],
        "partition": [each.partition for each in records],
        "offset": [each.offset for each in records],
        **_record_columns(records),
    }


def _inbox_row(arrival: Arrival) -> Sequence[object]:
    event, record = arrival.event, arrival.record
    names, values = zip(*record.headers, strict=True) if record.headers else ((), ())
    return (
        event.id,
        event.type,
        event.source,
        event.subject.kind,
        event.subject.value,
        event.correlation,
        event.cause,
        event.time,
        event.admitted,
        event.sequence,
        record.topic,
        record.partition,
        record.offset,
        record.key,
        record.value,
        text_array(plain_names(names)),
        bytes_array(values),
        text_array(event.removed),
        event.answer_due,
        text_array(arrival.notes),
    )


def _parked_columns(copies: Sequence[ParkedCopy]) -> dict[str, list[Any]]:
    return {
        "event_id": [each.event_id for each in copies],
        "waits_for": [each.waits_for for each in copies],
        "subject": [each.subject for each in copies],
        "sequence": [each.sequence for each in copies],
        "parked_at": [each.parked_at for each in copies],
        "timestamp_ms": [each.record.timestamp_ms for each in copies],
        **_place_columns([each.record for each in copies]),
    }


def parked_copy(row: Mapping[str, Any]) -> ParkedCopy:
    """Read a row of `parked`."""
    return ParkedCopy(
        event_id=row["event_id"],
        waits_for=row["waits_for"],
        subject=row["subject"],
        sequence=row["sequence"],
        record=record_of(row),
        parked_at=row["parked_at"],
    )


def _quarantine_columns(items: Sequence[QuarantineItem]) -> dict[str, list[Any]]:
    return {
        "id": [each.id for each in items],
        "reason": [each.reason for each in items],
        "detail": [each.detail for each in items],
        **_place_columns([each.record for each in items]),
    }


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

    @asynccontextmanager
    async def turn(self) -> AsyncIterator[bool]:
        """Take the outbox; False when another relay has it."""
        async with relay_turn(self.database) as ours:
            yield ours

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
