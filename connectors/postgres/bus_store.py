"""The bus's ledger in PostgreSQL: `streams.bus_store.BusStore`. A handful of statements writes hundreds of events."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

import psycopg

from connectors.postgres.connection import Database
from connectors.postgres.copying import ARRAY, Target, text_array
from connectors.postgres.parking import ParkingTable
from connectors.postgres.relay_turn import relay_turn
from connectors.postgres.rows import INSERT_OUTBOX, PENDING, keep_quarantined, outbox_columns, outbox_entry
from streams.bus_store import Admission, AuditEntry, Kept, KeptCopy, KeyGrant, Place, Stretch
from streams.errors import TransientError
from streams.names import AgencyCode, TopicName
from streams.policy import Delivery
from streams.record import QuarantineItem
from streams.store import OutboxEntry, OutboxRow

__all__ = ["PostgresBusStore"]

_EVENT = Target(
    "event",
    [
        ("event_id", "uuid"),
        ("event_type", "text"),
        ("source", "text"),
        ("officer", "text"),
        ("subject_kind", "text"),
        ("subject_value", "text"),
        ("correlation", "uuid"),
        ("cause", "uuid"),
        ("depth", "int4"),
        ("event_time", "timestamptz"),
        ("admitted_at", "timestamptz"),
        ("topic", "text"),
        ("partition", "int4"),
        ("offset", "int8"),
        ("value_sha256", "bytea"),
        ("released_by", "uuid"),
    ],
)

_DELIVERY = Target(
    "delivery",
    [
        ("event_id", "uuid"),
        ("agency", "text"),
        ("removed", ARRAY),
        ("purpose", "text"),
        ("legal_article", "text"),
        ("answer_type", "text"),
        ("answer_due", "timestamptz"),
        ("sequence", "int8"),
        ("after", "bool"),
    ],
)

_AUDIT = Target(
    "audit",
    [
        ("action", "text"),
        ("recorded_at", "timestamptz"),
        ("event_id", "uuid"),
        ("event_type", "text"),
        ("agency", "text"),
        ("officer", "text"),
        ("recipients", ARRAY),
        ("reason_code", "text"),
    ],
)

_KNOWN = """
    select event_id, value_sha256, topic, partition, "offset", admitted_at from event where event_id = any(%b)
"""

_COPIES = """
    select event_id, agency, removed, purpose, legal_article, answer_type, answer_due, sequence, after
    from delivery where event_id = any(%b) order by event_id, agency
"""

_RECIPIENTS = """
    select event_id, array(select agency from delivery where delivery.event_id = event.event_id)
    from event where event_id = any(%b)
"""

# In one order for all, so that two workers cannot wait for each other.
_NUMBER = """
    insert into numbering (agency, subject, last)
    select * from unnest(%b::text[], %b::text[], %b::bigint[]) order by 1, 2
    on conflict (agency, subject) do update set last = numbering.last + excluded.last
    returning agency, subject, last
"""

_NOTE_ANSWERS = """
    update delivery set answer = a.answer, answer_status = a.status, answered_at = a.at
    from unnest(%b::uuid[], %b::text[], %b::text[], %b::uuid[], %b::text[], %b::timestamptz[])
        as a (request, agency, type, answer, status, at)
    where delivery.event_id = a.request and delivery.agency = a.agency and delivery.answer_type = a.type
"""

_REFUSED = """
    select topic, partition, "offset", reason
    from unnest(%s::text[], %s::int[], %s::bigint[], %s::bigint[]) as asked (topic, partition, first, last)
    join quarantine using (topic, partition)
    where "offset" between first and last
"""

_CONFIRM = """
    insert into confirmed (topic, partition, below, confirmed_at)
    select topic, partition, below, %s from unnest(%s::text[], %s::int[], %s::bigint[]) as c (topic, partition, below)
    on conflict do nothing
