"""
What must be durable at an agency, as ports: inbox, state and outbox. The bus's ledger is `streams.bus_store`.

One transaction holds an event's inbox row, what handlers changed and what they want published; only after it is
committed may the record be acknowledged. `connectors.postgres` is the implementation, `streams.testing` has its twin.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol
from uuid import UUID

from streams.agent import State
from streams.documents import DocumentRef
from streams.event import Event
from streams.frozen import quickly_made
from streams.headers import Headers
from streams.names import TopicName
from streams.record import QuarantineItem, Record

__all__ = ["AgencyStore", "AgencyTransaction", "Outbox", "OutboxEntry", "OutboxRow"]


@quickly_made
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
