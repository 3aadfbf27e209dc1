"""
The log as it was written: topics from their first record to a given end, in the order of the broker's time.

Records are read as the workers read them, so that what no client of Kafka can read comes out as the same bytes.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import aiokafka
from aiokafka.errors import KafkaError
from confluent_kafka import Consumer, KafkaException, TopicPartition

from streams.errors import TransientError
from streams.kafka import KafkaAddress
from streams.names import TopicName
from streams.record import Record
from streams.tolerant_records import let_aiokafka_read_anything

__all__ = ["first_offsets", "last_ends", "read_log"]

_TIMEOUT_SECONDS = 30.0
_SILENCE_SECONDS = 60.0
_PATIENCE_MS = 200
_TOGETHER = 1000
_AHEAD = 4000
"""A partition rests when so many of its records wait for those of others."""

_Partition = tuple[TopicName, int]


@dataclass
class _Reading:
    end: int
    waiting: deque[Record] = field(default_factory=deque)
    next_offset: int = 0

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


async def read_log(address: KafkaAddress, ends: Mapping[_Partition, int]) -> AsyncIterator[Record]:
    """
    Give all records below these ends, the oldest first; those of one partition in its order.

    Args:
        address: the cluster.
        ends: the offset before which each partition ends.

    Raises:
        TransientError: Kafka is away, or gives nothing for a minute.
    """
    readings = {place: _Reading(end=end) for place, end in ends.items() if end > 0}
    if not readings:
        return
    async with _reader(address, list(readings)) as consumer:
        while True:
            await _fill(consumer, readings)
            oldest = min(
                (each for each in readings.values() if each.waiting),
                key=lambda each: each.waiting[0].timestamp_ms,
                default=None,
            )
            if oldest is None:
                return
            yield oldest.waiting.popleft()


@asynccontextmanager
async def _reader(address: KafkaAddress, places: Sequence[_Partition]) -> AsyncIterator[Any]:
    """Open a consumer of these partitions at their beginnings; it is of no group and commits nothing."""
    let_aiokafka_read_anything()
    consumer = aiokafka.AIOKafkaConsumer(
        **address.aiokafka(), group_id=None, enable_auto_commit=False, isolation_level="read_committed"
    )
    try:
        await consumer.start()
        consumer.assign([aiokafka.TopicPartition(*place) for place in places])
        await consumer.seek_to_beginning()
        yield consumer
    except KafkaError as error:
        raise TransientError(f"Kafka does not answer as it should: {error}") from error
    finally:
        await consumer.stop()


async def _fill(consumer: Any, readings: Mapping[_Partition, _Reading]) -> None:
    """Read on until every partition has a record waiting, or is at its end."""
    deadline = time.monotonic() + _SILENCE_SECONDS
    while any(each.blocks for each in readings.values()):
        # Never none: one that blocks is among them. No name at all would mean every partition to aiokafka.
        wanted = [place for place, each in readings.items() if not each.ended and len(each.waiting) <= _AHEAD]
        found = await consumer.getmany(
            *(aiokafka.TopicPartition(*place) for place in wanted), timeout_ms=_PATIENCE_MS, max_records=_TOGETHER
        )
        for fetched in found.values():
            for each in fetched:
                _take(readings[TopicName(each.topic), each.partition], each)
        for place in wanted:  # a position also goes over a transaction's markers, which are no records
            position = await consumer.position(aiokafka.TopicPartition(*place))
            if position > readings[place].next_offset:
                readings[place].next_offset = position
                deadline = time.monotonic() + _SILENCE_SECONDS
        if time.monotonic() > deadline:
            raise TransientError("Kafka gives no more records, and the end is not reached: see `lienthong status`.")


def _take(reading: _Reading, fetched: Any) -> None:
    if fetched.offset >= reading.end:
        return
    reading.waiting.append(
        Record(
            topic=TopicName(fetched.topic),
            partition=fetched.partition,
            offset=fetched.offset,
            key=fetched.key,
            value=fetched.value,
            headers=fetched.headers,
            timestamp_ms=fetched.timestamp,
        )
    )


def _settings(address: KafkaAddress) -> dict[str, str | int | float | bool]:
    return {
        **address.librdkafka(),
        "group.id": "lt-rebuild",  # never joined: only offsets are asked for
        "enable.auto.commit": False,
    }
