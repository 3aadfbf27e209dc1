"""What travelled where and how long it took, read back from the inbox topics and from PostgreSQL."""

from __future__ import annotations

import asyncio
import shutil
import sys
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from kafka import KafkaConsumer, TopicPartition

from connectors.postgres import received_counts, travel_seconds
from lienthong.demo.stage import Stage
from lienthong.output import json_line, say, table
from lienthong.settings import agency_settings
from streams.errors import PermanentError
from streams.headers import parse_event
from streams.kafka import KafkaAddress
from streams.names import AgencyCode, EventType, inbox_topic

__all__ = ["report"]

_COLUMNS = ("event type", "from", "to", "events", "removed fields", "median s", "longest s")


@dataclass(frozen=True, slots=True)
class _Copies:
    """What lies on one inbox topic: distinct events by type and sender, and the fields removed from them."""

    counts: Counter[tuple[EventType, AgencyCode]]
    removed: dict[tuple[EventType, AgencyCode], set[str]]


async def report(stage: Stage, *, seconds: float, json_lines: bool) -> None:
    """
    Print the table and how to go on.

    Raises:
        PermanentError: an inbox topic and the agency's PostgreSQL schema do not agree.
    """
    rows: list[dict[str, Any]] = []
    for agency in stage.agencies:
        address = agency_settings(stage.data, agency).kafka.address  # each may read its own topic, and nobody another's
        copies = await asyncio.to_thread(_read_topic, address, agency)
        took = await _took(stage, agency, copies)
        for key, count in copies.counts.items():
            rows.append(
                {
                    "event type": key[0],
                    "from": key[1],
                    "to": agency,
                    "events": count,
                    "removed fields": ", ".join(sorted(copies.removed[key])),
                    "median s": f"{took[key][0]:.2f}" if took else "",
                    "longest s": f"{took[key][1]:.2f}" if took else "",
                }
            )
    rows.sort(key=lambda row: (row["event type"], row["from"], row["to"]))
    if json_lines:
        for row in rows:
            json_line(row)
    else:
        table(
            "What travelled where (inbox topics and PostgreSQL agree)", _COLUMNS, [list(row.values()) for row in rows]
        )
        for agency in sorted({*stage.agencies} - {*stage.with_inbox}):
            say(f" {agency} keeps no inbox: its rows are counted on its topic, and all of them were read.")
    await _how_to_go_on(stage, sum(row["events"] for row in rows), seconds)


async def _took(
    stage: Stage, agency: AgencyCode, copies: _Copies
) -> dict[tuple[EventType, AgencyCode], tuple[float, float]]:
    """Compare a topic with the agency's inbox, and say how long events took; nothing where it keeps no inbox."""
    if agency not in stage.with_inbox:
        return {}
    database = stage.databases[agency]
    if copies.counts != Counter(await received_counts(database)):
        raise PermanentError(f"The inbox topic of {agency} and its PostgreSQL schema do not agree.")
    return await travel_seconds(database)


def _read_topic(address: KafkaAddress, agency: AgencyCode) -> _Copies:
    """Read an inbox topic from its beginning to its end; an event that lies there twice counts once."""
    copies = _Copies(counts=Counter(), removed={})
    consumer = KafkaConsumer(**address.kafka_python(), enable_auto_commit=False, group_id=None)
    try:
        topic = inbox_topic(agency)
        partitions = [TopicPartition(topic, each) for each in sorted(consumer.partitions_for_topic(topic))]
        consumer.assign(partitions)
        consumer.seek_to_beginning(*partitions)
        ends = consumer.end_offsets(partitions)
        seen = set()
        while any(consumer.position(each) < ends[each] for each in partitions):
            for records in consumer.poll(timeout_ms=1000).values():
                for record in records:
                    event = parse_event(record.headers, {})
                    key = (event.type, event.source)
                    copies.counts[key] += event.id not in seen
                    copies.removed.setdefault(key, set()).update(event.removed)
                    seen.add(event.id)
    finally:
        consumer.close()
    return copies


async def _how_to_go_on(stage: Stage, copies: int, seconds: float) -> None:
    suspicion = (await stage.events("seller.suspected"))[0]["event_id"]
    option, program = f"--data {stage.data}", _program()
    say(
        f"\n{copies} deliveries, driven in {seconds:.1f} s. Everything goes on running. Look, answer, feed, stop:\n"
        f"  {program} trace {suspicion} {option}\n"
        f"  {program} inbox list --as sbv-hanam/payment-desk {option}\n"
        f"  {program} open {option}\n"
        f"  {program} status {option}\n"
        f"  {program} ingest einvoice PATH... {option}\n"
        f"  {program} down {option}"
    )


def _program() -> str:
    """Say how this program is called from here, where `make` put it into a folder that is on nobody's path."""
    if shutil.which("lienthong"):
        return "lienthong"
    script, here = Path(sys.executable).with_name("lienthong"), Path.cwd()
    return str(script.relative_to(here)) if script.is_relative_to(here) else str(script)
