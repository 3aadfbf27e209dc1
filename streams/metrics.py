"""
Metrics, as Prometheus counts them; labels are topics, agencies, event types and codes, never a person or a case.

Everything is counted after the fact and by the batch, with children that are looked up once: on the hot path a batch of
hundreds of records costs a few calls. What is looked up at the moment of a scrape stands in `streams.readings`.
"""

from __future__ import annotations

import time
from collections.abc import Collection, Iterable, Sequence
from datetime import UTC, datetime
from types import TracebackType
from typing import Literal

from prometheus_client import CollectorRegistry, Counter, Info

from streams.event import Event
from streams.names import AgencyCode
from streams.readings import Readings
from streams.tally import Tally, TallyRow

__all__ = ["SCHEMA_CODES", "SIGNATURE_CODES", "Metrics", "Stage"]

Stage = Literal["read", "decide", "transaction", "emit", "confirm"]
"""A part of a batch's way: decoded, decided by policy or handlers, made durable, handed to Kafka, confirmed by it."""

SCHEMA_CODES = frozenset(
    {
        "not_canonical",
        "not_framed",
        "too_large",
        "trailing_bytes",
        "undecodable",
        "unknown_schema",
        "unknown_type",
        "unreadable",
        "wrong_schema",
    }
)
"""Codes that say: the value is no event of the schema that it names."""

SIGNATURE_CODES = frozenset({"officer_role", "officer_signature", "officer_unknown", "officer_unsigned"})
"""Codes that say: an officer's signature is missing or does not hold."""

_STAGE_BOUNDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)
_LATENCY_BOUNDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.15, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 300.0, 3600.0)
_OTHER = "other"
_QUARANTINED = "quarantined_"


class Metrics:
    """
    One worker's metrics.

    Args:
        agency: whose worker it is.
        registry: where they are registered; one a process, or one a test.
        topics: those that may be a label, any other is counted as `other`; None for any topic.
    """

    def __init__(
        self, agency: AgencyCode, registry: CollectorRegistry, *, topics: Collection[str] | None = None
    ) -> None:
        self.registry = registry
        self.readings = Readings(agency, registry)
        self._agency = agency
        self._topics = topics
        self._processed = self._counter(
            "events_processed", "Records processed, by what became of them.", "topic", "outcome"
        )
        self._quarantined = self._counter("quarantined", "Records put into quarantine.", "topic", "reason")
        self._schema_errors = self._counter("schema_errors", "Records that do not fit their schema.", "reason")
        self._signature_errors = self._counter("signature_errors", "Officers' signatures that do not hold.", "reason")
        self._published = self._counter("events_published", "Records that Kafka confirmed.", "topic")
        self._retries = self._counter("retries", "Pauses because a server was away.")
        self._failures = self._counter("failures", "Errors that nobody foresaw.")
        self._commit_failures = self._counter("commit_failures", "Commits that Kafka did not take.")
        self._stages = Tally(
            "lienthong_stage_seconds", "Time of one batch by stage.", ["agency", "stage"], _STAGE_BOUNDS, registry
        )
        self._latency = Tally(
            "lienthong_event_latency_seconds",
            "From when an event was made, or admitted by the bus, until its effects were durable here.",
            ["agency", "event_type", "since"],
            _LATENCY_BOUNDS,
            registry,
        )

    def processed(self, topic: str, outcome: str, count: int = 1) -> None:
        """
        Count records.

        Args:
            topic: where they were read.
            outcome: a word of ours, or `quarantined_` and the code.
            count: how many had this outcome.
        """
        self._processed.add(self._label(topic), outcome, count=count)
        if outcome.startswith(_QUARANTINED):
            self._refused(topic, outcome.removeprefix(_QUARANTINED), count)

    def published(self, topic: str, count: int = 1) -> None:
        """Count confirmed records."""
        self._published.add(self._label(topic), count=count)

    def retried(self) -> None:
        """Count one pause."""
        self._retries.add()

    def failed(self) -> None:
        """Count one error that nobody foresaw; the process ends soon after."""
        self._failures.add()

    def commit_failed(self) -> None:
        """Count one commit that Kafka did not take."""
        self._commit_failures.add()

    def stage(self, name: Stage) -> StageTimer:
        """Time a stage of a batch, as in `with metrics.stage("read"):`; one that raises is not counted."""
        return StageTimer(self._stages.row(self._agency, name))

    def stage_took(self, name: Stage, seconds: float) -> None:
        """Count the time of a stage that no block of code encloses."""
        self._stages.row(self._agency, name).add((seconds,))

    def durable(self, events: Iterable[Event], *, at: datetime | None = None) -> None:
        """
        Note how long events took until their effects were durable.

        Args:
            events: of one batch, new ones only: a repeat was late for its own reasons.
            at: when they became durable, aware UTC; None for now.
        """
        at = at or datetime.now(UTC)
        made: dict[str, list[float]] = {}
        admitted: dict[str, list[float]] = {}
        for event in events:
            made.setdefault(event.type, []).append((at - event.time).total_seconds())
            if event.admitted is not None:
                admitted.setdefault(event.type, []).append((at - event.admitted).total_seconds())
        for since, ages in (("made", made), ("admitted", admitted)):
            for event_type, seconds in ages.items():
                self._latency.row(self._agency, event_type, since).add(seconds)

    def built(self, versions: Sequence[tuple[str, str]]) -> None:
        """Say once which versions the program and its libraries have."""
        info = Info("lienthong_build", "Versions of the program and its libraries.", registry=self.registry)
        info.info({"agency": self._agency, **dict(versions)})

    def _refused(self, topic: str, reason: str, count: int) -> None:
        self._quarantined.add(self._label(topic), reason, count=count)
        if reason in SCHEMA_CODES:
            self._schema_errors.add(reason, count=count)
        if reason in SIGNATURE_CODES:
            self._signature_errors.add(reason, count=count)

    def _label(self, topic: str) -> str:
        return topic if self._topics is None or topic in self._topics else _OTHER

    def _counter(self, name: str, documentation: str, *labels: str) -> _Counts:
        counter = Counter(f"lienthong_{name}_total", documentation, ["agency", *labels], registry=self.registry)
        return _Counts(counter, self._agency)


class _Counts:
    """A counter with its children, each looked up once: that costs more than the count."""

    def __init__(self, counter: Counter, agency: AgencyCode) -> None:
        self._counter = counter
        self._agency = agency
        self._children: dict[tuple[str, ...], Counter] = {}

    def add(self, *values: str, count: int = 1) -> None:
        child = self._children.get(values)
        if child is None:
            child = self._children[values] = self._counter.labels(self._agency, *values)
        child.inc(count)


class StageTimer:
    """Times a block of code into a histogram."""

    __slots__ = ("_began", "_row")

    def __init__(self, row: TallyRow) -> None:
        self._row = row
        self._began = 0.0

    def __enter__(self) -> None:
        """Begin."""
        self._began = time.perf_counter()

    def __exit__(
        self, kind: type[BaseException] | None, _error: BaseException | None, _trace: TracebackType | None
    ) -> None:
        """End; what raised was cut short and says nothing about the stage."""
        if kind is None:
            self._row.add((time.perf_counter() - self._began,))
