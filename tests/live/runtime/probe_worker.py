"""
A worker whose pipeline writes down what it was given: `python probe_worker.py BOOTSTRAP GROUP TOPIC FOLDER STUCK`.

What a record's value begins with says what becomes of it. `unknown`: an error that nobody foresaw, until the file
`mended` is there. `away`: a server is away, until the file `back` is there. `slow`: takes until the file `go` is there.
`hang`: so does this, and holds the event loop. Where the file `deaf` is there at the start, nothing is ever handed on;
where `emits` is, the work is stateless, and writes each record to the topic once more, `out` before its value.
What the worker says of itself stands in the file `reading`.
"""

from __future__ import annotations

import asyncio
import json
import os
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from uuid import uuid4

from lienthong.logs import log_to_stderr
from streams.background import Background, pause
from streams.errors import TransientError
from streams.kafka import KafkaAddress
from streams.names import TopicName
from streams.record import Record
from streams.republish import Emit
from streams.runtime import Pipeline, Stateful, WorkerSpec, WorkerView, run_worker
from streams.runtime.transport import BatchConsumer
from streams.store import OutboxRow


class Probe:
    """Notes each record when it begins and when it is done."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    async def process(self, records: Sequence[Record]) -> None:
        """Do what each record says."""
        for record in records:
            self.note("begun", record)
            await self._obey((record.value or b"").decode("latin-1"))
            self.note("done", record)

    async def _obey(self, word: str) -> None:
        if word.startswith("unknown") and not (self._folder / "mended").exists():
            raise RuntimeError("nobody foresaw this")
        if word.startswith("away") and not (self._folder / "back").exists():
            raise TransientError("a server is away")
        while word.startswith("slow") and not (self._folder / "go").exists():  # noqa: ASYNC110 -- set by another process
            await asyncio.sleep(0.02)
        while word.startswith("hang") and not (self._folder / "go").exists():
            time.sleep(0.02)  # noqa: ASYNC251 -- as a handler that computes without end

    def note(self, file: str, record: Record) -> None:
        """Append one line; it is in the file even when the process is killed right afterwards."""
        value = None if record.value is None else record.value.decode("latin-1")
        line = {"value": value, "partition": record.partition, "offset": record.offset, "pid": os.getpid()}
        with (self._folder / file).open("a", encoding="utf-8") as out:
            out.write(json.dumps(line) + "\n")


class Echo:
    """The same, and emits what it was given."""

    def __init__(self, probe: Probe) -> None:
        self._probe = probe

    async def process(self, records: Sequence[Record], emit: Emit) -> None:
        """Do what each record says, and emit it unless it was emitted before."""
        await self._probe.process(records)
        for record in records:
            if record.value and not record.value.startswith(b"out"):
                emit(OutboxRow(uuid4(), record.topic, record.key, b"out " + record.value, []))


class Sayer:
    """Writes down what the worker says of itself, again and again."""

    name = "sayer"

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self.view: WorkerView | None = None

    async def run(self, stop: asyncio.Event) -> None:
        """Write until told to stop."""
        while not stop.is_set():
            reading = self.view and self.view.reading()
            said = [[each.partition, each.messages, each.seconds] for each in (reading.partitions if reading else ())]
            new = self._folder / "reading.new"
            new.write_text(json.dumps(said), encoding="utf-8")
            new.replace(self._folder / "reading")
            await pause(stop, 0.05)


def main(address: str, group: str, topic: str, folder: Path, stuck_seconds: float) -> None:
    """Run until told to stop."""
    probe, sayer = Probe(folder), Sayer(folder)
    log_to_stderr()
    if (folder / "deaf").exists():
        _go_deaf()

    async def open_() -> tuple[Pipeline, Sequence[Background]]:
        return (Echo(probe) if (folder / "emits").exists() else Stateful(probe)), [sayer]

    async def close() -> None:
        (folder / "closed").touch()

    run_worker(
        WorkerSpec(
            group=group,
            address=KafkaAddress(**json.loads(address)),
            topics=[TopicName(topic)],
            open=open_,
            close=close,
            retried=(folder / "retried").touch,
            assigned=lambda places: (folder / f"assigned-{os.getpid()}").write_text(json.dumps(places)),
            started=lambda view: setattr(sayer, "view", view),
            session_timeout_seconds=6.0,
            stuck_seconds=stuck_seconds,
        )
    )


def _go_deaf() -> None:
    """Let Faust think that no partition is to be read."""

    def partitions(_consumer: BatchConsumer) -> set[object]:
        return set()

    BatchConsumer._get_active_partitions = partitions


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], sys.argv[3], Path(sys.argv[4]), float(sys.argv[5]))
