"""Admit and share: what the bus lets through, to whom, and what becomes of the rest."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
from admitting import copy_for, only_reason, prepared, queued, row_type
from paper_province import (
    BANK,
    COMMITTEE,
    FLAGGED,
    INFORMATION,
    POLICE,
    SELLER,
    SURVEILLANCE,
    SUSPECTED,
    TAX,
    as_record,
    named_id,
    with_agency,
    with_header,
)

from streams.errors import TransientError
from streams.headers import parse_event
from streams.names import BUS, TopicName, event_topic, inbox_topic, quarantine_topic
from streams.record import Record
from streams.sealing import open_sealed
from streams.testing import MemoryBus


async def test_every_entitled_agency_gets_one_copy(bus: MemoryBus) -> None:
    """The shipped directory names three recipients of a suspicion; each copy says why and by which article."""
    sent = await prepared(bus)

    await bus.admit([as_record(sent.row)])

    recipients = {agency for event_id, agency in bus.store.tables.deliveries if event_id == sent.event.id}
    assert recipients == {COMMITTEE, INFORMATION, POLICE, TAX}
    event, _ = await copy_for(bus, POLICE)
    assert (event.purpose, event.legal_article, event.removed) == ("investigation", "ke-hoach-1679-2023/IV.4", ())
    kept = bus.store.tables.events[event.id]
    assert (kept.at, 1, None) == (event.admitted, event.sequence, event.after)
    mine = replace(event, data={}, purpose=None, legal_article=None, admitted=None, sequence=None)
    assert replace(sent.event, data={}) == mine


async def test_fields_are_removed_before_the_topic(bus: MemoryBus) -> None:
    """What an agency may not see is not in the bytes of its inbox topic, and the copy says what is missing."""
    sent = await prepared(bus)

    await bus.admit([as_record(sent.row)])

    event, data = await copy_for(bus, COMMITTEE)
    hidden = {"seller_tax_code", "seller_name", "seller_account", "seller_bank", "parcels"}
    assert hidden == set(event.removed)
    assert {None} == {data[name] for name in hidden}
    assert data["score"] == 22
    [row] = queued(bus, inbox_topic(COMMITTEE))
    assert "Ngân hàng Ví Dụ".encode() in (sent.row.value or b"")
    assert "Ngân hàng Ví Dụ".encode() not in (row.value or b"")
    assert sent.event.data["seller_name"]["ciphertext"] not in (row.value or b"")


async def test_who_sees_everything_gets_the_bytes_as_they_came(bus: MemoryBus) -> None:
    """Nothing is encoded anew where nothing is removed; the key stays, so that order holds."""
    sent = await prepared(bus)

    await bus.admit([as_record(sent.row)])

    [row] = queued(bus, inbox_topic(POLICE))
    assert (sent.row.value, sent.row.key) == (row.value, row.key)


async def test_keys_follow_the_deliveries(bus: MemoryBus) -> None:
    """An agency may open exactly what is left sealed in its copy."""
    sent = await prepared(bus)

    await bus.admit([as_record(sent.row)])

    personal, parcel = sent.event.data["seller_name"], sent.event.data["parcels"][0]["number"]
    asked = frozenset({personal["key_id"], parcel["key_id"]})
    held = {code: set(await bus.keyring.login(code).keys(asked)) for code in (POLICE, TAX, COMMITTEE, BANK)}
    assert {POLICE: set(asked), TAX: {personal["key_id"]}, COMMITTEE: set(), BANK: set()} == held
    key = (await bus.keyring.login(TAX).keys(asked))[personal["key_id"]]
    assert open_sealed(personal, key) == "Công ty Ví Dụ"


async def test_what_was_done_is_audited(bus: MemoryBus) -> None:
    """One entry names the event, its sender and everybody who is sent a copy, the fields removed, and the article."""
    sent = await prepared(bus)

    await bus.admit([as_record(sent.row)])

    [entry] = bus.store.tables.audit
    assert (entry.action, entry.agency, entry.event_type) == ("admitted", SURVEILLANCE, SUSPECTED)
    [row] = queued(bus, TopicName("lt.audit"))
    event = parse_event(row.headers, bus.codec.decode(row.value, expected=row_type(row)))
    assert (event.data["action"], sent.event.id) == ("admitted", event.data["event_id"])
    shared = {each["agency"]: each for each in event.data["recipients"]}
    assert shared.keys() == {COMMITTEE, INFORMATION, POLICE, TAX}
    assert (shared[COMMITTEE]["legal_article"], shared[POLICE]["removed"]) == ("ke-hoach-1679-2023/IV.1", [])
    assert "seller_bank" in shared[COMMITTEE]["removed"]


async def test_a_duplicate_has_no_second_effect(bus: MemoryBus) -> None:
    """The same event from another offset, and again in one batch, changes no row."""
    sent = await prepared(bus)
    await bus.admit([as_record(sent.row)])
    before = bus.store.tables.decided()

    await bus.admit([as_record(sent.row, offset=1), as_record(sent.row, offset=2)])

    assert before == bus.store.tables.decided()


async def test_one_id_with_another_value_is_quarantined(bus: MemoryBus) -> None:
    """Whoever says something else under a known id is not heard, and the first stays."""
    first, second = await prepared(bus), await prepared(bus, score=23)
    await bus.admit([as_record(first.row)])

    await bus.admit([as_record(second.row, offset=1)])

    [item] = bus.store.tables.quarantined.values()
    assert item.reason == "conflicting_duplicate"
    assert [first.event.id] == list(bus.store.tables.events)
    assert len(bus.store.tables.deliveries) == 4


async def test_quarantine_keeps_bytes_and_headers(bus: MemoryBus) -> None:
    """Nothing of the record is lost, odd bytes included, and its place and the reason come after its own headers."""
    headers = [("ce_type", b"\xff"), ("x", b""), ("x", b"\x00\xff")]
    topic = event_topic(SUSPECTED)
    record = Record(topic=topic, partition=3, offset=14, key=b"\xfe", value=b"\x00\x01", headers=headers)

    await bus.admit([record])

    [item] = bus.store.tables.quarantined.values()
    [row] = queued(bus, quarantine_topic(BUS))
    assert record == item.record
    assert (b"\xfe", b"\x00\x01", headers) == (row.key, row.value, list(row.headers)[:3])
    assert dict(list(row.headers)[3:]) == {
        "lt_quarantine_id": str(item.id).encode(),
        "lt_quarantine_reason": b"bad_envelope",
        "lt_quarantine_topic": topic.encode(),
        "lt_quarantine_partition": b"3",
        "lt_quarantine_offset": b"14",
    }


async def test_a_quarantined_record_read_again_is_kept_once(bus: MemoryBus) -> None:
    """A repeat after a crash changes nothing; the same bytes at another offset are another item."""
    record = as_record((await prepared(bus)).row, value=b"nonsense")
    await bus.admit([record])
    before = bus.store.tables.decided()

    await bus.admit([record])
    assert before == bus.store.tables.decided()

    await bus.admit([replace(record, offset=1)])
    assert len(bus.store.tables.quarantined) == 2


@pytest.mark.parametrize(
    ("header", "value", "reason"),
    [
        ("ce_id", None, "bad_envelope"),
        ("ce_type", b"seller.praised", "unknown_type"),
        ("ce_type", b"seller.\x00", "unknown_type"),
        ("ce_type", b"audit.recorded", "wrong_schema"),
        ("ce_depth", b"17", "loop"),
        ("ce_depth", b"9" * 4000, "bad_envelope"),
        ("ce_source", b"//lienthong/agency/tax-hanam", "not_granted"),
        ("ce_source", b"//lienthong/agency/nobody", "not_granted"),
        ("ce_source", b"//lienthong/agency/bus", "not_granted"),
    ],
)
async def test_an_envelope_that_may_not_pass_is_refused(
    bus: MemoryBus, header: str, value: bytes | None, reason: str
) -> None:
    """Each refusal has its code, and nothing is delivered."""
    row = (await prepared(bus)).row

    await bus.admit([as_record(row, headers=with_header(row, header, value))])

    assert reason == only_reason(bus)


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        (None, "not_framed"),
        (b"{}", "not_framed"),
        (b"\x00\x00\x00\xff\xffx", "unknown_schema"),
        (b"\x00" * 1_000_001, "too_large"),
    ],
)
async def test_a_value_that_is_none_of_ours_is_refused(bus: MemoryBus, value: bytes | None, reason: str) -> None:
    """The decode guard stands before everything else."""
    row = (await prepared(bus)).row

    await bus.admit([as_record(row, value=value)])

    assert reason == only_reason(bus)


async def test_an_event_on_another_types_topic_is_refused(bus: MemoryBus) -> None:
    """An agency that may write one topic cannot smuggle another type through it."""
    row = (await prepared(bus)).row

    await bus.admit([as_record(row, topic=event_topic(FLAGGED))])

    assert only_reason(bus) == "wrong_topic"


async def test_a_value_that_cannot_be_written_again_leaves_nothing_half_done(bus: MemoryBus) -> None:
    """
    An int of 34 bits decodes and does not encode, so no redacted copy can be made.

    Such an event is quarantined, and there is neither an event nor a delivery of it in the ledger.
    """
    sent = await prepared(bus, evidence=None, reasons=None, first_seen_at=None)
    score, larger = b"\x02\x2c\x02\x1e", b"\x02\x80\x80\x80\x80\x40\x02\x1e"
    assert (sent.row.value or b"").count(score) == 1

    await bus.admit([as_record(sent.row, value=(sent.row.value or b"").replace(score, larger))])

    assert only_reason(bus) == "does_not_fit"


async def test_a_grant_holds_only_on_its_days(bus: MemoryBus) -> None:
    """An agency whose entry, or whose right to publish, ended the day before is not heard."""
    agency = bus.directory.agencies[SURVEILLANCE]
    yesterday = bus.clock().date() - timedelta(days=1)
    row = (await prepared(bus)).row
    for change in (
        {"valid_to": yesterday},
        {"publish": tuple(each.model_copy(update={"valid_to": yesterday}) for each in agency.publish)},
        {"publish": ()},
    ):
        bus.store.tables = type(bus.store.tables)()
        bus.directory = with_agency(bus.directory, agency.model_copy(update=change))

        await bus.admit([as_record(row)])

        assert only_reason(bus) == "not_granted"


async def test_a_batch_is_one_transaction(bus: MemoryBus) -> None:
    """When the store goes away at the end, nothing of the batch was done, and a second try does all of it."""
    records = [as_record((await prepared(bus, name=name)).row, offset=at) for at, name in enumerate("ab")]
    bus.store.away = True
    with pytest.raises(TransientError):
        await bus.admit(records)
    assert type(bus.store.tables)() == bus.store.tables

    bus.store.away = False
    await bus.admit(records)

    assert [named_id("a"), named_id("b")] == list(bus.store.tables.events)


async def test_a_registry_that_is_away_is_no_reason_to_refuse(bus: MemoryBus) -> None:
    """An unknown schema id cannot be asked for now: wait, and quarantine nothing."""
    row = (await prepared(bus)).row
    bus.registry.away = True

    with pytest.raises(TransientError):
        await bus.admit([as_record(row, value=b"\x00\x00\x00\xff\xffx")])

    assert bus.store.tables.quarantined == {}


async def test_outcomes_are_counted_after_the_transaction(bus: MemoryBus) -> None:
    """Admitted, repeated and quarantined are told apart by topic; accepted is applied and quarantined together."""
    row = (await prepared(bus)).row

    await bus.admit([as_record(row), as_record(row, offset=1), as_record(row, offset=2, value=b"x")])

    def count(outcome: str) -> float | None:
        labels = {"agency": "bus", "topic": "lt.seller.suspected", "outcome": outcome}
        return bus.metrics.registry.get_sample_value("lienthong_events_processed_total", labels)

    assert [count(each) for each in ("admitted", "repeated", "quarantined_not_framed")] == [1.0, 1.0, 1.0]
    assert SELLER.key.encode() == row.key


@pytest.mark.parametrize(
    "subject",
    ["", ":", "seller", "seller:", "seller:x", f"seller:{SELLER.value}x", "SELLER", "9:", f"{'s' * 41}:{SELLER.value}"],
)
async def test_a_subject_that_is_no_pseudonym_is_refused(bus: MemoryBus, subject: str) -> None:
    """It is the key of order and of numbers, and a name in the clear has no place in it."""
    sent = await prepared(bus)

    await bus.admit([as_record(sent.row, headers=with_header(sent.row, "ce_subject", subject.encode()))])

    assert only_reason(bus) == "bad_envelope"


@pytest.mark.parametrize("timestamp_ms", [-1, 2**63 - 1, -(2**63), 253_402_300_800_000])
async def test_a_time_that_no_broker_gave_is_refused(bus: MemoryBus, timestamp_ms: int) -> None:
    """A topic with the sender's time takes any number; it costs the record and not the worker."""
    sent = await prepared(bus)

    await bus.admit([replace(as_record(sent.row), timestamp_ms=timestamp_ms)])

    assert only_reason(bus) == "bad_envelope"
    assert [entry.action for entry in bus.store.tables.audit] == ["quarantined"]
