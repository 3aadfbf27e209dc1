"""
What must be durable, as ports: an agency's inbox, state and outbox; the bus's ledger.

One transaction holds an event's inbox row, what handlers changed and what they want published; only after it is
committed may the record be acknowledged. `connectors.postgres` is the implementation, `streams.testing` has its twin.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol
from uuid import UUID

from streams.agent import State
from streams.documents import DocumentRef
from streams.event import Event
from streams.headers import Headers
from streams.names import AgencyCode, EventType, TopicName
from streams.policy import Delivery
from streams.record import QuarantineItem, Record

__all__ = [
    "Admission",
    "AgencyStore",
    "AgencyTransaction",
    "AuditEntry",
    "BusStore",
    "BusTransaction",
    "Outbox",
    "OutboxEntry",
    "OutboxRow",
]


@dataclass(frozen=True, slots=True)
class OutboxRow:
    """
    A record that must reach Kafka.

    Args:
        row_id: unique in its outbox; the same again is not published twice. An event's own id, where it has one.
        topic: where to.
        key: decides the partition.
        value: the bytes.
        headers: in order.
    """

    row_id: UUID
    topic: TopicName
    key: bytes | None
    value: bytes | None = field(repr=False)
    headers: Headers


@dataclass(frozen=True, slots=True)
class OutboxEntry:
    """An outbox row with its place in the order of publication."""

    sequence: int
    row: OutboxRow


@dataclass(frozen=True, slots=True)
class Admission:
    """
    What admission decided about one event.

    Args:
        event: the event.
        record: the record that carried it.
        deliveries: who receives it.
        answers: it answers the event that it names as its cause.
        status: an answer's status field, if it has one.
        at: when, aware UTC.
    """

    event: Event
    record: Record
    deliveries: Sequence[Delivery]
    answers: bool
    status: str | None
    at: datetime


@dataclass(frozen=True, slots=True)
class AuditEntry:
    """One row of the audit log, written in the transaction of what it records; fields as in `audit.recorded`."""

    action: str
    at: datetime
    event_id: UUID | None = None
    event_type: EventType | None = None
    agency: AgencyCode | None = None
    officer: str | None = None
    recipient: AgencyCode | None = None
    removed: tuple[str, ...] = ()
    legal_article: str | None = None
    reason_code: str | None = None
    details: Mapping[str, str] | None = None


class Outbox(Protocol):
    """Rows waiting for Kafka. One relay at a time reads them."""

    async def pending(self, *, limit: int) -> Sequence[OutboxEntry]:
        """Give the oldest unpublished rows, in order; TransientError when the store is away."""

    async def mark_published(self, sequences: Sequence[int]) -> None:
        """Note that Kafka confirmed these rows; TransientError when the store is away."""


class AgencyTransaction(Protocol):
    """One transaction in an agency's own store. Every method may raise TransientError; then nothing was done."""

    async def receive(self, event: Event, record: Record) -> bool:
        """Put an event into the inbox; False when it was there already."""

    async def state(self, handler: str, key: str) -> State:
        """Give a handler's state under a key, empty at first; locked until the transaction ends."""

    async def keep_state(self, handler: str, key: str, state: State) -> None:
        """Replace a handler's state under a key."""

    async def publish(self, rows: Sequence[OutboxRow]) -> int:
        """Queue rows for Kafka, in order; rows known by id are left out. Gives how many were new."""

    async def annotate(self, event_id: UUID, note: str) -> None:
        """Add a hint for officers to an inbox item."""

    async def name_documents(self, event_id: UUID, documents: Sequence[DocumentRef]) -> None:
        """Remember that an event which this agency received or sent names documents."""

    async def hand_over(self, event_id: UUID, sinks: Sequence[str]) -> None:
        """Queue an inbox item for connectors."""

    async def answer(self, request: UUID, *, answer: UUID, status: str, at: datetime) -> bool:
        """Note the answer given to an inbox item; False when there is no such item."""

    async def ingest(self, source: str, item_id: str, event_id: UUID) -> bool:
        """Note that a source's item became an event; False when it was known."""

    async def quarantine(self, item: QuarantineItem) -> None:
        """Keep a record that cannot be processed; a repeat changes nothing."""


class AgencyStore(Outbox, Protocol):
    """An agency's own store: inbox, state, outbox, in a schema that no other agency can open."""

    def transaction(self) -> AbstractAsyncContextManager[AgencyTransaction]:
        """Begin a transaction: committed when the block ends, undone when it raises."""

    async def handovers(self, sink: str, *, limit: int) -> Sequence[tuple[UUID, Record]]:
        """Give the inbox items queued for a sink, oldest first."""

    async def settle_handover(self, sink: str, event_ids: Sequence[UUID], *, error: str | None) -> None:
        """Note that a sink took items, or why it never will."""


class BusTransaction(Protocol):
    """One transaction in the bus's ledger. Every method may raise TransientError; then nothing was done."""

    async def admit(self, admission: Admission) -> bool:
        """
        Write an event, its deliveries and, for an answer, that its request was answered.

        Returns:
            False when an event of this id with the same value was admitted before.

        Raises:
            ForbiddenError: code `conflicting_duplicate`; the id is known with another value.
        """

    async def publish(self, rows: Sequence[OutboxRow], *, deliveries: Sequence[tuple[UUID, AgencyCode]]) -> None:
        """Queue inbox copies for Kafka; `deliveries` names, row by row, whose copy of what it is."""

    async def audit(self, entries: Sequence[AuditEntry], rows: Sequence[OutboxRow]) -> None:
        """Write audit entries, and queue them for the audit topic."""

    async def grant_keys(self, key_ids: frozenset[str], agency: AgencyCode, *, sender: AgencyCode) -> None:
        """
        Let an agency open what is sealed under those of these keys that the sender may open itself.

        Others are left out: else an agency could name a stranger's key in an event of its own and be given it.
        """

    async def quarantine(self, item: QuarantineItem, row: OutboxRow) -> bool:
        """Keep a record that cannot be admitted, and queue it for the quarantine topic; False for a repeat."""


class BusStore(Outbox, Protocol):
    """The bus's ledger."""

    def transaction(self) -> AbstractAsyncContextManager[BusTransaction]:
        """Begin a transaction: committed when the block ends, undone when it raises."""
