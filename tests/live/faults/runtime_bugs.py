"""Bugs that can be planted in the runtime of any worker."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Sequence
from itertools import count
from typing import Any

from streams.inbox import InboxPipeline
from streams.record import Record
from streams.runtime import producer
from streams.runtime.fetch import Fetch
from streams.runtime.ledger import Batch, Ledger, Partition
from streams.runtime.producer import BatchProducer

__all__ = ["commit_what_was_fetched", "finish_at_submission", "lose_fetches"]

_SLOW_SECONDS = 1.0
_LOST_EVERY = 3


def commit_what_was_fetched() -> None:
    """Commit the end of what was fetched; work is slow enough that somebody is killed in it."""
    inner = InboxPipeline.process

    def committable(self: Ledger, assigned: Iterable[Partition]) -> dict[Partition, int]:
        assigned = frozenset(assigned)
        return {
            each: window.next
            for each, window in self._windows.items()
            if each in assigned and window.next > window.committed
        }

    async def process(self: InboxPipeline, records: Sequence[Record]) -> None:
        await asyncio.sleep(_SLOW_SECONDS)
        await inner(self, records)

    Ledger.committable = committable  # type: ignore[method-assign] # that is the bug
    InboxPipeline.process = process  # type: ignore[method-assign] # as above


def finish_at_submission() -> None:
    """Count a record as done when it was handed over; librdkafka keeps it for a while before it sends it."""
    inner, settings = BatchProducer.emitter, producer.producer_settings

    def emitter(self: BatchProducer, fetch: Fetch) -> Callable[[Any], None]:
        emit = inner(self, fetch)

        def outer(row: Any) -> None:
            emit(row)
            fetch.left -= 1

        return outer

    def lazy(*arguments: Any, **named: Any) -> dict[str, Any]:
        return {**settings(*arguments, **named), "linger.ms": 3000}

    BatchProducer.emitter = emitter  # type: ignore[method-assign] # that is the bug
    producer.producer_settings = lazy  # type: ignore[assignment] # as above


def lose_fetches() -> None:
    """Lose one fetch in a few after the client's position went over it, and look for no holes."""
    inner, calls = Ledger.fetched, count(1)

    def fetched(
        self: Ledger, partition: Partition, *, epoch: object, start: int, end: int, records: Sequence[Any], at: float
    ) -> Batch:
        window = self._windows.get(partition)
        known = window is not None and window.epoch is epoch
        if records and known and next(calls) % _LOST_EVERY == 0:
            return Batch(partition=partition, start=start, end=end, records=(), fetched_at=at, left=0, dead=True)
        if window is not None and known and start > window.next:
            window.next = start
        return inner(self, partition, epoch=epoch, start=start, end=end, records=records, at=at)

    Ledger.fetched = fetched  # type: ignore[method-assign] # that is the bug
