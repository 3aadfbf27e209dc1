"""
Put saved topics back: every record at the offset it had, with its time; consumer groups where they were.

A new partition begins at offset 0. Where a partition had lost its head to retention, or has holes, empty records take
the missing offsets, and the head is cut off again; so ledger rows, inbox rows and groups go on naming the same records.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from itertools import chain, count
from pathlib import Path

from confluent_kafka import Consumer, KafkaError, KafkaException, Message, Producer, TopicPartition
from confluent_kafka.admin import AdminClient, AlterConfigOpType, ConfigEntry, ConfigResource, NewTopic

from lienthong.backup.manifest import SavedTopic
from lienthong.backup.record_file import SavedRecord, read_records
from lienthong.backup.topics import topic_names
from lienthong.stack import Progress
from streams.errors import ConfigurationError, InputError, TransientError
from streams.kafka import KafkaAddress, producer_settings

__all__ = ["put_groups_back", "put_topics_back", "without_holes"]

_TIMEOUT_SECONDS = 60.0
_TIME_TYPE = "message.timestamp.type"
_FILLER = [("lt_filler", b"")]
"""Header of a record that only takes an offset which the backup has no record for."""

_NOT_YET = frozenset(
    {KafkaError.COORDINATOR_LOAD_IN_PROGRESS, KafkaError.COORDINATOR_NOT_AVAILABLE, KafkaError.NOT_COORDINATOR}
)

_Confirmed = Callable[[KafkaError | None, Message], None]

_UNREADABLE = [("lt_unreadable_headers", b"")]
"""Header in place of headers that the backup could not read."""


def put_topics_back(
    address: KafkaAddress, topics: Mapping[str, SavedTopic], folder: Path, *, progress: Progress
) -> None:
    """
    Make topics and fill them.

    Args:
        address: an empty cluster, as an administrator.
        topics: what was saved.
        folder: where.
        progress: told topic by topic.

    Raises:
        ConfigurationError: the cluster has topics of ours, or does not take one.
        InputError: a record went to another offset; the cluster is not what it should be.
        TransientError: Kafka is away.
    """
    try:
        admin = AdminClient({**address.librdkafka()})
        if there := topic_names(admin):
            raise ConfigurationError(
                f"Kafka has topics already, for instance {next(iter(there))}: restore to an empty one."
            )
        _make(admin, topics)
        filler = _Filler(address)
        for name, topic in topics.items():
            progress.step("topics", name)
            for number, partition in enumerate(topic.partitions):
                records = read_records(folder / name / f"{number}.records")
                filler.fill(name, number, without_holes(records, high=partition.high))
        _cut_heads(admin, topics)
        _set_time_type(admin, topics)
    except KafkaException as error:
        raise _away(error) from error
    progress.done("topics")


def put_groups_back(address: KafkaAddress, groups: Mapping[str, Mapping[str, Mapping[str, int]]]) -> None:
    """Commit for each consumer group the offsets that it had; TransientError when Kafka is away."""
    try:
        for group, topics in groups.items():
            places = [
                TopicPartition(topic, int(one), offset)
                for topic, offsets in topics.items()
                for one, offset in offsets.items()
            ]
            if places:
                _commit(address, group, places)
    except KafkaException as error:
        raise _away(error) from error


def _commit(address: KafkaAddress, group: str, places: list[TopicPartition]) -> None:
    consumer = Consumer({**address.librdkafka(), "group.id": group, "enable.auto.commit": False})
    deadline = time.monotonic() + _TIMEOUT_SECONDS
    try:
        while True:
            try:
                consumer.commit(offsets=places, asynchronous=False)
            except KafkaException as error:
                # A cluster that never had a group first makes the topic of their offsets and loads it.
                if error.args[0].code() not in _NOT_YET or time.monotonic() > deadline:
                    raise
                time.sleep(0.2)
            else:
                return
    finally:
        consumer.close()


def _make(admin: AdminClient, topics: Mapping[str, SavedTopic]) -> None:
    """Make the topics; for now they take records' times as they are given, whatever they do later."""
    new = [
        NewTopic(name, num_partitions=len(topic.partitions), replication_factor=-1, config=_while_filled(topic))
        for name, topic in topics.items()
    ]
    for name, made in admin.create_topics(new, operation_timeout=_TIMEOUT_SECONDS).items():
        try:
            made.result()
        except KafkaException as error:
            raise ConfigurationError(f"Kafka does not make topic {name}: {error}") from error


