"""
The topics of the bus, from the catalogue and the directory alone; provisioning makes exactly these.

Event topics and the audit log are kept for ever; inboxes and quarantines as the directory says. A record's time is the
broker's, not its sender's: admission counts from it, so that whoever reads the log again sees the same clock.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from streams.catalogue import Catalogue
from streams.directory import Directory
from streams.kafka import MAX_RECORD_BYTES
from streams.names import BUS, TopicName, inbox_topic, quarantine_topic

__all__ = ["TopicSpec", "topic_plan"]

_DAY_MS = 86_400_000
_EVENT_PARTITIONS = 4
_INBOX_PARTITIONS = 2
_BUS_QUARANTINE_DAYS = 365

_READ_BYTES = 1_048_588  # Kafka's own default: what anybody may write


@dataclass(frozen=True, slots=True)
class TopicSpec:
    """
    A topic to be.

    Args:
        name: its name.
        partitions: how many; never changed afterwards, for that would move keys.
        config: Kafka's topic settings.
    """

    name: TopicName
    partitions: int
    config: Mapping[str, str]


def topic_plan(catalogue: Catalogue, directory: Directory) -> Sequence[TopicSpec]:
    """Give all topics, by name."""
    plan = [_topic(spec.topic, _EVENT_PARTITIONS, days=None, most=_READ_BYTES) for spec in catalogue.types.values()]
    plan.append(_topic(quarantine_topic(BUS), 1, days=_BUS_QUARANTINE_DAYS))
    for code, agency in directory.agencies.items():
        plan.append(_topic(inbox_topic(code), _INBOX_PARTITIONS, days=agency.inbox_days))
        plan.append(_topic(quarantine_topic(code), 1, days=agency.quarantine_days))
    return sorted(plan, key=lambda topic: topic.name)


def _topic(name: TopicName, partitions: int, *, days: int | None, most: int = MAX_RECORD_BYTES) -> TopicSpec:
    retention_ms = -1 if days is None else days * _DAY_MS
    return TopicSpec(
        name=name,
        partitions=partitions,
        config={
            "cleanup.policy": "delete",
            "max.message.bytes": str(most),
            "message.timestamp.type": "LogAppendTime",
            "retention.ms": str(retention_ms),
            "retention.bytes": "-1",
        },
    )
