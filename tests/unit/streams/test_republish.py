"""Stateless work: consume, enrich, republish."""

from __future__ import annotations

from typing import Any

import pytest
from paper_province import FLAGGED, PARCEL, POLICE, SELLER, SURVEILLANCE, SUSPECTED, as_record, named_id, suspicion
from prometheus_client import CollectorRegistry

from streams.agent import AgentSpec, Context, Handler, Outcome
from streams.errors import ConfigurationError, TransientError
from streams.event import Draft, Event, derived_id
from streams.metrics import Metrics
from streams.names import quarantine_topic
from streams.record import Record
from streams.republish import RepublishPipeline
from streams.sealing import Personal
from streams.store import OutboxRow
from streams.testing import MemoryBus


def pipeline(bus: MemoryBus, handle: Any, **changes: Any) -> RepublishPipeline:
    """Give the police one stateless handler."""
    handler = Handler(name="enrich", event_type=SUSPECTED, handle=handle, plan="IV.4", **changes)
    return RepublishPipeline(
        agency=POLICE,
        spec=AgentSpec(kind="police", handlers=(handler,)),
        reader=bus.reader,
        sender=bus.agencies[POLICE].sender,
        metrics=Metrics(POLICE, CollectorRegistry()),
    )


async def suspected(bus: MemoryBus) -> Record:
    """Give a suspicion's record."""
    return as_record((await bus.agencies[SURVEILLANCE].sender.prepare(suspicion(), at=bus.clock())).row)


def flag(**changes: Any) -> Draft:
    """Make a flag."""
    return Draft(type=FLAGGED, subject=PARCEL, data={"parcel": PARCEL.as_data(), **changes})


def enrich(event: Event, context: Context) -> Outcome:
    """Pass the sealed number on, twice."""
    assert (context.state, context.reveal(event.data["seller_name"])) == ({}, None)
    return Outcome(events=[flag(number=event.data["parcels"][0]["number"]), flag(seller=SELLER.as_data())])


async def test_what_handlers_make_is_handed_over_in_order(bus: MemoryBus) -> None:
    """With ids that follow from the cause, so that a repeat gives the same ones."""
    rows: list[OutboxRow] = []
    record = await suspected(bus)
    run = pipeline(bus, enrich)
    for _ in range(2):
        await run.process([record], rows.append)

    ids = [derived_id(named_id("suspicion"), "enrich", index) for index in range(2)]
    assert [*ids, *ids] == [row.row_id for row in rows]
    event = await bus.reader.read(as_record(rows[0]))
    assert (named_id("suspicion"), POLICE, 1) == (event.cause, event.source, event.depth)
    labels = {"agency": POLICE, "topic": record.topic, "outcome": "republished"}
    assert run.metrics.registry.get_sample_value("lienthong_events_processed_total", labels) == 2.0


@pytest.mark.parametrize("second", [flag(valid_until="later"), flag(number=Personal(PARCEL, "EE123456785VN"))])
async def test_a_record_is_republished_whole_or_quarantined(bus: MemoryBus, second: Draft) -> None:
    """A second draft that does not fit, or is not sealed, holds the first back too; the next record goes on."""
    rows: list[OutboxRow] = []
    record = await suspected(bus)
    run = pipeline(bus, lambda _event, _context: Outcome(events=[flag(), second]))

    await run.process([record, Record(record.topic, 0, 9, None, b"{}", [])], rows.append)

    assert [quarantine_topic(POLICE)] * 2 == [row.topic for row in rows]
    assert [record.value, b"{}"] == [row.value for row in rows]


async def test_an_unknown_schema_is_asked_for(bus: MemoryBus) -> None:
    """And a registry that is away is a reason to wait."""
    record = await suspected(bus)
    ids = dict(bus.codec.writers)
    bus.codec.writers.clear()
    rows: list[OutboxRow] = []
    bus.registry.away = True
    with pytest.raises(TransientError):
        await pipeline(bus, enrich).process([record], rows.append)
    assert rows == []

    bus.registry.away = False
    await pipeline(bus, enrich).process([record], rows.append)

    assert len(rows) == 2
    assert set(bus.codec.writers) <= set(ids)


def test_handlers_with_state_are_refused(bus: MemoryBus) -> None:
    """Nothing is remembered here, so nothing may want to be."""
    with pytest.raises(ConfigurationError, match="enrich"):
        pipeline(bus, enrich, state_key=lambda event: event.subject.key)
