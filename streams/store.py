"""
Rows that must reach Kafka, as a port. The bus has its ledger in `streams.bus_store`, agencies `streams.agency_store`.

Only after a transaction is committed may the records that led to it be acknowledged. `connectors.postgres` is the
implementation, `streams.testing` has its twin.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from typing import Protocol
from uuid import UUID

from streams.frozen import quickly_made
from streams.headers import Headers
from streams.names import TopicName

__all__ = ["Outbox", "OutboxEntry", "OutboxRow"]


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
    """Rows waiting for Kafka."""

    def turn(self) -> AbstractAsyncContextManager[bool]:
        """
        Take the outbox, so that no other relay publishes from it until the block ends.

        Gives False at once when another one has it; then nothing may be published. TransientError when the store is
        away, also at the end of the block: what was noted by then stays noted.
        """

    async def pending(self, *, limit: int) -> Sequence[OutboxEntry]:
        """Give the oldest unpublished rows, in order; TransientError when the store is away."""

    async def mark_published(self, sequences: Sequence[int]) -> None:
        """Note that Kafka confirmed these rows; TransientError when the store is away."""
