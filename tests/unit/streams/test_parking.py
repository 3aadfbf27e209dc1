"""Order across types: an event does not go before its cause, nor before what comes before it under its key."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
from admitting import INVESTIGATOR, ordered, queued
from paper_province import BANK, COMMITTEE, POLICE, answer, as_record, officer_key, with_officer

from streams.event import Event
from streams.names import BUS, AgencyCode, inbox_topic, quarantine_topic
from streams.overdue import OverdueService
from streams.record import Record
from streams.sender import Prepared
from streams.testing import MemoryBus

DESK = "sbv-hanam/payment-desk"


@pytest.fixture
def bus(bus: MemoryBus) -> MemoryBus:
    """Give a bus whose police and bank may act."""
    for officer in (INVESTIGATOR, DESK):
        bus.directory = with_officer(bus.directory, officer)
    return bus


async def answered(bus: MemoryBus, request: Event, status: str = "executed") -> Prepared:
    """Make the bank's answer to a request."""
    sender = bus.agencies[BANK].sender
    draft = answer(request.id, status)
    return await sender.prepare(draft, at=bus.clock(), cause=request, officer=officer_key(DESK))


def ids(bus: MemoryBus, agency: AgencyCode) -> list[bytes]:
    """Give the events in an agency's inbox topic, in order."""
    return [dict(row.headers)["ce_id"] for row in queued(bus, inbox_topic(agency))]


def text(prepared: Prepared) -> bytes:
    """Give an event's id as its header has it."""
    return str(prepared.event.id).encode()


def outcomes(bus: MemoryBus, record: Record) -> dict[str, float]:
    """Count what became of records of a topic."""
    [found] = [each for each in bus.metrics.registry.collect() if each.name == "lienthong_events_processed"]
    return {
        each.labels["outcome"]: each.value
        for each in found.samples
        if each.name.endswith("_total") and each.labels["topic"] == record.topic
    }


async def test_an_event_waits_for_its_cause(bus: MemoryBus) -> None:
    """The answer that came first is admitted with the request, after it, and closes it."""
    request = await ordered(bus)
    given = await answered(bus, request.event)

    await bus.admit([as_record(given.row)])
    assert (bus.store.tables.events, bus.kafka.rows) == ({}, [])
    await bus.admit([as_record(request.row)])

    assert [request.event.id, given.event.id] == list(bus.store.tables.events)
    assert [text(request), text(given)] == ids(bus, COMMITTEE)
    assert bus.store.tables.deliveries[request.event.id, BANK].answer_status == "executed"
    assert outcomes(bus, as_record(given.row)) == {"parked": 1, "admitted": 1}


async def test_a_copy_names_the_cause_that_its_recipient_was_sent(bus: MemoryBus) -> None:
    """The committee was sent the request and applies it first; the police sent it themselves."""
    request = await ordered(bus)
    given = await answered(bus, request.event)

    await bus.admit([as_record(request.row)])
    await bus.admit([as_record(given.row)])

    after = {
        agency: [dict(row.headers).get("ce_after") for row in queued(bus, inbox_topic(agency))]
        for agency in (COMMITTEE, POLICE)
    }
    assert {COMMITTEE: [None, text(request)], POLICE: [None]} == after


async def test_what_comes_after_a_waiting_event_under_its_key_waits_too(bus: MemoryBus) -> None:
    """The second answer's cause is there, and still it does not overtake the first; another key goes on."""
    request, other = await ordered(bus), await ordered(bus, name="another")
    first, second = await answered(bus, request.event, "accepted"), await answered(bus, other.event)
    await bus.admit([as_record(other.row)])

    await bus.admit([as_record(first.row)])
    await bus.admit([as_record(second.row, offset=1)])
    assert [other.event.id] == list(bus.store.tables.events)
    third = await answered(bus, other.event, "partly")
    await bus.admit([as_record(replace(third.row, key=b"another key"), offset=2)])

    assert [other.event.id, third.event.id] == list(bus.store.tables.events)
    assert {first.event.id, second.event.id} == set(bus.store.tables.parked)


