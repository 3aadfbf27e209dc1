"""The bus's ledger in memory: `streams.bus_store.BusStore`."""

from __future__ import annotations

from collections.abc import AsyncIterator, Collection, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Self
from uuid import UUID

from streams.bus_store import (
    Admission,
    AuditEntry,
    BusTransaction,
    Kept,
    KeptCopy,
    KeyGrant,
    Line,
    Parked,
    Place,
    Stretch,
)
from streams.errors import PermanentError
from streams.names import AgencyCode, TopicName
from streams.record import QuarantineItem
from streams.store import OutboxRow
from streams.testing.keyring import MemoryKeyring
from streams.testing.outbox import MemoryOutbox, Tables

__all__ = ["BusTables", "KeptDelivery", "MemoryBusStore", "ParkedRow"]


@dataclass(frozen=True, slots=True)
class KeptDelivery:
    """A delivery as a copy, and the answer to it."""

    copy: KeptCopy
    answer: UUID | None = None
    answer_status: str | None = None
    answered_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class ParkedRow:
    """What waits, since when, and what released it."""

    parked: Parked
    since: datetime
    released_by: UUID | None = None


@dataclass
class BusTables(Tables):
    """The rows of the ledger."""

    events: dict[UUID, Admission] = field(default_factory=dict)
    deliveries: dict[tuple[UUID, AgencyCode], KeptDelivery] = field(default_factory=dict)
    numbering: dict[tuple[AgencyCode, str], int] = field(default_factory=dict)
    parked: dict[UUID, ParkedRow] = field(default_factory=dict)
    confirmed: dict[tuple[TopicName, int], int] = field(default_factory=dict)
    audit: list[AuditEntry] = field(default_factory=list)
    granted: list[KeyGrant] = field(default_factory=list)

    def decided(self) -> Self:
        """Give the rows without what Kafka confirmed, which goes on with every record, a repeat too."""
        return replace(self.copied(), confirmed={})


