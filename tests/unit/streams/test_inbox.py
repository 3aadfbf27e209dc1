"""An agency's own work on its inbox."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from uuid import uuid4

import pytest
from paper_province import FLAGGED, PARCEL, POLICE, SELLER, SURVEILLANCE, SUSPECTED, TAX, as_record, named_id, suspicion
from prometheus_client import CollectorRegistry

from streams.agent import AgentSpec, Context, Handler, Outcome
from streams.errors import PermanentError, TransientError
from streams.event import Draft, Event, derived_id
from streams.inbox import InboxPipeline, revealer
from streams.metrics import Metrics
from streams.names import EventType, inbox_topic, quarantine_topic
from streams.record import Record
from streams.sealing import Personal
from streams.testing import MemoryBus

Handle = Callable[[Event, Context], Outcome]


def pipeline(bus: MemoryBus, *handlers: Handler, sinks: tuple[str, ...] = ()) -> InboxPipeline:
    """Give the police handlers of the test's own."""
    police = bus.agencies[POLICE]
    return InboxPipeline(
        agency=POLICE,
        spec=AgentSpec(kind="police", handlers=handlers),
        sinks={SUSPECTED: sinks},
        reader=bus.reader,
        sender=police.sender,
        keys=bus.keyring.login(POLICE),
        store=police.store,
        clock=bus.clock,
        metrics=Metrics(POLICE, CollectorRegistry()),
    )


def handler(handle: Handle, *, name: str = "first", event_type: EventType = SUSPECTED, **changes: Any) -> Handler:
    """Make a handler of suspicions."""
    return Handler(name=name, event_type=event_type, handle=handle, plan="IV.4", **changes)


async def delivered(bus: MemoryBus, **changes: Any) -> Record:
    """Give the record of a suspicion as the police's inbox topic has it."""
    sent = await bus.agencies[SURVEILLANCE].sender.prepare(suspicion(**changes), at=bus.clock())
    await bus.admit([as_record(sent.row)])
    rows = bus.kafka.rows
    return as_record(next(row for row in rows if row.topic == inbox_topic(POLICE)))


def flag(event: Event, context: Context) -> Outcome:
    """Do everything that a handler can."""
    seen = int(context.state.get("seen", 0)) + 1
    name = context.reveal(event.data["seller_name"])
    drafts = [
        Draft(
            type=FLAGGED,
            subject=PARCEL,
            data={"parcel": PARCEL.as_data(), "number": Personal(PARCEL, f"number {index}"), "seller": None},
        )
        for index in range(2)
    ]
    return Outcome(events=drafts, state={"seen": seen}, note=f"{name}: {seen}")


def by_seller(event: Event) -> str:
    """Keep state by seller."""
    return event.subject.key


async def test_an_event_is_kept_handled_and_answered_in_one_transaction(bus: MemoryBus) -> None:
    """Inbox row, note, state, derived events and handover are all there after one call."""
    record = await delivered(bus)

    await pipeline(bus, handler(flag, state_key=by_seller), sinks=("folder",)).process([record])

    tables = bus.agencies[POLICE].store.tables
    [kept] = tables.inbox.values()
    assert (record, ("Công ty Ví Dụ: 1",)) == (kept.record, kept.notes)
    assert {("first", SELLER.key): '{"seen":1}'} == tables.states
    assert [("folder", named_id("suspicion"))] == list(tables.handovers)
    ids = [derived_id(named_id("suspicion"), "first", index) for index in range(2)]
    assert ids == list(tables.outbox)


async def test_derived_events_name_their_cause(bus: MemoryBus) -> None:
    """Cause, correlation and depth follow the event in hand; the sender is the agency; personal values are sealed."""
    record = await delivered(bus)

    await pipeline(bus, handler(flag)).process([record])

    first, *_ = [each.entry.row for each in bus.agencies[POLICE].store.tables.outbox.values()]
    event = await bus.reader.read(as_record(first))
    assert (named_id("suspicion"), named_id("suspicion"), 1) == (event.cause, event.correlation, event.depth)
    assert (event.source, event.type) == (POLICE, FLAGGED)
    assert set(event.data["number"]) == {"key_id", "nonce", "ciphertext"}


async def test_a_repeat_has_no_effect(bus: MemoryBus) -> None:
    """The same event again, also from another offset, changes no row, though the clock went on."""
    record = await delivered(bus)
    run = pipeline(bus, handler(flag, state_key=by_seller))
    await run.process([record])
    before = bus.agencies[POLICE].store.tables.copied()

    await run.process([record, Record(record.topic, 0, 9, record.key, record.value, record.headers)])

    assert before == bus.agencies[POLICE].store.tables


