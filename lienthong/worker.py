"""`lienthong worker AGENCY`: what the process of the bus, or of one agency, is made of."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping, Sequence
from contextlib import AsyncExitStack
from pathlib import Path
from uuid import UUID

from prometheus_client import CollectorRegistry, start_http_server

from agents import KINDS
from connectors.postal import Flag, OutgoingFolder, ScanFolder, flag_json
from connectors.postgres import Database, PostgresBusStore
from connectors.webhook import WebhookSink
from lienthong.agency_session import AgencySession, now, open_agency, open_reader
from lienthong.directory import LiveDirectory
from lienthong.logs import log_to_stderr
from lienthong.settings import AgencySettings, PostalSettings, agency_settings
from lienthong.stack.private_files import make_private_folder, write_private
from streams.admission import AdmissionPipeline
from streams.background import Background
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
from streams.redaction import Redactor
from streams.runtime import Pipeline, Stateful, WorkerSpec, run_worker
from streams.subject import SubjectRef

__all__ = ["run"]

_AUDIT = EventType("audit.recorded")


def run(data: Path, code: str) -> None:
    """
    Run the worker of the bus or of an agency until SIGTERM or SIGINT; it leaves by SystemExit.

    Raises:
        InputError: nothing is installed for this agency, or the directory does not know it.
        ConfigurationError: a setting is wrong.
    """
    agency = AgencyCode(code)
    log_to_stderr(agency=agency)
    settings = agency_settings(data, agency)
    metrics = Metrics(agency, CollectorRegistry())
    if settings.metrics_port:
        start_http_server(settings.metrics_port, addr="127.0.0.1", registry=metrics.registry)
    worker = _BusWorker(data, settings, metrics) if agency == BUS else _AgencyWorker(data, agency, settings, metrics)
    note = make_private_folder(data / "run") / f"assigned-{agency}.json"
    run_worker(
        WorkerSpec(
            group=consumer_group(agency),
            address=settings.kafka.address,
            topics=worker.topics,
            open=worker.open,
            close=worker.close,
            retried=metrics.retried,
            confirmed=worker.confirmed,
            assigned=lambda partitions: write_private(note, json.dumps({"pid": os.getpid(), "assigned": partitions})),
            session_timeout_seconds=settings.session_timeout_seconds,
            scratch=data / "run" / "faust",
        )
    )


class _BusWorker:
    """Admits and shares; its topics are those of all event types but the audit log, which it writes itself."""

    def __init__(self, data: Path, settings: AgencySettings, metrics: Metrics) -> None:
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

    def __init__(self, data: Path, agency: AgencyCode, settings: AgencySettings, metrics: Metrics) -> None:
        entry = LiveDirectory(data)().agency(agency)
        if entry.kind not in KINDS:
            raise ConfigurationError(f"No handlers are known for {entry.kind}, the kind of {agency}.")
        self._data, self._agency, self._settings, self._metrics = data, agency, settings, metrics
        self._spec = KINDS[entry.kind]
        self._open = AsyncExitStack()
        self.topics: Sequence[TopicName] = [inbox_topic(agency)]

    async def open(self) -> tuple[Pipeline, Sequence[Background]]:
        session = await self._open.enter_async_context(open_agency(self._data, self._agency))
        sinks, sources = _connectors(session)
        pipeline = InboxPipeline(
            agency=self._agency,
            spec=self._spec,
            sinks=_by_type(sinks),
            reader=session.reader,
            sender=session.sender,
            keys=session.keys,
            store=session.store,
            clock=now,
            metrics=self._metrics,
        )
        publisher = LibrdkafkaPublisher(self._settings.kafka.address, client_id=consumer_group(self._agency))
        services: list[Background] = [Relay(outbox=session.store, publisher=publisher, metrics=self._metrics)]
        services += [self._sink_service(session, sink) for sink in sinks]
        services += [self._source_service(session, source) for source in sources]
        return Stateful(pipeline), services

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


def _by_type(sinks: Sequence[Sink]) -> dict[EventType, list[str]]:
    names: dict[EventType, list[str]] = {}
    for sink in sinks:
        for event_type in sink.event_types:
            names.setdefault(event_type, []).append(sink.name)
    return names


def _connectors(session: AgencySession) -> tuple[list[Sink], list[Source]]:
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
            known = await transaction.state(handler.name, parcel.key)
        if not known:
            return None
        return Flag(event_id=UUID(known["flag"]), correlation=UUID(known["correlation"]), depth=known.get("depth", 0))

    return sinks, [ScanFolder(postal.scans, flags=flags, operator=session.agency)]
