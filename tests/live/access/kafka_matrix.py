"""
What a principal of Kafka may do, found out by doing it, and what the directory's files say that it may.

Nothing that is allowed leaves a trace: a record that is written is too large for its topic, which the broker says only
after it has looked at the writer's right.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date

import expected_rights as expected
from confluent_kafka import (
    Consumer,
    ConsumerGroupTopicPartitions,
    KafkaError,
    KafkaException,
    Producer,
    TopicCollection,
    TopicPartition,
)
from confluent_kafka.admin import (
    AclBinding,
    AclOperation,
    AclPermissionType,
    AdminClient,
    AlterConfigOpType,
    ConfigEntry,
    ConfigResource,
    NewTopic,
    ResourcePatternType,
    ResourceType,
)

from streams.kafka import KafkaAddress

__all__ = ["Deed", "deeds", "granted", "may", "told_operations"]

BUS = "bus"
_TOO_LARGE_BYTES = 2_300_000
_SECONDS = 20.0
_REFUSED = {
    KafkaError.TOPIC_AUTHORIZATION_FAILED,
    KafkaError.GROUP_AUTHORIZATION_FAILED,
    KafkaError.CLUSTER_AUTHORIZATION_FAILED,
    KafkaError.TRANSACTIONAL_ID_AUTHORIZATION_FAILED,
}


_HIDDEN = {KafkaError.UNKNOWN_TOPIC_OR_PART, KafkaError._UNKNOWN_TOPIC, KafkaError._NOENT}
"""What the client says of a topic that the broker does not show; each of them is there."""


@dataclass(frozen=True, slots=True, order=True)
class Deed:
    """Something to do to something."""

    operation: str
    name: str


def deeds(topics: Sequence[str], groups: Sequence[str]) -> list[Deed]:
    """Give everything that is tried, for one principal."""
    on_topics = ("write", "read", "delete records", "delete topic", "alter topic", "describe settings")
    found = [Deed(operation, topic) for topic in topics for operation in on_topics]
    found += [Deed(operation, group) for group in groups for operation in ("read for group", "delete group")]
    return [*found, Deed("make topic", "lt.mine"), Deed("make topic", "lt.inbox.mine"), Deed("grant", "lt.audit")]


def granted(principal: str, day: date) -> set[Deed]:
    """Say what the directory's files let a principal do; nothing of the project's own policy is used."""
    if principal == BUS:
        events = [f"lt.{each}" for each in expected.event_types() if each != "audit.recorded"]
        written = [*events, "lt.audit", "lt.quarantine.bus", *(f"lt.inbox.{each}" for each in expected.agencies())]
        reads = events
    else:
        published = [each for each in expected.event_types() if expected.may_publish(principal, each, day)]
        written = [*(f"lt.{each}" for each in published), f"lt.inbox.{principal}", f"lt.quarantine.{principal}"]
        reads = [f"lt.inbox.{principal}"]
    found = {Deed("write", each) for each in written} | {Deed("read", each) for each in reads}
    return found | {Deed("read for group", f"lt.{principal}")}


def may(address: KafkaAddress, chosen: Sequence[Deed]) -> set[Deed]:
    """Try deeds as somebody, and give those that were not refused."""
    producer = Producer({**address.librdkafka(), "message.max.bytes": 2 * _TOO_LARGE_BYTES, "log_level": 0})
    admin = AdminClient({**address.librdkafka(), "log_level": 0})
    allowed = _written(producer, [each for each in chosen if each.operation == "write"])
    allowed |= {each for each in chosen if each.operation == "read" and _reads(address, each.name)}
    for each in chosen:
        if each.operation not in {"write", "read"} and _not_refused(admin, each):
            allowed.add(each)
    return allowed


def told_operations(address: KafkaAddress, topics: Sequence[str]) -> Mapping[str, set[str]]:
    """Ask the broker what it would let somebody do with topics that are there: Kafka's own names of operations."""
    admin = AdminClient({**address.librdkafka(), "log_level": 0})
    asked = admin.describe_topics(TopicCollection(list(topics)), include_authorized_operations=True)
    found = {}
    for name, answer in asked.items():
        try:
            found[name] = {each.name for each in answer.result().authorized_operations or ()}
        except KafkaException as error:
            if not _refused(error):
                raise
            found[name] = set()
    return found


