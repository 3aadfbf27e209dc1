"""
A whole bus in one process: admission, agencies and relays on stores in memory.

For tests of handlers, connectors and policies that want to see an event travel, with no server.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from prometheus_client import CollectorRegistry

from streams.admission import AdmissionPipeline
from streams.agent import AgentSpec, Work
from streams.catalogue import Catalogue
from streams.codec import Codec
from streams.directory import Directory
from streams.event import Draft, Event
from streams.inbox import InboxPipeline
from streams.metrics import Metrics
from streams.names import BUS, AgencyCode, TopicName, inbox_topic
from streams.outbox import Relay
from streams.reader import Reader
from streams.record import Record
from streams.redaction import Redactor
from streams.registry import register_all
from streams.republish import RepublishPipeline
from streams.sender import Prepared, Sender
from streams.signing import OfficerKey
from streams.stateless import keeping
from streams.store import OutboxRow
from streams.testing.agency_store import MemoryAgencyStore
from streams.testing.bus_store import MemoryBusStore
from streams.testing.keyring import MemoryKeyring
from streams.testing.publisher import MemoryPublisher
from streams.testing.registry import MemoryRegistry

__all__ = ["MemoryAgency", "MemoryBus"]


@dataclass(frozen=True)
class MemoryAgency:
    """
    One agency of the bus.

    Args:
        store: its own store.
        sender: makes records of its drafts.
        pipeline: runs its handlers.
        relay: publishes its outbox.
        republish: runs its handlers instead, where its kind is stateless.
    """

    store: MemoryAgencyStore
    sender: Sender
    pipeline: InboxPipeline
    relay: Relay
    republish: RepublishPipeline | None = None


class MemoryBus:
    """
    The bus and all agencies of a directory.

    Args:
        catalogue: the event types; registered at once.
        directory: read again at every event, so that a test may replace `directory`.
        kinds: handlers by agency kind; an agency of another kind has none.
        clock: gives the time, aware UTC.
    """

    def __init__(
        self,
        catalogue: Catalogue,
        directory: Directory,
        *,
        kinds: Mapping[str, AgentSpec],
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self.directory = directory
        self.clock = clock
        self.registry = MemoryRegistry()
        self.keyring = MemoryKeyring()
        self.kafka = MemoryPublisher(clock)
        ids = {each.type: each.schema_id for each in register_all(self.registry, catalogue)}
        self.codec = Codec(catalogue=catalogue, ids=ids)
        self.reader = Reader(codec=self.codec, registry=self.registry)
        self.store = MemoryBusStore(self.keyring)
        self.metrics = Metrics(BUS, CollectorRegistry())
        self.admission = AdmissionPipeline(
            reader=self.reader,
            redactor=Redactor(self.codec),
            directory=lambda: self.directory,
            store=self.store,
            metrics=self.metrics,
        )
        self._relay = Relay(outbox=self.store, publisher=self.kafka, metrics=self.metrics)
        self.agencies = {code: self._agency(code, kinds) for code in directory.agencies}
        self._read: dict[TopicName, int] = {}

    def _agency(self, code: AgencyCode, kinds: Mapping[str, AgentSpec]) -> MemoryAgency:
        kind = self.directory.agencies[code].kind
        keys, store = self.keyring.login(code), MemoryAgencyStore(code)
        sender = Sender(agency=code, codec=self.codec, keys=keys)
        metrics = Metrics(code, CollectorRegistry())
        spec = kinds.get(kind, AgentSpec(kind=kind, handlers=()))
        pipeline = InboxPipeline(
            agency=code,
            spec=spec,
            sinks={},
            reader=self.reader,
            sender=sender,
            keys=keys,
            store=store,
            clock=self.clock,
            metrics=metrics,
        )
        relay = Relay(outbox=store, publisher=self.kafka, metrics=metrics)
        republish = None
        if spec.work is Work.STATELESS:
            republish = RepublishPipeline(
                agency=code, spec=spec, reader=self.reader, sender=sender, metrics=metrics, keep=keeping(store)
            )
        return MemoryAgency(store=store, sender=sender, pipeline=pipeline, relay=relay, republish=republish)

    async def publish(
        self, agency: AgencyCode, draft: Draft, *, cause: Event | None = None, officer: OfficerKey | None = None
    ) -> Prepared:
        """
        Queue a draft in an agency's outbox, as its connectors and officers do; `settle` lets it travel.

        Raises:
            InputError: the draft has no id.
            UndecodableError: its fields do not fit its schema.
        """
        member = self.agencies[agency]
        prepared = await member.sender.prepare(draft, at=self.clock(), cause=cause, officer=officer)
        async with member.store.transaction() as transaction:
            await transaction.publish([prepared.row])
        return prepared

    async def settle(self) -> None:
        """Let everything travel until nothing moves any more."""
        while await self._step():
            pass

    async def _step(self) -> int:
        moved = sum([await each.relay.publish_once() for each in self.agencies.values()])
        for spec in self.codec.catalogue.types.values():
            if spec.kind != "audit":
                records = self._unread(spec.topic)
                await self.admit(records)
                moved += len(records)
        moved += await self._relay.publish_once()
        for code, each in self.agencies.items():
            records = self._unread(inbox_topic(code))
            await self._receive(each, records)
            moved += len(records)
        return moved

    async def _receive(self, agency: MemoryAgency, records: Sequence[Record]) -> None:
        if agency.republish is None:
            await agency.pipeline.process(records)
            return
        rows: list[OutboxRow] = []
        await agency.republish.process(records, rows.append)
        await self.kafka.publish(rows)

    async def admit(self, records: Sequence[Record]) -> None:
        """
        Admit records of one partition and publish what follows from it, as the bus's worker does.

        Raises:
            TransientError: the store, the registry or Kafka is away, as a test wants it.
        """
        rows: list[OutboxRow] = []
        await self.admission.process(records, rows.append)
        await self.kafka.publish(rows)
        if records:
            last = records[-1]
            await self.store.confirm({(last.topic, last.partition): last.offset + 1}, at=self.clock())

    def _unread(self, topic: TopicName) -> list[Record]:
        records = self.kafka.records(topic, offset=self._read.get(topic, 0))
        self._read[topic] = self._read.get(topic, 0) + len(records)
        return records
