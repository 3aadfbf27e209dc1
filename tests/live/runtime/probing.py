"""A topic and a consumer group of a test's own, and workers on them in processes of their own."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from kafka import KafkaAdminClient, KafkaProducer, TopicPartition

from streams.kafka import KafkaAddress

__all__ = ["Probing"]

_WORKER = Path(__file__).with_name("probe_worker.py")


@dataclass
class Probing:
    """
    What one test works with.

    Args:
        address: of Kafka.
        name: of the topic, and of the group.
        folder: where workers write down what they do.
        admin: Kafka's administrator.
        producer: writes records.
    """

    address: KafkaAddress
    name: str
    folder: Path
    admin: KafkaAdminClient
    producer: KafkaProducer
    started: list[subprocess.Popen[bytes]] = field(default_factory=list)

    def worker(self, *, stuck_seconds: float = 120.0) -> subprocess.Popen[bytes]:
        """Start a worker and wait until it was given its partitions."""
        address = json.dumps(asdict(self.address))
        words = (address, self.name, self.name, str(self.folder), str(stuck_seconds))
        command = [sys.executable, str(_WORKER), *words]
        with (self.folder / "log").open("ab") as log:
            process = subprocess.Popen(command, cwd=self.folder, stdout=log, stderr=log)
        self.started.append(process)
        self.until("the worker at work", lambda: self.assigned(process))
        return process

    def assigned(self, process: subprocess.Popen[bytes]) -> list[list[Any]]:
        """Give the partitions that a worker noted after its last rebalance."""
        note = self.folder / f"assigned-{process.pid}"
        text = note.read_text(encoding="utf-8") if note.exists() else ""
        return list(json.loads(text)) if text else []

    def send(self, *values: bytes | None, key: bytes = b"k", partition: int | None = None) -> None:
        """Write records in order, and wait until Kafka has them."""
        for value in values:
            self.producer.send(self.name, value=value, key=key, partition=partition)
        self.producer.flush()

    def noted(self, what: str) -> list[dict[str, Any]]:
        """Give what workers noted, `begun` or `done`, in order."""
        path = self.folder / what
        return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()] if path.exists() else []

    def values(self, what: str = "done") -> list[str]:
        """Give the values that workers noted."""
        return [each["value"] for each in self.noted(what)]

    def said(self) -> dict[int, tuple[int | None, float | None]]:
        """Give what the worker says of itself: by partition, how many records it is behind and for how long."""
        path = self.folder / "reading"
        rows = json.loads(path.read_text(encoding="utf-8")) if path.exists() else []
        return {partition: (messages, seconds) for partition, messages, seconds in rows}

    def log(self) -> list[dict[str, Any]]:
        """Give the lines that workers logged."""
        return [json.loads(line) for line in (self.folder / "log").read_text(encoding="utf-8").splitlines()]

    def mark(self, name: str) -> None:
        """Make one of the files that records wait for."""
        (self.folder / name).touch()

    def committed(self, partition: int = 0) -> int:
        """Give the group's committed offset, 0 where there is none."""
        offsets = self.admin.list_group_offsets(self.name).get(self.name, {})
        found = offsets.get(TopicPartition(self.name, partition))
        return int(found.offset) if found else 0

    def group(self) -> dict[str, Any]:
        """Ask Kafka who is in the group."""
        described: dict[str, Any] = self.admin.describe_groups([self.name])[self.name]
        return described

    def until(self, what: str, reached: Callable[[], object], *, seconds: float = 40.0) -> None:
        """Wait for a condition; fail when it is not reached in time."""
        deadline = time.monotonic() + seconds
        while not reached():
            log = (self.folder / "log").read_text(encoding="utf-8", errors="replace")[-3000:]
            assert time.monotonic() < deadline, f"not reached in {seconds:.0f} s: {what}\n{log}"
            time.sleep(0.05)

    def end(self) -> None:
        """Kill what still runs."""
        for process in self.started:
            process.kill()
            process.wait()
