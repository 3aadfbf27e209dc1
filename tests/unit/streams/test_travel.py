"""One thread from end to end, through every pipeline and the agencies' real handlers, with no server."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from typing import Any
from uuid import UUID

from paper_province import (
    ANSWERED,
    BANK,
    COMMITTEE,
    FLAGGED,
    INFORMATION,
    PARCEL,
    POLICE,
    POST,
    REQUESTED,
    SELLER,
    SURVEILLANCE,
    SUSPECTED,
    TAX,
    answer,
    block,
    named_id,
    officer_key,
    with_officer,
)

from streams.event import Draft, Event, derived_id
from streams.names import AgencyCode, EventType, event_topic, inbox_topic
from streams.sealing import Personal
from streams.states import state_of
from streams.testing import MemoryBus

RECEIVED, ANOMALY = EventType("einvoice.received"), EventType("einvoice.anomaly_detected")
WARNED = EventType("warning.prepared")
INVESTIGATOR, DESK = "police-hanam/investigator", "sbv-hanam/payment-desk"


def invoice(number: str) -> Draft:
    """Make a wrong invoice: a tax code that fails its check digit, and sums that disagree by far."""
    data: Mapping[str, Any] = {
        "seller": SELLER.as_data(),
        "invoice": {
            "seller": SELLER.as_data(),
            "form": "1",
            "series": "C26TVD",
            "number": number,
            "issued_on": date(2026, 11, 20),
        },
        "document": {"sha256": "cd" * 32, "media_type": "application/xml", "size_bytes": 9},
        "seller_tax_code": Personal(SELLER, "9900000057"),
        "seller_name": Personal(SELLER, "Công ty Ví Dụ"),
        "seller_account": Personal(SELLER, "900000000001"),
        "currency": "VND",
        "lines": [{"kind": 1, "quantity": Decimal(2), "unit_price": Decimal(50_000), "amount": Decimal(900_000)}],
        "net_amount": Decimal(100_000),
        "tax_amount": Decimal(10_000),
        "total_amount": Decimal(990_000),
        "parcels": [{"parcel": PARCEL.as_data(), "number": Personal(PARCEL, "EE123456785VN"), "carrier": "Bưu điện"}],
    }
    return Draft(type=RECEIVED, subject=SELLER, data=data, event_id=named_id(f"invoice {number}"))


async def inbox(bus: MemoryBus, agency: AgencyCode, event_type: EventType) -> list[Event]:
    """Give the events of a type in an agency's inbox, in order of arrival."""
    kept = bus.agencies[agency].store.tables.inbox.values()
    return [each.event for each in kept if each.event.type == event_type]


async def test_an_invoice_becomes_a_block_that_the_bank_answers(bus: MemoryBus) -> None:
    """
    From wrong invoices to anomalies, a suspicion and a flag; a signed order, and its signed answer.

    Every event names its cause, everyone gets what the directory grants and no more, and nothing is in quarantine.
    """
    for officer in (INVESTIGATOR, DESK):
        bus.directory = with_officer(bus.directory, officer)
    for number in ("1", "2", "3"):
        await bus.publish(TAX, invoice(number))
    await bus.settle()
    anomalies = await inbox(bus, SURVEILLANCE, ANOMALY)
    [suspicion] = await inbox(bus, POLICE, SUSPECTED)
    [flag] = await inbox(bus, POST, FLAGGED)
    order = await bus.publish(
        POLICE, block(seller=SELLER.as_data()), cause=suspicion, officer=officer_key(INVESTIGATOR)
    )
    await bus.settle()
    [request] = await inbox(bus, BANK, REQUESTED)
    await bus.publish(BANK, answer(request.id), cause=request, officer=officer_key(DESK))
    await bus.settle()
    [given] = await inbox(bus, POLICE, ANSWERED)

    assert len({each.data["rule_id"] for each in anomalies}) >= 2
    assert {each.cause for each in anomalies} == {named_id(f"invoice {number}") for number in "123"}
    assert suspicion.cause in {each.id for each in anomalies}
    assert (suspicion.cause, SURVEILLANCE, PARCEL.key) == (flag.cause, flag.source, flag.subject.key)
    assert (order.event.id, suspicion.id, INVESTIGATOR) == (request.id, request.cause, request.officer)
    assert (request.id, DESK, "executed") == (given.cause, given.officer, given.data["status"])
    assert {given.correlation} == {each.correlation for each in (suspicion, request)}
    assert [each.depth for each in (suspicion, request, given)] == [2, 3, 4]
    assert bus.store.tables.quarantined == {}
    assert [each.store.tables.quarantined for each in bus.agencies.values()] == [{}] * 7
    assert bus.store.tables.deliveries[request.id, BANK].answer_status == "executed"


