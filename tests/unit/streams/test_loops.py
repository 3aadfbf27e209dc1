"""Handlers that answer each other for ever are stopped, and nothing else is."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from typing import Any
from uuid import UUID, uuid5

import pytest
from hypothesis import given
from hypothesis import strategies as st
from paper_province import FLAGGED, PARCEL, POST, SELLER, SURVEILLANCE, as_record, named_id
from prometheus_client import CollectorRegistry

from streams.agent import AgentSpec, Context, Handler, Outcome
from streams.catalogue import Catalogue
from streams.directory import Directory
from streams.errors import PermanentError
from streams.event import Draft, Event
from streams.loops import MAX_PASSES, handler_digest, passed_through
from streams.metrics import Metrics
from streams.names import EVENT_NAMESPACE, AgencyCode, EventType
from streams.republish import RepublishPipeline
from streams.subject import SubjectRef, pseudonym
from streams.testing import MemoryBus

SIGHTED = EventType("shipment.sighted")
OTHER = pseudonym("parcel", "postal-number", "EE987654321VN")


def flag(parcel: SubjectRef = PARCEL, **changes: Any) -> Draft:
    """Make a flag."""
    return Draft(type=FLAGGED, subject=parcel, data={"parcel": parcel.as_data(), "number": None}, **changes)


def flag_again(event: Event, context: Context) -> Outcome:
    """Flag a parcel whenever it is seen."""
    del context
    return Outcome(events=[flag(event.subject)])


def see_again(event: Event, context: Context) -> Outcome:
    """See a parcel whenever it is flagged, unless it is the other one."""
    data = {"parcel": event.data["parcel"], "number": None, "event_code": "EMD", "seen_at": context.now}
    return Outcome(events=[Draft(type=SIGHTED, subject=event.subject, data=data)] if event.subject == PARCEL else [])


KINDS = {
    "market_surveillance": AgentSpec(
        "market_surveillance", (Handler("flag_again", event_type=SIGHTED, handle=flag_again, plan="IV.3"),)
    ),
    "postal_operator": AgentSpec(
        "postal_operator", (Handler("see_again", event_type=FLAGGED, handle=see_again, plan="IV.5"),)
    ),
}
"""Two kinds that answer each other."""


async def test_two_agencies_that_answer_each_other_end_in_quarantine(
    catalogue: Catalogue, directory: Directory, clock: Callable[[], datetime]
) -> None:
    """Each handler runs three times, the fourth is quarantined as a loop, and what came beside it is done."""
    bus = MemoryBus(catalogue, directory, kinds=KINDS, clock=clock)
    await bus.publish(SURVEILLANCE, flag(event_id=named_id("first")))
    await bus.publish(SURVEILLANCE, flag(OTHER, event_id=named_id("other")))

    await bus.settle()

    post, surveillance = (bus.agencies[code].store.tables for code in (POST, SURVEILLANCE))
    kept = Counter(each.event.subject for each in post.inbox.values())
    assert kept == {PARCEL: MAX_PASSES, OTHER: 1}
    assert len(surveillance.inbox) == MAX_PASSES
    assert [item.reason for item in post.quarantined.values()] == ["loop"]
    assert (surveillance.quarantined, bus.store.tables.quarantined) == ({}, {})


async def test_a_stateless_handler_is_stopped_as_well(bus: MemoryBus) -> None:
    """Its fourth time in one chain goes to quarantine, the third is republished with what it ran through."""
    post = bus.agencies[POST]
    metrics = Metrics(POST, CollectorRegistry())
    run = RepublishPipeline(
        agency=POST,
        spec=KINDS["postal_operator"],
        reader=bus.reader,
        sender=post.sender,
        metrics=metrics,
    )
    sent = await bus.agencies[SURVEILLANCE].sender.prepare(flag(event_id=named_id("first")), at=bus.clock())
    mine = handler_digest(POST, "see_again", sent.event)
    records = []
    for offset, times in enumerate((2, 3)):
        headers = [*sent.row.headers, ("ce_passed", ",".join([mine] * times).encode())]
        records.append(as_record(sent.row, offset=offset, headers=headers))

    emitted: list[Any] = []
    await run.process(records, emitted.append)

    republished, quarantined = emitted
    assert (await bus.reader.read(as_record(republished))).passed == (mine, mine, mine)
    assert dict(quarantined.headers)["lt_quarantine_reason"] == b"loop"


async def test_an_officers_event_carries_what_its_cause_carried(bus: MemoryBus) -> None:
    """A person in between does not hide where a chain came from."""
    cause = replace((await bus.publish(SURVEILLANCE, flag(event_id=named_id("first")))).event, passed=("0" * 8,))

    answer = await bus.publish(SURVEILLANCE, flag(event_id=named_id("second")), cause=cause)

    assert answer.event.passed == ("0" * 8,)


def event(subject: int, correlation: int, passed: tuple[str, ...]) -> Event:
    """Make an event of one of few subjects and chains."""
    made = uuid5(EVENT_NAMESPACE, f"{subject}|{correlation}|{passed}")
    about = replace(SELLER, value=str(uuid5(EVENT_NAMESPACE, f"seller {subject}")))
    when = datetime.fromisoformat("2026-11-20T05:00:00Z")
    return Event(made, FLAGGED, POST, about, when, {}, UUID(int=correlation), passed=passed)


steps = st.lists(st.tuples(st.sampled_from(["a", "b"]), st.sampled_from(["x", "y"]), st.integers(0, 1)), max_size=40)
"""Agency, handler and subject of each step of a chain."""


@given(walk=steps, correlation=st.integers(0, 1))
def test_a_chain_ends_where_a_handler_meets_its_subject_the_fourth_time(
    walk: list[tuple[str, str, int]], correlation: int
) -> None:
    """However handlers, agencies and subjects alternate: not before, and not after."""
    passed: tuple[str, ...] = ()
    seen: Counter[tuple[str, str, int]] = Counter()
    for step in walk:
        agency, handler, subject = step
        if seen[step] == MAX_PASSES:
            with pytest.raises(PermanentError) as caught:
                passed_through(AgencyCode(agency), handler, event(subject, correlation, passed))
            assert caught.value.code == "loop"
            return
        passed = passed_through(AgencyCode(agency), handler, event(subject, correlation, passed))
        seen[step] += 1
    assert len(walk) == len(passed)
