"""How long events and stages took is measured on every way: at the bus, at an agency, without state, by the relay."""

from __future__ import annotations

from paper_province import POLICE, SURVEILLANCE, as_record, suspicion
from prometheus_client import CollectorRegistry

from streams.agent import AgentSpec
from streams.metrics import Metrics
from streams.republish import RepublishPipeline
from streams.testing import MemoryBus


def count(metrics: Metrics, agency: str, since: str) -> float | None:
    """Give how many suspicions were measured."""
    labels = {"agency": agency, "event_type": "seller.suspected", "since": since}
    return metrics.registry.get_sample_value("lienthong_event_latency_seconds_count", labels)


def stages(metrics: Metrics, agency: str) -> set[str]:
    """Name the stages that were timed."""
    return {
        sample.labels["stage"]
        for family in metrics.registry.collect()
        for sample in family.samples
        if sample.name == "lienthong_stage_seconds_count" and sample.labels["agency"] == agency and sample.value
    }


async def test_an_event_is_measured_at_the_bus_and_at_each_recipient(bus: MemoryBus) -> None:
    """From its making at both, and from its admission where a copy says when that was; a repeat is not measured."""
    prepared = await bus.publish(SURVEILLANCE, suspicion())
    await bus.settle()
    await bus.admission.process([as_record(prepared.row, offset=99)], lambda _row: None)

    police = bus.agencies[POLICE].pipeline.metrics
    assert (count(bus.metrics, "bus", "made"), count(bus.metrics, "bus", "admitted")) == (1.0, None)
    assert (count(police, POLICE, "made"), count(police, POLICE, "admitted")) == (1.0, 1.0)
    assert stages(bus.metrics, "bus") >= {"read", "transaction", "emit"}
    assert "transaction" in stages(police, POLICE)
    assert stages(bus.agencies[SURVEILLANCE].pipeline.metrics, SURVEILLANCE) >= {"confirm"}


async def test_a_stateless_worker_measures_one_event_of_each_batch(bus: MemoryBus) -> None:
    """All of them would cost more than it may."""
    metrics = Metrics(POLICE, CollectorRegistry())
    sender = bus.agencies[SURVEILLANCE].sender
    records = [as_record((await sender.prepare(suspicion(), at=bus.clock())).row, offset=each) for each in range(3)]
    pipeline = RepublishPipeline(
        agency=POLICE,
        spec=AgentSpec(kind="police", handlers=()),
        reader=bus.reader,
        sender=bus.agencies[POLICE].sender,
        metrics=metrics,
    )

    await pipeline.process(records, lambda _row: None)

    assert count(metrics, POLICE, "made") == 1.0
