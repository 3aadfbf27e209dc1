"""The bus's ledger in memory: `streams.store.BusStore`."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime
from uuid import UUID

from streams.errors import ForbiddenError
from streams.names import AgencyCode
from streams.policy import Delivery
from streams.record import QuarantineItem
from streams.store import Admission, AuditEntry, BusTransaction, OutboxRow
from streams.testing.keyring import MemoryKeyring
from streams.testing.outbox import MemoryOutbox, Tables

__all__ = ["BusTables", "KeptDelivery", "MemoryBusStore"]


@dataclass(frozen=True, slots=True)
class KeptDelivery:
    """A delivery, the outbox row that is its copy, and the answer to it."""

    delivery: Delivery
    row_id: UUID | None = None
    answer: UUID | None = None
    answer_status: str | None = None
    answered_at: datetime | None = None


@dataclass
class BusTables(Tables):
    """The rows of the ledger."""

    events: dict[UUID, Admission] = field(default_factory=dict)
    deliveries: dict[tuple[UUID, AgencyCode], KeptDelivery] = field(default_factory=dict)
    audit: list[AuditEntry] = field(default_factory=list)
    granted: list[tuple[frozenset[str], AgencyCode, AgencyCode]] = field(default_factory=list)


@dataclass(frozen=True)
class _Transaction:
    tables: BusTables

    async def admit(self, admission: Admission) -> bool:
        event = admission.event
        known = self.tables.events.get(event.id)
        if known is not None:
            if (known.record.value or b"") != (admission.record.value or b""):
                raise ForbiddenError(f"Event {event.id} is known with another value.", code="conflicting_duplicate")
            return False
        self.tables.events[event.id] = admission
        for delivery in admission.deliveries:
            self.tables.deliveries[event.id, delivery.agency] = KeptDelivery(delivery)
        self._note_answer(admission)
        return True

    def _note_answer(self, admission: Admission) -> None:
        event = admission.event
        if not admission.answers or event.cause is None:
            return
        request = self.tables.deliveries.get((event.cause, event.source))
        if request is not None and request.delivery.answer_type == event.type:
            self.tables.deliveries[event.cause, event.source] = replace(
                request, answer=event.id, answer_status=admission.status, answered_at=admission.at
            )

    async def publish(self, rows: Sequence[OutboxRow], *, deliveries: Sequence[tuple[UUID, AgencyCode]]) -> None:
        for row, place in zip(rows, deliveries, strict=True):
            self.tables.queue([row])
            self.tables.deliveries[place] = replace(self.tables.deliveries[place], row_id=row.row_id)

    async def audit(self, entries: Sequence[AuditEntry], rows: Sequence[OutboxRow]) -> None:
        self.tables.audit.extend(entries)
        self.tables.queue(rows)

    async def grant_keys(self, key_ids: frozenset[str], agency: AgencyCode, *, sender: AgencyCode) -> None:
        self.tables.granted.append((key_ids, agency, sender))

    async def quarantine(self, item: QuarantineItem, row: OutboxRow) -> bool:
        if item.id in self.tables.quarantined:
            return False
        self.tables.quarantined[item.id] = item
        self.tables.queue([row])
        return True


class MemoryBusStore(MemoryOutbox[BusTables]):
    """
    The bus's ledger, kept as long as it lives.

    Args:
        keyring: where keys are granted when a transaction is committed.
    """

    def __init__(self, keyring: MemoryKeyring) -> None:
        super().__init__(BusTables())
        self.keyring = keyring

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[BusTransaction]:
        """Begin a transaction: committed when the block ends, undone when it raises."""
        async with self._working_copy() as tables:
            before = len(tables.granted)
            yield _Transaction(tables)
        for key_ids, agency, sender in tables.granted[before:]:
            self.keyring.grant(key_ids, agency, sender=sender)

    def delivered(self, event_id: UUID, agency: AgencyCode) -> bool:
        """Say whether an agency's copy of an event was confirmed by Kafka."""
        row_id = self.tables.deliveries[event_id, agency].row_id
        return row_id is not None and self.tables.outbox[row_id].published