async def test_a_key_keeps_its_order_through_a_release(bus: MemoryBus) -> None:
    """What waited, and what waited only behind it, are admitted in the order in which they were published."""
    request, other = await ordered(bus), await ordered(bus, name="another")
    first, second = await answered(bus, request.event, "accepted"), await answered(bus, other.event)
    await bus.admit([as_record(other.row)])

    await bus.admit([as_record(first.row), as_record(second.row, offset=1)])
    await bus.admit([as_record(request.row, offset=1)])

    assert [text(each) for each in (other, request, first, second)] == ids(bus, COMMITTEE)
    numbers = [dict(row.headers)["ce_sequence"] for row in queued(bus, inbox_topic(COMMITTEE))]
    assert numbers == [b"1", b"2", b"3", b"4"]


async def test_a_parked_record_that_is_read_again_is_parked_once(bus: MemoryBus) -> None:
    """Alone, with those behind it, and as a sender's repeat from elsewhere."""
    request = await ordered(bus)
    first, second = await answered(bus, request.event, "accepted"), await answered(bus, request.event)
    records = [as_record(first.row), as_record(second.row, offset=1)]
    await bus.admit(records)
    before = bus.store.tables.decided()

    for again in (records, records[:1], records[1:], [as_record(first.row, offset=2)]):
        await bus.admit(again)

    assert before == bus.store.tables.decided()
    assert bus.kafka.rows == []


async def test_a_releasing_record_that_is_read_again_hands_over_what_it_released(bus: MemoryBus) -> None:
    """Its own copies and those of what waited, byte for byte, for their records are acknowledged already."""
    request = await ordered(bus)
    given = await answered(bus, request.event)
    await bus.admit([as_record(given.row)])
    await bus.admit([as_record(request.row)])
    first, before = list(bus.kafka.rows), bus.store.tables.decided()
    bus.kafka.rows.clear()

    rows: list[object] = []
    await bus.admission.process([as_record(request.row)], rows.append)

    assert first == rows
    assert before == bus.store.tables.decided()


async def test_one_id_with_another_value_does_not_wait(bus: MemoryBus) -> None:
    """It is refused while the first waits, and the first is admitted when its cause comes."""
    request = await ordered(bus)
    first = await answered(bus, request.event)
    sender = bus.agencies[BANK].sender
    draft = replace(answer(request.event.id, reason="khác"), event_id=first.event.id)
    other = await sender.prepare(draft, at=bus.clock(), cause=request.event, officer=officer_key(DESK))

    await bus.admit([as_record(first.row)])
    await bus.admit([as_record(other.row, offset=1)])
    await bus.admit([as_record(request.row)])

    [item] = bus.store.tables.quarantined.values()
    assert (item.record.offset, item.reason) == (1, "conflicting_duplicate")
    assert [request.event.id, first.event.id] == list(bus.store.tables.events)


async def test_what_waits_too_long_is_quarantined_and_what_stood_behind_it_goes_on(bus: MemoryBus) -> None:
    """Through the outbox, for no record in hand stands for it; once, and before its time nothing happens."""
    request, other = await ordered(bus), await ordered(bus, name="another")
    lost, next_one = await answered(bus, request.event, "accepted"), await answered(bus, other.event)
    await bus.admit([as_record(lost.row)])
    await bus.admit([as_record(other.row)])
    await bus.admit([as_record(next_one.row, offset=1)])
    now = max(each.since for each in bus.store.tables.parked.values())

    for minutes in (1, 2, 2):
        clock = now + timedelta(minutes=minutes)
        await OverdueService(admission=bus.admission, clock=lambda at=clock: at, wait_seconds=90).refuse_overdue()  # type: ignore[misc] # mypy cannot type a default
        assert (minutes == 2) is bool(bus.store.tables.quarantined)

    [item] = bus.store.tables.quarantined.values()
    assert (item.record, item.reason) == (as_record(lost.row), "cause_missing")
    assert [other.event.id, next_one.event.id] == list(bus.store.tables.events)
    await bus.settle()
    refused = [dict(row.headers)["lt_quarantine_id"] for row in queued(bus, quarantine_topic(BUS))]
    assert refused == [str(item.id).encode()]
    assert [text(other), text(next_one)] == ids(bus, COMMITTEE)
