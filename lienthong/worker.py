"""`lienthong worker AGENCY`: what the process of the bus, or of one agency, is made of."""

from __future__ import annotations

import asyncio
import json
import os
import platform
from collections.abc import Mapping, Sequence
from contextlib import AsyncExitStack
from importlib.metadata import version
from pathlib import Path
from uuid import UUID

from prometheus_client import CollectorRegistry, ProcessCollector

from agents import KINDS
from connectors.postal import Flag, OutgoingFolder, ScanFolder, flag_json
from connectors.postgres import Database, PostgresBusStore, agency_waiting, bus_waiting
from connectors.webhook import WebhookSink
from lienthong.access_check import require_access
from lienthong.agency_session import AgencySession, now, open_agency, open_reader
from lienthong.checkup import note_of
from lienthong.directory import LiveDirectory
from lienthong.gap_watch import GapWatch
from lienthong.health import Health, Servers
from lienthong.health_server import serve
from lienthong.logs import log_to_stderr
from lienthong.settings import AgencySettings, PostalSettings, agency_settings
from lienthong.stack.private_files import make_private_folder, write_private
from streams.admission import AdmissionPipeline
from streams.agent import Work
from streams.background import Background
from streams.calendar import vietnamese_day
from streams.catalogue import load_catalogue
from streams.connecting import SinkService, SourceService
from streams.connector import Sink, Source
from streams.errors import ConfigurationError
from streams.inbox import InboxPipeline
from streams.kafka import LibrdkafkaPublisher
from streams.metrics import Metrics
from streams.names import BUS, AgencyCode, EventType, TopicName, consumer_group, database_schema, inbox_topic
from streams.outbox import Relay
from streams.overdue import OverdueService
from streams.parked import ParkedService
from streams.redaction import Redactor
from streams.republish import RepublishPipeline
from streams.rights import AccessRule, access_rules
from streams.runtime import Pipeline, Stateful, WorkerSpec, run_worker
from streams.stateless import check_stateless, keeping
from streams.states import state_of
from streams.subject import SubjectRef
from streams.topics import topic_plan

__all__ = ["connectors_of", "run", "sinks_by_type"]

_STUCK_SECONDS = 120.0
"""So long a worker may have work and make no progress."""

_RECEIVED_TOGETHER = 500
"""Records that an agency receives in one transaction: beyond it a transaction takes longer and gains little."""

_AUDIT = EventType("audit.recorded")
_LIBRARIES = ("aiokafka", "confluent-kafka", "fastavro", "faust-streaming", "psycopg")


def run(data: Path, code: str) -> None:
    """
    Run the worker of the bus or of an agency until SIGTERM or SIGINT; it leaves by SystemExit.

    Raises:
        InputError: nothing is installed for this agency, or the directory does not know it.
        ConfigurationError: a setting is wrong, or Kafka does not grant what the worker needs.
    """
    agency = AgencyCode(code)
    log_to_stderr(agency=agency)
    settings = agency_settings(data, agency)
    address = settings.kafka.address
    metrics = Metrics(agency, CollectorRegistry(), topics=_topics(data))
    health = Health(address, stuck_seconds=_STUCK_SECONDS)
    worker: _BusWorker | _AgencyWorker
    if agency == BUS:
        worker = _BusWorker(data, settings, metrics, health)
    else:
        worker = _AgencyWorker(data, agency, settings, metrics, health)
    run = make_private_folder(data / "run")
    _show(note_of(data, agency), health, metrics, settings)
    note = run / f"assigned-{agency}.json"
    require_access(address, _needs(data, agency))
    run_worker(
        WorkerSpec(
            group=consumer_group(agency),
            address=address,
            topics=worker.topics,
            open=worker.open,
            close=worker.close,
            retried=metrics.retried,
            confirmed=worker.confirmed,
            assigned=lambda partitions: write_private(note, json.dumps({"pid": os.getpid(), "assigned": partitions})),
            started=health.see,
            commit_failed=metrics.commit_failed,
            failed=metrics.failed,
            stuck_seconds=_STUCK_SECONDS,
            session_timeout_seconds=settings.session_timeout_seconds,
            scratch=data / "run" / "faust",
        )
    )


