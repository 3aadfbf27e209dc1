"""The log as it was written: topics from their first record to a given end, in the order of the broker's time."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from confluent_kafka import OFFSET_BEGINNING, Consumer, KafkaError, KafkaException, Message, TopicPartition

from streams.bus_store import Place
from streams.errors import TransientError
from streams.kafka import KafkaAddress
from streams.names import TopicName
from streams.record import Record

__all__ = ["first_offsets", "last_ends", "read_log"]

_TIMEOUT_SECONDS = 30.0
_SILENCE_SECONDS = 60.0
_AHEAD = 4000
"""A partition rests when so many of its records wait for those of others."""

_Partition = tuple[TopicName, int]


@dataclass
class _Reading:
    end: int
    waiting: deque[Record] = field(default_factory=deque)
    next_offset: int = 0
    resting: bool = False

    @property
    def ended(self) -> bool:
        return self.next_offset >= self.end

    @property
    def blocks(self) -> bool:
        """Nothing of it waits and something is still to come, so nobody knows yet which record is the oldest."""
        return not self.waiting and not self.ended


def first_offsets(address: KafkaAddress, partitions: Mapping[_Partition, int]) -> dict[_Partition, int]:
    """Give each partition's first offset: above 0 where retention took its head; TransientError when Kafka is away."""
    consumer = Consumer(_settings(address))
    try:
        return {
            place: consumer.get_watermark_offsets(TopicPartition(*place), timeout=_TIMEOUT_SECONDS)[0]
            for place in partitions
        }
    except KafkaException as error:
        raise TransientError(f"Kafka does not answer as it should: {error}") from error
    finally:
        consumer.close()


def last_ends(address: KafkaAddress, topics: Sequence[TopicName]) -> dict[_Partition, int]:
    """Give the offset after the last record of each partition of topics; TransientError when Kafka is away."""
    consumer = Consumer(_settings(address))
    try:
        known = {topic: consumer.list_topics(topic, timeout=_TIMEOUT_SECONDS).topics[topic] for topic in topics}
        places = [(topic, one) for topic in topics for one in known[topic].partitions]
        return {
            place: consumer.get_watermark_offsets(TopicPartition(*place), timeout=_TIMEOUT_SECONDS)[1]
            for place in places
        }
    except KafkaException as error:
        raise TransientError(f"Kafka does not answer as it should: {error}") from error
    finally:
        consumer.close()


def read_log(address: KafkaAddress, ends: Mapping[_Partition, int]) -> Iterator[Record]:
    """
    Give all records below these ends, the oldest first; those of one partition in its order.

    Args:
        address: the cluster.
        ends: the offset before which each partition ends.

    Raises:
        TransientError: Kafka is away, or gives nothing for a minute.
    """
    readings = {place: _Reading(end=end) for place, end in ends.items() if end > 0}
    consumer = Consumer(_settings(address))
    try:
        consumer.assign([TopicPartition(*place, OFFSET_BEGINNING) for place in readings])
        while True:
            _fill(consumer, readings)
            oldest = min(
                (each for each in readings.values() if each.waiting),
                key=lambda each: each.waiting[0].timestamp_ms,
                default=None,
            )
            if oldest is None:
                return
            yield oldest.waiting.popleft()
    except KafkaException as error:
        raise TransientError(f"Kafka does not answer as it should: {error}") from error
    finally:
        consumer.close()


def _fill(consumer: Consumer, readings: Mapping[_Partition, _Reading]) -> None:
    """Read on until every partition has a record waiting, or is at its end."""
    deadline = time.monotonic() + _SILENCE_SECONDS
    while any(each.blocks for each in readings.values()):
        _rest(consumer, readings)
        for message in consumer.consume(1000, timeout=0.1):
            _take(readings[TopicName(str(message.topic())), message.partition() or 0], message)
            deadline = time.monotonic() + _SILENCE_SECONDS
        if time.monotonic() > deadline:
            raise TransientError("Kafka gives no more records, and the end is not reached: see `lienthong status`.")


def _rest(consumer: Consumer, readings: Mapping[_Partition, _Reading]) -> None:
    for place, each in readings.items():
        should_rest = each.ended or len(each.waiting) > _AHEAD
        if should_rest != each.resting:
            (consumer.pause if should_rest else consumer.resume)([TopicPartition(*place)])
            each.resting = should_rest


def _take(reading: _Reading, message: Message) -> None:
    if (error := message.error()) is not None:
        if error.code() == KafkaError._PARTITION_EOF:  # noqa: SLF001 -- the library's public name for it
            reading.next_offset = reading.end
            return
        raise KafkaException(error)
    place = Place(TopicName(str(message.topic())), message.partition() or 0, message.offset() or 0)
    if reading.ended or place.offset >= reading.end:
        reading.next_offset = reading.end
        return
    reading.waiting.append(
        Record(
            topic=place.topic,
            partition=place.partition,
            offset=place.offset,
            key=message.key(),
            value=message.value(),
            headers=_headers(message),
            timestamp_ms=message.timestamp()[1],
        )
    )
    reading.next_offset = place.offset + 1


def _headers(message: Message) -> list[tuple[str, bytes]]:
    try:
        pairs: list[tuple[str, bytes | None]] = list(message.headers() or ())  # type: ignore[arg-type] # as read
    except (SystemError, UnicodeDecodeError):
        return []  # a header's name is no UTF-8; such a record was refused, and stays so
    return [(name, value or b"") for name, value in pairs]


def _settings(address: KafkaAddress) -> dict[str, str | int | float | bool]:
    return {
        **address.librdkafka(),
        "group.id": "lt-rebuild",  # never joined: partitions are assigned by hand and nothing is committed
        "enable.auto.commit": False,
        "auto.offset.reset": "error",
        "enable.partition.eof": True,
        "isolation.level": "read_committed",
    }
