"""
What others may ask a running worker, from any thread: is it alive, what is it at, how far behind.

Only what the process knows already is looked at, and Kafka is asked nothing: the end of a partition is what the last
fetch said. Private names of aiokafka are used for it, for which it is pinned exactly.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterator
from concurrent.futures import CancelledError
from typing import Any

import faust

from streams.readings import PartitionReading, WorkerReading
from streams.runtime.ledger import Ledger, Partition

__all__ = ["WorkerView"]


class WorkerView:
    """
    A running worker, seen from outside.

    Args:
        app: its Faust app.
        unconfirmed: gives how many records wait for Kafka's confirmation.
        stalled_seconds: gives for how long there was work and no progress.
    """

    def __init__(self, app: faust.App, *, unconfirmed: Callable[[], int], stalled_seconds: Callable[[], float]) -> None:
        self.loop = asyncio.get_running_loop()
        self.assigned = False
        """It was given its share of the partitions, which may be none."""
        self.opened = False
        """Its pipeline is open: database, registry and keys answered."""
        self.stalled_seconds = stalled_seconds
        self._app = app
        self._unconfirmed = unconfirmed

    def answers(self, *, timeout_seconds: float) -> bool:
        """Say whether the event loop does anything at all; blocks, so never call it from the loop."""
        try:
            asyncio.run_coroutine_threadsafe(asyncio.sleep(0), self.loop).result(timeout_seconds)
        except (TimeoutError, CancelledError, RuntimeError):  # RuntimeError: it is closed
            return False
        return True

    def agents(self) -> dict[str, list[str]]:
        """Give the agents that Faust runs in this process, by name, each with the topics of its stream."""
        return {name: sorted(agent.channel.topics) for name, agent in self._app.agents.items()}

    @property
    def app_id(self) -> str:
        """Faust's name of the app, which is its consumer group's."""
        return str(self._app.conf.id)

    def reading(self) -> WorkerReading | None:
        """Give what the worker is at; None before it has a consumer."""
        consumer: Any = self._app._consumer  # noqa: SLF001 -- asking for `consumer` would make one
        if consumer is None:
            return None
        return WorkerReading(
            partitions=list(_partitions(consumer)),
            unconfirmed=self._unconfirmed(),
            oldest_batch_seconds=consumer.ledger.oldest_seconds(time.monotonic()),
        )


def _partitions(consumer: Any) -> Iterator[PartitionReading]:
    client = consumer._thread._consumer  # noqa: SLF001 -- Faust gives no other way to it
    subscription = None if client is None else client._subscription.subscription  # noqa: SLF001 -- as above
    assignment = None if subscription is None else subscription.assignment
    if assignment is None:
        return
    for place in sorted(assignment.tps):
        state = assignment.state_value(place)
        yield _partition(consumer.ledger, Partition(place.topic, place.partition), state)


def _partition(ledger: Ledger, partition: Partition, state: Any) -> PartitionReading:
    found = ledger.standing(partition)
    # Before the first records came the position is the committed offset, which nobody knows at first.
    durable_to = state._position if found is None else found.durable_to  # noqa: SLF001 -- `position` must be set
    # Records behind a transaction that is still open cannot be read yet: they are no lag of ours.
    end = state.highwater if state.lso is None else state.lso
    messages = None if durable_to is None or end is None else max(0, end - durable_to)
    oldest = None if found is None else found.oldest
    if oldest is not None:
        seconds: float | None = max(0.0, time.time() - oldest.timestamp_ms / 1000)
    else:
        seconds = 0.0 if messages == 0 else None
    return PartitionReading(partition.topic, partition.number, messages, seconds, durable_to)
