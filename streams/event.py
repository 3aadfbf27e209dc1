"""
The event, before and after it has a sender.

A handler or a connector makes a `Draft`; the bus turns it into an `Event` by giving it an id, a sender, a time and
its place in the chain of causes. Ids of derived events are deterministic, so that a repeat is recognised downstream.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from streams.frozen import quickly_made
from streams.names import AgencyCode, EventType, OfficerName
from streams.subject import SubjectRef
from streams.uuids import event_uuid, uuid_text

__all__ = ["Data", "Draft", "Event", "derived_id", "stated_id"]

Data = Mapping[str, Any]
"""An event's fields by Avro name: aware UTC datetimes, dates, Decimals, UUIDs, str, int, bytes, lists, dicts."""


@quickly_made
@dataclass(frozen=True, slots=True)
class Draft:
    """
    An event that somebody wants published.

    Args:
        type: one that the publishing agency's directory entry grants.
        subject: what it is about; its key decides the partition.
        data: the Avro fields; personal ones as `Personal`, or as the sealed record that came in.
        event_id: None for a handler's event (derived from its cause); a connector or a command states its own,
            deterministic by what it is about, so that doing it twice is doing it once.
        cause: id of the event that led to it; None in a handler means the event in hand.
        correlation: id of the first event of the chain; None takes the cause's.
        cause_depth: number of causes before the named `cause`.
    """

    type: EventType
    subject: SubjectRef
    data: Data
    event_id: UUID | None = None
    cause: UUID | None = None
    correlation: UUID | None = None
    cause_depth: int = 0


@quickly_made
@dataclass(frozen=True, slots=True)
class Event:
    """
    A published event: its envelope (CloudEvents attributes and our extensions) and its fields.

    Args:
        id: CloudEvents `id`.
        type: CloudEvents `type`.
        source: the sending agency's code; CloudEvents `source` is `//lienthong/agency/<code>`.
        subject: CloudEvents `subject` is its key.
        time: when it was made, aware UTC.
        data: the decoded fields; sealed ones stay sealed.
        correlation: id of the first event of the chain.
        cause: id of the event that led to it.
        depth: number of causes before it, 0 for a first event.
        passed: digests of the handlers, each with its subject, that the chain ran through, oldest first.
        officer: who acted, where an officer did.
        key_id: key of the officer's signature.
        signature: the officer's signature (see `streams.signing`).
        purpose: on an inbox copy, why the recipient may have it.
        legal_article: on an inbox copy, the article that grants it.
        removed: on an inbox copy, the fields taken out.
        answer_due: on an inbox copy, when the recipient owes an answer.
        admitted: on an inbox copy, when the bus admitted the event; CloudEvents extension `recordedtime`.
        sequence: on an inbox copy, its number among the recipient's copies about this subject, from 1, without gaps.
        after: on an inbox copy, the event that the recipient received, too, and must apply before this one.
    """

    id: UUID
    type: EventType
    source: AgencyCode
    subject: SubjectRef
    time: datetime
    data: Data = field(repr=False)
    correlation: UUID
    cause: UUID | None = None
    depth: int = 0
    passed: tuple[str, ...] = ()
    officer: OfficerName | None = None
    key_id: str | None = None
    signature: bytes | None = None
    purpose: str | None = None
    legal_article: str | None = None
    removed: tuple[str, ...] = ()
    answer_due: datetime | None = None
    admitted: datetime | None = None
    sequence: int | None = None
    after: UUID | None = None


def derived_id(cause: UUID, handler: str, index: int) -> UUID:
    """Make the id of the `index`-th event that `handler` derives from `cause`; the same again for a repeat."""
    return event_uuid(f"derived|{uuid_text(cause)}|{handler}|{index}")


def stated_id(event_type: EventType, *parts: str) -> UUID:
    """Make the id of an event that begins a chain from what it is about, so that stating it twice is once."""
    return event_uuid("|".join(["stated", event_type, *parts]))
