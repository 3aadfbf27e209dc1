"""Connectors at work: sinks get what was queued, sources' drafts are durable before an item is put away."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from typing import Any

import pytest
from paper_province import POLICE, SURVEILLANCE, SUSPECTED, as_record, block, named_id, suspicion
from prometheus_client import CollectorRegistry
from structlog.testing import capture_logs

from streams import background
from streams.agency_store import Arrival
from streams.background import Background
from streams.connecting import SinkService, SourceService, publish_item
from streams.connector import SourceItem
from streams.errors import InputError, PermanentError, TransientError
from streams.event import Event
from streams.metrics import Metrics
from streams.names import EventType
from streams.sealing import Reveal
from streams.testing import MemoryBus


class Folder:
    """A sink that remembers; it raises what it was told to, once each."""

    name = "folder"
    event_types: frozenset[EventType] = frozenset({SUSPECTED})

    def __init__(self) -> None:
        self.written: list[tuple[str, str | None]] = []
        self.raises: list[Exception] = []

    async def write(self, batch: Sequence[Event], *, reveal: Reveal) -> None:
        """Take events."""
        if self.raises:
            raise self.raises.pop(0)
        self.written += [(str(each.id), reveal(each.data["seller_name"])) for each in batch]


class Letters:
    """A source that gives what was not settled."""

    name = "letters"

    def __init__(self, *items: SourceItem) -> None:
        self.items = list(items)
        self.settled: list[SourceItem] = []
        self.raises: list[Exception] = []

    async def poll(self) -> Sequence[SourceItem]:
        """Give items."""
        if self.raises:
            raise self.raises.pop(0)
        return list(self.items)

    async def settle(self, item: SourceItem) -> None:
        """Put one away."""
        self.settled.append(item)
        self.items.remove(item)


@pytest.fixture(autouse=True)
def _impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(background, "_FIRST_PAUSE_SECONDS", 0.0002)
    monkeypatch.setattr(background, "_LONGEST_PAUSE_SECONDS", 0.001)


@pytest.fixture
def metrics() -> Metrics:
    """Count."""
    return Metrics(POLICE, CollectorRegistry())


async def run_until(service: Background, done: Callable[[], Any]) -> list[Any]:
    """Run a service until something holds; give its logs."""
    stop = asyncio.Event()
    with capture_logs() as logs:
        running = asyncio.create_task(service.run(stop))
        async with asyncio.timeout(5):
            while not done():  # noqa: ASYNC110 -- nothing announces it
                await asyncio.sleep(0.001)
        stop.set()
        await asyncio.wait_for(running, 5)
    return logs


async def queued(bus: MemoryBus, names: str) -> None:
    """Put suspicions into the police's inbox, queued for the folder."""
    for at, name in enumerate(names):
        sent = await bus.agencies[SURVEILLANCE].sender.prepare(suspicion(name=name), at=bus.clock())
        await bus.admit([as_record(sent.row, offset=at)])
        async with bus.agencies[POLICE].store.transaction() as transaction:
            await transaction.receive([Arrival(sent.event, as_record(sent.row))])
            await transaction.hand_over([(sent.event.id, "folder")])


def sink_service(bus: MemoryBus, folder: Folder, metrics: Metrics) -> SinkService:
    """Make the service of a sink."""
    return SinkService(
        sink=folder,
        store=bus.agencies[POLICE].store,
        reader=bus.reader,
        keys=bus.keyring.login(POLICE),
        metrics=metrics,
        poll_seconds=0.001,
    )


def source_service(bus: MemoryBus, letters: Letters, metrics: Metrics) -> SourceService:
    """Make the service of a source."""
    police = bus.agencies[POLICE]
    return SourceService(
        source=letters,
        store=police.store,
        sender=police.sender,
        clock=bus.clock,
        metrics=metrics,
        poll_seconds=0.001,
    )


async def test_a_sink_gets_what_was_queued_in_order_and_once(bus: MemoryBus, metrics: Metrics) -> None:
    """With sealed fields opened where the agency has the key."""
    folder = Folder()
    await queued(bus, "ba")

    await run_until(sink_service(bus, folder, metrics), lambda: len(folder.written) == 2)

    assert [(str(named_id(name)), "Công ty Ví Dụ") for name in "ba"] == folder.written
    assert list(await bus.agencies[POLICE].store.handovers("folder", limit=9)) == []


