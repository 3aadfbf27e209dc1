"""
Ends a worker that has work and makes no progress.

Three ways of standing still: a batch that does not end, also one that Faust dropped; records on Kafka that are not
fetched; an event loop that hangs, in which no task of it could notice. The first two are looked for on the loop, the
last one from a thread of its own. Waiting for a server that is away is none of them.
"""

from __future__ import annotations

import asyncio
import os
import sys
import threading
import time
import traceback
from collections.abc import Awaitable, Callable

import structlog

from streams.background import pause
from streams.readings import WorkerReading

__all__ = ["HUNG_EXIT", "Watchdog"]

HUNG_EXIT = 71
"""Exit code of a process whose event loop hung."""

_BEAT_SECONDS = 1.0
_FRAMES = 20

_log = structlog.get_logger(__name__)


class Watchdog:
    """
    Watches one worker.

    Args:
        reading: gives what the worker is at.
        kafka_is_away: asked before a worker that fetches nothing is ended; gives a sentence when Kafka is away.
        stuck_seconds: so long it may stand still.
        clock: monotonic seconds.
    """

    def __init__(
        self,
        *,
        reading: Callable[[], WorkerReading | None],
        kafka_is_away: Callable[[], Awaitable[str | None]],
        stuck_seconds: float,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._reading = reading
        self._kafka_is_away = kafka_is_away
        self._stuck_seconds = stuck_seconds
        self._clock = clock
        self._beat_at = self._progress_at = clock()
        self._durable: object = None

    def progress(self) -> None:
        """Note that something was done, or that a server is waited for."""
        self._progress_at = self._clock()

    def stalled_seconds(self) -> float:
        """Say for how long there has been work and no progress; any thread may ask."""
        now = self._clock()
        reading = self._reading()
        if reading is None:
            return 0.0
        waiting = any(each.messages for each in reading.partitions)
        without_progress = now - self._progress_at
        if reading.oldest_batch_seconds:
            return min(reading.oldest_batch_seconds, without_progress)
        return without_progress if waiting else 0.0

    async def run(self, stop: asyncio.Event) -> None:
        """
        Watch until told to stop.

        Raises:
            RuntimeError: the worker stands still; the message says at what.
        """
        loop = asyncio.get_running_loop()
        ended = threading.Event()
        threading.Thread(target=self._listen, args=(ended,), name="watchdog", daemon=True).start()
        beating = loop.create_task(self._beat(), name="heartbeat")
        try:
            while not stop.is_set():
                await pause(stop, self._stuck_seconds / 10)
                await self._look()
        finally:
            beating.cancel()
            ended.set()

    async def _look(self) -> None:
        reading = self._reading()
        durable = reading and [(each.topic, each.partition, each.durable_to) for each in reading.partitions]
        behind = reading is not None and any(each.messages for each in reading.partitions)
        if durable != self._durable or not (behind or (reading and reading.oldest_batch_seconds)):
            self._durable = durable
            self.progress()
            return
        stalled = self.stalled_seconds()
        if stalled <= self._stuck_seconds or reading is None:
            return
        # A batch that waits for nothing but Kafka's confirmation is held by Kafka; any other by us.
        if (reading.unconfirmed or not reading.oldest_batch_seconds) and await self._kafka_is_away():
            self.progress()
            return
        raise RuntimeError(f"no progress for {stalled:.0f} s: {_words(reading)}")

    async def _beat(self) -> None:
        while True:
            self._beat_at = self._clock()
            await asyncio.sleep(_BEAT_SECONDS)

    def _listen(self, ended: threading.Event) -> None:
        """End the process when the event loop does nothing any more: nobody else can."""
        while not ended.wait(min(_BEAT_SECONDS, self._stuck_seconds / 10)):
            silent = self._clock() - self._beat_at
            if silent > self._stuck_seconds:
                _log.critical("event loop hangs", seconds=round(silent), frames=_main_frames())
                os._exit(HUNG_EXIT)


def _words(reading: WorkerReading) -> str:
    if reading.oldest_batch_seconds:
        return "a batch does not end"
    behind = [each for each in reading.partitions if each.messages]
    return "nothing is fetched of " + ", ".join(f"{each.topic}[{each.partition}]" for each in behind)


def _main_frames() -> list[str]:
    """Say where the main thread is, in which the loop runs; without its variables."""
    frame = sys._current_frames().get(threading.main_thread().ident or 0)  # noqa: SLF001 -- no other way to another thread
    found = traceback.extract_stack(frame)[-_FRAMES:] if frame else []
    return [f"{each.filename}:{each.lineno} {each.name}" for each in found]