async def test_nobody_reads_more_than_the_directory_grants(bus: MemoryBus) -> None:
    """Of the same chain the committee sees no identity, and an open personal value stands on no topic at all."""
    for number in ("1", "2", "3"):
        await bus.publish(TAX, invoice(number))
    await bus.settle()

    [seen] = await inbox(bus, COMMITTEE, SUSPECTED)
    assert {"seller_tax_code", "seller_name", "seller_account", "parcels"} <= set(seen.removed)
    secrets = ["9900000057", "900000000001", "EE123456785VN", "Công ty Ví Dụ"]
    written = [row.value or b"" for row in bus.kafka.rows]
    assert [each for each in secrets if any(each.encode() in value for value in written)] == []
    readers = {row.topic for row in bus.kafka.rows if row.topic.startswith("lt.inbox.")}
    assert readers == {inbox_topic(code) for code in (TAX, SURVEILLANCE, POLICE, POST, COMMITTEE, INFORMATION)}


async def test_doing_it_twice_is_doing_it_once(bus: MemoryBus) -> None:
    """The same invoices again, and every record of every topic again, change no row but the place in the topics."""
    for number in ("1", "2", "3"):
        await bus.publish(TAX, invoice(number))
    await bus.settle()
    before = {code: each.store.tables.copied() for code, each in bus.agencies.items()}
    admitted = bus.store.tables.decided()

    for number in ("1", "2", "3"):
        await bus.publish(TAX, invoice(number))
    await bus.kafka.publish(list(bus.kafka.rows))
    await bus.settle()

    assert before == {code: each.store.tables for code, each in bus.agencies.items()}
    assert admitted == bus.store.tables.decided()


async def test_a_stateless_agency_passes_on_what_it_may_see_and_keeps_nothing(bus: MemoryBus) -> None:
    """Of the suspicion it sees the reasons; what it makes of them is admitted once, however often it is read."""
    for number in ("1", "2", "3"):
        await bus.publish(TAX, invoice(number))
    await bus.settle()

    [suspicion] = await inbox(bus, COMMITTEE, SUSPECTED)
    [warning] = await inbox(bus, COMMITTEE, WARNED)
    assert (suspicion.id, INFORMATION, SELLER.key) == (warning.cause, warning.source, warning.subject.key)
    assert derived_id(suspicion.id, "prepare_warning", 0) == warning.id
    assert bus.agencies[INFORMATION].store.tables.inbox == {}

    await bus.kafka.publish([row for row in bus.kafka.rows if row.topic == inbox_topic(INFORMATION)])
    await bus.settle()

    made = [row for row in bus.kafka.rows if row.topic == event_topic(WARNED)]
    assert [warning.id] * 2 == [row.row_id for row in made]
    assert made[0] == made[1]
    assert len(await inbox(bus, COMMITTEE, WARNED)) == 1


async def test_the_postal_operator_remembers_the_flag(bus: MemoryBus) -> None:
    """So that a scan can name it, in the same chain."""
    for number in ("1", "2", "3"):
        await bus.publish(TAX, invoice(number))
    await bus.settle()

    [flag] = await inbox(bus, POST, FLAGGED)
    async with bus.agencies[POST].store.transaction() as transaction:
        states = await transaction.states([("watch_parcel", PARCEL.key)])
    known = state_of(states["watch_parcel", PARCEL.key])
    assert (flag.id, flag.correlation) == (UUID(known["flag"]), UUID(known["correlation"]))
