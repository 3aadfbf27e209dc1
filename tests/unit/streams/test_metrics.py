"""What is counted, under which labels, and what is absent until it is known."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
from prometheus_client import CollectorRegistry, generate_latest

from streams.event import Event
from streams.metrics import Metrics
from streams.names import AgencyCode, EventType
from streams.readings import PartitionReading, Waiting, WorkerReading
from streams.subject import pseudonym
from streams.tally import TallyRow

AGENCY = AgencyCode("tax-hanam")
NOON = datetime(2026, 11, 20, 5, tzinfo=UTC)
TOPIC = "lt.inbox.tax-hanam"


@pytest.fixture
def metrics() -> Metrics:
    """Metrics of a worker that knows one topic."""
    return Metrics(AGENCY, CollectorRegistry(), topics={TOPIC})


def value(metrics: Metrics, name: str, **labels: str) -> float | None:
    """Give a sample of this worker."""
    return metrics.registry.get_sample_value(name, {"agency": AGENCY, **labels})


def event(*, made_seconds: float, admitted_seconds: float | None = None) -> Event:
    """Make an event of so many seconds before noon."""
    event_id = UUID(int=1)
    return Event(
        id=event_id,
        type=EventType("seller.suspected"),
        source=AGENCY,
        subject=pseudonym("seller", "vn-mst", "0123456789"),
        time=NOON - timedelta(seconds=made_seconds),
        data={},
        correlation=event_id,
        admitted=None if admitted_seconds is None else NOON - timedelta(seconds=admitted_seconds),
    )


def test_records_are_counted_by_topic_and_outcome(metrics: Metrics) -> None:
    """One or many at a time; what was published, paused, failed and not committed, too."""
    metrics.processed(TOPIC, "applied")
    metrics.processed(TOPIC, "applied", 499)
    metrics.published(TOPIC, 3)
    for count in (metrics.retried, metrics.failed, metrics.commit_failed, metrics.retried):
        count()

    assert value(metrics, "lienthong_events_processed_total", topic=TOPIC, outcome="applied") == 500.0
    assert value(metrics, "lienthong_events_published_total", topic=TOPIC) == 3.0
    names = ("retries", "failures", "commit_failures")
    assert [value(metrics, f"lienthong_{name}_total") for name in names] == [2.0, 1.0, 1.0]


def test_a_topic_that_nobody_knows_is_no_label(metrics: Metrics) -> None:
    """However many names come by, they are one."""
    for name in ("lt.made-up", "../../etc/passwd", 'a"b\n'):
        metrics.processed(name, "applied")
        metrics.published(name)

    assert value(metrics, "lienthong_events_processed_total", topic="other", outcome="applied") == 3.0
    assert value(metrics, "lienthong_events_published_total", topic="other") == 3.0
    assert b"made-up" not in generate_latest(metrics.registry)


@pytest.mark.parametrize(
    ("code", "schema", "signature"),
    [("not_framed", 2.0, None), ("officer_signature", None, 2.0), ("not_granted", None, None)],
)
def test_what_was_quarantined_is_counted_by_its_code(
    metrics: Metrics, code: str, schema: float | None, signature: float | None
) -> None:
    """And once more where the code speaks of schemas or signatures; the outcome alone says it."""
    metrics.processed(TOPIC, f"quarantined_{code}", 2)

    assert value(metrics, "lienthong_events_processed_total", topic=TOPIC, outcome=f"quarantined_{code}") == 2.0
    assert value(metrics, "lienthong_quarantined_total", topic=TOPIC, reason=code) == 2.0
    assert value(metrics, "lienthong_schema_errors_total", reason=code) == schema
    assert value(metrics, "lienthong_signature_errors_total", reason=code) == signature


def test_stages_are_timed_and_those_that_raise_are_not(metrics: Metrics) -> None:
    """A stage that was cut short says nothing about how long it takes."""
    with metrics.stage("read"):
        pass
    with pytest.raises(ValueError, match="cut short"), metrics.stage("transaction"):
        raise ValueError("cut short")
    metrics.stage_took("confirm", 0.3)

    assert value(metrics, "lienthong_stage_seconds_count", stage="read") == 1.0
    assert value(metrics, "lienthong_stage_seconds_count", stage="transaction") == 0.0
    bucket = "lienthong_stage_seconds_bucket"
    assert [value(metrics, bucket, stage="confirm", le=bound) for bound in ("0.25", "0.5", "+Inf")] == [0.0, 1.0, 1.0]


def test_latency_is_counted_from_making_and_from_admission(metrics: Metrics) -> None:
    """By event type; what carries no time of admission is counted from its making alone."""
    metrics.durable(
        [event(made_seconds=2.0, admitted_seconds=0.2), event(made_seconds=4.0), event(made_seconds=-9.0)], at=NOON
    )

    name = "lienthong_event_latency_seconds"
    labels = {"event_type": "seller.suspected"}
    assert value(metrics, f"{name}_count", **labels, since="made") == 3.0
    assert value(metrics, f"{name}_sum", **labels, since="made") == 6.0
    assert value(metrics, f"{name}_count", **labels, since="admitted") == 1.0
    assert value(metrics, f"{name}_bucket", **labels, since="admitted", le="0.25") == 1.0
    assert value(metrics, f"{name}_bucket", **labels, since="admitted", le="0.15") == 0.0


def test_a_value_on_a_bound_belongs_to_it() -> None:
    """Buckets are cumulative and their bounds are included, as Prometheus means them."""
    row = TallyRow((1.0, 2.0))

    row.add([1.0, 1.5, 2.0, 2.1])

    assert row.buckets() == ([("1.0", 1.0), ("2.0", 3.0), ("+Inf", 4.0)], 6.6)


def test_what_nobody_knows_yet_is_absent(metrics: Metrics) -> None:
    """No zero before the first figure: it would say that all is well."""
    assert value(metrics, "lienthong_outbox_pending") is None
    assert value(metrics, "lienthong_unconfirmed_records") is None

    metrics.readings.worker = lambda: WorkerReading(
        partitions=[PartitionReading(TOPIC, 0, None, None), PartitionReading(TOPIC, 1, 7, 1.5)],
        unconfirmed=3,
        oldest_batch_seconds=0.5,
    )
    metrics.readings.waiting = lambda: Waiting(outbox=4, outbox_seconds=2.0)

    lag = "lienthong_lag_messages"
    assert [value(metrics, lag, topic=TOPIC, partition=each) for each in ("0", "1")] == [None, 7.0]
    lag = "lienthong_lag_seconds"
    assert [value(metrics, lag, topic=TOPIC, partition=each) for each in ("0", "1")] == [None, 1.5]
    assert value(metrics, "lienthong_unconfirmed_records") == 3.0
    assert value(metrics, "lienthong_oldest_batch_seconds") == 0.5
    names = ("outbox_pending", "outbox_oldest_seconds", "parked_pending", "parked_oldest_seconds", "handover_pending")
    assert [value(metrics, f"lienthong_{name}") for name in names] == [4.0, 2.0, 0.0, 0.0, 0.0]


def test_versions_are_shown(metrics: Metrics) -> None:
    """As one line whose value is 1."""
    metrics.built([("version", "0.1.0"), ("python", "3.11.9")])

    assert value(metrics, "lienthong_build_info", version="0.1.0", python="3.11.9") == 1.0


def test_without_a_list_every_topic_is_a_label() -> None:
    """For whoever reads topics of another's choosing."""
    metrics = Metrics(AGENCY, CollectorRegistry())

    metrics.processed("anything", "republished")

    assert value(metrics, "lienthong_events_processed_total", topic="anything", outcome="republished") == 1.0
