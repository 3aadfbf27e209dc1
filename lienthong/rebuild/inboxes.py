"""
An agency's inbox, its handlers' state and what it may open, from its inbox topic and its own events.

The same handlers run; what they publish stays in a schema that no relay reads, and no connector is handed anything.
What its officers answered and its sources brought is read from the events in which they said so.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from prometheus_client import CollectorRegistry

from agents import KINDS
from connectors.postgres import Database, PostgresAgencyStore, Projection
from lienthong.agency_session import now, open_agency
from lienthong.directory import LiveDirectory
from lienthong.rebuild.refusals import RefusingReader
from lienthong.rebuild.replay import Member, Replay, together
from lienthong.worker import connectors_of, sinks_by_type
from streams.effects import said
from streams.errors import PermanentError
from streams.inbox import InboxPipeline
from streams.metrics import Metrics
from streams.names import AgencyCode, inbox_topic
from streams.reader import Reader
from streams.record import Record

__all__ = ["inbox_of"]

_PROJECTIONS = (
    Projection("inbox", ("event_id",)),
    Projection("state", ("handler", "state_key")),
    Projection("handover", ("sink", "event_id"), left_out=("error",)),
    Projection("document", ("sha256", "event_id")),
    Projection("quarantine", ("id",)),
)

_TOGETHER = 500


def inbox_of(agency: AgencyCode) -> Member:
    """Say how an agency's tables follow from the log."""

    async def replay(replay: Replay, database: Database) -> int:
        return await _replay(agency, replay, database)

    return Member(topics=[inbox_topic(agency)], projections=_PROJECTIONS, replay=replay)


async def _replay(agency: AgencyCode, replay: Replay, database: Database) -> int:
    count = 0
    spec = KINDS[LiveDirectory(replay.data)().agency(agency).kind]
    async with open_agency(replay.data, agency) as session:
        store = PostgresAgencyStore(database, agency)
        sinks, _ = connectors_of(session)
        pipeline = InboxPipeline(
            agency=agency,
            spec=spec,
            sinks=sinks_by_type(sinks),
            reader=RefusingReader(codec=session.reader.codec, registry=session.reader.registry, refused=replay.refused),
            sender=session.sender,
            keys=session.keys,
            store=store,
            clock=now,
            metrics=Metrics(agency, CollectorRegistry()),
        )
        async for part in together(replay.records, at_most=_TOGETHER):
            for each in _by_partition(part).values():
                await pipeline.process(each)
            count += len(part)
        async for record in replay.said():
            count += 1
            await _say_again(store, session.reader, record, agency=agency, until=replay.until)
    return count


def _by_partition(records: list[Record]) -> Mapping[int, list[Record]]:
    partitions: dict[int, list[Record]] = {}
    for each in records:
        partitions.setdefault(each.partition, []).append(each)
    return partitions


async def _say_again(
    store: PostgresAgencyStore, reader: Reader, record: Record, *, agency: AgencyCode, until: datetime
) -> None:
    """Note what one of the agency's own events says about its tables: documents it names, an item it answers."""
    try:
        event = await reader.read(record)
    except PermanentError:
        return
    if event.source != agency or event.time > until:
        return
    async with store.transaction() as transaction:
        await said(event, reader.codec.catalogue).write(transaction)
