"""The relay, and patience with servers that are away."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

import pytest
from paper_province import TAX, named_id
from prometheus_client import CollectorRegistry
from structlog.testing import capture_logs

from streams import background
from streams.background import pause, with_patience
from streams.errors import PermanentError, TransientError
from streams.metrics import Metrics
from streams.names import TopicName
from streams.outbox import Relay
from streams.store import OutboxRow
from streams.testing import MemoryAgencyStore, MemoryPublisher

TOPIC = TopicName("lt.seller.suspected")


def row(name: str) -> OutboxRow:
    """Make a row."""
    return OutboxRow(row_id=named_id(name), topic=TOPIC, key=name.encode(), value=b"x", headers=[])


async def queue(store: MemoryAgencyStore, names: str) -> None:
    """Queue a row for each letter."""
    async with store.transaction() as transaction:
        await transaction.publish([row(name) for name in names])


@pytest.fixture
def store() -> MemoryAgencyStore:
    """Give an empty store."""
    return MemoryAgencyStore(TAX)


@pytest.fixture
def kafka() -> MemoryPublisher:
    """Give a Kafka in memory."""
    return MemoryPublisher()


@pytest.fixture
def relay(store: MemoryAgencyStore, kafka: MemoryPublisher) -> Relay:
    """Give a relay between both."""
    return Relay(outbox=store, publisher=kafka, metrics=Metrics(TAX, CollectorRegistry()), poll_seconds=0.001)


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Wait a thousandth of the usual time."""
    monkeypatch.setattr(background, "_FIRST_PAUSE_SECONDS", 0.0002)
    monkeypatch.setattr(background, "_LONGEST_PAUSE_SECONDS", 0.001)


async def until_empty(relay: Relay) -> None:
    """Wait until nothing is pending."""
    async with asyncio.timeout(5):
        while await relay.outbox.pending(limit=1):  # noqa: ASYNC110 -- stores announce nothing
            await asyncio.sleep(0.001)


async def test_rows_are_published_in_order_and_noted(
    relay: Relay, store: MemoryAgencyStore, kafka: MemoryPublisher
) -> None:
    """Once each; counted by topic when confirmed."""
    await queue(store, "cab")

    assert [await relay.publish_once(), await relay.publish_once()] == [3, 0]

    assert [row("c"), row("a"), row("b")] == kafka.rows
    value = relay.metrics.registry.get_sample_value
    labels = {"agency": TAX, "topic": TOPIC}
    assert value("lienthong_events_published_total", labels) == 3.0


async def test_a_kafka_that_is_away_leaves_the_rows_waiting(
    relay: Relay, store: MemoryAgencyStore, kafka: MemoryPublisher
) -> None:
    """Nothing is noted that was not confirmed; the next try publishes all of it in order."""
    await queue(store, "ab")
    kafka.away = True
    with pytest.raises(TransientError):
        await relay.publish_once()
    assert len(await store.pending(limit=9)) == 2

    kafka.away = False
    await relay.publish_once()

    assert [row("a"), row("b")] == kafka.rows


async def test_a_crash_before_the_note_publishes_the_same_ids_again(
    relay: Relay, store: MemoryAgencyStore, kafka: MemoryPublisher
) -> None:
    """At least once: the repeat has the same ids in the same order, so that whoever receives it knows."""
    await queue(store, "ab")

    async def crash(sequences: Sequence[int]) -> None:
        raise TransientError(f"gone before {sequences} were noted")

    note, store.mark_published = store.mark_published, crash  # type: ignore[method-assign] # the crash
    with pytest.raises(TransientError):
        await relay.publish_once()
    store.mark_published = note  # type: ignore[method-assign] # the restart
    await relay.publish_once()

    assert [row("a"), row("b"), row("a"), row("b")] == kafka.rows
    assert list(await store.pending(limit=9)) == []


async def test_two_relays_of_one_outbox_publish_in_order_and_once(
    store: MemoryAgencyStore, kafka: MemoryPublisher
) -> None:
    """While one waits for Kafka, the other publishes nothing, and afterwards goes on where that one ended."""
    confirmed, asked = asyncio.Event(), asyncio.Event()

    class SlowKafka:
        async def publish(self, rows: Sequence[OutboxRow]) -> None:
            asked.set()
            await confirmed.wait()
            await kafka.publish(rows)

    slow = Relay(outbox=store, publisher=SlowKafka(), metrics=Metrics(TAX, CollectorRegistry()))
    other = Relay(outbox=store, publisher=kafka, metrics=Metrics(TAX, CollectorRegistry()))
    await queue(store, "ab")
    first = asyncio.create_task(slow.publish_once())
    await asked.wait()
    await queue(store, "c")

    assert await other.publish_once() == 0
    confirmed.set()

    assert [await first, await other.publish_once()] == [2, 1]
    assert [row("a"), row("b"), row("c")] == kafka.rows


