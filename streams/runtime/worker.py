"""
A worker: one Faust agent that hands fetched batches to a pipeline; what the pipeline made durable is committed.

The failure policy stands here and nowhere else. A server that is away: wait and try the same batch again, longer each
time. A record that cannot be processed: the pipeline puts it into quarantine before the batch ends. Anything unknown:
the process ends without committing, and its supervisor starts it again. So does a worker that has work and makes no
progress.
"""

from __future__ import annotations

import asyncio
import gc
import os
import tempfile
import threading
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

import faust
import structlog

from streams.background import Background, with_patience
from streams.kafka import KafkaAddress
from streams.kafka_probe import why_kafka_is_away
from streams.names import TopicName
from streams.record import Record
from streams.republish import Emit
from streams.runtime.app import make_app
from streams.runtime.fetch import Fetch
from streams.runtime.ledger import Ledger
from streams.runtime.producer import BatchProducer
from streams.runtime.view import WorkerView
from streams.runtime.watchdog import Watchdog

__all__ = ["DurablePipeline", "EmittingPipeline", "Pipeline", "Stateful", "WorkerSpec", "run_worker"]

_EMERGENCY_SECONDS = 15.0
_EMERGENCY_EXIT = 70
_COLLECT_AFTER = 50_000

_log = structlog.get_logger(__name__)


class EmittingPipeline(Protocol):
    """Stateless work: its effects are the records that it hands to the producer."""

    async def process(self, records: Sequence[Record], emit: Emit, /) -> None:
        """
        Process records, those of each partition in order; they are committed once all that was emitted is confirmed.

        Raises:
            TransientError: a server is away; what was emitted is emitted again by the next call.
        """


class DurablePipeline(Protocol):
    """Stateful work: inbox row, state and outbox in one transaction."""

    async def process(self, records: Sequence[Record], /) -> None:
        """
        Process records, those of each partition in order; when it returns, they may be committed.

        Raises:
            TransientError: a server is away; nothing was done that a second call would repeat.
        """


@dataclass(frozen=True)
class Stateful:
    """
    Work whose effects are durable when the pipeline returns.

    Args:
        pipeline: does it.
        records: at most so many in one call; after each call they may be committed.
    """

    pipeline: DurablePipeline
    records: int = 1


Pipeline = EmittingPipeline | Stateful
"""The two kinds of work."""


@dataclass(frozen=True)
class WorkerSpec:
    """
    What a worker is.

    Args:
        group: Faust app id and Kafka consumer group.
        address: the cluster.
        topics: what it reads; they exist.
        open: makes the pipeline and what runs beside it, on the worker's event loop.
        close: ends what `open` began.
        retried: called at each pause because a server is away.
        assigned: called with the topics and partitions after each rebalance.
        started: given, once, what others may ask the worker.
        commit_failed: called when Kafka did not take a commit.
        failed: called when an error that nobody foresaw ends the process.
        session_timeout_seconds: after which Kafka gives a dead worker's partitions away.
        batch_records: at most so many records from one fetch.
        stuck_seconds: after so long without progress on a batch the process ends.
        scratch: folder for the empty ones that Faust makes at start.
        confirmed: called before a commit, with each partition's end of what is durable; when it raises, the commit is
            tried again later.
    """

    group: str
    address: KafkaAddress
    topics: Sequence[TopicName]
    open: Callable[[], Any]
    close: Callable[[], Any]
    retried: Callable[[], None]
    assigned: Callable[[Sequence[tuple[str, int]]], None]
    started: Callable[[WorkerView], None] = lambda _view: None
    commit_failed: Callable[[], None] = lambda: None
    failed: Callable[[], None] = lambda: None
    session_timeout_seconds: float = 10.0
    batch_records: int = 500
    stuck_seconds: float = 120.0
    scratch: Path = field(default_factory=lambda: Path(tempfile.gettempdir()) / "lienthong-faust")
    confirmed: Callable[[Mapping[tuple[str, int], int]], Awaitable[None]] | None = None


def run_worker(spec: WorkerSpec) -> None:
    """Run a worker until it is told to stop by SIGTERM or SIGINT; it leaves by SystemExit."""
    spec.scratch.mkdir(parents=True, exist_ok=True)
    app = make_app(
        spec.group,
        spec.address,
        session_timeout_seconds=spec.session_timeout_seconds,
        batch_records=spec.batch_records,
        scratch=spec.scratch,
    )
    _Worker(app, spec).attach()
    app.finalize()
    # Through faust.Worker rather than its command line, which would turn the web server on again.
    worker = faust.Worker(app, loglevel="WARN", override_logging=False, redirect_stdouts=False, quiet=True)
    worker.spinner = None  # it writes terminal codes into the log even when it is quiet
    worker.execute_from_commandline()


