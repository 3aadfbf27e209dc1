"""
A worker whose pipeline writes down what it was given: `python probe_worker.py BOOTSTRAP GROUP TOPIC FOLDER`.

What a record's value begins with says what becomes of it. `unknown`: an error that nobody foresaw, until the file
`mended` is there. `away`: a server is away, until the file `back` is there. `slow`: takes until the file `go` is there.
"""

from __future__ import annotations

import asyncio
import json
import os
import sys
from collections.abc import Sequence
from pathlib import Path

from streams.background import Background
from streams.errors import TransientError
from streams.kafka import KafkaAddress
from streams.names import TopicName
from streams.record import Record
from streams.runtime import Stateful, WorkerSpec, run_worker


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

    def note(self, file: str, record: Record) -> None:
        """Append one line; it is in the file even when the process is killed right afterwards."""
        value = None if record.value is None else record.value.decode("latin-1")
        line = {"value": value, "partition": record.partition, "offset": record.offset, "pid": os.getpid()}
        with (self._folder / file).open("a", encoding="utf-8") as out:
            out.write(json.dumps(line) + "\n")


def main(bootstrap: str, group: str, topic: str, folder: Path) -> None:
    """Run until told to stop."""
    probe = Probe(folder)

    async def open_() -> tuple[Stateful, Sequence[Background]]:
        return Stateful(probe), []

    async def close() -> None:
        (folder / "closed").touch()

    run_worker(
        WorkerSpec(
            group=group,
            address=KafkaAddress(bootstrap=bootstrap),
            topics=[TopicName(topic)],
            open=open_,
            close=close,
            retried=(folder / "retried").touch,
            assigned=lambda places: (folder / f"assigned-{os.getpid()}").write_text(json.dumps(places)),
            session_timeout_seconds=6.0,
        )
    )


if __name__ == "__main__":
    main(*sys.argv[1:4], Path(sys.argv[4]))
