"""How much of a stateless agency's inbox topic is not read yet: it has no inbox rows that could be counted."""

from __future__ import annotations

from kafka import KafkaConsumer, TopicPartition

from agents import KINDS
from streams.agent import Work
from streams.directory import Agency
from streams.kafka import KafkaAddress
from streams.names import AgencyCode, consumer_group, inbox_topic

__all__ = ["keeps_inbox", "unread"]


def keeps_inbox(agency: Agency) -> bool:
    """Say whether an agency's kind is stateful."""
    kind = KINDS.get(agency.kind)
    return kind is None or kind.work is Work.STATEFUL


def unread(address: KafkaAddress, agency: AgencyCode) -> int:
    """Count the records after what the agency's worker has committed; KafkaError when Kafka is away."""
    consumer = KafkaConsumer(**address.kafka_python(), group_id=consumer_group(agency), enable_auto_commit=False)
    try:
        topic = inbox_topic(agency)
        places = [TopicPartition(topic, each) for each in sorted(consumer.partitions_for_topic(topic))]
        ends = consumer.end_offsets(places)
        return sum(ends[place] - (consumer.committed(place) or 0) for place in places)
    finally:
        consumer.close()
