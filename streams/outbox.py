"""
The relay: what a transaction queued reaches Kafka, in order, and is noted only when Kafka confirmed it.

A crash between confirmation and note publishes a row again; its id is the same, so that whoever receives it knows.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from streams.background import pause, with_patience
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
        poll_seconds: how often an idle relay looks.
    """

    outbox: Outbox
    publisher: Publisher
    metrics: Metrics
    poll_seconds: float = 0.1

    @property
    def name(self) -> str:
        """For logs."""
        return "relay"

    async def run(self, stop: asyncio.Event) -> None:
        """Publish until told to stop."""
        while not stop.is_set():
            idle = asyncio.Event()

            async def step(idle: asyncio.Event = idle) -> None:
                if await self.publish_once() == 0:
                    idle.set()

            await with_patience(step, stop=stop, retried=self.metrics.retried)
            if idle.is_set():
                await pause(stop, self.poll_seconds)

    async def publish_once(self) -> int:
        """
        Publish the oldest rows.

        Returns:
            How many.

        Raises:
            TransientError: Kafka or the store is away; rows that were published are published again.
        """
        entries = await self.outbox.pending(limit=_BATCH)
        if entries:
            with self.metrics.stage("confirm"):
                await self.publisher.publish([entry.row for entry in entries])
            await self.outbox.mark_published([entry.sequence for entry in entries])
            for topic, count in Counter(entry.row.topic for entry in entries).items():
                self.metrics.published(topic, count)
        return len(entries)
