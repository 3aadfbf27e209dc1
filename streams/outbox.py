"""
The relay: what a transaction queued reaches Kafka, in order, and is noted only when Kafka confirmed it.

Two workers of one agency have a relay each; they take turns, so that rows go out once and in order. A crash between
confirmation and note publishes a row again; its id is the same, so that whoever receives it knows.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Protocol

from streams.background import with_patience
from streams.metrics import Metrics
from streams.store import Outbox, OutboxRow

__all__ = ["Publisher", "Relay"]

_BATCH = 500


class Publisher(Protocol):
    """Writes records to Kafka. Used by one task only."""

    async def publish(self, rows: Sequence[OutboxRow]) -> None:
        """
        Write records in order; when it returns, all in-sync replicas have every one of them.

        Raises:
            TransientError: not all were confirmed; some may have been written.
        """


@dataclass(frozen=True)
class Relay:
    """
    Publishes an outbox.

    Args:
        outbox: where rows wait.
        publisher: writes them.
        metrics: counted when confirmed.
        poll_seconds: how often an idle relay looks: other processes queue rows, too.
        wake: set when this process queued rows, so that they need not wait for the next look.
    """

    outbox: Outbox
    publisher: Publisher
    metrics: Metrics
    poll_seconds: float = 0.1
    wake: asyncio.Event = field(default_factory=asyncio.Event)

    @property
    def name(self) -> str:
        """For logs."""
        return "relay"

    async def run(self, stop: asyncio.Event) -> None:
        """Publish until told to stop."""
        while not stop.is_set():
            idle = asyncio.Event()
            self.wake.clear()  # before the look: what is queued during it wakes the next one

            async def step(idle: asyncio.Event = idle) -> None:
                if await self.publish_once() == 0:
                    idle.set()

            await with_patience(step, stop=stop, retried=self.metrics.retried)
            if idle.is_set():
                await self._rest(stop)

    async def _rest(self, stop: asyncio.Event) -> None:
        waits = [asyncio.create_task(each.wait()) for each in (stop, self.wake)]
        try:
            await asyncio.wait(waits, timeout=self.poll_seconds, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for each in waits:
                each.cancel()

    async def publish_once(self) -> int:
        """
        Publish the oldest rows.

        Returns:
            How many; none when another relay has the outbox.

        Raises:
            TransientError: Kafka or the store is away; rows that were published are published again.
        """
        if not await self.outbox.pending(limit=1):
            return 0  # most looks end here, without a lock
        async with self.outbox.turn() as ours:
            return await self._publish_next() if ours else 0

    async def _publish_next(self) -> int:
        entries = await self.outbox.pending(limit=_BATCH)
        if entries:
            with self.metrics.stage("confirm"):
                await self.publisher.publish([entry.row for entry in entries])
            await self.outbox.mark_published([entry.sequence for entry in entries])
            for topic, count in Counter(entry.row.topic for entry in entries).items():
                self.metrics.published(topic, count)
        return len(entries)
