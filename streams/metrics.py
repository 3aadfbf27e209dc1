"""Metrics, as Prometheus counts them; labels are topics, agencies and codes, never a person or a case."""

from __future__ import annotations

from prometheus_client import CollectorRegistry, Counter, Gauge

from streams.names import AgencyCode

__all__ = ["Metrics"]


class Metrics:
    """
    One worker's metrics.

    Args:
        agency: whose worker it is.
        registry: where they are registered; one a process, or one a test.
    """

    def __init__(self, agency: AgencyCode, registry: CollectorRegistry) -> None:
        self.registry = registry
        self._agency = agency
        self._counters: dict[tuple[str, str], Counter] = {}
        self._processed = Counter(
            "lienthong_events_processed_total",
            "Records processed, by what became of them.",
            ["agency", "topic", "outcome"],
            registry=registry,
        )
        self._published = Counter(
            "lienthong_events_published_total", "Records that Kafka confirmed.", ["agency", "topic"], registry=registry
        )
        self._retries = Counter(
            "lienthong_retries_total", "Pauses because a server was away.", ["agency"], registry=registry
        )
        self._outbox = Gauge(
            "lienthong_outbox_pending", "Outbox rows seen waiting for Kafka.", ["agency"], registry=registry
        )

    def processed(self, topic: str, outcome: str) -> None:
        """Count one record."""
        counter = self._counters.get((topic, outcome))
        if counter is None:  # labels are looked up once: it costs more than the count
            counter = self._counters[topic, outcome] = self._processed.labels(self._agency, topic, outcome)
        counter.inc()

    def published(self, topic: str) -> None:
        """Count one confirmed record."""
        self._published.labels(self._agency, topic).inc()

    def retried(self) -> None:
        """Count one pause."""
        self._retries.labels(self._agency).inc()

    def outbox_pending(self, count: int) -> None:
        """Note how many rows the relay found."""
        self._outbox.labels(self._agency).set(count)
