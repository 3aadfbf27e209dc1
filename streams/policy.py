"""
Need-to-know: who receives an event, and which of its fields.

Pure and default deny. A recipient sees the fields that its directory entry names and those that the schema lets no
one remove; everything else is taken out before its inbox topic.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from streams.calendar import vietnamese_day
from streams.catalogue import EventTypeSpec
from streams.directory import Directory
from streams.event import Data, Event
from streams.names import AgencyCode, EventType

__all__ = ["Delivery", "redact", "share", "withhold"]


@dataclass(frozen=True, slots=True)
class Delivery:
    """
    One recipient's copy.

    Args:
        agency: who receives it.
        removed: fields that had a value and are taken out, sorted.
        purpose: why it may have it.
        article: the article that grants it.
        answer_type: what it owes, if anything.
        answer_due: until when.
    """

    agency: AgencyCode
    removed: tuple[str, ...]
    purpose: str
    article: str
    answer_type: EventType | None
    answer_due: datetime | None


def share(data: Data, spec: EventTypeSpec, directory: Directory, *, at: datetime) -> Sequence[Delivery]:
    """
    Decide who receives an event.

    Args:
        data: the event's fields.
        spec: its type.
        directory: as it is now; dated entries are evaluated on the day of `at`.
        at: when the event is admitted, aware UTC; answers are due from then.

    Returns:
        One delivery for each entitled agency, by code.
    """
    deliveries = []
    for code, agency in sorted(directory.agencies.items()):
        grant = agency.receive_grant(spec.type, on=vietnamese_day(at))
        if grant is None:
            continue
        hidden = spec.removable - grant.fields
        deliveries.append(
            Delivery(
                agency=code,
                removed=tuple(sorted(name for name in hidden if data.get(name) is not None)),
                purpose=grant.purpose,
                article=grant.article,
                answer_type=grant.answer.type if grant.answer else None,
                answer_due=at + grant.answer.within if grant.answer else None,
            )
        )
    return deliveries


def withhold(event: Event, removed: Sequence[str]) -> Event:
    """
    Take out of the envelope what was taken out of the fields: the officer, or the cause, by the same value.

    Without the officer's name the signature goes, too; on a copy that lacks fields it verifies nothing anyway.
    """
    gone = {str(event.data.get(name)) for name in removed}
    if event.officer in gone:
        event = replace(event, officer=None, key_id=None, signature=None)
    return replace(event, cause=None) if str(event.cause) in gone else event


def redact(data: Data, removed: Sequence[str]) -> dict[str, object]:
    """
    Take fields out of an event.

    >>> redact({"seller": "a", "account": "b"}, ["account"])
    {'seller': 'a', 'account': None}
    """
    gone = frozenset(removed)
    return {name: None if name in gone else value for name, value in data.items()}
