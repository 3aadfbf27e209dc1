"""
Watches workers while something happens to them: for how long a partition is held, and how much memory each has.

A partition is held while its committed offset stays where it is and there is more to read. It is Kafka that is asked,
not the workers, so that one which hangs is seen like any other.
"""

from __future__ import annotations

import json
import threading
import time
from collections import defaultdict
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Self

import psutil
from kafka import KafkaAdminClient, TopicPartition
from kafka.admin import OffsetSpec

from streams.kafka import KafkaAddress
from streams.names import AgencyCode, TopicName, consumer_group

__all__ = ["Hold", "Watch"]

_LOOK_SECONDS = 0.25

_Place = tuple[str, int]


@dataclass
class Hold:
    """
    How long one partition was held, look by look.

    Args:
        most_seconds: the longest time so far; at most a look too long or too short.
    """

    most_seconds: float = 0.0
    _committed: int = -1
    _since: float | None = None

    def look(self, committed: int, end: int, *, now: float) -> None:
        """Note what is committed, where the partition ends, and when, in seconds, that was seen."""
        if self._since is not None:
            self.most_seconds = max(self.most_seconds, now - self._since)
        if committed >= end:
            self._since = None
        elif self._since is None or committed != self._committed:
            self._since = now
        self._committed = committed


@dataclass
class Watch:
    """
    Looks at workers, on a thread of its own, while its block runs.

    Args:
        data: the installation's folder.
        address: Kafka, as its administrator.
        topics: what each watched worker reads, by agency.
    """

    data: Path
    address: KafkaAddress
    topics: Mapping[AgencyCode, Sequence[TopicName]]
    looks: int = 0
    longest_look_seconds: float = 0.0
    """The longest time from one look to the next: no figure is more exact than this."""
    most_bytes: dict[AgencyCode, int] = field(default_factory=lambda: defaultdict(int))
    """Largest resident memory by worker."""
    pids: dict[AgencyCode, set[int]] = field(default_factory=lambda: defaultdict(set))
    """Processes that were seen."""
    _holds: dict[_Place, Hold] = field(default_factory=lambda: defaultdict(Hold))

    def __post_init__(self) -> None:
        """Nothing is looked at yet."""
        self._stop = threading.Event()
        self._threads = ThreadPoolExecutor(1, thread_name_prefix="watch")

    def __enter__(self) -> Self:
        """Begin to look."""
        self._running = self._threads.submit(self._run)
        return self

    def __exit__(self, *_: object) -> None:
        """Look a last time, and stop; whatever ended the looks too early is raised here."""
        self._stop.set()
        self._threads.shutdown()
        self._running.result()

    @property
    def most_held_seconds(self) -> float:
        """Give the longest time that any partition was held."""
        return max((each.most_seconds for each in self._holds.values()), default=0.0)

    @property
    def held(self) -> str:
        """Name the partition that was held the longest."""
        places = sorted(self._holds, key=lambda place: self._holds[place].most_seconds)
        return " ".join(map(str, places[-1])) if places else "none"

    @property
    def most_megabytes(self) -> int:
        """Give the largest resident memory of any worker, in MiB."""
        return max(self.most_bytes.values(), default=0) >> 20

    def _run(self) -> None:
        admin = KafkaAdminClient(**self.address.kafka_python(), request_timeout_ms=6000)
        try:
            places = {agency: _places(admin, topics) for agency, topics in self.topics.items()}
            last = time.monotonic()
            while True:
                stopped = self._stop.wait(_LOOK_SECONDS)
                for agency, read in places.items():
                    self._look_at_process(agency)
                    self._look_at_group(admin, agency, read)
                now = time.monotonic()
                self.longest_look_seconds, last = max(self.longest_look_seconds, now - last), now
                self.looks += 1
                if stopped:
                    return
        finally:
            admin.close()

    def _look_at_group(self, admin: KafkaAdminClient, agency: AgencyCode, places: Sequence[TopicPartition]) -> None:
        committed = admin.list_group_offsets(consumer_group(agency)).get(consumer_group(agency), {})
        ends = admin.list_partition_offsets(dict.fromkeys(places, OffsetSpec.LATEST))
        now = time.monotonic()
        for each in places:
            done = committed[each].offset if each in committed else 0
            self._holds[each.topic, each.partition].look(done, ends[each].offset, now=now)

    def _look_at_process(self, agency: AgencyCode) -> None:
        note = self.data / "run" / f"assigned-{agency}.json"
        try:
            pid = int(json.loads(note.read_text(encoding="utf-8"))["pid"])
            self.most_bytes[agency] = max(self.most_bytes[agency], psutil.Process(pid).memory_info().rss)
        except (FileNotFoundError, psutil.NoSuchProcess):
            return  # it is just being started again
        self.pids[agency].add(pid)


def _places(admin: KafkaAdminClient, topics: Sequence[TopicName]) -> Sequence[TopicPartition]:
    known = admin.describe_topics(list(topics))
    return [TopicPartition(each["name"], part["partition_index"]) for each in known for part in each["partitions"]]
