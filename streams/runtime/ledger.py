"""
Which batches are under way, and how far each partition may be committed.

Pure bookkeeping, without Faust and without Kafka. A batch is the records of one partition from one fetch, with the
half-open range of offsets `[start, end)` that the fetch walked over: `end` is the position after it, not the last
record plus one, so that control records and holes of compaction are covered. A window is one partition in one
assignment; only the end of its longest finished prefix is ever committed.

`fetched` is called on the consumer's thread, in the same step as the fetch; everything else on the event loop.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from threading import Lock
from typing import Any, NamedTuple

__all__ = ["Batch", "HoleError", "Ledger", "Partition", "Standing"]


class Partition(NamedTuple):
    """A partition of a topic."""

    topic: str
    number: int


class HoleError(RuntimeError):
    """A fetch began after the end of the one before it: records would be lost, so the process must end."""


@dataclass(eq=False)
class Batch:
    """
    Records of one partition from one fetch.

    Args:
        partition: whose.
        start: first offset walked over.
        end: first offset not walked over.
        records: as the client gave them; none when only control records went by.
        fetched_at: monotonic seconds.
        left: effects not yet durable; one stands for the submission itself, so that it cannot end too early.
        begun: its processing began.
        dead: its window is gone; nothing of it is processed or committed any more.
        durable_to: effects of records below this offset are durable.
    """

    partition: Partition
    start: int
    end: int
    records: Sequence[Any] = field(repr=False)
    fetched_at: float
    left: int = 1
    begun: bool = False
    dead: bool = False
    durable_to: int = 0

    @property
    def finished(self) -> bool:
        """All its effects are durable."""
        return self.left == 0


class Standing(NamedTuple):
    """
    How far one partition's work is.

    Args:
        durable_to: effects of all records below this offset are durable.
        oldest: the first fetched record of which that is not said, as the client gave it; None when there is none.
    """

    durable_to: int
    oldest: Any


@dataclass(eq=False)
class _Window:
    epoch: object
    next: int
    frontier: int
    committed: int
    batches: deque[Batch] = field(default_factory=deque)


class Ledger:
    """All windows of one worker."""

    def __init__(self) -> None:
        self._windows: dict[Partition, _Window] = {}
        self._lock = Lock()
        self._closed = False

    @property
    def closed(self) -> bool:
        """No batch may begin: partitions are being given back."""
        return self._closed

    def fetched(
        self, partition: Partition, *, epoch: object, start: int, end: int, records: Sequence[Any], at: float
    ) -> Batch:
        """
        Note a fetch, in the same step as it.

        Args:
            partition: whose records.
            epoch: the assignment's own object; another one means another assignment.
            start: position before the fetch.
            end: position after it.
            records: what came; may be none.
            at: monotonic seconds.

        Raises:
            HoleError: the fetch begins after the end of the one before it.
        """
        with self._lock:
            window = self._windows.get(partition)
            if window is None or window.epoch is not epoch or start < window.next:
                # A new assignment, or a rewind after one: what was fetched before is fetched again.
                self._bury(window)
                window = self._windows[partition] = _Window(epoch=epoch, next=start, frontier=start, committed=start)
            if start > window.next:
                raise HoleError(f"{partition} was fetched from {start}, but {window.next} was to come next.")
            batch = Batch(
                partition=partition, start=start, end=end, records=records, fetched_at=at, left=1 if records else 0
            )
            window.batches.append(batch)
            window.next = end
            return batch

    def begin(self, batch: Batch) -> bool:
        """Begin a batch's processing; False when it must be left alone."""
        if batch.dead or self._closed:
            return False
        batch.begun = True
        return True

    def abandon(self, batch: Batch) -> None:
        """Leave a begun batch unfinished: what is not durable of it is read again."""
        batch.begun = False
        batch.dead = True

    def settle(self, batch: Batch, count: int = 1) -> None:
        """Note that so many effects of a batch are durable."""
        batch.left -= count

    def advance(self, batch: Batch, offset: int) -> None:
        """Note that a batch's effects below an offset are durable, before the whole batch is."""
        batch.durable_to = max(batch.durable_to, offset)

    def committable(self, assigned: Iterable[Partition]) -> dict[Partition, int]:
        """Give how far each assigned partition may be committed, where that is further than it was."""
        assigned = frozenset(assigned)
        with self._lock:
            found = {}
            for partition, window in self._windows.items():
                while window.batches and window.batches[0].finished:
                    window.frontier = window.batches.popleft().end
                if window.batches:
                    window.frontier = max(window.frontier, window.batches[0].durable_to)
                if partition in assigned and window.frontier > window.committed:
                    found[partition] = window.frontier
            return found

    def committed(self, offsets: Mapping[Partition, int]) -> None:
        """Note what Kafka took."""
        with self._lock:
            for partition, offset in offsets.items():
                window = self._windows.get(partition)
                if window is not None:
                    window.committed = max(window.committed, offset)

    def close(self) -> None:
        """Let no batch begin: partitions are about to be given back."""
        self._closed = True

    def waiting(self) -> bool:
        """Say whether something was fetched that did not begin; what was given back does not count."""
        with self._lock:
            batches = (batch for window in self._windows.values() for batch in window.batches)
            return any(not (each.begun or each.finished or each.dead) for each in batches)

    def under_way(self) -> int:
        """Count the batches that began and are not finished."""
        with self._lock:
            return sum(b.begun and not b.finished for w in self._windows.values() for b in w.batches)

    def forget(self) -> None:
        """Bury every window: the partitions are gone."""
        with self._lock:
            for window in self._windows.values():
                self._bury(window)
            self._windows.clear()

    def reopen(self) -> None:
        """
        Let batches begin again: a new assignment was taken up.

        Windows are left as they are: one that was opened between the rewind and now is a good one, and what was
        fetched before the rewind is buried by the next fetch, which begins below it.
        """
        self._closed = False

    def oldest_seconds(self, now: float) -> float:
        """Say for how long the oldest unfinished batch has been here; zero when there is none."""
        with self._lock:
            heads = [w.batches[0] for w in self._windows.values() if w.batches and not w.batches[0].finished]
            return max((now - batch.fetched_at for batch in heads), default=0.0)

    def standing(self, partition: Partition) -> Standing | None:
        """Say how far a partition's work is; None when nothing of it was fetched. Any thread may ask."""
        with self._lock:
            window = self._windows.get(partition)
            if window is None:
                return None
            durable_to = window.frontier
            for batch in window.batches:
                if not batch.finished:
                    durable_to = max(durable_to, batch.durable_to)
                    oldest = next((each for each in batch.records if each.offset >= durable_to), None)
                    return Standing(durable_to, oldest)
                durable_to = batch.end
            return Standing(durable_to, None)

    @staticmethod
    def _bury(window: _Window | None) -> None:
        for batch in window.batches if window else ():
            batch.dead = True
