"""
Named points at which a worker of the kit kills itself, once, when a test armed it.

A test arms a member of the crew by a file; the worker looks for it whenever it passes a point. The points are set from
outside, around public seams of the product, which knows nothing of them.
"""

from __future__ import annotations

import json
import os
import signal
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from connectors.postgres import Database, PostgresAgencyStore
from streams.admission import AdmissionPipeline
from streams.inbox import InboxPipeline
from streams.republish import RepublishPipeline
from streams.runtime.producer import BatchProducer
from streams.runtime.transport import BatchConsumer

__all__ = ["POINTS", "arm", "disarm", "set_points", "struck"]

POINTS = {
    "before_commit": "the transaction is written and not committed",
    "after_effect": "the effect is durable and not acknowledged",
    "while_emitting": "some of a batch's records were handed to Kafka",
    "before_mark": "Kafka confirmed the outbox's rows, and that is not noted",
    "after_mark": "the outbox's rows were just noted as published",
    "before_offset": "the offset is about to be committed",
    "after_offset": "the offset was just committed",
}
"""The points, and what is true there."""


def _armed(folder: Path, agency: str) -> Path:
    return folder / f"armed-{agency}"


def arm(folder: Path, agency: str, point: str) -> None:
    """Let the next worker of an agency that passes a point die there."""
    _armed(folder, agency).write_text(point, encoding="ascii")


def disarm(folder: Path, agency: str) -> None:
    """Take that back."""
    _armed(folder, agency).unlink(missing_ok=True)


def struck(folder: Path) -> list[dict[str, Any]]:
    """Give what was struck: agency, point, process."""
    path = folder / "struck.jsonl"
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()] if path.exists() else []


def set_points(folder: Path, agency: str) -> None:
    """Set all points in this process."""
    armed = _armed(folder, agency)

    def passing(point: str) -> None:
        if not armed.exists() or armed.read_text(encoding="ascii") != point:
            return
        armed.unlink()
        with (folder / "struck.jsonl").open("a", encoding="utf-8") as file:
            file.write(json.dumps({"agency": agency, "point": point, "pid": os.getpid()}) + "\n")
        os.kill(os.getpid(), signal.SIGKILL)

    _around_transactions(passing)
    for pipeline in (AdmissionPipeline, InboxPipeline, RepublishPipeline):
        _after(pipeline, "process", passing, "after_effect")
    _before(PostgresAgencyStore, "mark_published", passing, "before_mark")
    _after(PostgresAgencyStore, "mark_published", passing, "after_mark")
    _before(BatchConsumer, "_commit_now", passing, "before_offset")
    _after(BatchConsumer, "_commit_now", passing, "after_offset")
    _around_emissions(passing)


def _around_transactions(passing: Callable[[str], None]) -> None:
    inner = Database.transaction

    @asynccontextmanager
    async def transaction(self: Database) -> AsyncIterator[Any]:
        async with inner(self) as connection:
            yield connection
            passing("before_commit")

    Database.transaction = transaction  # type: ignore[method-assign] # that is what a point is


def _before(owner: type, name: str, passing: Callable[[str], None], point: str) -> None:
    inner: Callable[..., Awaitable[Any]] = getattr(owner, name)

    async def outer(*arguments: Any, **named: Any) -> Any:
        passing(point)
        return await inner(*arguments, **named)

    setattr(owner, name, outer)


def _after(owner: type, name: str, passing: Callable[[str], None], point: str) -> None:
    inner: Callable[..., Awaitable[Any]] = getattr(owner, name)

    async def outer(*arguments: Any, **named: Any) -> Any:
        answer = await inner(*arguments, **named)
        if answer is not False:  # a commit that had nothing to do
            passing(point)
        return answer

    setattr(owner, name, outer)


def _around_emissions(passing: Callable[[str], None]) -> None:
    inner = BatchProducer.emitter

    def emitter(self: BatchProducer, fetch: Any) -> Callable[[Any], None]:
        emit = inner(self, fetch)
        handed = 0

        def outer(row: Any) -> None:
            nonlocal handed
            emit(row)
            handed += 1
            if handed > 1:
                passing("while_emitting")

        return outer

    BatchProducer.emitter = emitter  # type: ignore[method-assign] # as above
