"""
Order across types at a recipient: which copy waits for what, and what goes on when that has come.

A copy that names an event in `ce_after` is not applied before it; and while one copy about a subject waits, later ones
about that subject (by `ce_sequence`) wait behind it. So every copy waits for one that the bus admitted earlier, and no
two wait for each other.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field
from uuid import UUID

from streams.agency_store import ParkedCopy
from streams.event import Event

__all__ = ["WaitingRoom"]


@dataclass
class WaitingRoom:
    """
    Copies that wait, by their events, in order of parking.

    Args:
        copies: what was found parked, and what was parked since.
    """

    copies: dict[UUID, ParkedCopy] = field(default_factory=dict)

    def awaited(self, event: Event, received: Collection[UUID]) -> UUID | None:
        """
        Say what must come before an event.

        Args:
            event: one that is not in the inbox.
            received: ids that are.

        Returns:
            None when nothing must: it may be applied now.
        """
        if event.after is not None and event.after not in received:
            return event.after
        if event.sequence is None:
            return None
        before = [
            each
            for each in self.copies.values()
            if each.subject == event.subject.key and each.sequence is not None and each.sequence < event.sequence
        ]
        return max(before, key=lambda each: each.sequence or 0).event_id if before else None

    def waiting_for(self, event_id: UUID) -> list[UUID]:
        """Name what waits for an event, in order of parking."""
        return [each.event_id for each in self.copies.values() if each.waits_for == event_id]

    def note(self, parked: dict[UUID, ParkedCopy], unparked: Collection[UUID]) -> None:
        """Note what was parked, or waits no longer."""
        for event_id in unparked:
            self.copies.pop(event_id, None)
        self.copies |= parked
