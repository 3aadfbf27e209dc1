"""Records that are read again after a crash: what was decided stands, and the same is handed over once more."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from admitting import prepared, queued
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from paper_province import COMMITTEE, POLICE, SURVEILLANCE, TAX, as_record, with_agency, with_header

from agents import KINDS
from streams.catalogue import load_catalogue
from streams.directory import load_directory
from streams.errors import TransientError
from streams.headers import WRITTEN_BY_THE_BUS
from streams.names import BUS, inbox_topic, quarantine_topic
from streams.store import OutboxRow
from streams.testing import MemoryBus


async def handed_over(bus: MemoryBus, records: list[Any]) -> list[OutboxRow]:
    """Admit records and give what was handed to Kafka for them."""
    before = len(bus.kafka.rows)
    await bus.admit(records)
    return bus.kafka.rows[before:]


async def test_a_record_that_is_read_again_is_handed_over_again(bus: MemoryBus) -> None:
    """Every copy, audit record and quarantined record, byte for byte, and no row of the ledger changes."""
    good, bad = as_record((await prepared(bus)).row), as_record((await prepared(bus)).row, offset=1, value=b"x")
    first = await handed_over(bus, [good, bad])
    before = bus.store.tables.decided()

    again = await handed_over(bus, [good, bad])

    assert len(first) == 4 + 1 + 2
    assert sorted(map(repr, first)) == sorted(map(repr, again))
    assert before == bus.store.tables.decided()


async def test_a_senders_repeat_is_handed_over_by_the_record_that_was_admitted(bus: MemoryBus) -> None:
    """Nothing is sent for the second one: the first cannot be acknowledged before its copies are confirmed."""
    row = (await prepared(bus)).row
    await bus.admit([as_record(row)])

    assert await handed_over(bus, [as_record(row, offset=1)]) == []
    assert await handed_over(bus, [as_record(row, partition=1)]) == []


async def test_what_was_admitted_is_handed_over_whatever_the_directory_says_by_then(bus: MemoryBus) -> None:
    """The sender lost its right, one recipient its grant, another some fields: the copies are as they were."""
    record = as_record((await prepared(bus)).row)
    first = await handed_over(bus, [record])
    for code, change in ((SURVEILLANCE, {"publish": ()}), (TAX, {"receive": ()})):
        bus.directory = with_agency(bus.directory, bus.directory.agencies[code].model_copy(update=change))
    police = bus.directory.agencies[POLICE]
    fewer = tuple(each.model_copy(update={"fields": frozenset()}) for each in police.receive)
    bus.directory = with_agency(bus.directory, police.model_copy(update={"receive": fewer}))

    assert first == await handed_over(bus, [record])
    assert bus.store.tables.quarantined == {}


async def test_what_was_refused_stays_refused(bus: MemoryBus) -> None:
    """A record is admitted or quarantined, never both, also when the directory allows it by then."""
    granted = bus.directory
    agency = granted.agencies[SURVEILLANCE]
    bus.directory = with_agency(granted, agency.model_copy(update={"publish": ()}))
    record = as_record((await prepared(bus)).row)
    first = await handed_over(bus, [record])
    bus.directory = granted

    assert first == await handed_over(bus, [record])
    assert bus.store.tables.events == {}
    [row] = queued(bus, quarantine_topic(BUS))[:1]
    assert dict(row.headers)["lt_quarantine_reason"] == b"not_granted"


async def test_an_original_cannot_write_the_bus_headers(bus: MemoryBus) -> None:
    """Purpose, article, removed fields, number: a copy has what the bus says, once."""
    row = (await prepared(bus)).row
    for name, text in (("ce_removed", b"seller"), ("ce_sequence", b"99"), ("ce_recordedtime", b"2020-01-01T00:00:00Z")):
        row = replace(row, headers=with_header(row, name, text))
    row = replace(row, headers=with_header(row, "ce_after", str(row.row_id).encode()))

    await bus.admit([as_record(row)])

    [copy] = queued(bus, inbox_topic(POLICE))
    written = [(name, value) for name, value in copy.headers if name in WRITTEN_BY_THE_BUS]
    assert [name for name, _ in written] == ["ce_purpose", "ce_legalarticle", "ce_recordedtime", "ce_sequence"]
    assert dict(written)["ce_sequence"] == b"1"
    assert dict(written)["ce_recordedtime"].startswith(b"2026-11-20")


async def test_copies_of_one_subject_are_numbered_for_each_recipient(bus: MemoryBus) -> None:
    """One, two, three; a sender's repeat in between takes no number."""
    rows = [(await prepared(bus, name=name)).row for name in "abac"]

    await bus.admit([as_record(row, offset=at) for at, row in enumerate(rows)])

    for agency in (POLICE, TAX, COMMITTEE):
        copies = queued(bus, inbox_topic(agency))
        assert [dict(row.headers)["ce_sequence"] for row in copies] == [b"1", b"2", b"3"]


async def test_a_value_that_the_database_cannot_keep_costs_one_event(bus: MemoryBus) -> None:
    """The one is found among the many and quarantined; the others are admitted in order."""
    rows = [(await prepared(bus, name=name)).row for name in "abcde"]
    records = [as_record(row, offset=at) for at, row in enumerate(rows)]
    bus.store.cannot_keep = frozenset({2})

    await bus.admit(records)

    assert [each.record.offset for each in bus.store.tables.events.values()] == [0, 1, 3, 4]
    [item] = bus.store.tables.quarantined.values()
    assert (item.record.offset, item.reason) == (2, "database_value")
    assert [int(dict(row.headers)["ce_sequence"]) for row in queued(bus, inbox_topic(POLICE))] == [1, 2, 3, 4]


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(data=st.data())
async def test_twice_is_once_wherever_it_was_cut(data: st.DataObject) -> None:
    """Killed after any transaction, with any part of its records handed over: the same rows, every record sent."""
    bus = MemoryBus(load_catalogue(), load_directory(), kinds=KINDS)
    names = data.draw(st.lists(st.sampled_from("abcdef"), min_size=1, max_size=8))
    rows = [(await prepared(bus, name=name)).row for name in names]
    # Of several partitions together: what lies ready is one transaction.
    records = [as_record(row, offset=at, partition=data.draw(st.integers(0, 2))) for at, row in enumerate(rows)]
    whole: list[OutboxRow] = []
    await bus.admission.process(records, whole.append)
    expected = bus.store.tables.decided()

    killed = MemoryBus(load_catalogue(), load_directory(), kinds=KINDS)
    sent: list[OutboxRow] = []
    kills = data.draw(st.lists(st.integers(0, 40), max_size=6))
    start = 0
    while start < len(records):
        cut = data.draw(st.integers(start + 1, len(records)))
        limit = len(sent) + (kills.pop() if kills else 1000)

        def emit(row: OutboxRow, limit: int = limit) -> None:
            if len(sent) >= limit:
                raise TransientError("killed")
            sent.append(row)

        try:
            await killed.admission.process(records[start:cut], emit)
            start = cut
        except TransientError:
            continue

    assert expected.numbering == killed.store.tables.numbering
    assert expected.deliveries == killed.store.tables.deliveries
    assert expected.audit == killed.store.tables.audit
    assert {repr(row) for row in whole} == {repr(row) for row in sent}