@dataclass(frozen=True)
class _Transaction:
    tables: BusTables
    cannot_keep: frozenset[int]

    async def refused(self, stretches: Sequence[Stretch]) -> Mapping[Place, str]:
        return {
            Place.of(item.record): item.reason
            for item in self.tables.quarantined.values()
            for topic, number, first, last in stretches
            if (item.record.topic, item.record.partition) == (topic, number) and first <= item.record.offset <= last
        }

    async def recipients(self, event_ids: Sequence[UUID]) -> Mapping[UUID, frozenset[AgencyCode]]:
        return {
            event_id: frozenset(agency for of, agency in self.tables.deliveries if of == event_id)
            for event_id in event_ids
            if event_id in self.tables.events
        }

    async def known(self, event_ids: Sequence[UUID]) -> Mapping[UUID, Kept]:
        return {each: self._kept(each, new=False) for each in event_ids if each in self.tables.events}

    def _kept(self, event_id: UUID, *, new: bool) -> Kept:
        admission = self.tables.events[event_id]
        copies = [each.copy for (of, _), each in sorted(self.tables.deliveries.items()) if of == event_id]
        return Kept(admission.fingerprint, Place.of(admission.record), admission.at, new, copies)

    async def admit(self, admissions: Sequence[Admission]) -> Mapping[UUID, Kept]:
        if any(each.record.offset in self.cannot_keep for each in admissions):
            raise PermanentError("The store in memory cannot keep it, as the test wants it.", code="database_value")
        known = await self.known([each.event.id for each in admissions])
        new = [each for each in admissions if each.event.id not in known]
        for each in new:
            self._keep(each)
        for each in new:
            self._note_answer(each)
        return {**known, **{each.event.id: self._kept(each.event.id, new=True) for each in new}}

    def _keep(self, admission: Admission) -> None:
        event = admission.event
        self.tables.events[event.id] = admission
        for delivery in admission.deliveries:
            place = delivery.agency, event.subject.key
            self.tables.numbering[place] = self.tables.numbering.get(place, 0) + 1
            copy = KeptCopy(delivery, self.tables.numbering[place], delivery.agency in admission.after)
            self.tables.deliveries[event.id, delivery.agency] = KeptDelivery(copy)

    def _note_answer(self, admission: Admission) -> None:
        event = admission.event
        if not admission.answers or event.cause is None:
            return
        request = self.tables.deliveries.get((event.cause, event.source))
        if request is not None and request.copy.delivery.answer_type == event.type:
            self.tables.deliveries[event.cause, event.source] = replace(
                request, answer=event.id, answer_status=admission.status, answered_at=admission.at
            )

    async def hold_parking(self) -> None:
        """Nothing runs beside a transaction in memory."""

    async def waiting(self, partitions: Collection[tuple[TopicName, int]]) -> Mapping[UUID, Line]:
        records = [(event_id, each.parked.record) for event_id, each in self._waiting()]
        return {event_id: (one.topic, one.key) for event_id, one in records if (one.topic, one.partition) in partitions}

    def _waiting(self) -> list[tuple[UUID, ParkedRow]]:
        return [(event_id, each) for event_id, each in self.tables.parked.items() if each.released_by is None]

    async def park(self, parked: Sequence[Parked]) -> Mapping[UUID, bytes]:
        for each in parked:
            row = self.tables.parked.get(each.event_id)
            if row is None:
                self.tables.parked[each.event_id] = ParkedRow(each, datetime.now(UTC))
            elif row.released_by is not None:
                kept = replace(row.parked, waits_for=each.waits_for, behind=each.behind)
                self.tables.parked[each.event_id] = ParkedRow(kept, row.since)
        return {each.event_id: self.tables.parked[each.event_id].parked.fingerprint for each in parked}

    async def release(self, waited_for: Mapping[UUID, UUID]) -> Sequence[tuple[Parked, UUID]]:
        released = []
        for event_id, each in self._waiting():
            root = waited_for.get(each.parked.waits_for)
            if root is not None:
                self.tables.parked[event_id] = replace(each, released_by=root)
                released.append((each.parked, root))
        return released

    async def released_by(self, event_ids: Sequence[UUID]) -> Sequence[tuple[Parked, UUID]]:
        return [
            (each.parked, each.released_by)
            for each in self.tables.parked.values()
            if each.released_by is not None and each.released_by in event_ids
        ]

    async def overdue(self, before: datetime, *, limit: int) -> Sequence[Parked]:
        due = [each for _, each in self._waiting() if not each.parked.behind and each.since < before]
        taken = [each.parked for each in sorted(due, key=lambda each: each.since)[:limit]]
        for each in taken:
            del self.tables.parked[each.event_id]
        return taken

    async def grant_keys(self, grants: Sequence[KeyGrant]) -> None:
        self.tables.granted.extend(grants)

    async def quarantine(self, items: Sequence[QuarantineItem]) -> None:
        for item in items:
            self.tables.quarantined.setdefault(item.id, item)

    async def audit(self, entries: Sequence[AuditEntry]) -> None:
        self.tables.audit.extend(entries)

    async def queue(self, rows: Sequence[OutboxRow]) -> None:
        self.tables.queue(rows)


class MemoryBusStore(MemoryOutbox[BusTables]):
    """
    The bus's ledger, kept as long as it lives.

    Args:
        keyring: where keys are granted when a transaction is committed.
    """

    def __init__(self, keyring: MemoryKeyring) -> None:
        super().__init__(BusTables())
        self.keyring = keyring
        self.cannot_keep: frozenset[int] = frozenset()
        """Offsets of records that it has no place for, as PostgreSQL has none for a zero byte in a text."""

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[BusTransaction]:
        """Begin a transaction: committed when the block ends, undone when it raises."""
        async with self._working_copy() as tables:
            before = len(tables.granted)
            yield _Transaction(tables, self.cannot_keep)
        for grant in tables.granted[before:]:
            self.keyring.grant(frozenset({grant.key_id}), grant.agency, sender=grant.sender)

    async def confirm(self, ends: Mapping[tuple[TopicName, int], int], *, at: datetime) -> None:
        """Note that Kafka confirmed all that records below these offsets led to."""
        del at
        async with self._working_copy() as tables:
            tables.confirmed.update(ends)

    def delivered(self, event_id: UUID) -> bool:
        """Say whether all copies of an event were confirmed by Kafka."""
        admission = self.tables.events[event_id]
        root = self.tables.events.get(admission.released_by) if admission.released_by else None
        place = Place.of((root or admission).record)
        return self.tables.confirmed.get((place.topic, place.partition), 0) > place.offset
