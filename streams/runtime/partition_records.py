"""Fetched records of a partition, as the bus has them."""

from __future__ import annotations

from typing import Any

from aiokafka.consumer import fetcher

from streams.names import TopicName
from streams.record import Record

__all__ = ["PartitionRecords"]


class PartitionRecords(fetcher.PartitionRecords):  # type: ignore[misc] # aiokafka has no types
    """
    In place of aiokafka's class, whose records are made first and ours from them: 3 microseconds a record.

    What is control, aborted or fetched twice is left out by aiokafka's own code.
    """

    def _consumer_record(self, tp: Any, record: Any) -> Record:
        return Record(
            TopicName(tp.topic), tp.partition, record.offset, record.key, record.value, record.headers, record.timestamp
        )
