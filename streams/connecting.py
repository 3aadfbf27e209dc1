"""
Connectors at work beside a worker's stream.

A sink gets the inbox items that were queued for it; a source's drafts go into the outbox before the source puts the
item away. Both wait out servers that are away.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

import structlog

from streams.agency_store import AgencyStore
from streams.background import pause, with_patience
from streams.connector import Sink, Source, SourceItem
from streams.effects import sent
from streams.errors import PermanentError
from streams.inbox import revealer
from streams.metrics import Metrics
from streams.reader import Reader
from streams.record import Record
from streams.sealing import KeyService
from streams.sender import Prepared, Sender

__all__ = ["SinkService", "SourceService", "publish_item"]

_BATCH = 100

_log = structlog.get_logger(__name__)


@dataclass(frozen=True)
class SinkService:
    """
    Hands inbox items to a sink.

    Args:
        sink: takes them.
        store: where they are queued.
        reader: makes events of records.
        keys: opens what was sealed for this agency.
        metrics: pauses are counted.
        poll_seconds: how often an idle sink looks.
    """

    sink: Sink
    store: AgencyStore
    reader: Reader
    keys: KeyService
    metrics: Metrics
    poll_seconds: float = 0.5

    @property
    def name(self) -> str:
        """For logs."""
        return f"sink {self.sink.name}"

    async def run(self, stop: asyncio.Event) -> None:
        """Hand over until told to stop."""
        while not stop.is_set():
            await with_patience(self._drain, stop=stop, retried=self.metrics.retried)
            await pause(stop, self.poll_seconds)

    async def _drain(self) -> None:
        while items := await self.store.handovers(self.sink.name, limit=_BATCH):
            for event_id, record in items:
                error = await self._hand_over(event_id, record)
                await self.store.settle_handover(self.sink.name, [event_id], error=error)

    async def _hand_over(self, event_id: UUID, record: Record) -> str | None:
        try:
            event = await self.reader.read(record)
            await self.sink.write([event], reveal=await revealer(self.keys, event.data))
        except PermanentError as error:
            _log.warning("not handed over", sink=self.sink.name, event_id=str(event_id), reason=error.code)
            return f"{error.code}: {error}"
        return None


@dataclass(frozen=True)
class SourceService:
    """
    Publishes what a source brings.

    Args:
        source: brings items.
        store: holds the outbox.
        sender: makes records of drafts.
        clock: gives the time, aware UTC.
        metrics: pauses are counted.
        poll_seconds: how often an idle source is asked.
    """

    source: Source
    store: AgencyStore
    sender: Sender
    clock: Callable[[], datetime]
    metrics: Metrics
    poll_seconds: float = 0.5

    @property
    def name(self) -> str:
        """For logs."""
        return f"source {self.source.name}"

    async def run(self, stop: asyncio.Event) -> None:
        """Publish until told to stop."""
        while not stop.is_set():
            await with_patience(self._poll, stop=stop, retried=self.metrics.retried)
            await pause(stop, self.poll_seconds)

    async def _poll(self) -> None:
        for item in await self.source.poll():
            await publish_item(item, source=self.source.name, store=self.store, sender=self.sender, at=self.clock())
            await self.source.settle(item)


async def publish_item(
    item: SourceItem, *, source: str, store: AgencyStore, sender: Sender, at: datetime
) -> Sequence[tuple[Prepared, bool]]:
    """
    Queue what an item became, in one transaction.

    Returns:
        Each event and whether it is new; one that was published before is left out.

    Raises:
        InputError: a draft does not fit its schema.
        TransientError: the store or the key service is away; nothing was done.
    """
    prepared = [await sender.prepare(draft, at=at) for draft in item.drafts]
    async with store.transaction() as transaction:
        new = set(await sent(prepared, sender.codec.catalogue).write(transaction))
        await transaction.ingest(source, item.item_id, {each.event.id for each in prepared})
    results = []
    for each in prepared:
        results.append((each, each.event.id in new))
        new.discard(each.event.id)  # the same event twice in one item is new once
    return results
