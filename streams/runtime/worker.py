"""
A worker: one Faust agent that hands records to a pipeline and acknowledges what the pipeline made durable.

The failure policy stands here and nowhere else. A server that is away: wait and try the same record again, longer each
time. A record that cannot be processed: the pipeline puts it into quarantine before it returns. Anything unknown: the
process ends without acknowledging, and its supervisor starts it again.
"""

from __future__ import annotations

import asyncio
import os
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import faust
import structlog

from streams.background import Background, with_patience
from streams.kafka import KafkaAddress
from streams.names import TopicName
from streams.record import Record
from streams.runtime.app import make_app

__all__ = ["Pipeline", "WorkerSpec", "run_worker"]

_EMERGENCY_SECONDS = 15.0
_EMERGENCY_EXIT = 70

_log = structlog.get_logger(__name__)


class Pipeline(Protocol):
    """Makes the effect of records durable."""

    async def process(self, records: Sequence[Record]) -> None:
        """
        Process records of one partition, in order; when it returns, they may be acknowledged.

        Raises:
            TransientError: a server is away; nothing was done that a second call would repeat.
        """


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
        session_timeout_seconds: after which Kafka gives a dead worker's partitions away.
    """

    group: str
    address: KafkaAddress
    topics: Sequence[TopicName]
    open: Callable[[], Any]
    close: Callable[[], Any]
    retried: Callable[[], None]
    assigned: Callable[[Sequence[tuple[str, int]]], None]
    session_timeout_seconds: float = 10.0


def run_worker(spec: WorkerSpec) -> None:
    """Run a worker until it is told to stop by SIGTERM or SIGINT; it leaves by SystemExit."""
    app = make_app(spec.group, spec.address, session_timeout_seconds=spec.session_timeout_seconds)
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
        self._pipeline: Pipeline | None = None
        self._opened = asyncio.Event()

    def attach(self) -> None:
        app = self._app
        topic = app.topic(*self._spec.topics, key_serializer="raw", value_serializer="raw")
        app.agent(topic, name=f"{self._spec.group}.inbox", concurrency=1)(self._consume)
        app.task(self._run_background)
        on_assigned: Any = self._on_assigned  # faust's signal types do not fit its own calls
        on_shutdown: Any = self._on_shutdown
        app.on_partitions_assigned.connect(on_assigned, weak=False)
        app.on_before_shutdown.connect(on_shutdown, weak=False)

    async def _consume(self, stream: Any) -> None:
        # noack: Faust's own acknowledgement stands in a `finally` and would acknowledge an event whose handler raised.
        async for event in stream.noack().events():
            await self._opened.wait()
            record = _record(event.message)
            try:
                done = await with_patience(
                    lambda record=record: self._process(record),  # type: ignore[misc] # mypy cannot type a default
                    stop=self._stop,
                    retried=self._spec.retried,
                )
            except Exception as error:  # noqa: BLE001 -- the one place where the unknown ends the process
                await self._fail(error, topic=record.topic, partition=record.partition, offset=record.offset)
                return
            if not done:
                return
            event.ack()
        if not self._app.should_stop:
            await self._fail(RuntimeError("Faust ended the agent's stream"))

    async def _process(self, record: Record) -> None:
        if self._pipeline is None:
            raise RuntimeError("the pipeline is not open")
        await self._pipeline.process([record])

    async def _run_background(self) -> None:
        try:
            self._pipeline, services = await self._spec.open()
            self._opened.set()
            async with asyncio.TaskGroup() as group:
                for service in services:
                    group.create_task(self._serve(service), name=service.name)
        except asyncio.CancelledError:
            raise
        except Exception as error:  # noqa: BLE001 -- as in _consume
            await self._fail(error)

    async def _serve(self, service: Background) -> None:
        await service.run(self._stop)

    async def _on_assigned(self, _app: faust.App, assigned: Any = (), **_: Any) -> None:
        self._spec.assigned(sorted((each.topic, each.partition) for each in assigned))

    async def _on_shutdown(self, _app: faust.App, **_: Any) -> None:
        self._stop.set()
        await self._spec.close()

    async def _fail(self, error: BaseException, **where: object) -> None:
        """End the process without acknowledging anything further; nothing may keep it alive."""
        _log.error("worker failed", error=repr(error), exc_info=error, **where)
        timer = threading.Timer(_EMERGENCY_SECONDS, os._exit, args=(_EMERGENCY_EXIT,))
        timer.daemon = True
        timer.start()
        self._stop.set()
        await self._app.crash(error)


def _record(message: Any) -> Record:
    return Record(
        topic=TopicName(message.topic),
        partition=message.partition,
        offset=message.offset,
        key=message.key,
        value=message.value,
        headers=list(_pairs(message.headers)),
    )


def _pairs(headers: Any) -> Sequence[tuple[str, bytes]]:
    pairs = headers.items() if isinstance(headers, dict) else headers or ()
    return [(name, bytes(value) if value is not None else b"") for name, value in pairs]