def _needs(data: Path, member: AgencyCode) -> list[AccessRule]:
    """List what the directory lets a member do on Kafka today, which is what its worker needs."""
    rules = access_rules(load_catalogue(), LiveDirectory(data)(), on=vietnamese_day(now()))
    return [each for each in rules if each.principal == member]


def _topics(data: Path) -> frozenset[str]:
    """Name the topics that may be labels of metrics."""
    return frozenset(each.name for each in topic_plan(load_catalogue(), LiveDirectory(data)()))


def _show(note: Path, health: Health, metrics: Metrics, settings: AgencySettings) -> None:
    """Answer on HTTP from now on, and note where, for `lienthong status`."""
    ProcessCollector(registry=metrics.registry)
    metrics.built(_versions())
    metrics.readings.worker = health.reading
    metrics.readings.waiting = health.waiting
    server = serve(health, metrics.registry, host=settings.metrics_host, port=settings.metrics_port)
    write_private(note, json.dumps({"pid": os.getpid(), "address": server.address}))


def _versions() -> list[tuple[str, str]]:
    """Give the versions of the program, of Python and of the libraries that carry events."""
    found = [(name.replace("-", "_"), version(name)) for name in _LIBRARIES]
    return [("version", version("lienthong")), ("python", platform.python_version()), *found]


class _BusWorker:
    """Admits and shares; its topics are those of all event types but the audit log, which it writes itself."""

    def __init__(self, data: Path, settings: AgencySettings, metrics: Metrics, health: Health) -> None:
        self._health = health
        self._directory = LiveDirectory(data)
        self._settings = settings
        self._metrics = metrics
        self._open = AsyncExitStack()
        self._store: PostgresBusStore | None = None
        specs = load_catalogue().types
        self.topics: Sequence[TopicName] = sorted(spec.topic for name, spec in specs.items() if name != _AUDIT)

    async def open(self) -> tuple[Pipeline, Sequence[Background]]:
        reader = await self._open.enter_async_context(open_reader(self._settings.registry))
        dsn = self._settings.postgres.dsn.get_secret_value()
        database = await self._open.enter_async_context(Database(dsn, schema=database_schema(BUS)))
        self._health.servers = Servers(ping=database.ping, waiting=lambda: bus_waiting(database))
        store = PostgresBusStore(database)
        pipeline = AdmissionPipeline(
            reader=reader,
            redactor=Redactor(reader.codec),
            directory=self._directory,
            store=store,
            metrics=self._metrics,
        )
        publisher = LibrdkafkaPublisher(self._settings.kafka.address, client_id="lt.bus")
        self._store = store
        return pipeline, [
            Relay(outbox=store, publisher=publisher, metrics=self._metrics),
            OverdueService(admission=pipeline, clock=now, wait_seconds=self._settings.cause_wait_seconds),
        ]

    async def confirmed(self, ends: Mapping[tuple[str, int], int]) -> None:
        """Note which copies are delivered, before their records are acknowledged."""
        if self._store is not None:
            await self._store.confirm({(TopicName(topic), at): end for (topic, at), end in ends.items()}, at=now())

    async def close(self) -> None:
        await self._open.aclose()