async def test_state_is_kept_from_event_to_event(bus: MemoryBus) -> None:
    """A handler finds what it kept, and one without a state key finds nothing and keeps nothing."""
    run = pipeline(bus, handler(flag, state_key=by_seller), handler(flag, name="second"))
    for at, name in enumerate("ab"):
        sent = await bus.agencies[SURVEILLANCE].sender.prepare(suspicion(name=name), at=bus.clock())
        await run.process([as_record(sent.row, offset=at)])

    tables = bus.agencies[POLICE].store.tables
    assert {("first", SELLER.key): '{"seen":2}'} == tables.states
    assert [each.notes for each in tables.inbox.values()] == [("None: 1", "None: 1"), ("None: 2", "None: 1")]


async def test_only_handlers_of_the_type_run_and_in_their_order(bus: MemoryBus) -> None:
    """One event may have several handlers; those of other types are not asked."""
    calls = []

    def note(name: str) -> Handle:
        def handle(event: Event, context: Context) -> Outcome:
            calls.append((name, context.agency, context.now == (event.admitted or event.time)))
            return Outcome()

        return handle

    handlers = [handler(note(name), name=name) for name in ("b", "a")]
    await pipeline(bus, *handlers, handler(note("x"), name="x", event_type=FLAGGED)).process([await delivered(bus)])

    assert calls == [("b", POLICE, True), ("a", POLICE, True)]
    assert bus.agencies[POLICE].store.tables.states == {}


async def test_a_handler_that_refuses_leaves_nothing_half_done(bus: MemoryBus) -> None:
    """What an earlier handler did is undone with it; the record is quarantined once, whole, with its code."""

    def refuse(event: Event, context: Context) -> Outcome:
        raise PermanentError(f"No {event.type} for {context.agency}.", code="not_so")

    record = await delivered(bus)
    run = pipeline(bus, handler(flag, state_key=by_seller), handler(refuse, name="second"), sinks=("folder",))
    for _ in range(2):
        await run.process([record])

    tables = bus.agencies[POLICE].store.tables
    assert ({}, {}, {}, set()) == (tables.inbox, tables.states, tables.handovers, tables.documents)
    [item] = tables.quarantined.values()
    assert ("not_so", record) == (item.reason, item.record)
    [row] = [each.entry.row for each in tables.outbox.values()]
    assert (quarantine_topic(POLICE), record.value) == (row.topic, row.value)
    assert count(run, "quarantined_not_so") == 2.0


async def test_a_draft_that_does_not_fit_is_quarantined(bus: MemoryBus) -> None:
    """A handler's mistake stops one event, not the worker."""

    def wrong(event: Event, context: Context) -> Outcome:
        del context
        return Outcome(events=[Draft(type=FLAGGED, subject=event.subject, data={"parcel": "x"})])

    await pipeline(bus, handler(wrong)).process([await delivered(bus)])

    [item] = bus.agencies[POLICE].store.tables.quarantined.values()
    assert item.reason == "does_not_fit"


async def test_a_state_keeps_whatever_text_came_from_outside(bus: MemoryBus) -> None:
    """A zero byte in a text that a handler remembers stops nothing."""

    def remember(event: Event, context: Context) -> Outcome:
        del context
        return Outcome(state={"bank": event.data["seller_bank"]})

    record = await delivered(bus, seller_bank="nul\x00")
    await pipeline(bus, handler(remember, state_key=by_seller)).process([record])

    tables = bus.agencies[POLICE].store.tables
    assert ({("first", SELLER.key): '{"bank":"nul\\u0000"}'}, {}) == (tables.states, tables.quarantined)


async def test_a_key_that_cannot_be_kept_is_quarantined(bus: MemoryBus) -> None:
    """A zero byte where the database has no place for it stops one event, not the worker."""
    record = await delivered(bus, seller_bank="nul\x00")
    await pipeline(bus, handler(flag, state_key=lambda event: str(event.data["seller_bank"]))).process([record])

    [item] = bus.agencies[POLICE].store.tables.quarantined.values()
    assert item.reason == "database_value"


async def test_a_handler_that_finds_no_key_refuses(bus: MemoryBus) -> None:
    """The event goes to quarantine with the code of the refusal, as if the handler itself had said it."""

    def no_key(event: Event) -> str:
        raise PermanentError(f"{event.type} has none.", code="no_key")

    await pipeline(bus, handler(flag, state_key=no_key)).process([await delivered(bus)])

    [item] = bus.agencies[POLICE].store.tables.quarantined.values()
    assert item.reason == "no_key"


