"""Many records in one transaction do what they would have done one by one."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from paper_province import FLAGGED, PARCEL, POLICE, SUSPECTED, as_record, named_id, suspicion
from prometheus_client import CollectorRegistry
from structlog.testing import capture_logs

from agents import KINDS
from streams.agent import AgentSpec, Context, Handler, Outcome
from streams.catalogue import Catalogue
from streams.directory import Directory
from streams.errors import PermanentError
from streams.event import Draft, Event
from streams.inbox import InboxPipeline
from streams.metrics import Metrics
from streams.names import AgencyCode
from streams.record import Record
from streams.subject import pseudonym
from streams.testing import MemoryAgencyStore, MemoryBus

NOON = datetime(2026, 11, 20, 5, tzinfo=UTC)
PLAIN, REFUSED, SPOILT, UNSTORABLE, UNREADABLE = range(5)
"""What may be the matter with a record."""

records = st.lists(
    st.tuples(st.sampled_from("abcdef"), st.sampled_from("xy"), st.integers(0, 4)), min_size=1, max_size=12
)
"""Name of the event (the same again is a repeat), its seller, what is the matter."""


def remember(event: Event, context: Context) -> Outcome:
    """Count by seller, publish at every second event, and do what may go wrong."""
    state: dict[str, Any] = dict(context.state)
    seen = state.setdefault("seen", [])
    seen.append(str(event.id))  # the state's own list: whoever shares it with another event would be found out
    if event.data["score"] == REFUSED:
        raise PermanentError("It is refused.", code="not_so")
    data = {"parcel": PARCEL.as_data(), "number": None, "seller": None}
    drafts = [Draft(type=FLAGGED, subject=PARCEL, data=data)] if len(seen) % 2 else []
    note = "nul\0" if event.data["score"] == UNSTORABLE else f"{len(seen)}"
    return Outcome(events=drafts, state={**state, f"{9 - len(seen)}": 1, "last": event.data["score"]}, note=note)


def check(event: Event, context: Context) -> Outcome:
    """Refuse after the first handler has done its part."""
    if event.data["score"] == SPOILT:
        raise PermanentError("It is spoilt.", code="spoilt")
    return Outcome(note=str(context.state))


HANDLERS = (
    Handler(
        name="remember", event_type=SUSPECTED, handle=remember, plan="IV.4", state_key=lambda event: event.subject.key
    ),
    Handler(name="check", event_type=SUSPECTED, handle=check, plan="IV.4"),
)


def pipeline(bus: MemoryBus) -> InboxPipeline:
    """Give the police the handlers above."""
    police = bus.agencies[POLICE]
    return InboxPipeline(
        agency=POLICE,
        spec=AgentSpec(kind="police", handlers=HANDLERS),
        sinks={SUSPECTED: ["folder"]},
        reader=bus.reader,
        sender=police.sender,
        keys=bus.keyring.login(POLICE),
        store=police.store,
        clock=bus.clock,
        metrics=Metrics(POLICE, CollectorRegistry()),
    )


async def made(bus: MemoryBus, specs: Sequence[tuple[str, str, int]]) -> list[Record]:
    """Make records; the same name always carries the same event."""
    first: dict[str, tuple[str, str, int]] = {}
    found = []
    for offset, spec in enumerate(specs):
        name, seller, matter = first.setdefault(spec[0], spec)
        draft = replace(suspicion(name=name, score=matter, parcels=[]), subject=pseudonym("seller", "vn-mst", seller))
        sent = await bus.agencies[AgencyCode("qltt-hanam")].sender.prepare(draft, at=NOON)
        record = as_record(sent.row, offset=offset)
        found.append(replace(record, value=b"?") if matter == UNREADABLE else record)
    return found


def everything(store: MemoryAgencyStore) -> dict[str, object]:
    """Give all that the police's store holds; between topics an outbox has no order that anyone sees."""
    tables = store.tables
    rows = defaultdict(list)
    for queued in tables.outbox.values():
        rows[queued.entry.row.topic].append(queued.entry.row)
    kept = {name: value for name, value in vars(tables).items() if name != "outbox"}
    return {**kept, "inbox": list(tables.inbox.items()), "states": dict(tables.states), "rows": dict(rows)}


@pytest.fixture(scope="module")
def shared(catalogue: Catalogue, directory: Directory) -> MemoryBus:
    """Give one bus for all examples: only the inbox must be new in each."""
    return MemoryBus(catalogue, directory, kinds=KINDS, clock=lambda: NOON)


@given(specs=records, cuts=st.lists(st.integers(1, 6), min_size=12, max_size=12))
@settings(max_examples=40, deadline=None)
def test_a_set_of_records_does_what_they_do_one_by_one(
    shared: MemoryBus, specs: Sequence[tuple[str, str, int]], cuts: Sequence[int]
) -> None:
    """Inbox, states, notes, publications and quarantine are the same however the records are cut into sets."""

    async def run(cuts: Sequence[int]) -> dict[str, object]:
        store = MemoryAgencyStore(POLICE)
        found, process = await made(shared, specs), replace(pipeline(shared), store=store).process
        for cut in cuts:
            await process(found[:cut])
            found = found[cut:]
        await process(found)
        return everything(store)

    with capture_logs():
        assert asyncio.run(run([1] * 12)) == asyncio.run(run(cuts)) == asyncio.run(run([12]))


async def test_one_record_that_cannot_be_kept_costs_the_others_nothing(bus: MemoryBus) -> None:
    """The set is written again in parts, and only the one that the store refused goes to quarantine."""
    found = await made(bus, [("a", "x", PLAIN), ("b", "x", UNSTORABLE), ("c", "x", PLAIN)])

    await pipeline(bus).process(found)

    tables = bus.agencies[POLICE].store.tables
    assert [named_id("a"), named_id("c")] == list(tables.inbox)
    assert [(found[1], "database_value")] == [(item.record, item.reason) for item in tables.quarantined.values()]
    assert [kept.notes[0] for kept in tables.inbox.values()] == ["1", "2"]
