"""Kafka in memory: `streams.outbox.Publisher`, and the records to read what it wrote."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import UTC, datetime

from streams.errors import TransientError
from streams.names import TopicName
from streams.record import Record
from streams.store import OutboxRow

__all__ = ["MemoryPublisher"]


class MemoryPublisher:
    """
    Keeps what was published, one partition a topic, in order; nothing is recognised as a repeat.

    Args:
        clock: gives the time at which a record is appended, aware UTC.
    """

    def __init__(self, clock: Callable[[], datetime] = lambda: datetime.now(UTC)) -> None:
        self.away = False
        """While it is true, publishing raises TransientError."""
        self.rows: list[OutboxRow] = []
        """All that was published."""
        self._clock = clock
        self._times: list[int] = []

    async def publish(self, rows: Sequence[OutboxRow]) -> None:
        """Write records in order."""
        if self.away:
            raise TransientError("Kafka in memory is away, as the test wants it.")
        self.rows.extend(rows)
        self._times += [int(self._clock().timestamp() * 1000)] * len(rows)

    def records(self, topic: TopicName, *, offset: int = 0) -> list[Record]:
        """Give a topic's records from an offset on, as a consumer would read them."""
        held = [(row, at) for row, at in zip(self.rows, self._times, strict=True) if row.topic == topic]
        return [
            Record(
                topic=topic,
                partition=0,
                offset=each,
                key=row.key,
                value=row.value,
                headers=list(row.headers),
                timestamp_ms=at,
            )
            for each, (row, at) in enumerate(held[offset:], start=offset)
        ]
