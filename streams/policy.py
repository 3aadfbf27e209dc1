"""
Need-to-know: who receives an event, and which of its fields.

Pure and default deny. A recipient sees the fields that its directory entry names and those that the schema lets no
one remove; everything else is taken out before its inbox topic.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta

from streams.catalogue import EventTypeSpec
from streams.dated import Days, common_days
from streams.directory import Directory
from streams.event import Data, Event
from streams.names import AgencyCode, EventType

__all__ = ["Delivery", "Entitlement", "entitled", "share", "withheld"]

_MAX_MADE = 1_000
_OFFICER = frozenset({"ce_officer", "ce_keyid", "ce_signature"})
_CAUSE = frozenset({"ce_causationid", "ce_after"})


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


@dataclass(frozen=True, slots=True)
class Entitlement:
    """
    What lets one agency receive a type on a day.

    Args:
        agency: who.
        hidden: the fields that it may not see.
        purpose: why it may have the rest.
        article: the article that grants it.
        answer_type: what it owes, if anything.
        answer_within: for how long after admission it may owe it.
        days: the first and the last day on which the same lets it receive the type.
    """

    agency: AgencyCode
    hidden: frozenset[str]
    purpose: str
    article: str
    answer_type: EventType | None
    answer_within: timedelta
    days: Days
    _made: dict[frozenset[str], Delivery] = field(default_factory=dict, repr=False, compare=False)

    def delivery(self, there: frozenset[str], at: datetime) -> Delivery:
        """
        Make the agency's delivery of an event.

        Args:
            there: the fields that have a value.
            at: when the event is admitted, aware UTC.
        """
        made = self._made.get(there)
        if made is None:  # without a due date it is the same for every event with these fields
            if len(self._made) >= _MAX_MADE:
                self._made.clear()
            made = Delivery(self.agency, tuple(sorted(self.hidden & there)), self.purpose, self.article, None, None)
            self._made[there] = made
        if self.answer_type is None:
            return made
        return replace(made, answer_type=self.answer_type, answer_due=at + self.answer_within)


def entitled(spec: EventTypeSpec, directory: Directory, *, on: date) -> Sequence[Entitlement]:
    """Say who may receive a type on a day, by code; the same for every event of that type and day."""
    found = []
    for code, agency in sorted(directory.agencies.items()):
        grant = agency.receive_grant(spec.type, on=on)
        if grant is not None:
            found.append(
                Entitlement(
                    agency=code,
                    hidden=spec.removable - grant.fields,
                    purpose=grant.purpose,
                    article=grant.article,
                    answer_type=grant.answer.type if grant.answer else None,
                    answer_within=grant.answer.within if grant.answer else timedelta(),
                    days=common_days(agency.days, grant.days) or (on, on),
                )
            )
    return found


def share(data: Data, entitlements: Sequence[Entitlement], *, at: datetime) -> Sequence[Delivery]:
    """
    Decide who receives an event.

    Args:
        data: the event's fields.
        entitlements: who may receive its type on the day of `at`.
        at: when the event is admitted, aware UTC; answers are due from then.

    Returns:
        One delivery for each entitled agency, by code.
    """
    there = frozenset([name for name, value in data.items() if value is not None])
    return [each.delivery(there, at) for each in entitlements]


def withheld(event: Event, removed: Sequence[str]) -> frozenset[str]:
    """
    Name the headers that say the same as a field that was taken out: the officer, or the cause.

    Without the officer's name the signature goes, too; on a copy that lacks fields it verifies nothing anyway.
    """
    if not removed or (event.officer is None and event.cause is None):
        return frozenset()
    gone = {str(event.data.get(name)) for name in removed}
    names = _OFFICER if event.officer in gone else frozenset()
    return names | _CAUSE if str(event.cause) in gone else names