"""

_MAX_REMEMBERED = 100_000


class _Transaction(ParkingTable):
    def __init__(self, connection: psycopg.AsyncConnection, granted: AbstractSet[tuple[str, AgencyCode]]) -> None:
        super().__init__(connection)
        self._granted = granted
        self.newly_granted: set[tuple[str, AgencyCode]] = set()

    async def refused(self, stretches: Sequence[Stretch]) -> Mapping[Place, str]:
        cursor = await self._connection.execute(_REFUSED, [list(column) for column in zip(*stretches, strict=True)])
        return {Place(topic, number, offset): reason for topic, number, offset, reason in await cursor.fetchall()}

    async def recipients(self, event_ids: Sequence[UUID]) -> Mapping[UUID, frozenset[AgencyCode]]:
        cursor = await self._connection.execute(_RECIPIENTS, [list(event_ids)])
        return {event_id: frozenset(agencies) for event_id, agencies in await cursor.fetchall()}

    async def known(self, event_ids: Sequence[UUID]) -> Mapping[UUID, Kept]:
        cursor = await self._connection.execute(_KNOWN, [list(event_ids)], binary=True)
        events = await cursor.fetchall()
        copies: dict[UUID, list[KeptCopy]] = defaultdict(list)
        if events:
            cursor = await self._connection.execute(_COPIES, [[row[0] for row in events]], binary=True)
            for (
                event_id,
                agency,
                removed,
                purpose,
                article,
                answer_type,
                due,
                sequence,
                after,
            ) in await cursor.fetchall():
                delivery = Delivery(agency, tuple(removed), purpose, article, answer_type, due)
                copies[event_id].append(KeptCopy(delivery, sequence, after))
        return {
            event_id: Kept(fingerprint, Place(TopicName(topic), partition, offset), at, False, copies[event_id])
            for event_id, fingerprint, topic, partition, offset, at in events
        }

    async def admit(self, admissions: Sequence[Admission]) -> Mapping[UUID, Kept]:
        known = await self.known([each.event.id for each in admissions])
        new = [each for each in admissions if each.event.id not in known]
        await _EVENT.write(self._connection, map(_event_row, new))
        numbered = await self._numbered(new)
        kept = {
            each.event.id: Kept(each.fingerprint, Place.of(each.record), each.at, True, copies)
            for each, copies in zip(new, numbered, strict=True)
        }
        await _DELIVERY.write(self._connection, (row for at, each in kept.items() for row in _delivery_rows(at, each)))
        await self._note_answers(new)
        return {**known, **kept}

    async def _numbered(self, admissions: Sequence[Admission]) -> list[list[KeptCopy]]:
        """Number the copies of each recipient and subject, going on where the last transaction ended."""
        counts: dict[tuple[AgencyCode, str], int] = defaultdict(int)
        for each in admissions:
            for delivery in each.deliveries:
                counts[delivery.agency, each.event.subject.key] += 1
        last = dict(counts)
        if counts:
            agencies, subjects = zip(*counts, strict=True)
            cursor = await self._connection.execute(_NUMBER, [list(agencies), list(subjects), list(counts.values())])
            last = {(agency, subject): number for agency, subject, number in await cursor.fetchall()}
        following = {place: last[place] - count for place, count in counts.items()}
        return [_numbered_copies(each, following) for each in admissions]

    async def _note_answers(self, admissions: Sequence[Admission]) -> None:
        # The last answer stands; an update from several rows to one would take any of them.
        answers = {
            (each.event.cause, each.event.source, each.event.type): (each.event.id, each.status, each.at)
            for each in admissions
            if each.answers
        }
        if answers:
            columns = [
                list(column) for column in zip(*((*place, *answer) for place, answer in answers.items()), strict=True)
            ]
            await self._connection.execute(_NOTE_ANSWERS, columns)

    async def grant_keys(self, grants: Sequence[KeyGrant]) -> None:
        # What is granted stays granted, so what was seen granted once need not be asked for again.
        wanted = {
            each for each in grants if (each.key_id, each.agency) not in self._granted and "\0" not in each.key_id
        }
        if wanted:
            columns = [list(column) for column in zip(*sorted(wanted), strict=True)]
            cursor = await self._connection.execute("select * from keyring.grant_keys(%b, %b, %b)", columns)
            self.newly_granted.update(await cursor.fetchall())

    async def quarantine(self, items: Sequence[QuarantineItem]) -> None:
        for item in items:
            await keep_quarantined(self._connection, item)

    async def audit(self, entries: Sequence[AuditEntry]) -> None:
        await _AUDIT.write(self._connection, map(_audit_row, entries))

    async def queue(self, rows: Sequence[OutboxRow]) -> None:
        for row in rows:
            await self._connection.execute(INSERT_OUTBOX, outbox_columns(row))


def _event_row(admission: Admission) -> Sequence[object]:
    event, record = admission.event, admission.record
    return (
        event.id,
        event.type,
        event.source,
        event.officer,
        event.subject.kind,
        event.subject.value,
        event.correlation,
        event.cause,
        event.depth,
        event.time,
        admission.at,
        record.topic,
        record.partition,
        record.offset,
        admission.fingerprint,
        admission.released_by,
    )


def _numbered_copies(admission: Admission, following: dict[tuple[AgencyCode, str], int]) -> list[KeptCopy]:
    copies = []
    for delivery in admission.deliveries:
        place = delivery.agency, admission.event.subject.key
        following[place] += 1
        copies.append(KeptCopy(delivery, following[place], delivery.agency in admission.after))
    return copies


def _delivery_rows(event_id: UUID, kept: Kept) -> Iterable[Sequence[object]]:
    for copy in kept.copies:
        each = copy.delivery
        yield (
            event_id,
            each.agency,
            text_array(each.removed),
            each.purpose,
            each.article,
            each.answer_type,
            each.answer_due,
            copy.sequence,
            copy.after,
        )


def _audit_row(entry: AuditEntry) -> Sequence[object]:
    return (
        entry.action,
        entry.at,
        entry.event_id,
        entry.event_type,
        entry.agency,
        entry.officer,
        text_array(tuple(each.agency for each in entry.shared)),
        entry.reason_code,
    )


@dataclass
class PostgresBusStore:
    """
    The bus's ledger.

    Args:
        database: open, as the bus's role, in its schema.
    """

    database: Database
    _granted: set[tuple[str, AgencyCode]] = field(default_factory=set, repr=False)

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[_Transaction]:
        """Begin a transaction."""
        try:
            async with self.database.transaction() as connection:
                transaction = _Transaction(connection, self._granted)
                yield transaction
        except psycopg.errors.UniqueViolation as error:
            raise TransientError("Another worker admitted the same event at this moment: it is known now.") from error
        if len(self._granted) > _MAX_REMEMBERED:
            self._granted.clear()
        self._granted |= transaction.newly_granted

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

    async def confirm(self, ends: Mapping[tuple[TopicName, int], int], *, at: datetime) -> None:
        """Note that Kafka confirmed all that records below these offsets led to."""
        columns = [[topic for topic, _ in ends], [number for _, number in ends], list(ends.values())]
        async with self.database.transaction() as connection:
            await connection.execute(_CONFIRM, [at, *columns])