class _AgencyWorker:
    """Runs the handlers of an agency's kind on its inbox, its outbox's relay and its connectors."""

    def __init__(
        self, data: Path, agency: AgencyCode, settings: AgencySettings, metrics: Metrics, health: Health
    ) -> None:
        self._health = health
        entry = LiveDirectory(data)().agency(agency)
        if entry.kind not in KINDS:
            raise ConfigurationError(f"No handlers are known for {entry.kind}, the kind of {agency}.")
        self._data, self._agency, self._settings, self._metrics = data, agency, settings, metrics
        self._spec = KINDS[entry.kind]
        check_stateless(self._spec, entry)
        self._open = AsyncExitStack()
        self.topics: Sequence[TopicName] = [inbox_topic(agency)]

    async def open(self) -> tuple[Pipeline, Sequence[Background]]:
        session = await self._open.enter_async_context(open_agency(self._data, self._agency))
        database = session.database
        self._health.servers = Servers(ping=database.ping, waiting=lambda: agency_waiting(database))
        sinks, sources = connectors_of(session)
        queued = asyncio.Event()
        publisher = LibrdkafkaPublisher(self._settings.kafka.address, client_id=consumer_group(self._agency))
        relay = Relay(outbox=session.store, publisher=publisher, metrics=self._metrics, wake=queued)
        self._health.handlers = [each.name for each in self._spec.handlers]
        services: list[Background] = [relay, *(self._source_service(session, source) for source in sources)]
        if self._spec.work is Work.STATELESS:
            return self._stateless(session, sinks, queued), services
        pipeline = self._stateful(session, sinks, queued)
        services.append(GapWatch(session.database, self._metrics))
        services.append(ParkedService(pipeline, wait_seconds=self._settings.cause_wait_seconds))
        services += [self._sink_service(session, sink) for sink in sinks]
        return Stateful(pipeline, records=_RECEIVED_TOGETHER), services

    def _stateful(self, session: AgencySession, sinks: Sequence[Sink], queued: asyncio.Event) -> InboxPipeline:
        return InboxPipeline(
            agency=self._agency,
            spec=self._spec,
            sinks=sinks_by_type(sinks),
            reader=session.reader,
            sender=session.sender,
            keys=session.keys,
            store=session.store,
            clock=now,
            metrics=self._metrics,
            queued=queued.set,
        )

    def _stateless(self, session: AgencySession, sinks: Sequence[Sink], queued: asyncio.Event) -> RepublishPipeline:
        if sinks:
            named = ", ".join(each.name for each in sinks)
            raise ConfigurationError(f"{self._agency} keeps no inbox, from which {named} could be fed.")
        return RepublishPipeline(
            agency=self._agency,
            spec=self._spec,
            reader=session.reader,
            sender=session.sender,
            metrics=self._metrics,
            keep=keeping(session.store, queued=queued.set),
        )

    async def confirmed(self, ends: Mapping[tuple[str, int], int]) -> None:
        """Nothing to note: what an agency received stands in its inbox."""

    def _sink_service(self, session: AgencySession, sink: Sink) -> SinkService:
        return SinkService(
            sink=sink, store=session.store, reader=session.reader, keys=session.keys, metrics=self._metrics
        )

    def _source_service(self, session: AgencySession, source: Source) -> SourceService:
        return SourceService(
            source=source, store=session.store, sender=session.sender, clock=now, metrics=self._metrics
        )

    async def close(self) -> None:
        await self._open.aclose()


def sinks_by_type(sinks: Sequence[Sink]) -> dict[EventType, list[str]]:
    """Name the sinks that take each event type."""
    names: dict[EventType, list[str]] = {}
    for sink in sinks:
        for event_type in sink.event_types:
            names.setdefault(event_type, []).append(sink.name)
    return names


def connectors_of(session: AgencySession) -> tuple[list[Sink], list[Source]]:
    """Open the connectors that an agency's settings name."""
    postal = session.settings.postal
    return ([], []) if postal is None else _postal(session, postal)


def _postal(session: AgencySession, postal: PostalSettings) -> tuple[list[Sink], list[Source]]:
    for folder in (postal.outgoing, postal.scans):
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    sinks: list[Sink] = [OutgoingFolder(postal.outgoing)]
    if postal.webhook_url is not None:
        secret = postal.webhook_secret.get_secret_value().encode() if postal.webhook_secret else b""
        sinks.append(
            WebhookSink(
                postal.webhook_url,
                name="postal-webhook",
                event_types=frozenset({EventType("shipment.flagged")}),
                render=flag_json,
                allowed_host=postal.webhook_host or "",
                secret=secret,
            )
        )
    handler = next(each for each in KINDS["postal_operator"].handlers if each.event_type == "shipment.flagged")

    async def flags(parcel: SubjectRef) -> Flag | None:
        async with session.store.transaction() as transaction:
            states = await transaction.states([(handler.name, parcel.key)])
        known = state_of(states.get((handler.name, parcel.key)))
        if not known:
            return None
        return Flag(event_id=UUID(known["flag"]), correlation=UUID(known["correlation"]), depth=known.get("depth", 0))

    return sinks, [ScanFolder(postal.scans, flags=flags, operator=session.agency)]
