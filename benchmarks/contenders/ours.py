"""This project's runtime with a stateless handler: the shipped code, no path of its own."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

from prometheus_client import CollectorRegistry

from streams.agent import AgentSpec, Context, Handler, Outcome
from streams.catalogue import Catalogue, EventTypeSpec
from streams.codec import Codec
from streams.event import Draft, Event
from streams.kafka import KafkaAddress
from streams.metrics import Metrics
from streams.names import AgencyCode, EventType, TopicName
from streams.reader import Reader
from streams.republish import RepublishPipeline
from streams.runtime import WorkerSpec, run_worker
from streams.sender import Sender
from streams.testing import MemoryKeyring, MemoryRegistry

address, source, target, group, count = json.loads(sys.argv[1]), *sys.argv[2:6]
SCHEMA = json.loads((Path(__file__).parent / "event.avsc.json").read_text(encoding="utf-8"))
SOURCE, TARGET = EventType(source.removeprefix("lt.")), EventType(target.removeprefix("lt."))


def handle(event: Event, _context: Context) -> Outcome:
    """Enrich."""
    data = dict(event.data)
    data["message_en"] = f"{data['message_en']} Seen by //lienthong/agency/{event.source}."
    return Outcome(events=[Draft(type=TARGET, subject=event.subject, data=data)])


def spec(event_type: EventType) -> EventTypeSpec:
    """Give the benchmark's type."""
    return EventTypeSpec(
        type=event_type, version=1, schema=SCHEMA, kind="alert", title_vi="", answers=None, signed_by_officer=False
    )


catalogue = Catalogue(types={SOURCE: spec(SOURCE), TARGET: spec(TARGET)})
codec = Codec(catalogue=catalogue, ids={TARGET: 2, SOURCE: 1})
agency = AgencyCode("qltt-hanam")
pipeline = RepublishPipeline(
    agency=agency,
    spec=AgentSpec(kind="bench", handlers=(Handler(name="enrich", event_type=SOURCE, handle=handle, plan="IV.3"),)),
    reader=Reader(codec=codec, registry=MemoryRegistry()),
    sender=Sender(agency=agency, codec=codec, keys=MemoryKeyring().login(agency)),
    metrics=Metrics(agency, CollectorRegistry()),
)


async def opened() -> tuple[Any, list[Any]]:
    """Give the pipeline."""
    return pipeline, []


async def closed() -> None:
    """Nothing to close."""


run_worker(
    WorkerSpec(
        group=group,
        address=KafkaAddress(**address),
        topics=[TopicName(source)],
        open=opened,
        close=closed,
        retried=lambda: None,
        assigned=lambda _partitions: None,
    )
)
