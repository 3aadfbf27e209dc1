"""
An agency's inbox, its handlers' state and what it may open, from its inbox topic and its own events.

The same handlers run; what they publish stays in a schema that no relay reads, and no connector is handed anything.
A stateless agency has no inbox: of what it read only its quarantine follows.
What its officers answered and its sources brought is read from the events in which they said so.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import datetime

from prometheus_client import CollectorRegistry

from agents import KINDS
from connectors.postgres import Database, PostgresAgencyStore, Projection
from lienthong.agency_session import AgencySession, now, open_agency
from lienthong.directory import LiveDirectory
from lienthong.rebuild.refusals import RefusingReader
from lienthong.rebuild.replay import Member, Replay, together
from lienthong.worker import connectors_of, sinks_by_type
from streams.agent import AgentSpec, Work
from streams.effects import said
from streams.errors import PermanentError
from streams.inbox import InboxPipeline
from streams.metrics import Metrics
from streams.names import AgencyCode, inbox_topic
from streams.reader import Reader
from streams.record import Record
from streams.republish import RepublishPipeline
from streams.stateless import keeping

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
        receive = _receiving(agency, spec, session, store, replay)
        async for part in together(replay.records, at_most=_TOGETHER):
            for each in _by_partition(part).values():
                await receive(each)
            count += len(part)
        async for record in replay.said():
            count += 1
            await _say_again(store, session.reader, record, agency=agency, until=replay.until)
    return count


def _receiving(
    agency: AgencyCode, spec: AgentSpec, session: AgencySession, store: PostgresAgencyStore, replay: Replay
) -> Callable[[Sequence[Record]], Awaitable[None]]:
    """Give what the agency's worker does with records of one partition, without what would leave the machine."""
    reader = RefusingReader(codec=session.reader.codec, registry=session.reader.registry, refused=replay.refused)
    metrics = Metrics(agency, CollectorRegistry())
    if spec.work is Work.STATELESS:
        republish = RepublishPipeline(
            agency=agency, spec=spec, reader=reader, sender=session.sender, metrics=metrics, keep=keeping(store)
        )
        return lambda records: republish.process(records, lambda _row: None)
    sinks, _ = connectors_of(session)
    return InboxPipeline(
        agency=agency,
        spec=spec,
        sinks=sinks_by_type(sinks),
        reader=reader,
        sender=session.sender,
        keys=session.keys,
        store=store,
        clock=now,
        metrics=metrics,
    ).process


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