async def test_an_undecodable_record_is_quarantined_and_the_next_goes_on(bus: MemoryBus) -> None:
    """One poisoned record does not stop its partition."""
    good = await delivered(bus)
    bad = Record(good.topic, 0, 8, None, None, [])

    await pipeline(bus).process([bad, good])

    tables = bus.agencies[POLICE].store.tables
    assert [item.reason for item in tables.quarantined.values()] == ["bad_envelope"]
    assert [named_id("suspicion")] == list(tables.inbox)


@pytest.mark.parametrize("away", ["store", "keys"])
async def test_a_server_that_is_away_passes_through(bus: MemoryBus, away: str) -> None:
    """Nothing is done and nothing quarantined; the same record goes through later."""
    record = await delivered(bus)
    police, run = bus.agencies[POLICE].store, pipeline(bus, handler(flag))
    set_away: Any = {"store": police, "keys": bus.keyring}[away]
    set_away.away = True
    with pytest.raises(TransientError):
        await run.process([record])
    set_away.away = False
    assert (police.tables.inbox, police.tables.quarantined) == ({}, {})

    await run.process([record])

    assert len(police.tables.outbox) == 2


async def test_a_handler_that_meets_an_absent_server_passes_through(bus: MemoryBus) -> None:
    """A transient error from inside is no reason to quarantine either."""

    def wait(event: Event, context: Context) -> Outcome:
        raise TransientError(f"later, {event.type} {context.agency}")

    run = pipeline(bus, handler(wait))
    with pytest.raises(TransientError):
        await run.process([await delivered(bus)])

    assert bus.agencies[POLICE].store.tables.quarantined == {}


async def test_documents_of_what_came_in_are_remembered(bus: MemoryBus) -> None:
    """So that the agency, and no other, may ask for them."""
    reference = {"sha256": "cd" * 32, "media_type": "application/xml", "size_bytes": 3}

    def report(event: Event, context: Context) -> Outcome:
        del context
        data = {
            "seller": event.data["seller"],
            "rule_id": "x",
            "rule_version": "1",
            "severity": "low",
            "document": reference,
        }
        return Outcome(events=[Draft(type=EventType("einvoice.anomaly_detected"), subject=event.subject, data=data)])

    await pipeline(bus, handler(report)).process([await delivered(bus)])

    [named] = bus.agencies[POLICE].store.tables.documents
    assert ("cd" * 32, derived_id(named_id("suspicion"), "first", 0)) == named


async def test_sealed_values_open_only_with_a_granted_key(bus: MemoryBus) -> None:
    """Granted: the text. Not granted, or nothing there: None. Not yet sealed: the text as it is."""
    record = await delivered(bus)
    data = (await bus.reader.read(record)).data

    police, tax = [await revealer(bus.keyring.login(code), data) for code in (POLICE, TAX)]

    assert [police(data["seller_name"]), tax(data["seller_name"])] == ["Công ty Ví Dụ", "Công ty Ví Dụ"]
    assert [each(data["parcels"][0]["number"]) for each in (police, tax)] == ["EE123456785VN", None]
    assert [police(None), police(Personal(SELLER, "x"))] == [None, "x"]


async def test_a_sealed_value_that_was_changed_is_quarantined(bus: MemoryBus) -> None:
    """A handler that opens it refuses the event with a code of its own."""
    sealed = {"key_id": "k", "nonce": b"", "ciphertext": b""}
    record = await delivered(bus, seller_name=sealed)
    key = await bus.keyring.login(SURVEILLANCE).key_for(SELLER)
    bus.keyring.owned["k"] = (POLICE, key)

    await pipeline(bus, handler(flag)).process([record])

    [item] = bus.agencies[POLICE].store.tables.quarantined.values()
    assert item.reason == "sealed_field"


def count(run: InboxPipeline, outcome: str) -> float | None:
    """Give a counter."""
    labels = {"agency": POLICE, "topic": inbox_topic(POLICE), "outcome": outcome}
    return run.metrics.registry.get_sample_value("lienthong_events_processed_total", labels)


def test_ids_of_derived_events_follow_from_cause_handler_and_place() -> None:
    """The same again for a repeat, and another one as soon as anything differs."""
    cause = uuid4()

    assert derived_id(cause, "a", 0) == derived_id(cause, "a", 0)
    assert len({derived_id(cause, "a", 0), derived_id(cause, "a", 1), derived_id(cause, "b", 0), cause}) == 4
