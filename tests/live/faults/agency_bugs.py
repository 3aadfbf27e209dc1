"""Bugs that can be planted in an agency's worker."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from rewording import reworded

from streams.inbox import InboxPipeline
from streams.outbox import Relay
from streams.record import Record

__all__ = ["acknowledge_first", "mark_first", "trust_every_record", "two_lanes"]

_LATE_SECONDS = 1.5


def acknowledge_first() -> None:
    """Acknowledge at once, and work a while later."""
    inner = InboxPipeline.process
    tasks: set[asyncio.Task[None]] = set()

    async def process(self: InboxPipeline, records: Sequence[Record]) -> None:
        async def later() -> None:
            await asyncio.sleep(_LATE_SECONDS)
            await inner(self, records)

        task = asyncio.create_task(later())
        tasks.add(task)
        task.add_done_callback(tasks.discard)

    InboxPipeline.process = process  # type: ignore[method-assign] # that is the bug


def trust_every_record() -> None:
    """Look nowhere whether an event is in the inbox already; the table's key is taken away beside this."""
    from connectors.postgres import agency_statements

    agency_statements.RECEIVED = reworded(agency_statements.RECEIVED, "where", "where false and")


def two_lanes() -> None:
    """Apply every other record first, the rest after them."""
    inner = InboxPipeline.process

    async def process(self: InboxPipeline, records: Sequence[Record]) -> None:
        for lane in (records[1::2], records[::2]):
            if lane:
                await inner(self, lane)

    InboxPipeline.process = process  # type: ignore[method-assign] # that is the bug


def mark_first() -> None:
    """Note outbox rows as published, then publish them."""

    async def publish_once(self: Relay) -> int:
        entries = await self.outbox.pending(limit=500)
        if entries:
            await self.outbox.mark_published([entry.sequence for entry in entries])
            await asyncio.sleep(_LATE_SECONDS)
            await self.publisher.publish([entry.row for entry in entries])
        return len(entries)

    Relay.publish_once = publish_once  # type: ignore[method-assign] # that is the bug
