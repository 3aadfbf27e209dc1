"""The bus's ledger from the event topics, through the same admission; nothing is published and no key granted."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import asynccontextmanager
from typing import Any, cast

from prometheus_client import CollectorRegistry

from connectors.postgres import Database, PostgresBusStore, Projection
from lienthong.agency_session import open_reader
from lienthong.directory import LiveDirectory
from lienthong.rebuild.refusals import RefusingReader
from lienthong.rebuild.replay import Member, Replay, together
from streams.admission import AdmissionPipeline
from streams.bus_store import BusTransaction, KeyGrant
from streams.catalogue import load_catalogue
from streams.metrics import Metrics
from streams.names import AUDIT_TOPIC, BUS, TopicName
from streams.record import Record
from streams.redaction import Redactor
from streams.store import OutboxRow

__all__ = ["bus_ledger", "event_topics"]

_PROJECTIONS = (
    # An event that waited for its cause is released by whichever event was read before it; numbers follow the order in
    # which partitions were read, and their last ones do not.
    Projection("event", ("event_id",), left_out=("released_by",)),
    Projection("delivery", ("event_id", "agency"), left_out=("sequence",)),
    Projection("numbering", ("agency", "subject")),
    Projection("audit", ("action", "event_id"), where="action in ('admitted', 'quarantined')"),
    Projection("quarantine", ("id",)),
)
"""What follows from the event topics, the directory and what was refused."""

_TOGETHER = 2000


async def _replay(replay: Replay, database: Database) -> int:
    """Admit records into the schema of a database, as the bus does."""
    count = 0
    async with open_reader(replay.settings.registry) as reader:
        pipeline = AdmissionPipeline(
            reader=RefusingReader(codec=reader.codec, registry=reader.registry, refused=replay.refused),
            redactor=Redactor(reader.codec),
            directory=LiveDirectory(replay.data),
            store=_WithoutGrants(database),
            metrics=Metrics(BUS, CollectorRegistry()),
        )
        async for part in together(replay.records, at_most=_TOGETHER):
            for each in _by_partition(part):
                await pipeline.process(each, _nowhere)
            count += len(part)
    return count


def _nowhere(row: OutboxRow) -> None:
    """Publish nothing: what follows from the records was published long ago."""
    del row


def _by_partition(records: Iterable[Record]) -> Iterable[list[Record]]:
    """Put the records of each partition together, in order; an event before its cause waits, as it does on the bus."""
    partitions: dict[tuple[TopicName, int], list[Record]] = {}
    for each in records:
        partitions.setdefault((each.topic, each.partition), []).append(each)
    return partitions.values()


class _WithoutGrants(PostgresBusStore):
    """The ledger, whose transactions grant no keys: those are no projection."""

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[Any]:
        async with super().transaction() as transaction:
            yield _Ungranting(transaction)


class _Ungranting:
    def __init__(self, transaction: object) -> None:
        self._transaction = cast("BusTransaction", transaction)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._transaction, name)

    async def grant_keys(self, grants: Sequence[KeyGrant]) -> None:
        """Grant nothing."""
        del grants


def bus_ledger() -> Member:
    """Say how the bus's ledger follows from the log."""
    return Member(topics=event_topics(), projections=_PROJECTIONS, replay=_replay)


def event_topics() -> list[TopicName]:
    """Name the topics that the bus reads."""
    return sorted(spec.topic for spec in load_catalogue().types.values() if spec.topic != AUDIT_TOPIC)