async def test_a_relay_that_is_woken_does_not_wait_for_its_next_look(
    store: MemoryAgencyStore, kafka: MemoryPublisher
) -> None:
    """Its own process says when rows are there; the look of an idle relay may then be far away."""
    stop, wake = asyncio.Event(), asyncio.Event()
    metrics = Metrics(TAX, CollectorRegistry())
    relay = Relay(outbox=store, publisher=kafka, metrics=metrics, poll_seconds=60, wake=wake)
    running = asyncio.create_task(relay.run(stop))
    await asyncio.sleep(0)
    await queue(store, "a")

    wake.set()

    await until_empty(relay)
    stop.set()
    await asyncio.wait_for(running, 5)
    assert [row("a")] == kafka.rows


@pytest.mark.usefixtures("impatient")
async def test_a_running_relay_waits_servers_out_and_stops_when_told(
    relay: Relay, store: MemoryAgencyStore, kafka: MemoryPublisher
) -> None:
    """It goes on from where it was, counts its pauses, and comes back soon after `stop`."""
    stop = asyncio.Event()
    kafka.away = True
    await queue(store, "ab")
    with capture_logs() as logs:
        running = asyncio.create_task(relay.run(stop))
        async with asyncio.timeout(5):
            while not logs:  # noqa: ASYNC110 -- nor do logs
                await asyncio.sleep(0.001)
        kafka.away = False
        await until_empty(relay)
        await queue(store, "c")
        await until_empty(relay)
        stop.set()
        await asyncio.wait_for(running, 5)

    assert [row("a"), row("b"), row("c")] == kafka.rows
    assert {"waiting"} == {each["event"] for each in logs}
    pauses = relay.metrics.registry.get_sample_value("lienthong_retries_total", {"agency": TAX})
    assert pauses == len(logs)
    assert relay.name == "relay"


@pytest.mark.usefixtures("impatient")
async def test_patience_tries_again_until_it_is_done() -> None:
    """Each pause is counted; done is told from given up."""
    outcomes = [TransientError("1"), TransientError("2"), None]
    pauses: list[int] = []

    async def work() -> None:
        outcome = outcomes.pop(0)
        if outcome is not None:
            raise outcome

    with capture_logs():
        assert await with_patience(work, stop=asyncio.Event(), retried=lambda: pauses.append(1))

    assert pauses == [1, 1]


@pytest.mark.usefixtures("impatient")
async def test_patience_ends_when_told_to_stop() -> None:
    """Work that was not done is said to be not done."""
    stop = asyncio.Event()

    async def work() -> None:
        raise TransientError("away for ever")

    with capture_logs():
        assert not await with_patience(work, stop=stop, retried=stop.set)


async def test_pauses_grow_to_ten_seconds(monkeypatch: pytest.MonkeyPatch) -> None:
    """They double from a fifth of a second, so that a server that comes back is not run over."""
    waited: list[float] = []
    stop = asyncio.Event()

    async def remember(_stop: asyncio.Event, seconds: float) -> None:
        waited.append(seconds)
        if len(waited) == 8:
            stop.set()

    async def work() -> None:
        raise TransientError("away for ever")

    monkeypatch.setattr(background, "pause", remember)
    with capture_logs():
        await with_patience(work, stop=stop, retried=lambda: None)

    assert waited == [0.2, 0.4, 0.8, 1.6, 3.2, 6.4, 10.0, 10.0]


async def test_patience_has_none_with_what_no_waiting_mends() -> None:
    """Permanent errors and faults of ours pass through at once."""
    for error in (PermanentError("no"), ValueError("a fault")):

        async def work(error: Exception = error) -> None:
            raise error

        with pytest.raises(type(error)):
            await with_patience(work, stop=asyncio.Event(), retried=lambda: None)


async def test_a_pause_ends_when_told_to_stop() -> None:
    """A worker that is stopped does not sit out ten seconds."""
    stop = asyncio.Event()
    stop.set()

    async with asyncio.timeout(1):
        await pause(stop, 60)
        await pause(asyncio.Event(), 0.001)
