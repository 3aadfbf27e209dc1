"""How much of a stateless agency's inbox topic is not read yet: it has no inbox rows that could be counted."""

from __future__ import annotations

from kafka import KafkaConsumer, TopicPartition

from streams.kafka import KafkaAddress
from streams.names import AgencyCode, consumer_group, inbox_topic

__all__ = ["unread"]


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
