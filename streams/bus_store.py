"""
The bus's ledger, as a port: what was admitted, who was sent it, what waits for its cause, what was refused.

One transaction holds all that is decided about many records; copies and audit records are handed to Kafka after it,
from memory. A record that is read again finds its decision here and is handed over again, with the same ids and
content. `connectors.postgres` is the implementation, `streams.testing` has its twin.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple, Protocol
from uuid import UUID

from streams.event import Event
from streams.names import AgencyCode, EventType, TopicName
from streams.policy import Delivery
from streams.record import QuarantineItem, Record
from streams.store import Outbox, OutboxRow

__all__ = [
    "Admission",
    "AuditEntry",
    "BusStore",
    "BusTransaction",
    "Kept",
    "KeptCopy",
    "KeyGrant",
    "Line",
    "Parked",
    "Place",
    "Stretch",
]


class Place(NamedTuple):
    """Where a record stands in Kafka."""

    topic: TopicName
    partition: int
    offset: int

    @classmethod
    def of(cls, record: Record) -> Place:
        """Give a record's place."""
        return cls(record.topic, record.partition, record.offset)


Line = tuple[TopicName, bytes | None]
"""A topic and a key: what one sender says about one subject, in order."""


class Stretch(NamedTuple):
    """Some records of one partition, from the first offset to the last one."""

    topic: TopicName
    partition: int
    first: int
    last: int


@dataclass(frozen=True, slots=True)
class Admission:
    """
    What admission decided about one event.

    Args:
        event: the event.
        record: the record that carried it.
        fingerprint: SHA-256 of the record's value.
        deliveries: who receives it.
        after: those of the recipients that were sent its cause, too, and may know that it is the cause.
        answers: it answers the event that it names as its cause.
        status: an answer's status field, if it has one.
        at: when, aware UTC.
        released_by: for an event that waited, the one whose record hands it over to Kafka.
    """

    event: Event
    record: Record
    fingerprint: bytes
    deliveries: Sequence[Delivery]
    after: frozenset[AgencyCode]
    answers: bool
    status: str | None
    at: datetime
    released_by: UUID | None = None


@dataclass(frozen=True, slots=True)
class KeptCopy:
    """
    One recipient's copy as the ledger has it.

    Args:
        delivery: who, without which fields, why.
        sequence: its number among the recipient's copies about this subject, from 1.
        after: the recipient applies the event's cause before it.
    """

    delivery: Delivery
    sequence: int
    after: bool


@dataclass(frozen=True, slots=True)
class Kept:
    """
    What the ledger has under an event's id.

    Args:
        fingerprint: SHA-256 of the value that was admitted.
        place: of the record that was admitted.
        at: when.
        new: it was admitted by this call.
        copies: by agency.
    """

    fingerprint: bytes
    place: Place
    at: datetime
    new: bool
    copies: Sequence[KeptCopy]


@dataclass(frozen=True, slots=True)
class Parked:
    """
    An event that waits for another one, with its whole record.

    Args:
        event_id: its id.
        record: the record that carried it.
        fingerprint: SHA-256 of the record's value.
        waits_for: its cause; or, `behind` it, an event of the same topic and key that waits itself.
        behind: it waits only so that the order of its key holds.
    """

    event_id: UUID
    record: Record
    fingerprint: bytes
    waits_for: UUID
    behind: bool = False


class KeyGrant(NamedTuple):
    """An agency may open what is sealed under a key that the sender may open itself."""

    key_id: str
    agency: AgencyCode
    sender: AgencyCode


@dataclass(frozen=True, slots=True)
class AuditEntry:
    """
    One entry of the audit log, written in the transaction of what it records; fields as in `audit.recorded`.

    `shared` names, for an admitted event, everybody who is sent a copy.
    """

    action: str
    at: datetime
    event_id: UUID | None = None
    event_type: EventType | None = None
    agency: AgencyCode | None = None
    officer: str | None = None
    shared: Sequence[Delivery] = ()
    reason_code: str | None = None
    details: Mapping[str, str] | None = None


class BusTransaction(Protocol):
    """One transaction in the bus's ledger. Every method may raise TransientError; then nothing was done."""

    async def refused(self, stretches: Sequence[Stretch]) -> Mapping[Place, str]:
        """Give the reasons for which records of some stretches were refused before."""

    async def recipients(self, event_ids: Sequence[UUID]) -> Mapping[UUID, frozenset[AgencyCode]]:
        """Say which of these events are in the ledger, each with those who were sent it."""

    async def admit(self, admissions: Sequence[Admission]) -> Mapping[UUID, Kept]:
        """
        Write events that are not known by id, their deliveries, and for answers that their requests were answered.

        Args:
            admissions: in the order in which they are numbered; no id twice.

        Returns:
            What the ledger has now under each id: what was given, or what had been admitted before.
        """

    async def known(self, event_ids: Sequence[UUID]) -> Mapping[UUID, Kept]:
        """Give what the ledger has under these ids."""

    async def hold_parking(self) -> None:
        """Let no other transaction park or release until this one ends; call it before anything is written."""

    async def waiting(self, partitions: Collection[tuple[TopicName, int]]) -> Mapping[UUID, Line]:
        """Give the events of some partitions that wait, the oldest first, each with its topic and key."""

    async def park(self, parked: Sequence[Parked]) -> Mapping[UUID, bytes]:
        """Let events wait; gives the fingerprint under each id: another one's, where the id waited already."""

    async def release(self, waited_for: Mapping[UUID, UUID]) -> Sequence[tuple[Parked, UUID]]:
        """
        Let go those that wait for these events.

        Args:
            waited_for: each with the event whose record hands over to Kafka what is released.

        Returns:
            What is released, the oldest first, with that event.
        """

    async def released_by(self, event_ids: Sequence[UUID]) -> Sequence[tuple[Parked, UUID]]:
        """Give what was once released, as `release` did."""

    async def overdue(self, before: datetime, *, limit: int) -> Sequence[Parked]:
        """Take out the oldest of those that have waited for a cause since before a time."""

    async def grant_keys(self, grants: Sequence[KeyGrant]) -> None:
        """
        Let agencies open what is sealed under keys that the sender may open itself.

        Others are left out: else an agency could name a stranger's key in an event of its own and be given it.
        """

    async def quarantine(self, items: Sequence[QuarantineItem]) -> None:
        """Keep records that cannot be admitted; a repeat changes nothing."""

    async def audit(self, entries: Sequence[AuditEntry]) -> None:
        """Write audit entries."""

    async def queue(self, rows: Sequence[OutboxRow]) -> None:
        """Queue records for Kafka that no record of the log hands over again; those known by id are left out."""


class BusStore(Outbox, Protocol):
    """The bus's ledger."""

    def transaction(self) -> AbstractAsyncContextManager[BusTransaction]:
        """Begin a transaction: committed when the block ends, undone when it raises."""

    async def confirm(self, ends: Mapping[tuple[TopicName, int], int], *, at: datetime) -> None:
        """Note that Kafka confirmed all that records below these offsets led to; TransientError when away."""