async def test_a_sink_that_is_away_gets_the_same_item_again(bus: MemoryBus, metrics: Metrics) -> None:
    """Nothing is skipped."""
    folder = Folder()
    folder.raises = [TransientError("away"), TransientError("away")]
    await queued(bus, "a")

    await run_until(sink_service(bus, folder, metrics), lambda: folder.written)

    assert [str(named_id("a"))] == [event_id for event_id, _ in folder.written]
    assert metrics.registry.get_sample_value("lienthong_retries_total", {"agency": POLICE}) == 2.0


async def test_what_a_sink_refuses_is_noted_and_the_next_goes_on(bus: MemoryBus, metrics: Metrics) -> None:
    """One event that it will never take does not stop the others; the reason is kept and logged by code."""
    folder = Folder()
    folder.raises = [PermanentError("it said no", code="refused")]
    await queued(bus, "ab")

    logs = await run_until(sink_service(bus, folder, metrics), lambda: folder.written)

    kept = bus.agencies[POLICE].store.tables.handovers["folder", named_id("a")]
    assert (kept.settled, kept.error) == (True, "refused: it said no")
    assert [(each["event"], each["reason"]) for each in logs] == [("not handed over", "refused")]
    assert [str(named_id("b"))] == [event_id for event_id, _ in folder.written]


async def test_an_items_drafts_are_durable_before_it_is_put_away(bus: MemoryBus, metrics: Metrics) -> None:
    """And the outbox has each once, though the item is given again after a crash."""
    item = SourceItem(item_id="1", name="letter.xml", drafts=(block("x"), block("y")))
    letters = Letters(item)
    store = bus.agencies[POLICE].store
    service = source_service(bus, letters, metrics)

    await run_until(service, lambda: letters.settled)
    letters.items = [item]
    await run_until(service, lambda: len(letters.settled) == 2)

    assert [named_id("x"), named_id("y")] == list(store.tables.outbox)
    assert {("letters", "1", named_id(name)) for name in "xy"} == store.tables.ingested
    assert {("ab" * 32, named_id(name)) for name in "xy"} == store.tables.documents


async def test_a_store_that_is_away_leaves_the_item_where_it_is(bus: MemoryBus, metrics: Metrics) -> None:
    """It is not put away before its drafts are durable, and goes through later."""
    letters = Letters(SourceItem(item_id="1", name="letter.xml", drafts=(block("x"),)))
    letters.raises = [TransientError("not mounted")]
    store = bus.agencies[POLICE].store
    store.away = True
    service = source_service(bus, letters, metrics)
    stop = asyncio.Event()
    with capture_logs() as logs:
        running = asyncio.create_task(service.run(stop))
        async with asyncio.timeout(5):
            while len(logs) < 2:  # noqa: ASYNC110 -- nothing announces it
                await asyncio.sleep(0.001)
        assert letters.settled == []
        store.away = False
        async with asyncio.timeout(5):
            while not letters.settled:  # noqa: ASYNC110 -- nothing announces it
                await asyncio.sleep(0.001)
        stop.set()
        await running

    assert [named_id("x")] == list(store.tables.outbox)


async def test_publishing_an_item_says_what_is_new(bus: MemoryBus) -> None:
    """The second time nothing is."""
    police = bus.agencies[POLICE]
    item = SourceItem(item_id="1", name="letter.xml", drafts=(block("x"),))

    results = [
        await publish_item(item, source="letters", store=police.store, sender=police.sender, at=bus.clock())
        for _ in range(2)
    ]

    assert [[new for _, new in each] for each in results] == [[True], [False]]


async def test_one_wrong_draft_queues_nothing_of_its_item(bus: MemoryBus) -> None:
    """All of an item or none of it."""
    police = bus.agencies[POLICE]
    wrong = block("y")
    item = SourceItem(item_id="1", name="x", drafts=(block("x"), type(wrong)(wrong.type, wrong.subject, wrong.data)))

    with pytest.raises(InputError):
        await publish_item(item, source="letters", store=police.store, sender=police.sender, at=bus.clock())

    assert police.store.tables.outbox == {}


def test_services_have_names(bus: MemoryBus, metrics: Metrics) -> None:
    """For logs."""
    assert sink_service(bus, Folder(), metrics).name == "sink folder"
    assert source_service(bus, Letters(), metrics).name == "source letters"
