"""Every record that goes to quarantine is one line of the log, written when that is durable."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence

import pytest
from paper_province import POLICE
from prometheus_client import CollectorRegistry
from structlog.testing import capture_logs

from streams.agent import AgentSpec
from streams.errors import TransientError
from streams.metrics import Metrics
from streams.names import EventType, event_topic
from streams.record import Record
from streams.republish import RepublishPipeline
from streams.testing import MemoryBus

TOPIC = event_topic(EventType("seller.suspected"))
BAD = [Record(topic=TOPIC, partition=1, offset=offset, key=b"k", value=b"x", headers=[]) for offset in (7, 8)]

Process = Callable[[Sequence[Record]], Awaitable[None]]


def admission(bus: MemoryBus) -> Process:
    """The bus's worker."""
    return lambda records: bus.admission.process(records, lambda _row: None)


def inbox(bus: MemoryBus) -> Process:
    """An agency's worker."""
    return bus.agencies[POLICE].pipeline.process


def republish(bus: MemoryBus) -> Process:
    """A worker of stateless handlers."""
    police = bus.agencies[POLICE]
    pipeline = RepublishPipeline(
        agency=POLICE,
        spec=AgentSpec(kind="police", handlers=()),
        reader=bus.reader,
        sender=police.sender,
        metrics=Metrics(POLICE, CollectorRegistry()),
    )
    return lambda records: pipeline.process(records, lambda _row: None)


@pytest.mark.parametrize("worker", [admission, inbox, republish])
async def test_each_is_a_line_with_its_place_and_its_code(
    bus: MemoryBus, worker: Callable[[MemoryBus], Process]
) -> None:
    """In their order."""
    with capture_logs() as logs:
        await worker(bus)(BAD)

    assert [(each["event"], each["topic"], each["partition"], each["offset"], each["reason"]) for each in logs] == [
        ("quarantined", TOPIC, 1, 7, "bad_envelope"),
        ("quarantined", TOPIC, 1, 8, "bad_envelope"),
    ]


async def test_nothing_is_said_before_it_is_durable(bus: MemoryBus, monkeypatch: pytest.MonkeyPatch) -> None:
    """A transaction that is undone is tried again, and told once."""

    def away(*_: object) -> None:
        raise TransientError("PostgreSQL is away")

    with capture_logs() as logs:
        with monkeypatch.context() as patch:
            patch.setattr("streams.settlement.quarantine_rows", away)
            with pytest.raises(TransientError):
                await admission(bus)(BAD)
        assert logs == []
        await admission(bus)(BAD)
        await admission(bus)(BAD)

    assert len(logs) == 2
