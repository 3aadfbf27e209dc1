"""What both stores in memory share: tables that are replaced whole at commit, and an outbox in them."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from copy import copy
from dataclasses import dataclass, field, fields, replace
from typing import Generic, Self, TypeVar
from uuid import UUID

from streams.errors import TransientError
from streams.record import QuarantineItem
from streams.store import OutboxEntry, OutboxRow

__all__ = ["MemoryOutbox", "QueuedRow", "Tables"]


@dataclass(frozen=True, slots=True)
class QueuedRow:
    """An outbox row, and whether Kafka confirmed it."""

    entry: OutboxEntry
    published: bool = False


@dataclass
class Tables:
    """The rows of a store; subclasses add dicts, sets and lists of values that are never changed in place."""

    outbox: dict[UUID, QueuedRow] = field(default_factory=dict)
    quarantined: dict[UUID, QuarantineItem] = field(default_factory=dict)

    def copied(self) -> Self:
        """Give tables of their own with the same rows."""
        return replace(self, **{each.name: copy(getattr(self, each.name)) for each in fields(self)})

    def restore(self, earlier: Self) -> None:
        """Take the rows of tables that were copied before."""
        for each in fields(self):
            setattr(self, each.name, getattr(earlier, each.name))

    def queue(self, rows: Sequence[OutboxRow]) -> frozenset[UUID]:
        """Queue rows that are not known by id, in order; gives the ids of those that are new."""
        new = set()
        for row in rows:
            if row.row_id not in self.outbox:
                self.outbox[row.row_id] = QueuedRow(OutboxEntry(sequence=len(self.outbox) + 1, row=row))
                new.add(row.row_id)
        return frozenset(new)


_Tables = TypeVar("_Tables", bound=Tables)


class MemoryOutbox(Generic[_Tables]):
    """
    A store in memory: transactions one after the other, each working on a copy that replaces the rows at commit.

    Args:
        tables: its rows, empty ones at first; read them to see what was committed.
    """

    def __init__(self, tables: _Tables) -> None:
        self.tables = tables
        self.away = False
        """While it is true, every call raises TransientError."""
        self._one_at_a_time = asyncio.Lock()
        self._taken = asyncio.Lock()

    @asynccontextmanager
    async def turn(self) -> AsyncIterator[bool]:
        """Take the outbox; False when another relay has it."""
        self._require()
        if self._taken.locked():
            yield False
            return
        async with self._taken:
            yield True

    async def pending(self, *, limit: int) -> Sequence[OutboxEntry]:
        """Give the oldest unpublished rows, in order."""
        self._require()
        waiting = [queued.entry for queued in self.tables.outbox.values() if not queued.published]
        return sorted(waiting, key=lambda entry: entry.sequence)[:limit]

    async def mark_published(self, sequences: Sequence[int]) -> None:
        """Note that Kafka confirmed these rows."""
        async with self._working_copy() as tables:
            for row_id, queued in tables.outbox.items():
                if queued.entry.sequence in sequences:
                    tables.outbox[row_id] = replace(queued, published=True)

    @asynccontextmanager
    async def _working_copy(self) -> AsyncIterator[_Tables]:
        async with self._one_at_a_time:
            self._require()
            tables = self.tables.copied()
            yield tables
            self._require()
            self.tables = tables

    def _require(self) -> None:
        if self.away:
            raise TransientError("The store in memory is away, as the test wants it.")
