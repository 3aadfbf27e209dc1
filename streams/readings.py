"""
What is looked up at the moment of a scrape, and absent while nobody knows it.

A gauge that shows zero before the first figure says that all is well; so each of these is there only with a figure.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from prometheus_client import CollectorRegistry
from prometheus_client.metrics_core import GaugeMetricFamily
from prometheus_client.registry import Collector

from streams.names import AgencyCode

__all__ = ["PartitionReading", "Readings", "Waiting", "WorkerReading"]


@dataclass(frozen=True, slots=True)
class PartitionReading:
    """
    How far behind a worker is on one partition.

    Args:
        topic: its topic.
        partition: its number.
        messages: records on Kafka whose effects are not durable yet; None before Kafka said where the end is.
        seconds: age of the oldest of them that was fetched; 0 when there is none, None when none of them was.
        durable_to: effects of all records below this offset are durable; None before that is known.
    """

    topic: str
    partition: int
    messages: int | None
    seconds: float | None
    durable_to: int | None = None


@dataclass(frozen=True, slots=True)
class WorkerReading:
    """
    What a worker is at, at one moment.

    Args:
        partitions: those it has.
        unconfirmed: records handed to Kafka and not confirmed yet.
        oldest_batch_seconds: for how long the oldest unfinished batch has been here, 0 when there is none.
    """

    partitions: Sequence[PartitionReading]
    unconfirmed: int
    oldest_batch_seconds: float


@dataclass(frozen=True, slots=True)
class Waiting:
    """
    What waits in a member's schema; an age is None when nothing waits.

    Args:
        outbox: rows that Kafka has not confirmed.
        outbox_seconds: age of the oldest.
        parked: events that wait for the one that they name as their cause.
        parked_seconds: age of the oldest.
        handovers: inbox items that wait for a connector.
        handovers_seconds: age of the oldest.
        gaps: numbers missing among an agency's copies.
        gaps_seconds: for how long the oldest is missed.
    """

    outbox: int
    outbox_seconds: float | None = None
    parked: int = 0
    parked_seconds: float | None = None
    handovers: int = 0
    handovers_seconds: float | None = None
    gaps: int = 0
    gaps_seconds: float | None = None


class Readings(Collector):
    """
    The gauges that are read at a scrape.

    Args:
        agency: whose worker it is.
        registry: where they are registered.

    Set `worker` and `waiting` when there is somebody to ask; each may answer None, on the thread of the scrape.
    """

    def __init__(self, agency: AgencyCode, registry: CollectorRegistry) -> None:
        self._agency = agency
        self.worker: Callable[[], WorkerReading | None] = lambda: None
        self.waiting: Callable[[], Waiting | None] = lambda: None
        registry.register(self)

    def describe(self) -> Iterator[GaugeMetricFamily]:
        """Give the gauges without values, so that their names are taken."""
        yield from self._families().values()

    def collect(self) -> Iterator[GaugeMetricFamily]:
        """Give the gauges that have a value now."""
        families = self._families()
        if (worker := self.worker()) is not None:
            self._add_worker(families, worker)
        if (waiting := self.waiting()) is not None:
            self._add_waiting(families, waiting)
        yield from families.values()

    def _families(self) -> dict[str, GaugeMetricFamily]:
        labels = {name: ["agency", "topic", "partition"] if "_lag_" in name else ["agency"] for name in _GAUGES}
        return {name: GaugeMetricFamily(name, text, labels=labels[name]) for name, text in _GAUGES.items()}

    def _add_worker(self, families: dict[str, GaugeMetricFamily], worker: WorkerReading) -> None:
        for each in worker.partitions:
            labels = [self._agency, each.topic, str(each.partition)]
            if each.messages is not None:
                families["lienthong_lag_messages"].add_metric(labels, each.messages)
            if each.seconds is not None:
                families["lienthong_lag_seconds"].add_metric(labels, each.seconds)
        families["lienthong_unconfirmed_records"].add_metric([self._agency], worker.unconfirmed)
        families["lienthong_oldest_batch_seconds"].add_metric([self._agency], worker.oldest_batch_seconds)

    def _add_waiting(self, families: dict[str, GaugeMetricFamily], waiting: Waiting) -> None:
        for name, depth, age in (
            ("outbox", waiting.outbox, waiting.outbox_seconds),
            ("parked", waiting.parked, waiting.parked_seconds),
            ("handover", waiting.handovers, waiting.handovers_seconds),
            ("gap", waiting.gaps, waiting.gaps_seconds),
        ):
            families[f"lienthong_{name}_pending"].add_metric([self._agency], depth)
            families[f"lienthong_{name}_oldest_seconds"].add_metric([self._agency], age or 0.0)


_GAUGES = {
    "lienthong_lag_messages": "Records on Kafka whose effects are not durable yet.",
    "lienthong_lag_seconds": "Age of the oldest such record that was fetched.",
    "lienthong_unconfirmed_records": "Records handed to Kafka and not confirmed yet.",
    "lienthong_oldest_batch_seconds": "For how long the oldest unfinished batch has been in the worker.",
    "lienthong_outbox_pending": "Outbox rows that Kafka has not confirmed.",
    "lienthong_outbox_oldest_seconds": "Age of the oldest such row.",
    "lienthong_parked_pending": "Events that wait for the one that they name as their cause.",
    "lienthong_parked_oldest_seconds": "Age of the oldest such event.",
    "lienthong_handover_pending": "Inbox items that wait for a connector.",
    "lienthong_handover_oldest_seconds": "Age of the oldest such item.",
    "lienthong_gap_pending": "Numbers missing among the copies about one subject.",
    "lienthong_gap_oldest_seconds": "For how long the oldest of them is missed.",
}
