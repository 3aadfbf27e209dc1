"""An agency's own store in memory: `streams.store.AgencyStore`."""

from __future__ import annotations

from collections.abc import AsyncIterator, Collection, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime
from uuid import UUID

from streams.agency_store import AgencyTransaction, AnswerNote, Arrival, ParkedCopy, StateId
from streams.errors import TransientError, UnstorableError
from streams.event import Event
from streams.names import AgencyCode, quarantine_topic
from streams.record import QuarantineItem, Record
from streams.store import OutboxRow
from streams.testing.outbox import MemoryOutbox, Tables

__all__ = ["AgencyTables", "Handover", "KeptEvent", "MemoryAgencyStore"]


@dataclass(frozen=True, slots=True)
class KeptEvent:
    """An inbox item with what was noted about it."""

    event: Event
    record: Record
    notes: tuple[str, ...] = ()
    answer: UUID | None = None
    answer_status: str | None = None
    answered_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Handover:
    """An inbox item's place in a sink's queue."""

    settled: bool = False
    error: str | None = None


@dataclass
class AgencyTables(Tables):
    """The rows of an agency's store; states are JSON texts, as a database would keep them."""

    inbox: dict[UUID, KeptEvent] = field(default_factory=dict)
    states: dict[tuple[str, str], str] = field(default_factory=dict)
    handovers: dict[tuple[str, UUID], Handover] = field(default_factory=dict)
    ingested: set[tuple[str, str, UUID]] = field(default_factory=set)
    documents: set[tuple[str, UUID]] = field(default_factory=set)
    parked: dict[UUID, ParkedCopy] = field(default_factory=dict)


@dataclass
class _Transaction:
    tables: AgencyTables
    agency: AgencyCode
    found: set[StateId] = field(default_factory=set)

    async def received(self, event_ids: Collection[UUID]) -> frozenset[UUID]:
        return frozenset(each for each in event_ids if each in self.tables.inbox)

    async def receive(self, arrivals: Sequence[Arrival]) -> None:
        for each in arrivals:
            if each.event.id in self.tables.inbox:
                raise TransientError("It was received just now.", code="met")
            _require_storable(*each.notes)
            self.tables.inbox[each.event.id] = KeptEvent(each.event, each.record, each.notes)

    async def states(self, ids: Collection[StateId]) -> Mapping[StateId, str]:
        states = {each: self.tables.states[each] for each in ids if each in self.tables.states}
        self.found.update(states)
        return states

    async def keep_states(self, states: Mapping[StateId, str]) -> None:
        for each, text in states.items():
            _require_storable(*each)
            if each in self.tables.states and each not in self.found:
                raise TransientError("It was begun just now.", code="met")
            self.tables.states[each] = text
            self.found.add(each)

    async def publish(self, rows: Sequence[OutboxRow]) -> frozenset[UUID]:
        return self.tables.queue(rows)

    async def name_documents(self, named: Collection[tuple[UUID, str]]) -> None:
        _require_storable(*(sha256 for _, sha256 in named))
        self.tables.documents.update((sha256, event_id) for event_id, sha256 in named)

    async def hand_over(self, items: Sequence[tuple[UUID, str]]) -> None:
        for event_id, sink in items:
            self.tables.handovers.setdefault((sink, event_id), Handover())

    async def answer(self, notes: Sequence[AnswerNote]) -> None:
        for note in notes:
            kept = self.tables.inbox.get(note.request)
            if kept is not None:
                self.tables.inbox[note.request] = replace(
                    kept, answer=note.answer, answer_status=note.status, answered_at=note.at
                )

    async def ingest(self, source: str, item_id: str, event_ids: Collection[UUID]) -> None:
        self.tables.ingested.update((source, item_id, event_id) for event_id in event_ids)

    async def quarantine(self, items: Sequence[QuarantineItem]) -> None:
        topic = quarantine_topic(self.agency)
        for item in items:
            if item.id not in self.tables.quarantined:
                self.tables.quarantined[item.id] = item
                record = item.record
                self.tables.queue([OutboxRow(item.id, topic, record.key, record.value, item.headers)])

    async def share_parking(self) -> None:
        """Transactions in memory come one after the other."""

    async def own_parking(self) -> None:
        """Transactions in memory come one after the other."""

    async def parked(self, event_ids: Collection[UUID], subjects: Collection[str]) -> Sequence[ParkedCopy]:
        del event_ids, subjects  # all of it is at least what was asked for
        return list(self.tables.parked.values())

    async def overdue(self, before: datetime, *, limit: int) -> Sequence[ParkedCopy]:
        parked = self.tables.parked
        return [each for each in parked.values() if each.parked_at < before and each.waits_for not in parked][:limit]

    async def park(self, copies: Sequence[ParkedCopy]) -> None:
        for each in copies:
            known = self.tables.parked.get(each.event_id)
            self.tables.parked[each.event_id] = replace(known, waits_for=each.waits_for) if known else each

    async def unpark(self, event_ids: Collection[UUID]) -> None:
        for event_id in event_ids:
            self.tables.parked.pop(event_id, None)

    @asynccontextmanager
    async def attempt(self) -> AsyncIterator[None]:
        tables, found = self.tables.copied(), set(self.found)
        try:
            yield
        except BaseException:
            self.tables.restore(tables)
            self.found = found
            raise


def _require_storable(*texts: str) -> None:
    """Refuse what a database refuses."""
    if any("\0" in text for text in texts):
        raise UnstorableError("A text has a zero byte.")


class MemoryAgencyStore(MemoryOutbox[AgencyTables]):
    """
    An agency's own store, kept as long as it lives.

    Args:
        agency: whose; its quarantine topic follows from it.
    """

    def __init__(self, agency: AgencyCode) -> None:
        super().__init__(AgencyTables())
        self.agency = agency

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[AgencyTransaction]:
        """Begin a transaction: committed when the block ends, undone when it raises."""
        async with self._working_copy() as tables:
            yield _Transaction(tables, self.agency)

    async def handovers(self, sink: str, *, limit: int) -> Sequence[tuple[UUID, Record]]:
        """Give the inbox items queued for a sink, oldest first."""
        self._require()
        waiting = [
            event_id for (name, event_id), each in self.tables.handovers.items() if name == sink and not each.settled
        ]
        return [(event_id, self.tables.inbox[event_id].record) for event_id in waiting[:limit]]

    async def settle_handover(self, sink: str, event_ids: Sequence[UUID], *, error: str | None) -> None:
        """Note that a sink took items, or why it never will."""
        async with self._working_copy() as tables:
            for event_id in event_ids:
                if (sink, event_id) in tables.handovers:
                    tables.handovers[sink, event_id] = Handover(settled=True, error=error)
