"""Order across types at a recipient: however partitions interleave, no copy is applied before what it must follow."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from paper_province import POLICE, SURVEILLANCE, SUSPECTED, as_record, named_id, suspicion
from prometheus_client import CollectorRegistry
from structlog.testing import capture_logs

from agents import KINDS
from streams.agent import AgentSpec, Context, Handler, HandlerFunction, Outcome
from streams.catalogue import Catalogue
from streams.directory import Directory
from streams.errors import PermanentError
from streams.event import Event
from streams.headers import event_headers
from streams.inbox import InboxPipeline
from streams.metrics import Metrics
from streams.record import Record
from streams.subject import pseudonym
from streams.testing import MemoryAgencyStore, MemoryBus

NOON = datetime(2026, 11, 20, 5, tzinfo=UTC)
HOUR = 3600.0


@dataclass(frozen=True)
class Copy:
    """A copy that the bus sends, in the order of admission: about whom, and after which copy before it."""

    subject: int
    after: int | None


@st.composite
def histories(draw: st.DrawFn) -> tuple[list[Copy], list[int], list[int], list[int]]:
    """Draw copies, the order in which they are read, where sets are cut, and which are read once more."""
    count = draw(st.integers(1, 9))
    copies = [
        Copy(draw(st.integers(0, 3)), draw(st.none() | st.integers(0, number - 1)) if number else None)
        for number in range(count)
    ]
    lanes = [[number for number, each in enumerate(copies) if each.subject == subject] for subject in range(4)]
    order = []
    while any(lanes):
        lane = draw(st.sampled_from([each for each in lanes if each]))
        order.append(lane.pop(0))
    cuts = draw(st.lists(st.integers(1, 4), max_size=count))
    return copies, order, cuts, draw(st.lists(st.sampled_from(order), max_size=3))


def note(event: Event, context: Context) -> Outcome:
    """Remember over all subjects in which order events came, and refuse what is marked so."""
    if event.data["score"] == 1:
        raise PermanentError("It is refused.", code="not_so")
    return Outcome(state={"seen": [*context.state.get("seen", ()), str(event.id)]})


@dataclass(frozen=True)
class Police:
    """The police with an empty inbox."""

    bus: MemoryBus
    clock: Callable[[], datetime]
    store: MemoryAgencyStore

    def pipeline(self, handle: HandlerFunction = note) -> InboxPipeline:
        """Give them one handler."""
        handler = Handler(name="note", event_type=SUSPECTED, handle=handle, plan="IV.4", state_key=lambda _: "all")
        return InboxPipeline(
            agency=POLICE,
            spec=AgentSpec(kind="police", handlers=(handler,)),
            sinks={},
            reader=self.bus.reader,
            sender=self.bus.agencies[POLICE].sender,
            keys=self.bus.keyring.login(POLICE),
            store=self.store,
            clock=self.clock,
            metrics=Metrics(POLICE, CollectorRegistry()),
        )

    async def process(self, records: Sequence[Record], cuts: Sequence[int] = ()) -> None:
        """Process records in sets."""
        process, rest = self.pipeline().process, list(records)
        for cut in cuts:
            await process(rest[:cut])
            rest = rest[cut:]
        await process(rest)


@pytest.fixture(scope="module")
def shared(catalogue: Catalogue, directory: Directory) -> MemoryBus:
    """Give one bus for all examples: only the inbox must be new in each."""
    return MemoryBus(catalogue, directory, kinds=KINDS, clock=lambda: NOON)


def police_of(shared: MemoryBus, clock: Callable[[], datetime] = lambda: NOON) -> Police:
    """Give an empty inbox."""
    return Police(shared, clock, MemoryAgencyStore(POLICE))


async def sent(bus: MemoryBus, copies: Sequence[Copy], *, refused: Sequence[int] = ()) -> list[Record]:
    """Make the records of copies; each has its number among those of its subject."""
    numbers: dict[int, int] = {}
    records = []
    for number, each in enumerate(copies):
        numbers[each.subject] = numbers.get(each.subject, 0) + 1
        draft = suspicion(name=str(number), parcels=[], score=int(number in refused))
        draft = replace(draft, subject=pseudonym("seller", "vn-mst", f"{each.subject}"))
        prepared = await bus.agencies[SURVEILLANCE].sender.prepare(draft, at=NOON)
        after = None if each.after is None else named_id(str(each.after))
        copy = replace(prepared.event, after=after, sequence=numbers[each.subject])
        records.append(as_record(prepared.row, offset=number, headers=event_headers(copy)))
    return records


def require_order(police: Police, copies: Sequence[Copy], order: Sequence[int]) -> None:
    """Require that whatever was applied came after what it must follow, and after those of its subject before it."""
    applied = [kept.event for kept in police.store.tables.inbox.values()]
    place = {event.id: at for at, event in enumerate(applied)}
    for event in applied:
        if event.after is not None:
            assert place[event.after] < place[event.id]
    for subject in range(4):
        numbers = [n for n in order if copies[n].subject == subject and named_id(str(n)) in place]
        assert sorted(numbers, key=lambda n: place[named_id(str(n))]) == sorted(numbers)


@given(history=histories())
@settings(max_examples=60, deadline=None)
def test_all_is_applied_in_order_however_partitions_interleave(
    shared: MemoryBus, history: tuple[list[Copy], list[int], list[int], list[int]]
) -> None:
    """Nothing is left waiting, repeats change nothing, and where sets are cut makes no difference."""
    copies, order, cuts, again = history

    async def travel(cuts: Sequence[int]) -> dict[str, object]:
        police = police_of(shared)
        records = await sent(shared, copies)
        await police.process([records[number] for number in [*order, *again]], cuts)
        require_order(police, copies, order)
        return vars(police.store.tables)

    tables = asyncio.run(travel(cuts))

    assert len(copies) == len(tables["inbox"])  # type: ignore[arg-type] # a dict
    assert (tables["parked"], tables["quarantined"]) == ({}, {})
    assert tables == asyncio.run(travel([1] * 20)) == asyncio.run(travel([]))


@given(history=histories(), lost=st.integers(0, 8), refused=st.integers(0, 8))
@settings(max_examples=60, deadline=None)
def test_what_never_comes_costs_what_must_follow_it_and_nothing_else(
    shared: MemoryBus,
    history: tuple[list[Copy], list[int], list[int], list[int]],
    lost: int,
    refused: int,
) -> None:
    """After the time is over, those that hang on a lost or refused copy are in quarantine, all others applied."""
    copies, order, cuts, again = history
    hanging = {lost, refused}
    for number, each in enumerate(copies):
        if each.after in hanging:
            hanging.add(number)
    times = [NOON]

    async def travel() -> Police:
        police = police_of(shared, lambda: times[-1])
        records = await sent(shared, copies, refused=[refused])
        await police.process([records[number] for number in [*order, *again] if number != lost], cuts)
        while police.store.tables.parked:
            times.append(times[-1] + timedelta(seconds=HOUR + 1))
            assert await police.pipeline().refuse_overdue(HOUR)
        return police

    with capture_logs():
        police = asyncio.run(travel())

    tables = police.store.tables
    require_order(police, copies, order)
    assert {named_id(str(n)) for n in order if n not in hanging} == set(tables.inbox)
    reasons = {item.record.offset: item.reason for item in tables.quarantined.values()}
    said = {n for n in hanging if n == refused and copies[n:] and copies[n].after not in hanging}
    expected = {n: "not_so" if n in said else "cause_missing" for n in hanging if n < len(copies) and n != lost}
    assert expected == reasons


@pytest.fixture
async def waiting(shared: MemoryBus) -> tuple[Police, list[Record]]:
    """Let a copy wait for one that has not come, and another behind it."""
    police = police_of(shared)
    records = await sent(shared, [Copy(0, None), Copy(1, 0), Copy(1, None)])
    await police.process(records[1:])
    return police, records


async def test_a_copy_waits_whole_and_is_released_whole(waiting: tuple[Police, list[Record]]) -> None:
    """Nothing of it takes effect before; what it waits for releases it, and then what waited behind it."""
    police, records = waiting
    tables = police.store.tables
    parked = list(tables.parked.values())
    assert (records[1:], {}, {}) == ([each.record for each in parked], tables.inbox, tables.states)
    assert [named_id("0"), named_id("1")] == [each.waits_for for each in parked]

    await police.process(records[:1])

    tables = police.store.tables
    assert [named_id(str(number)) for number in range(3)] == list(tables.inbox)
    assert tables.parked == {}


async def test_a_repeat_of_a_waiting_copy_changes_nothing(waiting: tuple[Police, list[Record]]) -> None:
    """Its place and its time stay, also when it comes from another offset."""
    police, records = waiting
    before = police.store.tables.copied()

    await police.process([records[1], replace(records[2], offset=99)], [1])

    assert before == police.store.tables


async def test_nothing_is_overdue_before_its_time(waiting: tuple[Police, list[Record]]) -> None:
    """The hour counts from parking."""
    police, _ = waiting

    assert await police.pipeline().refuse_overdue(HOUR) == 0

    assert len(police.store.tables.parked) == 2


async def test_what_waits_for_a_waiting_copy_is_not_refused_before_it(shared: MemoryBus) -> None:
    """The last one was parked first, and what it waits for came: only the copy behind which that one waits is lost."""
    times = [NOON]
    police = police_of(shared, lambda: times[-1])
    records = await sent(shared, [Copy(0, None), Copy(1, 0), Copy(1, None), Copy(2, 2)])
    await police.process([records[3], records[1], records[2]])
    times.append(NOON + timedelta(seconds=HOUR + 1))

    await police.pipeline().refuse_overdue(HOUR)

    tables = police.store.tables
    assert {named_id("2"), named_id("3")} == set(tables.inbox)
    assert [(records[1], "cause_missing")] == [(item.record, item.reason) for item in tables.quarantined.values()]
    assert tables.parked == {}


async def test_a_waiting_copy_that_cannot_be_kept_costs_the_other_nothing(shared: MemoryBus) -> None:
    """What is released, too, stands in a part of its own when the database refuses a value."""
    police = police_of(shared)
    records = await sent(shared, [Copy(0, None), Copy(1, 0), Copy(2, 0)])
    await police.process(records[1:])

    def spoil(event: Event, context: Context) -> Outcome:
        del context
        return Outcome(note="nul\0" if event.id == named_id("1") else None)

    await police.pipeline(spoil).process(records[:1])

    tables = police.store.tables
    assert [named_id("0"), named_id("2")] == list(tables.inbox)
    assert [(records[1], "database_value")] == [(item.record, item.reason) for item in tables.quarantined.values()]
    assert tables.parked == {}
