"""
What must be durable at an agency, as a port: inbox, handlers' states, outbox, queues of its connectors.

A transaction takes sets: the inbox rows, states and outgoing events of many records are written by one statement for
each table. Only after it is committed may the records be acknowledged.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol
from uuid import UUID

from streams.event import Event
from streams.record import QuarantineItem, Record
from streams.store import Outbox, OutboxRow

__all__ = ["AgencyStore", "AgencyTransaction", "AnswerNote", "Arrival", "ParkedCopy", "StateId"]

StateId = tuple[str, str]
"""A handler's name, and the key under which it remembers something."""


@dataclass(frozen=True, slots=True)
class Arrival:
    """
    An event that becomes an inbox item.

    Args:
        event: the event.
        record: the record that carried it.
        notes: hints of the agency's handlers for officers, in order.
    """

    event: Event
    record: Record
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class AnswerNote:
    """
    That an inbox item was answered.

    Args:
        request: id of the item; where there is no such item, nothing is noted.
        answer: id of the answer.
        status: of the answer.
        at: when it was given, aware UTC.
    """

    request: UUID
    answer: UUID
    status: str
    at: datetime


@dataclass(frozen=True, slots=True)
class ParkedCopy:
    """
    An inbox copy that waits.

    Args:
        event_id: of its event.
        waits_for: the event that must come first: its cause, or one before it about the same subject that waits itself.
        subject: key of its subject.
        sequence: its number among the agency's copies about this subject; None on a copy without one.
        record: the record that carried it.
        parked_at: since when it waits, aware UTC.
    """

    event_id: UUID
    waits_for: UUID
    subject: str
    sequence: int | None
    record: Record
    parked_at: datetime


class AgencyTransaction(Protocol):
    """
    One transaction in an agency's own store.

    Every method may raise TransientError: a server is away, or another worker of the agency did a part of the same
    work meanwhile; then nothing was done. It may raise UnstorableError: the store has no place for one of the values;
    then nothing was done, or within `attempt` nothing of that part. Empty sets are allowed everywhere.
    """

    async def received(self, event_ids: Collection[UUID]) -> frozenset[UUID]:
        """Say which of these events are in the inbox."""

    async def receive(self, arrivals: Sequence[Arrival]) -> None:
        """Put events into the inbox that `received` did not name, in order."""

    async def states(self, ids: Collection[StateId]) -> Mapping[StateId, str]:
        """Give those of these states that exist, as `streams.states` wrote them; locked until the transaction ends."""

    async def keep_states(self, states: Mapping[StateId, str]) -> None:
        """Replace states that `states` was asked for before."""

    async def publish(self, rows: Sequence[OutboxRow]) -> frozenset[UUID]:
        """Queue rows for Kafka, in order; rows known by id are left out. Gives the ids of those that are new."""

    async def name_documents(self, named: Collection[tuple[UUID, str]]) -> None:
        """Remember of events which this agency received or sent which documents they name: id, SHA-256."""

    async def hand_over(self, items: Sequence[tuple[UUID, str]]) -> None:
        """Queue inbox items for connectors, in order: id, name of the sink; one that is queued already stays."""

    async def answer(self, notes: Sequence[AnswerNote]) -> None:
        """Note the answers given to inbox items; the last one stands."""

    async def ingest(self, source: str, item_id: str, event_ids: Collection[UUID]) -> None:
        """Note which events a source's item became; a repeat changes nothing."""

    async def quarantine(self, items: Sequence[QuarantineItem]) -> None:
        """Keep records that cannot be processed, and queue them for the quarantine topic; a repeat changes nothing."""

    async def share_parking(self) -> None:
        """
        Let nobody park until this transaction ends; others may apply and release beside it.

        A copy is parked because what it waits for is not there. Were that applied beside the one who parks, it would
        find nothing to release. So whoever applies asks for this first of all, and whoever parks for `own_parking`.
        """

    async def own_parking(self) -> None:
        """Let nobody park, apply or release until this transaction ends; to be asked for first of all."""

    async def parked(self, event_ids: Collection[UUID], subjects: Collection[str]) -> Sequence[ParkedCopy]:
        """
        Give what is parked and may be touched, in order of parking.

        That is at least: the events themselves, what waits for them, what is about these subjects, and so on from
        there.
        """

    async def overdue(self, before: datetime, *, limit: int) -> Sequence[ParkedCopy]:
        """
        Give the oldest of what is parked since before a time, in order of parking.

        Left out is what waits for a copy that is parked itself: that one's end decides about it.
        """

    async def park(self, copies: Sequence[ParkedCopy]) -> None:
        """Let copies wait; of one that is parked already only `waits_for` changes."""

    async def unpark(self, event_ids: Collection[UUID]) -> None:
        """Forget that these waited."""

    def attempt(self) -> AbstractAsyncContextManager[None]:
        """Begin a part of the transaction that is undone alone when its block raises."""


class AgencyStore(Outbox, Protocol):
    """An agency's own store: inbox, state, outbox, in a schema that no other agency can open."""

    def transaction(self) -> AbstractAsyncContextManager[AgencyTransaction]:
        """Begin a transaction: committed when the block ends, undone when it raises."""

    async def handovers(self, sink: str, *, limit: int) -> Sequence[tuple[UUID, Record]]:
        """Give the inbox items queued for a sink, oldest first."""

    async def settle_handover(self, sink: str, event_ids: Sequence[UUID], *, error: str | None) -> None:
        """Note that a sink took items, or why it never will."""
