"""What one run left behind, in the checker's own words: records, copies, effects, refusals and looks in mid-run."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from uuid import UUID

from history import Operation, Outcome

__all__ = ["BUS_PLACE", "Copy", "Effect", "Observation", "Place", "Refused", "Seen", "Snapshot"]

BUS_PLACE = "bus"
"""Where the ledger's effects lie; agencies' lie under their codes."""

Place = tuple[str, int, int]
"""Topic, partition, offset."""


@dataclass(frozen=True, slots=True)
class Seen:
    """
    A record of an event topic.

    Args:
        place: where it lies.
        event_id: `ce_id`, None where it has none.
        key: as text.
        event_type: `ce_type`, as written.
    """

    place: Place
    event_id: UUID | None
    key: str
    event_type: str


@dataclass(frozen=True, slots=True)
class Copy:
    """
    A record of an inbox topic.

    Args:
        place: where it lies.
        event_id: whose copy.
        key: as text.
        subject: `ce_subject`.
        sequence: `ce_sequence`, None where the bus wrote none.
        content: what makes two copies the same: a digest of value and headers.
        faithful: it shows exactly what its recipient may see of the original.
    """

    place: Place
    event_id: UUID
    key: str
    subject: str
    sequence: int | None
    content: bytes
    faithful: bool


@dataclass(frozen=True, slots=True)
class Effect:
    """
    A row that was written, in the order in which rows were.

    Args:
        number: the order.
        where: `BUS_PLACE` or an agency.
        event_id: of the event.
    """

    number: int
    where: str
    event_id: UUID


@dataclass(frozen=True, slots=True)
class Refused:
    """
    A quarantined record.

    Args:
        where: `BUS_PLACE` or an agency.
        place: of the record that was refused.
        reason: the code.
        published: it lies on the quarantine topic, too, with its bytes unchanged.
    """

    where: str
    place: Place
    reason: str
    published: bool


@dataclass(frozen=True, slots=True)
class Snapshot:
    """
    A look at a group in mid-run: offsets first, effects after them.

    Args:
        reader: whose group: `BUS_PLACE`, an agency, or the name of a stateless worker.
        committed: by topic and partition.
        known: ids that had an effect there, or waited durably.
        refused: places in quarantine there.
    """

    reader: str
    committed: Mapping[tuple[str, int], int]
    known: frozenset[UUID]
    refused: frozenset[Place]


@dataclass(kw_only=True)
class Observation:
    """
    All that one run left behind.

    Args:
        history: operations and their outcomes.
        seen: records of the event topics.
        recipients: agencies by event type.
        copies: records of inbox topics by agency.
        effects: rows of the ledger and of inboxes.
        refused: quarantined records.
        audited: (event, recipient) of the audit log's rows, recipient None for an admission.
        audit_published: how many audit rows never reached their topic.
        snapshots: looks in mid-run and one at the end.
        ends: offsets after the last record, by topic and partition.
        waiting: ids still parked at the end.
        stateless: for readers without a store, what each makes of an event.
    """

    history: Sequence[tuple[Operation, Outcome]]
    seen: Sequence[Seen]
    recipients: Mapping[str, Sequence[str]]
    copies: Mapping[str, Sequence[Copy]]
    effects: Sequence[Effect]
    refused: Sequence[Refused]
    audited: Sequence[tuple[UUID, str | None]]
    audit_unpublished: int = 0
    snapshots: Sequence[Snapshot] = ()
    ends: Mapping[tuple[str, int], int] = field(default_factory=dict)
    waiting: Sequence[UUID] = ()
    stateless: Mapping[str, Callable[[UUID], UUID | None]] = field(default_factory=dict)
