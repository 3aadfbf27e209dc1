"""A Kafka record as the runtime hands it over, and one that could not be processed."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime
from uuid import UUID, uuid5

from streams.errors import PermanentError
from streams.frozen import quickly_made
from streams.headers import Headers
from streams.names import EVENT_NAMESPACE, TopicName

__all__ = ["QuarantineItem", "Record", "quarantine_item"]


_LATEST_MS = 32_503_680_000_000
"""The year 3000: due dates and days of the calendar can still be reckoned from it."""


@quickly_made
@dataclass(frozen=True, slots=True)
class Record:
    """
    One record of one partition.

    Args:
        topic: where it was read.
        partition: of the topic.
        offset: in the partition.
        key: as written.
        value: as written.
        headers: as written, in order.
        timestamp_ms: when the broker appended it, since 1970; 0 where nobody noted it.
    """

    topic: TopicName
    partition: int
    offset: int
    key: bytes | None
    value: bytes | None = field(repr=False)
    headers: Headers
    timestamp_ms: int = 0

    @property
    def time(self) -> datetime:
        """
        When the broker appended it, aware UTC: the same however often the record is read.

        Where it is `timeless`, the nearest time that is one: also a record that is refused for it has to be noted.
        """
        return datetime.fromtimestamp(min(max(self.timestamp_ms, 0), _LATEST_MS) / 1000, UTC)

    @property
    def timeless(self) -> bool:
        """Whether its time can be no broker's: a topic that takes the sender's takes any number."""
        return not 0 <= self.timestamp_ms <= _LATEST_MS


@dataclass(frozen=True, slots=True)
class QuarantineItem:
    """
    A record that cannot be processed, kept whole with the reason.

    Args:
        id: from topic, partition and offset, so that a repeat is the same item.
        record: the original, unchanged.
        reason: a stable code.
        detail: a sentence for the operator; never a field's value.
    """

    id: UUID
    record: Record
    reason: str
    detail: str

    @property
    def headers(self) -> list[tuple[str, bytes]]:
        """The original headers and, after them, why and from where it came."""
        place = self.record
        return [
            *place.headers,
            ("lt_quarantine_id", str(self.id).encode()),
            ("lt_quarantine_reason", self.reason.encode()),
            ("lt_quarantine_topic", place.topic.encode()),
            ("lt_quarantine_partition", str(place.partition).encode()),
            ("lt_quarantine_offset", str(place.offset).encode()),
        ]


def quarantine_item(record: Record, error: PermanentError) -> QuarantineItem:
    """Put a record and the reason for refusing it together."""
    place = f"quarantine|{record.topic}|{record.partition}|{record.offset}"
    detail = str(error).replace(
        "\0", "\ufffd"
    )  # a database's text cannot keep a zero byte; a header's name may have one
    return QuarantineItem(id=uuid5(EVENT_NAMESPACE, place), record=record, reason=error.code, detail=detail)
