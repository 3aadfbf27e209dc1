"""
What clients did, line by line: `invoke` before a record is handed to Kafka, `ok`, `fail` or `info` after it.

`ok` is an acknowledgement of all in-sync replicas. `fail` was certainly not written. `info` may have been written: an
operation that was invoked and never ended is one, too. Lines are flushed as they come, so that a killed client leaves
all that it knew.
"""

from __future__ import annotations

import json
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any
from uuid import UUID

__all__ = ["APPLIED", "REPEAT", "History", "Operation", "Outcome", "read_history"]

APPLIED = "applied"
"""Expected: the event takes effect, once, at every recipient."""

REPEAT = "repeat"
"""Expected: the event is known already and nothing happens."""

_FLUSH_LINES = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class Operation:
    """
    One record that a client wants written.

    Args:
        number: unique in its run, in the order of sending.
        event_id: `ce_id`; None where the record is so broken that it has none.
        topic: where to.
        key: as text.
        sequence: the sender's own number of this event under its key; it stands in the payload, too.
        cause: the event that it names.
        expect: `APPLIED`, `REPEAT`, or the reason code under which it must be refused.
        derives: ids of the events that agencies must make of it.
    """

    number: int
    event_id: UUID | None
    topic: str
    key: str
    sequence: int | None = None
    cause: UUID | None = None
    expect: str = APPLIED
    derives: tuple[UUID, ...] = ()


@dataclass(frozen=True, slots=True)
class Outcome:
    """
    How an operation ended.

    Args:
        phase: `ok`, `fail` or `info`.
        partition: where it was written; None unless `ok`.
        offset: and where there.
        seconds: from its invocation.
    """

    phase: str
    partition: int | None
    offset: int | None
    seconds: float


class History:
    """Writes a history; used by one thread."""

    def __init__(self, path: Path) -> None:
        self._file = path.open("a", encoding="utf-8", buffering=1 << 20)
        self._since_flush = 0

    def invoke(self, operation: Operation) -> None:
        """Note what is about to be sent."""
        fields = {name: _plain(value) for name, value in asdict(operation).items()}
        self._write({"phase": "invoke", **fields})

    def end(self, number: int, phase: str, **about: Any) -> None:
        """Note how it ended."""
        self._write({"phase": phase, "number": number, **about})

    def flush(self) -> None:
        """Hand everything to the operating system, where a SIGKILL does not reach it."""
        self._file.flush()

    def close(self) -> None:
        """Flush and close."""
        self._file.close()

    def _write(self, line: Mapping[str, Any]) -> None:
        self._file.write(json.dumps({**line, "monotonic": time.monotonic(), "wall": time.time()}) + "\n")
        self._since_flush += 1
        if self._since_flush >= _FLUSH_LINES:
            self._since_flush = 0
            self._file.flush()


def read_history(path: Path) -> Sequence[tuple[Operation, Outcome]]:
    """Read a history: every operation and how it ended."""
    return list(_paired(json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()))


def _paired(lines: Iterable[Mapping[str, Any]]) -> Iterable[tuple[Operation, Outcome]]:
    invoked: dict[int, tuple[Operation, float]] = {}
    for line in lines:
        if line["phase"] == "invoke":
            invoked[line["number"]] = (_operation(line), line["monotonic"])
            continue
        operation, began = invoked.pop(line["number"])
        seconds = line["monotonic"] - began
        yield operation, Outcome(line["phase"], line.get("partition"), line.get("offset"), seconds)
    for operation, _ in invoked.values():
        yield operation, Outcome("info", None, None, 0.0)


def _operation(line: Mapping[str, Any]) -> Operation:
    return Operation(
        number=line["number"],
        event_id=UUID(line["event_id"]) if line["event_id"] else None,
        topic=line["topic"],
        key=line["key"],
        sequence=line["sequence"],
        cause=UUID(line["cause"]) if line["cause"] else None,
        expect=line["expect"],
        derives=tuple(UUID(each) for each in line["derives"]),
    )


def _plain(value: Any) -> Any:
    if isinstance(value, UUID):
        return str(value)
    return [str(each) for each in value] if isinstance(value, tuple) else value
