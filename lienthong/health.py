"""
Whether a worker lives and is ready, for whoever asks from another thread.

What only the worker's event loop can find out is asked of it, with a time limit: the loop may hang.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Coroutine, Mapping, Sequence
from concurrent.futures import CancelledError
from dataclasses import dataclass
from typing import Any, TypeVar

from streams.errors import LienThongError
from streams.kafka import KafkaAddress
from streams.kafka_probe import why_kafka_is_away
from streams.readings import Waiting, WorkerReading
from streams.runtime import WorkerView

__all__ = ["Health", "Servers"]

_ANSWER_SECONDS = 4.0
_ASK_SECONDS = 3.0

_Found = TypeVar("_Found")


@dataclass(frozen=True, slots=True)
class Servers:
    """
    How to ask what an open worker rests on; each is called on the worker's loop.

    Args:
        ping: asks PostgreSQL for an answer; raises TransientError.
        waiting: says what waits there; raises TransientError.
    """

    ping: Callable[[], Awaitable[None]]
    waiting: Callable[[], Coroutine[Any, Any, Waiting]]


class Health:
    """
    Knows whether a worker lives and is ready.

    Args:
        kafka: the cluster.
        stuck_seconds: after half of it without progress, though there is work, a worker is not live any more; the
            watchdog ends it after the whole.

    Set `view` and `servers` as soon as the worker has them, and `handlers` to the names of those that its agent calls.
    """

    def __init__(self, kafka: KafkaAddress, *, stuck_seconds: float) -> None:
        self.view: WorkerView | None = None
        self.servers: Servers | None = None
        self.handlers: Sequence[str] = ()
        self._kafka = kafka
        self._most_stalled_seconds = stuck_seconds / 2

    def see(self, view: WorkerView) -> None:
        """Take what the worker lets others ask."""
        self.view = view

    def why_not_live(self) -> str | None:
        """Give a sentence when the process is of no use any more; one that still starts is live."""
        if self.view is None:
            return None
        if not self.view.answers(timeout_seconds=_ANSWER_SECONDS):
            return f"the event loop did not answer within {_ANSWER_SECONDS:g} s"
        stalled = self.view.stalled_seconds()
        return f"no progress for {stalled:.0f} s" if stalled > self._most_stalled_seconds else None

    def not_ready(self) -> Mapping[str, str]:
        """Name what is not ready, each with a sentence; empty when all is."""
        view = self.view
        if view is None:
            return {"worker": "it is starting"}
        found = {}
        if not view.assigned:
            found["assignment"] = "the consumer group has not given it its partitions yet"
        if not view.opened:
            found["registry"] = "the ids of the schemas are not known yet"
        away = self._on_loop(view, self._servers_away())
        return found | ({"event_loop": f"it did not answer within {_ANSWER_SECONDS:g} s"} if away is None else away)

    def agents(self) -> Mapping[str, object]:
        """Say which Faust app this is, which agents it runs on which topics, and which handlers these call."""
        view = self.view
        if view is None:
            return {"app": None, "agents": {}, "handlers": []}
        return {"app": view.app_id, "agents": view.agents(), "handlers": list(self.handlers)}

    def reading(self) -> WorkerReading | None:
        """Give what the worker is at, for its metrics."""
        return None if self.view is None else self.view.reading()

    def waiting(self) -> Waiting | None:
        """Give what waits in PostgreSQL, for its metrics; None while that cannot be said."""
        if self.view is None or self.servers is None:
            return None
        return self._on_loop(self.view, self.servers.waiting())

    async def _servers_away(self) -> dict[str, str]:
        database, kafka = await asyncio.gather(
            self._database_away(), why_kafka_is_away(self._kafka, timeout_seconds=_ASK_SECONDS)
        )
        found = {"database": database, "kafka": kafka}
        return {name: why for name, why in found.items() if why is not None}

    async def _database_away(self) -> str | None:
        if self.servers is None:
            return "it is not open yet"
        try:
            async with asyncio.timeout(_ASK_SECONDS):
                await self.servers.ping()
        except TimeoutError:
            return f"PostgreSQL did not answer within {_ASK_SECONDS:g} s"
        except LienThongError as error:
            return str(error)
        return None

    @staticmethod
    def _on_loop(view: WorkerView, asking: Coroutine[Any, Any, _Found]) -> _Found | None:
        """Ask on the worker's loop; None when it does not answer in time, or a server is away."""
        try:
            future = asyncio.run_coroutine_threadsafe(asking, view.loop)
        except RuntimeError:  # the loop is closed: the process is ending
            asking.close()
            return None
        try:
            return future.result(_ANSWER_SECONDS)
        except (TimeoutError, CancelledError, LienThongError):
            future.cancel()
            return None