def _written(producer: Producer, chosen: Sequence[Deed]) -> set[Deed]:
    allowed = set()

    def ended(deed: Deed, error: KafkaError | None) -> None:
        assert error is not None, f"{deed}: the record was taken"
        if error.code() == KafkaError.MSG_SIZE_TOO_LARGE:
            allowed.add(deed)
        else:
            assert error.code() in _REFUSED, f"{deed}: {error}"

    for deed in chosen:
        try:
            producer.produce(
                deed.name, bytes(_TOO_LARGE_BYTES), on_delivery=lambda error, _, deed=deed: ended(deed, error)
            )
        except KafkaException as error:  # it remembers what it was refused
            if not _refused(error):
                raise
        producer.flush(_SECONDS)
    return allowed


def _refused(error: KafkaException) -> bool:
    return error.args[0].code() in _REFUSED


def _reads(address: KafkaAddress, topic: str) -> bool:
    consumer = Consumer(
        # Its own group, which is asked for though it is not joined and nothing is committed.
        {
            **address.librdkafka(),
            "group.id": f"lt.{address.username}",
            "enable.partition.eof": True,
            "enable.auto.commit": False,
        }
        | {"log_level": 0, "fetch.wait.max.ms": 10}
    )
    try:
        hidden = consumer.list_topics(topic, timeout=_SECONDS).topics[topic].error
        if hidden is not None:
            assert hidden.code() in _REFUSED, hidden
            return False  # one who waits for a topic that is hidden waits in silence
        consumer.assign([TopicPartition(topic, 0, 0)])
        message = consumer.poll(_SECONDS)
        assert message is not None, f"{topic} gives neither a record nor an error"
        error = message.error()
        if error is None or error.code() == KafkaError._PARTITION_EOF:
            return True
        assert error.code() in _REFUSED, error
        return False
    finally:
        consumer.close()


def _not_refused(admin: AdminClient, deed: Deed) -> bool:
    try:
        for answer in _asked(admin, deed):
            answer.result(_SECONDS)
    except KafkaException as error:
        return not _refused(error) and error.args[0].code() not in _HIDDEN
    return True


def _asked(admin: AdminClient, deed: Deed) -> Iterator[object]:
    name, options = deed.name, {"request_timeout": _SECONDS}
    setting = ConfigEntry("retention.ms", "1", incremental_operation=AlterConfigOpType.SET)
    match deed.operation:
        case "delete records":
            yield from admin.delete_records([TopicPartition(name, 0, 0)], **options).values()
        case "delete topic":
            yield from admin.delete_topics([name], **options).values()
        case "alter topic":
            resource = ConfigResource(ConfigResource.Type.TOPIC, name, incremental_configs=[setting])
            yield from admin.incremental_alter_configs([resource], **options).values()
        case "describe settings":
            yield from admin.describe_configs([ConfigResource(ConfigResource.Type.TOPIC, name)], **options).values()
        case "make topic":
            yield from admin.create_topics([NewTopic(name, 1, 1)], **options).values()
        case "grant":
            own = AclBinding(
                ResourceType.TOPIC,
                name,
                ResourcePatternType.LITERAL,
                "User:*",
                "*",
                AclOperation.ALL,
                AclPermissionType.ALLOW,
            )
            yield from admin.create_acls([own], **options).values()
        case "read for group":
            yield from admin.list_consumer_group_offsets([ConsumerGroupTopicPartitions(name)], **options).values()
        case "delete group":
            yield from admin.delete_consumer_groups([name], **options).values()