def _while_filled(topic: SavedTopic) -> dict[str, str]:
    return {**topic.config, _TIME_TYPE: "CreateTime"}


def _set_time_type(admin: AdminClient, topics: Mapping[str, SavedTopic]) -> None:
    resources = []
    for name, topic in topics.items():
        kept = topic.config.get(_TIME_TYPE)
        change = AlterConfigOpType.DELETE if kept is None else AlterConfigOpType.SET
        entry = ConfigEntry(_TIME_TYPE, kept or "", incremental_operation=change)
        resources.append(ConfigResource(ConfigResource.Type.TOPIC, name, incremental_configs=[entry]))
    for changed in admin.incremental_alter_configs(resources).values():
        changed.result()


def _cut_heads(admin: AdminClient, topics: Mapping[str, SavedTopic]) -> None:
    heads = [
        TopicPartition(name, number, partition.low)
        for name, topic in topics.items()
        for number, partition in enumerate(topic.partitions)
        if partition.low
    ]
    if heads:
        for cut in admin.delete_records(heads, request_timeout=_TIMEOUT_SECONDS).values():
            cut.result()


class _Filler:
    """Writes partitions from their beginning, and looks that each record gets the offset that it had."""

    def __init__(self, address: KafkaAddress) -> None:
        self._producer = Producer(
            {
                **producer_settings(address, client_id="lt.restore"),
                "message.max.bytes": 10_000_000,
                "delivery.timeout.ms": int(_TIMEOUT_SECONDS * 1000),  # a restore that fails is begun anew
            }
        )
        self._wrong: list[str] = []

    def fill(self, topic: str, number: int, records: Iterator[SavedRecord]) -> None:
        """Write one partition and wait until all of it is confirmed."""
        expected = count()

        def confirmed(error: KafkaError | None, message: Message) -> None:
            offset = next(expected)  # one partition and an idempotent producer: confirmations come in order
            if error is not None:
                self._wrong.append(error.str())
            elif message.offset() != offset:
                self._wrong.append(f"a record has the offset {message.offset()} in place of {offset}")

        for record in records:
            self._produce(topic, number, record, confirmed)
            if self._wrong:
                break
        left = self._producer.flush(_TIMEOUT_SECONDS)
        if self._wrong:
            raise InputError(f"Topic {topic} cannot be put back as it was: {self._wrong[0]}.")
        if left:
            raise TransientError(f"Kafka did not confirm {left} records of {topic} in time.")

    def _produce(self, topic: str, number: int, record: SavedRecord, confirmed: _Confirmed) -> None:
        headers = _UNREADABLE if record.headers is None else record.headers
        while True:
            try:
                self._producer.produce(
                    topic,
                    value=record.value,
                    key=record.key,
                    partition=number,
                    timestamp=max(record.time_ms, 1),  # 0 would be the present
                    headers=list(headers),
                    on_delivery=confirmed,
                )
            except BufferError:
                self._producer.poll(0.1)  # the producer's queue is full: let it send some
            else:
                self._producer.poll(0)
                return


def without_holes(records: Iterator[SavedRecord], *, high: int) -> Iterator[SavedRecord]:
    """Put an empty record at each offset below `high` that none of these has."""
    expected, time_ms = 0, 1
    end = SavedRecord(offset=high, time_ms=0, key=None, value=None, headers=None)
    for record in chain(records, [end]):
        for offset in range(expected, record.offset):
            yield SavedRecord(offset=offset, time_ms=time_ms, key=None, value=None, headers=[*_FILLER])
        if record is not end:
            yield record
        expected, time_ms = record.offset + 1, record.time_ms


def _away(error: KafkaException) -> TransientError:
    return TransientError(f"Kafka does not answer as it should: {error}")
