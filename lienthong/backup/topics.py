"""Save topics: their settings, every record with its offset and time, and how far each consumer group is."""

from __future__ import annotations

import time
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from confluent_kafka import Consumer, ConsumerGroupTopicPartitions, KafkaError, KafkaException, Message, TopicPartition
from confluent_kafka.admin import AdminClient, ConfigResource, ConfigSource

from lienthong.backup.manifest import SavedPartition, SavedTopic
from lienthong.backup.record_file import RecordWriter, SavedRecord, writing_records
from lienthong.stack import Progress
from streams.errors import TransientError
from streams.kafka import KafkaAddress

__all__ = ["Place", "group_offsets", "save_topics", "topic_names"]

_OURS = "lt."
_TIMEOUT_SECONDS = 30.0
_SILENCE_SECONDS = 60.0
_PATIENCE_SECONDS = 0.2
_TOGETHER = 2000
_OPEN_FILES = 200


class Place(NamedTuple):
    """A partition of a topic."""

    topic: str
    partition: int


def group_offsets(address: KafkaAddress) -> dict[str, dict[str, dict[str, int]]]:
    """
    Say how far each of our consumer groups is, by topic and partition.

    Raises:
        TransientError: Kafka is away.
    """
    try:
        admin = AdminClient({**address.librdkafka()})
        listed = admin.list_consumer_groups(request_timeout=_TIMEOUT_SECONDS).result()
        names = sorted(each.group_id for each in listed.valid if each.group_id.startswith(_OURS))
        return {name: _offsets(admin, name) for name in names}
    except KafkaException as error:
        raise _away(error) from error


def topic_names(admin: AdminClient) -> dict[str, int]:
    """Give our topics with their numbers of partitions; KafkaException when Kafka is away."""
    topics = admin.list_topics(timeout=_TIMEOUT_SECONDS).topics
    return {name: len(topic.partitions) for name, topic in sorted(topics.items()) if name.startswith(_OURS)}


def save_topics(address: KafkaAddress, folder: Path, *, progress: Progress) -> dict[str, SavedTopic]:
    """
    Write every record that is there now.

    Args:
        address: the cluster, as an administrator.
        folder: gets a folder for each topic, with a file for each partition.
        progress: told how many records are written.

    Raises:
        TransientError: Kafka is away, or gives nothing for a minute.
    """
    admin, consumer = AdminClient({**address.librdkafka()}), _reader(address)
    try:
        places = [Place(topic, one) for topic, count in topic_names(admin).items() for one in range(count)]
        saved: dict[Place, SavedPartition] = {}
        for start in range(0, len(places), _OPEN_FILES):
            saved |= _save_partitions(consumer, places[start : start + _OPEN_FILES], folder, progress)
        topics: dict[str, list[SavedPartition]] = {}
        for place in places:
            topics.setdefault(place.topic, []).append(saved[place])
        configs = {topic: _config(admin, topic) for topic in topics}
    except KafkaException as error:
        raise _away(error) from error
    finally:
        consumer.close()
    progress.done("topics")
    return {topic: SavedTopic(config=configs[topic], partitions=tuple(parts)) for topic, parts in topics.items()}


def _offsets(admin: AdminClient, group: str) -> dict[str, dict[str, int]]:
    asked = admin.list_consumer_group_offsets([ConsumerGroupTopicPartitions(group)], request_timeout=_TIMEOUT_SECONDS)
    found: dict[str, dict[str, int]] = {}
    for place in asked[group].result().topic_partitions:
        if place.offset >= 0:
            found.setdefault(place.topic, {})[str(place.partition)] = place.offset
    return {topic: dict(sorted(offsets.items())) for topic, offsets in sorted(found.items())}


def _config(admin: AdminClient, topic: str) -> dict[str, str]:
    """Give the settings that the topic itself has; the cluster's defaults are the cluster's."""
    resource = ConfigResource(ConfigResource.Type.TOPIC, topic)
    entries = admin.describe_configs([resource], request_timeout=_TIMEOUT_SECONDS)[resource].result()
    own = ConfigSource.DYNAMIC_TOPIC_CONFIG.value
    return {name: each.value for name, each in sorted(entries.items()) if each.source == own}


def _reader(address: KafkaAddress) -> Consumer:
    return Consumer(
        {
            **address.librdkafka(),
            "group.id": "lt-backup",  # never joined: partitions are assigned by hand and nothing is committed
            "enable.auto.commit": False,
            "auto.offset.reset": "error",
            "enable.partition.eof": True,
            "isolation.level": "read_committed",
        }
    )


def _save_partitions(
    consumer: Consumer, places: Sequence[Place], folder: Path, progress: Progress
) -> dict[Place, SavedPartition]:
    """Save partitions together: a client that goes from one to the next waits a second each time."""
    with ExitStack() as stack:
        copies = {}
        for place in places:
            low, high = consumer.get_watermark_offsets(TopicPartition(*place), timeout=_TIMEOUT_SECONDS)
            (folder / place.topic).mkdir(parents=True, exist_ok=True)
            file = stack.enter_context(writing_records(folder / place.topic / f"{place.partition}.records"))
            copies[place] = _Copy(file=file, low=low, high=high, next_offset=low)
        consumer.assign([TopicPartition(*place, each.low) for place, each in copies.items() if not each.whole])
        deadline = time.monotonic() + _SILENCE_SECONDS
        while not all(each.whole for each in copies.values()):
            for message in consumer.consume(_TOGETHER, timeout=_PATIENCE_SECONDS):
                copies[Place(str(message.topic()), message.partition() or 0)].take(message)
                deadline = time.monotonic() + _SILENCE_SECONDS
            if time.monotonic() > deadline:
                raise TransientError("Kafka gives no more records, and the end is not reached: see `lienthong status`.")
            progress.step("topics", f"{sum(each.records for each in copies.values())} records")
    return {place: each.saved() for place, each in copies.items()}


@dataclass
class _Copy:
    """A partition on its way into a file."""

    file: RecordWriter
    low: int
    high: int
    next_offset: int
    records: int = 0
    unreadable: int = 0

    @property
    def whole(self) -> bool:
        return self.next_offset >= self.high

    def take(self, message: Message) -> None:
        """Write a record, if it was there when the copy began; what comes later is no part of the backup."""
        if self.whole:
            return
        saved = _saved(message)
        if saved is None or saved.offset >= self.high:
            self.next_offset = self.high  # what is left are holes: a transaction's markers
            return
        self.file.write(saved)
        self.records, self.unreadable = self.records + 1, self.unreadable + (saved.headers is None)
        self.next_offset = saved.offset + 1

    def saved(self) -> SavedPartition:
        return SavedPartition(low=self.low, high=self.high, records=self.records, unreadable_headers=self.unreadable)


def _saved(message: Message) -> SavedRecord | None:
    """Give what is kept of a record; None for the end of the partition."""
    if (error := message.error()) is not None:
        if error.code() == KafkaError._PARTITION_EOF:  # noqa: SLF001 -- the library's public name for it
            return None
        raise KafkaException(error)
    headers: list[tuple[str, bytes | None]] | None
    try:
        headers = list(message.headers() or ())  # type: ignore[arg-type] # as read they are names and bytes, or none
    except (SystemError, UnicodeDecodeError):
        headers = None  # a header's name is no UTF-8: the client cannot give any header of this record
    return SavedRecord(
        offset=message.offset() or 0,
        time_ms=message.timestamp()[1],
        key=message.key(),
        value=message.value(),
        headers=headers,
    )


def _away(error: KafkaException) -> TransientError:
    return TransientError(f"Kafka does not answer as it should: {error}")
