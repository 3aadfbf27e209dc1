"""What the tests of admission do: send as an agency does, and look at what the bus made of it."""

from __future__ import annotations

from typing import Any

from paper_province import (
    POLICE,
    SURVEILLANCE,
    as_record,
    block,
    officer_key,
    suspicion,
)

from streams.event import Event
from streams.names import BUS, TopicName, inbox_topic
from streams.sender import Prepared
from streams.store import OutboxRow
from streams.testing import MemoryBus

INVESTIGATOR = "police-hanam/investigator"


async def prepared(bus: MemoryBus, **changes: Any) -> Prepared:
    """Make a suspicion as market surveillance sends it."""
    return await bus.agencies[SURVEILLANCE].sender.prepare(suspicion(**changes), at=bus.clock())


async def ordered(bus: MemoryBus, *, officer: str = INVESTIGATOR, **changes: Any) -> Prepared:
    """Make a payment block as the police send it, signed."""
    sender = bus.agencies[POLICE].sender
    return await sender.prepare(block(**changes), at=bus.clock(), officer=officer_key(officer))


def queued(bus: MemoryBus, topic: TopicName) -> list[OutboxRow]:
    """Give what the bus published on a topic."""
    return [row for row in bus.kafka.rows if row.topic == topic]


async def copy_for(bus: MemoryBus, agency: Any) -> tuple[Event, dict[str, Any]]:
    """Give the only copy in an agency's inbox: its envelope and its fields."""
    [row] = queued(bus, inbox_topic(agency))
    event = await bus.reader.read(as_record(row))
    return event, dict(event.data)


def only_reason(bus: MemoryBus) -> str:
    """Give the code under which the only record is quarantined; nothing else may have been done."""
    [item] = bus.store.tables.quarantined.values()
    assert bus.store.tables.events == {}
    assert bus.store.tables.deliveries == {}
    assert bus.store.tables.granted == []
    [entry] = bus.store.tables.audit
    assert ("quarantined", item.reason, BUS) == (entry.action, entry.reason_code, entry.agency)
    return item.reason


def row_type(row: OutboxRow) -> Any:
    """Give the event type that a row's envelope names."""
    return dict(row.headers)["ce_type"].decode()
