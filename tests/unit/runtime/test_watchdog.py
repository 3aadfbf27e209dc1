"""The watchdog: what it takes for standing still, and what it does not."""

from __future__ import annotations

import asyncio
import os
import threading
from collections.abc import Callable
from dataclasses import dataclass, field

import pytest
from structlog.testing import capture_logs

from streams.readings import PartitionReading, WorkerReading
from streams.runtime import watchdog
from streams.runtime.watchdog import HUNG_EXIT, Watchdog

STUCK = 100.0


@dataclass
class Watched:
    """A worker as the watchdog sees it, and a clock that the test moves."""

    lag: int | None = 0
    durable_to: int = 0
    oldest: float = 0.0
    away: str | None = None
    known: bool = True
    now: float = 1000.0
    asked: int = 0
    dog: Watchdog = field(init=False)

    def __post_init__(self) -> None:
        """Set the watchdog on it."""
        self.dog = Watchdog(reading=self.reading, kafka_is_away=self.kafka, stuck_seconds=STUCK, clock=lambda: self.now)

    def reading(self) -> WorkerReading | None:
        """Give what it is at."""
        place = PartitionReading("lt.x", 3, self.lag, None, self.durable_to)
        return WorkerReading([place], 0, self.oldest) if self.known else None

    async def kafka(self) -> str | None:
        """Say whether Kafka is away."""
        self.asked += 1
        return self.away

    async def look_after(self, seconds: float) -> None:
        """Let time go by, and look."""
        self.now += seconds
        if self.oldest:
            self.oldest += seconds
        await self.dog._look()


async def test_a_batch_that_does_not_end_is_standing_still() -> None:
    """Not at once; and it is told for how long."""
    worker = Watched(lag=5, oldest=1.0)
    await worker.look_after(1)

    await worker.look_after(STUCK)
    assert worker.dog.stalled_seconds() == STUCK
    with pytest.raises(RuntimeError, match="no progress for 101 s: a batch does not end"):
        await worker.look_after(1)

    assert worker.asked == 0


async def test_records_that_nobody_fetches_are_standing_still() -> None:
    """Faust's fetching may end without a word; the partition is named."""
    worker = Watched(lag=5)
    await worker.look_after(1)

    with pytest.raises(RuntimeError, match=r"nothing is fetched of lt.x\[3\]"):
        await worker.look_after(STUCK + 1)

    assert worker.asked == 1


async def test_a_kafka_that_is_away_is_waited_for() -> None:
    """Its end of the partition was said before it went."""
    worker = Watched(lag=5, away="localhost:1 does not answer")
    await worker.look_after(1)

    await worker.look_after(STUCK + 1)

    assert worker.dog.stalled_seconds() == 0.0
    worker.away = None
    with pytest.raises(RuntimeError, match="nothing is fetched"):
        await worker.look_after(STUCK + 1)


@pytest.mark.parametrize("lag", [0, None], ids=["none", "unknown"])
async def test_a_worker_without_work_may_rest(lag: int | None) -> None:
    """For days."""
    worker = Watched(lag=lag)

    for _ in range(5):
        await worker.look_after(STUCK * 10)

    assert worker.dog.stalled_seconds() == 0.0


async def test_progress_on_any_partition_counts() -> None:
    """So does a pause because a server is away, which the worker notes."""
    worker = Watched(lag=500, oldest=1.0)
    await worker.look_after(1)
    for _ in range(3):
        worker.durable_to += 1
        await worker.look_after(STUCK + 1)
    for _ in range(3):
        worker.now += STUCK - 1
        worker.dog.progress()
        await worker.look_after(2)


def test_nothing_is_said_of_a_worker_that_has_not_begun() -> None:
    """It may wait for its servers."""
    worker = Watched(known=False)
    worker.now += STUCK * 2

    assert worker.dog.stalled_seconds() == 0.0


async def test_an_event_loop_that_hangs_ends_the_process(monkeypatch: pytest.MonkeyPatch) -> None:
    """From a thread, with a line that says where it hangs; a loop that beats is left alone."""
    ends: list[int] = []
    monkeypatch.setattr(os, "_exit", ends.append)
    worker = Watched()
    ended = threading.Event()

    def listened(after_seconds: float) -> None:
        worker.now += after_seconds
        _stop_after_first_look(ended, worker.dog)

    with capture_logs() as logs:
        await asyncio.to_thread(listened, STUCK)
        assert (ends, logs) == ([], [])
        await asyncio.to_thread(listened, 1.0)

    assert ends == [HUNG_EXIT]
    [line] = logs
    assert (line["event"], line["log_level"], line["seconds"]) == ("event loop hangs", "critical", 101)
    assert any("asyncio" in each for each in line["frames"])


def _stop_after_first_look(ended: threading.Event, dog: Watchdog) -> None:
    looks = iter([False, True])
    waiting: Callable[[float], bool] = lambda _seconds: next(looks)  # noqa: E731 -- it stands for one method
    ended.wait = waiting  # type: ignore[method-assign,assignment] # no time goes by in a test
    dog._listen(ended)


async def test_it_beats_and_looks_until_it_is_told_to_stop(monkeypatch: pytest.MonkeyPatch) -> None:
    """And leaves neither its task nor its thread behind."""
    monkeypatch.setattr(watchdog, "_BEAT_SECONDS", 0.001)
    worker = Watched()
    worker.dog._stuck_seconds = 0.01
    stop = asyncio.Event()
    begun = worker.now

    running = asyncio.create_task(worker.dog.run(stop))
    worker.now += 0.001
    async with asyncio.timeout(5):
        while worker.dog._beat_at == begun:  # noqa: ASYNC110 -- a beat is told to nobody
            await asyncio.sleep(0.001)
    stop.set()
    await running

    assert [each for each in asyncio.all_tasks() if each.get_name() == "heartbeat" and not each.cancelling()] == []
    async with asyncio.timeout(5):
        while any(each.name == "watchdog" for each in threading.enumerate()):  # noqa: ASYNC110 -- as above
            await asyncio.sleep(0.001)