class _Worker:
    def __init__(self, app: faust.App, spec: WorkerSpec) -> None:
        self._app = app
        self._spec = spec
        self._stop = asyncio.Event()
        self._opened = asyncio.Event()
        self._pipeline: Pipeline | None = None
        self._producer: BatchProducer | None = None
        self._view: WorkerView | None = None
        self._assigned = False
        self._watchdog = Watchdog(
            reading=lambda: self._view.reading() if self._view else None,
            kafka_is_away=lambda: why_kafka_is_away(spec.address),
            stuck_seconds=spec.stuck_seconds,
        )

    def attach(self) -> None:
        app = self._app
        topic = app.topic(*self._spec.topics, key_serializer="raw", value_serializer="raw")
        app.agent(topic, name=f"{self._spec.group}.inbox", concurrency=1)(self._consume)
        app.task(self._run_background)
        on_assigned: Any = self._on_assigned  # faust's signal types do not fit its own calls
        on_shutdown: Any = self._on_shutdown
        app.on_partitions_assigned.connect(on_assigned, weak=False)
        app.on_before_shutdown.connect(on_shutdown, weak=False)

    @property
    def _ledger(self) -> Ledger:
        ledger: Ledger = self._app.consumer.ledger  # type: ignore[attr-defined] # our own consumer class
        return ledger

    async def _consume(self, stream: Any) -> None:
        # noack: Faust acknowledges in a `finally`, also what raised; here the ledger decides what is committed.
        async for event in stream.noack().events():
            fetch: Fetch = event.value
            try:
                done = await self._process(fetch)
            except Exception as error:  # noqa: BLE001 -- the one place where the unknown ends the process
                await self._fail(error, records=[f"{each.partition} {each.start}-{each.end}" for each in fetch.batches])
                return
            if not done:
                return
        if not self._app.should_stop:
            await self._fail(RuntimeError("Faust ended the agent's stream"))

    async def _process(self, fetched: Fetch) -> bool:
        """Process a fetch; False when the worker is told to stop before it could."""
        await self._opened.wait()
        pipeline, producer = self._pipeline, self._producer
        if pipeline is None or producer is None:
            raise RuntimeError("the pipeline is not open")
        await producer.room()
        # Not those that were given back while we waited: whoever has the partition now reads it again.
        fetch = Fetch([each for each in fetched.batches if self._ledger.begin(each)])
        self._app.consumer.begun()  # type: ignore[attr-defined] # our own consumer class
        if not fetch.batches:
            return True
        if isinstance(pipeline, Stateful):
            return await self._process_stateful(pipeline, fetch)
        records, emit = fetch.records, producer.emitter(fetch)
        done = await self._with_patience(lambda: pipeline.process(records, emit))
        if done:
            fetch.settle(self._ledger)
        return done

    async def _process_stateful(self, work: Stateful, fetch: Fetch) -> bool:
        records = fetch.records
        for start in range(0, len(records), work.records):
            if start and self._ledger.closed:
                fetch.abandon(self._ledger)  # partitions are being given back: whoever gets them reads the rest
                return True
            part = records[start : start + work.records]
            if not await self._with_patience(lambda part=part: work.pipeline.process(part)):  # type: ignore[misc] # mypy cannot type a default
                return False
            fetch.advance(self._ledger, part)
        fetch.settle(self._ledger)
        return True

    async def _with_patience(self, work: Callable[[], Awaitable[None]]) -> bool:
        done = await with_patience(work, stop=self._stop, retried=self._retried)
        self._watchdog.progress()
        return done

    def _retried(self) -> None:
        # Waiting for a server that is away is no lack of progress: the watchdog must not end the process for it.
        self._watchdog.progress()
        self._spec.retried()

    async def _run_background(self) -> None:
        try:
            view = self._view = self._look()
            self._producer = BatchProducer(
                self._spec.address, client_id=self._spec.group, ledger=self._ledger, failed=self._refused
            )
            self._pipeline, services = await self._spec.open()
            self._app.consumer.confirmed = self._spec.confirmed  # type: ignore[attr-defined] # our own consumer class
            _collect_seldom()
            self._opened.set()
            view.opened = True
            async with asyncio.TaskGroup() as group:
                group.create_task(self._producer.run(self._stop), name="confirmations")
                group.create_task(self._watchdog.run(self._stop), name="watchdog")
                for service in services:
                    group.create_task(self._serve(service), name=service.name)
        except asyncio.CancelledError:
            raise
        except Exception as error:  # noqa: BLE001 -- as in _consume
            await self._fail(error)

    async def _serve(self, service: Background) -> None:
        await service.run(self._stop)

    def _look(self) -> WorkerView:
        """Let others look at the worker from now on."""
        view = WorkerView(
            self._app,
            unconfirmed=lambda: self._producer.unconfirmed if self._producer else 0,
            stalled_seconds=self._watchdog.stalled_seconds,
        )
        view.assigned = self._assigned
        consumer: Any = self._app.consumer
        consumer.commit_failed = self._spec.commit_failed
        self._spec.started(view)
        return view

    async def _on_assigned(self, _app: faust.App, assigned: Any = (), **_: Any) -> None:
        self._assigned = True
        if self._view is not None:
            self._view.assigned = True
        self._spec.assigned(sorted((each.topic, each.partition) for each in assigned))

    async def _on_shutdown(self, _app: faust.App, **_: Any) -> None:
        self._stop.set()
        await self._spec.close()

    def _refused(self, error: Exception) -> None:
        asyncio.get_running_loop().create_task(self._fail(error))

    async def _fail(self, error: BaseException, **where: object) -> None:
        """End the process without committing anything further; nothing may keep it alive."""
        self._spec.failed()
        _log.error("worker failed", exc_info=error, **where)
        timer = threading.Timer(_EMERGENCY_SECONDS, os._exit, args=(_EMERGENCY_EXIT,))
        timer.daemon = True
        timer.start()
        self._stop.set()
        await self._app.crash(error)


def _collect_seldom() -> None:
    """
    Let the cyclic garbage collector leave alone what stays for ever, and look at the rest seldom.

    A record's headers are tuples, hundreds of thousands a second that belong to no cycle; to look at them takes one
    twelfth of a worker's time.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(_COLLECT_AFTER, 20, 100)
