"""An agency's own store in memory: `streams.store.AgencyStore`."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime
from uuid import UUID

from streams.agent import State
from streams.documents import DocumentRef
from streams.errors import PermanentError
from streams.event import Event
from streams.names import AgencyCode, quarantine_topic
from streams.record import QuarantineItem, Record
from streams.store import AgencyTransaction, OutboxRow
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


@dataclass(frozen=True)
class _Transaction:
    tables: AgencyTables
    agency: AgencyCode

    async def receive(self, event: Event, record: Record) -> bool:
        if event.id in self.tables.inbox:
            return False
        self.tables.inbox[event.id] = KeptEvent(event, record)
        return True

    async def state(self, handler: str, key: str) -> State:
        state: State = json.loads(self.tables.states.get((handler, key), "{}"))
        return state

    async def keep_state(self, handler: str, key: str, state: State) -> None:
        body = json.dumps(state, ensure_ascii=False)
        _require_storable(key, body.replace("\\u0000", "\0"))
        self.tables.states[handler, key] = body

    async def publish(self, rows: Sequence[OutboxRow]) -> int:
        return self.tables.queue(rows)

    async def annotate(self, event_id: UUID, note: str) -> None:
        _require_storable(note)
        kept = self.tables.inbox.get(event_id)
        if kept is not None:
            self.tables.inbox[event_id] = replace(kept, notes=(*kept.notes, note))

    async def name_documents(self, event_id: UUID, documents: Sequence[DocumentRef]) -> None:
        _require_storable(*(each.sha256 for each in documents))
        self.tables.documents.update((each.sha256, event_id) for each in documents)

    async def hand_over(self, event_id: UUID, sinks: Sequence[str]) -> None:
        for sink in sinks:
            self.tables.handovers.setdefault((sink, event_id), Handover())

    async def answer(self, request: UUID, *, answer: UUID, status: str, at: datetime) -> bool:
        kept = self.tables.inbox.get(request)
        if kept is None:
            return False
        self.tables.inbox[request] = replace(kept, answer=answer, answer_status=status, answered_at=at)
        return True

    async def ingest(self, source: str, item_id: str, event_id: UUID) -> bool:
        known = (source, item_id, event_id) in self.tables.ingested
        self.tables.ingested.add((source, item_id, event_id))
        return not known

    async def quarantine(self, item: QuarantineItem) -> None:
        if item.id in self.tables.quarantined:
            return
        self.tables.quarantined[item.id] = item
        record = item.record
        topic = quarantine_topic(self.agency)
        self.tables.queue([OutboxRow(item.id, topic, key=record.key, value=record.value, headers=item.headers)])


def _require_storable(*texts: str) -> None:
    """Refuse what a database refuses."""
    if any("\0" in text for text in texts):
        raise PermanentError("A text has a zero byte.", code="database_value")


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
